"""What a user does with the calendars that make him or her busy: addresses of feeds, and colleagues.

Decides what may be added, and what its owner is told of each. Calendars of the user's own mailbox are listed
with them, but they are settings (`conflict_calendars`) and are changed there. A feature that is off keeps new
ones from being added; what is known already goes on counting, so that nobody is booked over a busy time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.booking.features import Feature, Features
from calsync_plugin.errors import SettingsError, UserError
from calsync_plugin.feeds import masking
from calsync_plugin.http.pinned import Rules
from calsync_plugin.state import (
    FEEDS,
    OF_MAILBOX,
    Account,
    BusySource,
    SourceKind,
    Store,
)
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

MOST = 10
"""Addresses of one user, colleagues included."""
MOST_AN_HOUR = 20
"""Addresses that one user adds within an hour: each is fetched at once, and again after it was removed."""
LONGEST_NAME = 100
LONGEST_ADDRESS = 254
ADDED = "added a calendar address"
"""As the audit log says it."""
HOUR = 3600.0
READ_AGAIN = 60.0
"""Seconds within which nobody's server is asked once more because somebody is impatient."""
_ADDRESS = re.compile(r"[^@\s<>\"',;:\\\[\]()]{1,64}@[^@\s<>\"',;:\\\[\]()]+\.[^@\s<>\"',;:\\\[\]().]+")

_HOST = r"(?:(?:[^\W_][\w-]*\.)+(?:[^\W\d_]{2,}|xn--[\w-]+)|(?:\d+\.){3}\d+)"
_PLACE = re.compile(rf"://|{_HOST}\.?(?::\d+)?[/?#]\S")
"""What looks like an address within a name: a scheme, or a host and a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One calendar as its owner sees it."""

    id: int
    kind: SourceKind
    name: str
    shown: str
    """The masked address of a feed, the address of a colleague; empty for a calendar of the mailbox."""
    state: Wording
    read_at: datetime | None
    error: str
    """Why it cannot be read now; empty if it can."""
    removable: bool
    """Whether it is taken off here; calendars of the mailbox are settings."""


