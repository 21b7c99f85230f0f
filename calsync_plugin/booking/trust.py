"""How far stored busy times can be relied on: what is known of a user, until when, and how fresh it is.

Decides when somebody's time counts as known, and what the one who asks is told. That may be a colleague:
neither the name of a calendar nor an error's own words are passed on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from calsync_plugin.bundle import manifest
from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.slots import DAY
from calsync_plugin.settings import NO_CALENDAR, GraphSettings
from calsync_plugin.state import OF_MAILBOX, Account, AccountStatus, BusySource, Notify, SourceKind
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

MISSED = 3
"""A calendar that was not read at so many looks in a row is stale."""
A_LOOK_A_DAY = 26 * 3600.0
"""A mailbox that notifies us is looked at once a day besides."""
FEED_LOOKS = 2 * 3600.0
"""A feed is looked at within it, whatever its server says of how often it changes."""
TOLD_FOR = FEED_LOOKS
"""What colleagues were told of somebody who is not connected: nobody reads it again of itself."""
TOLD_BEFORE, TOLD_AHEAD = DAY, 123 * DAY
"""For which time they ask: two requests for twenty people, for Outlook takes 62 days at once."""

NOT_CONNECTED = _("This user is not connected to Outlook.")
NOT_ALLOWED = _("This user is not allowed to sync with Outlook; an administrator can give the grant.")
NOT_READ = _("Not all calendars of this user have been read yet.")
NO_CALENDARS = _("No calendar tells when this user is busy.")
NOT_ENABLED = _("Free and busy times are not enabled for this user.")

_STANDING = {
    AccountStatus.RECONNECT: _("Outlook has to be connected again; until then nothing new is known."),
    AccountStatus.PAUSED: _("Syncing is paused; until it is resumed nothing new is known."),
    AccountStatus.NEEDS_ATTENTION: _("The account needs attention; until then nothing new is known."),
}
_UNREADABLE = {
    SourceKind.LINKED: _("The main calendar cannot be read now."),
    SourceKind.CONFLICT: _("A conflict calendar cannot be read now."),
    SourceKind.FEED: _("A calendar address cannot be read now."),
    SourceKind.SCHEDULE: _("Free and busy times cannot be read from Outlook now."),
}
_LONG_AGO = _("The calendars were not read for a long time.")
_OFF = _("Syncing is switched off for everybody; nothing new is known.")

SWITCHED_OFF = _("Syncing is switched off for everybody, so that Outlook was not asked.")
NOT_READY = _("Outlook could not be asked: the account is not ready. Its owner sees why on the account page.")
_READY = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What may be made of a user's stored times."""

    known: bool
    reason: str = ""
    """Why they are not known."""
    read_at: datetime | None = None
    span: Interval | None = None
    """What all sources are known for; None if one of them was never read."""
    stale: bool = False
    problems: tuple[str, ...] = ()


def is_connected(account: Account | None) -> bool:
    """Whether a user has a mailbox here, ready or not."""
    return account is not None and account.is_connected


def unasked(account: Account | None, *, enabled: bool) -> Wording | None:
    """Why Outlook is not asked about a user now, None if it is; whom nobody asks nobody can book.

    About a user who is not connected colleagues may be able to ask.
    """
    if not enabled:
        return SWITCHED_OFF
    return NOT_READY if account and is_connected(account) and account.status not in _READY else None


def lacks(account: Account | None, sources: Collection[BusySource], *, schedules: bool) -> Wording | None:
    """Why nothing of a user is told, None if something is; `schedules`: Outlook may be asked of anybody."""
    if is_connected(account):
        return None
    if account is not None and account.mailbox_id and not account.grants >= _needed():
        # What such a user chose while it was allowed is kept, and is about others, it may be.
        return NOT_ALLOWED
    told = schedules and any(source.kind is SourceKind.SCHEDULE for source in sources)
    return None if told else NOT_CONNECTED


