"""Notices to users and administrators: that an account needs a person, that something is held, or all pauses.

Decides that a trouble is told once, from all processes and over restarts: a bookmark keeps which one was told
and when, and whoever moves it tells. It is told again after it was cured and came back, or if a week went by.
What is told says what to do and holds nothing of any meeting.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from types import MappingProxyType

from calsync_plugin.state import Account, AccountStatus, Decision, Held, Installation, Store

AGAIN = 7 * 24 * 3600.0
"""Seconds after which what nobody cured is told once more."""
ADMINISTRATORS = ""
"""The user id that stands for all of them (`calsync_notify`)."""
LONGEST_REASON = 300
WHAT_IS_HELD = MappingProxyType({"deletion": "deletions", "mail": "updates that would mail people outside"})
NEEDS_A_PERSON = (AccountStatus.RECONNECT, AccountStatus.NEEDS_ATTENTION)

Message = tuple[str, str]
"""User id and text."""


class Notices:
    """Tells each trouble once."""

    def __init__(self, store: Store, tell: Callable[[str, str], None]) -> None:
        """Remember in `store` what was told, by `tell`."""
        self._store = store
        self._tell = tell
        self._known: dict[str, tuple[str, float]] = {}
        """What was told of each subject, and until when it need not be asked for."""

    def look(self) -> None:
        """Tell whatever needs a person now and was not told yet."""
        self.paused(self._store.installation.get())
        for account in self._store.accounts.in_status(*NEEDS_A_PERSON):
            self.account(account)
        held = [one for one in self._store.held.all() if one.decision is Decision.NONE]
        owners = self._store.accounts.by_mailboxes(sorted({one.mailbox_id for one in held}))
        for mailbox_id, owner in owners.items():
            self.held(owner, [one for one in held if one.mailbox_id == mailbox_id])

    def account(self, account: Account) -> None:
        """An account waits for its user, or for somebody who cures what its reason says."""
        if account.status not in NEEDS_A_PERSON:
            return
        # It had no success since it broke: another one means that it was cured meanwhile.
        episode = f"{account.status.value} {_at(account.connected_at)} {_at(account.last_success_at)}"
        self._once(f"notice:account:{account.user_id}", episode, _about_account(account))

    def held(self, account: Account, held: Sequence[Held]) -> None:
        """Operations of an account wait for somebody's decision; `held` are those without one."""
        for kind, count in sorted(Counter(one.operation for one in held).items()):
            oldest = min(one.since for one in held if one.operation == kind)
            name = f"notice:held:{kind}:{account.user_id}"
            self._once(name, _at(oldest), _about_held(account.user_id, kind, count))

    def paused(self, installation: Installation) -> None:
        """All accounts wait until an administrator says whether the installation moved."""
        if installation.paused:
            text = f"calsync is paused: {_short(installation.paused)} (calsync installation moved, or copy)."
            self._once("notice:paused", _digest(installation.paused), [(ADMINISTRATORS, text)])

    def crm_in_doubt(self, entity_type: str, episode: str) -> None:
        """The CRM lost records of a type: what is gone there is not removed from Outlook by itself."""
        what = episode.partition(" ")[2]
        text = (
            f"{what} ({entity_type}). No event is removed from Outlook because its record is gone; such "
            "removals are held. If the records come back, all goes on by itself; if not, confirm or discard "
            "for each user: calsync accounts resume USER --confirm (or --discard)"
        )
        self._once(f"notice:crm:{entity_type}", _digest(episode), [(ADMINISTRATORS, text)])

    def _once(self, name: str, episode: str, messages: Sequence[Message]) -> None:
        now = self._store.clock.now()
        known, until = self._known.get(name, ("", 0.0))
        if known == episode and now < until:
            return
        before = self._store.bookmarks.get(name)
        at, _, told = before.partition(" ")
        if told == episode and now < float(at) + AGAIN:
            self._known[name] = (episode, float(at) + AGAIN)
            return
        self._known[name] = (episode, now + AGAIN)
        if self._store.bookmarks.swap(name, before, f"{now:.0f} {episode}"):
            for user_id, text in messages:
                self._tell(user_id, text)


def _about_account(account: Account) -> list[Message]:
    user_id = account.user_id
    if account.status is AccountStatus.RECONNECT:
        ours = "Your Outlook calendar waits: sign in at Microsoft again (External Account, Reconnect)."
        theirs = f"The account of user {user_id} waits until its user signs in at Microsoft again."
    else:
        reason = _short(account.reason)
        ours = f"Your Outlook calendar is not kept in step: {reason}. Ask your administrator what to do."
        theirs = (
            f"The account of user {user_id} needs attention: {reason}. "
            f"When that is cured: calsync accounts resume {user_id}"
        )
    return [(user_id, ours), (ADMINISTRATORS, theirs)]


def _about_held(user_id: str, kind: str, count: int) -> list[Message]:
    what = WHAT_IS_HELD.get(kind, "changes")
    go_on = f"calsync accounts resume {user_id} --confirm (or --discard)"
    ours = f"{count} {what} are held until somebody decides; your administrator can let them go with: {go_on}"
    theirs = f"{count} {what} in the account of user {user_id} are held; let them go with: {go_on}"
    return [(user_id, ours), (ADMINISTRATORS, theirs)]


def _at(moment: datetime | None) -> str:
    return f"{moment.timestamp():.3f}" if moment else "never"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _short(reason: str) -> str:
    """One line of a reason, without the full stop that the sentence around it has."""
    return " ".join(reason.split())[:LONGEST_REASON].rstrip(".")