class Own:
    """The calendars that make one user busy."""

    def __init__(self, store: Store, features: Features) -> None:
        """Keep them in `store`."""
        self._store = store
        self._features = features

    def sources(self, user_id: str) -> list[SourceLine]:
        """All of them: the main calendar first, then by kind and name."""
        shown = {feed.source.id: feed.shown for feed in self._store.feeds.of(user_id)}
        order = list(SourceKind)
        found = sorted(
            self._store.busy.sources([user_id]), key=lambda one: (order.index(one.kind), one.name, one.id)
        )
        return [_line(one, shown.get(one.id, "")) for one in found]

    def add_feed(self, actor: Actor, user_id: str, address: str, name: str = "") -> SourceLine:
        """Add a calendar behind an iCalendar address; it is read at once. The address is a secret.

        Raises SettingsError for an address that cannot be used, FeatureOff if an administrator forbids it.
        """
        account = self._may_add(actor, user_id, Feature.FEEDS)
        since = self._store.clock.now() - HOUR
        if self._store.audit.count(user_id=user_id, text=ADDED, since=since) >= MOST_AN_HOUR:
            raise SettingsError(
                _("You added many addresses within an hour; wait a while before the next one.")
            )
        rules = Rules(allow_loopback=self._store.installation.get().kind == "sandbox")
        checked = masking.checked_address(address, rules=rules)
        shown = masking.shown(checked)
        line = self._add(user_id, SourceKind.FEED, checked, shown, _checked(name) or shown.partition("/")[0])
        note_account(self._store, actor, account, ADDED)
        return line

    def add_schedule(self, actor: Actor, user_id: str, address: str, name: str = "") -> SourceLine:
        """Add the times at which a colleague is busy, as far as Outlook tells them to this user.

        It is the user's own doing and shows no more than Outlook does: an administrator's leave to ask about
        people who are not connected is not needed for it.
        """
        account = self._may_add(actor, user_id, Feature.CONFLICT_CALENDARS)
        checked = address.strip().strip("<>").lower()
        if len(checked) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(checked):
            raise SettingsError(_("Enter your colleague's e-mail address, such as bob@example.com."))
        if checked == account.address.lower():
            raise SettingsError(_("This is your own address; your own calendars are chosen in the settings."))
        line = self._add(user_id, SourceKind.SCHEDULE, checked, checked, _checked(name) or checked)
        note_account(self._store, actor, account, "added a colleague's free and busy times")
        return line

    def rename(self, user_id: str, source_id: int, name: str) -> None:
        """Call an address or a colleague something else."""
        wanted = _checked(name)
        if not wanted:
            raise SettingsError(_("Enter a name."))
        self._find(user_id, source_id)
        self._store.feeds.rename(source_id, wanted, user_id=user_id)

    def remove(self, actor: Actor, user_id: str, source_id: int) -> None:
        """Take an address or a colleague off; the times are free at once."""
        source = self._find(user_id, source_id)
        account = self._store.accounts.get(user_id)
        if self._store.busy.remove(source.id, user_id=user_id) and account is not None:
            feed = source.kind is SourceKind.FEED
            what = "a calendar address" if feed else "a colleague's free and busy times"
            note_account(self._store, actor, account, f"removed {what}")

    def read_now(self, user_id: str, source_id: int) -> None:
        """Let one of them be read soon, unless it was a moment ago."""
        source = self._source(user_id, source_id)
        looked = max((at.timestamp() for at in (source.read_at, source.error_at) if at), default=0.0)
        if 0 <= self._store.clock.now() - looked < READ_AGAIN:
            return
        if source.kind in OF_MAILBOX:
            self._store.queue.hint(source.mailbox_id)
        elif self._store.feeds.read_soon(source.id, user_id=user_id):
            self._store.queue.wake(FEEDS)

    def _may_add(self, actor: Actor, user_id: str, feature: Feature) -> Account:
        account = self._store.accounts.get(user_id)
        if account is None or not account.is_connected:
            raise UserError(_("Connect Outlook first; then further calendars can be added."))
        for one in dict.fromkeys((Feature.CONFLICT_CALENDARS, feature)):
            self._features.check(one, user_id, admin=actor.user_id != user_id)
        return account

    def _add(self, user_id: str, kind: SourceKind, address: str, shown: str, name: str) -> SourceLine:
        source_id = self._store.feeds.add(user_id, kind, address, shown=shown, name=name, most=MOST)
        self._store.queue.wake(FEEDS)
        return _line(self._source(user_id, source_id), shown)

    def _find(self, user_id: str, source_id: int) -> BusySource:
        source = self._source(user_id, source_id)
        if source.kind in OF_MAILBOX:
            raise UserError(_("This calendar lies in the mailbox; it is chosen in the settings."))
        return source

    def _source(self, user_id: str, source_id: int) -> BusySource:
        """A source of this user: nobody learns whether another user has one of this id."""
        for source in self._store.busy.sources([user_id]):
            if source.id == source_id:
                return source
        raise UserError(_("This calendar is not among yours; it may have been removed."))


def _line(source: BusySource, shown: str) -> SourceLine:
    if source.error:
        state = _("cannot be read")
    elif source.read_at is None or source.known_until is None:
        state = _("is read for the first time")
    else:
        state = _("is read")
    return SourceLine(
        id=source.id,
        kind=source.kind,
        name=source.name,
        shown=shown,
        state=state,
        read_at=source.read_at,
        error=source.error,
        removable=source.kind not in OF_MAILBOX,
    )


def _checked(name: str) -> str:
    """A name as it is kept: it is no secret, and an address must not slip in with it."""
    wanted = " ".join(name.split())
    if len(wanted) > LONGEST_NAME or not wanted.isprintable() or _PLACE.search(wanted):
        raise SettingsError(
            _("Choose a name of at most %(number)s characters, without an address.", number=LONGEST_NAME)
        )
    return wanted