def trust(
    account: Account | None,
    sources: Sequence[BusySource],
    window: Interval,
    *,
    now: float,
    graph: GraphSettings,
    not_asked: str,
) -> Trust:
    """Judge the sources of a user of whom something is told; `not_asked`: why Outlook could not be asked."""
    lasts = is_connected(account) or not _told_long_ago(sources, now)
    counted = [one for one in sources if not (is_connected(account) and _never_answered(one))]
    span = _span(counted) if lasts and _has_all(account, sources) else None
    read = [source.read_at for source in counted if source.read_at is not None]
    stale = tuple(dict.fromkeys(_stale(account, sources, now, graph, not_asked)))
    beyond = span is not None and window[1] > span[1]
    later = (_later(span[1]),) if span is not None and beyond else ()
    return Trust(
        known=span is not None,
        reason="" if span is not None else _unread(account, sources) if lasts else _LONG_AGO,
        read_at=min(read, default=None) if len(read) == len(counted) else None,
        span=span,
        stale=bool(stale),
        problems=(*stale, *later),
    )


def _has_all(account: Account | None, sources: Sequence[BusySource]) -> bool:
    """Whether what a connected user chose is among the sources: a choice of this minute is not, yet."""
    if account is None or not is_connected(account):
        return True
    linked = any(source.kind is SourceKind.LINKED for source in sources)
    chosen = account.settings.get("conflict_calendars")
    places = {source.place for source in sources if source.kind in OF_MAILBOX}
    return (linked or _without_main(account)) and places.issuperset(
        chosen if isinstance(chosen, list) else ()
    )


def _never_answered(source: BusySource) -> bool:
    """Whether an address failed ever since it was added: nothing was ever known of it that could be missed.

    Else a slip in an address would keep its user, and a team that comes together, from being booked for ever.
    """
    return source.kind not in OF_MAILBOX and bool(source.error) and source.known_until is None


def _told_long_ago(sources: Sequence[BusySource], now: float) -> bool:
    told = [one.read_at for one in sources if one.kind is SourceKind.SCHEDULE and one.read_at]
    return any(now - read_at.timestamp() > TOLD_FOR for read_at in told)


def _without_main(account: Account | None) -> bool:
    return account is not None and account.settings.get("main_calendar") == NO_CALENDAR


def _unread(account: Account | None, sources: Sequence[BusySource]) -> Wording:
    return NO_CALENDARS if not sources and _without_main(account) else NOT_READ


def _span(sources: Sequence[BusySource]) -> Interval | None:
    """What is known of all of them. One that was not listed yet has no end of what is known."""
    known = [
        (source.known_from, source.known_until) for source in sources if source.read_at and source.known_until
    ]
    if not sources or len(known) < len(sources):
        return None
    first = max(int(start.timestamp()) if start else 0 for start, _end in known)
    return first, max(first, min(int(end.timestamp()) for _start, end in known if end))


def _stale(
    account: Account | None, sources: Sequence[BusySource], now: float, graph: GraphSettings, not_asked: str
) -> Iterator[str]:
    """Why less may be known than there is."""
    if not_asked:
        yield not_asked
    if not graph.enabled:
        yield _OFF
    if account is not None and account.status in _STANDING:
        yield _STANDING[account.status]
    for source in sources:
        if source.error:
            yield _UNREADABLE[source.kind]
        elif source.read_at and now - source.read_at.timestamp() > _patience(source, account, graph):
            yield _LONG_AGO


def _patience(source: BusySource, account: Account | None, graph: GraphSettings) -> float:
    """After how many seconds without a reading a source is stale."""
    polled = float(MISSED * graph.poll_seconds)
    if source.kind not in OF_MAILBOX:
        return max(polled, FEED_LOOKS)
    notified = account is not None and account.notify is Notify.NOTIFICATIONS
    return max(polled, A_LOOK_A_DAY) if notified else polled


def _later(until: int) -> Wording:
    return _("Times after %(day)s are not known yet.", day=datetime.fromtimestamp(until, UTC).date())


def _needed() -> frozenset[str]:
    return frozenset(need.name for need in manifest().grants)
