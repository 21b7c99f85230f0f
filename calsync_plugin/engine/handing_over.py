"""Somebody else's meeting, whose home copy went or was called off: another user's copy stands for it (R3).

Decides when that is so, whose copy it is, and to whom the record passes then. A copy that was called off may
mean two things, for Outlook marks it alike (Graph docs, event: isCancelled): the meeting is off, or only its
owner was taken off the invitation. The colleagues' calendars tell which. What becomes of a meeting that is on
in no other calendar is planned as ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from calsync_plugin.domain.links import Copy, CopyPurpose, CopyState, Link, Presence, Role
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.engine.claims import plain_uid
from calsync_plugin.engine.gather import as_stored
from calsync_plugin.engine.hosts import WAITS
from calsync_plugin.engine.inward import refused
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.progress import rehomed
from calsync_plugin.engine.roster import READY, Member, Roster
from calsync_plugin.errors import Forbidden, MailboxUnusable, NotFound, Transient, Unauthorized
from calsync_plugin.graph.calendar import calendar_of, find_by_ical_uid, get_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request


@dataclass(slots=True)
class _Off:
    """An item whose home copy was called off, and what colleagues' calendars say of the meeting."""

    item: Item
    link: Link
    heirs: set[int] = field(default_factory=set)
    """Mailboxes with a copy that is on."""
    silent: set[int] = field(default_factory=set)
    """Mailboxes with a copy that cannot be asked now."""


class HandingOver:
    """Lets meetings go on through colleagues' copies."""

    def __init__(
        self, roster: Roster, open_mailbox: Callable[[Member], MailboxClient], hint: Callable[[int], None]
    ) -> None:
        """Find accounts in `roster`; to read one by `open_mailbox` needs no lease, `hint` lets it run."""
        self._roster = roster
        self._open_mailbox = open_mailbox
        self._hint = hint

    def hand_over(self, items: Sequence[Item]) -> None:
        """Hand over those of `items` of which this mailbox's home copy tells no more."""
        for item in items:
            if item.state is ItemState.OPEN and item.link and item.theirs.presence is Presence.GONE:
                _goes_on(item, rehomed(item.link), gone=True)
        off = [_Off(item, item.link) for item in items if item.link and _is_off(item, item.link)]
        if off:
            members = self._ask_for_copies(off)
            for one in off:
                _settle(one, members)
            self._ask_for_unread([one for one in off if not one.heirs and not one.silent])

    def _ask_for_copies(self, off: Sequence[_Off]) -> dict[int, Member]:
        """Look at the other copies of these links; returns whose mailboxes hold any."""
        members = dict(
            self._roster.by_mailboxes({copy.mailbox_id for one in off for copy in _others(one.link)})
        )
        asked: dict[int, list[tuple[_Off, Copy]]] = defaultdict(list)
        for one in off:
            for copy in _others(one.link):
                member = members.get(copy.mailbox_id)
                if member is None or not member.brings(one.item.key.entity_type):
                    continue
                if member.account.status in READY:
                    asked[copy.mailbox_id].append((one, copy))
                else:
                    one.silent.add(copy.mailbox_id)
        for mailbox_id, pairs in asked.items():
            # A deleted item keeps its id and may still be readable: where it lies is asked as well.
            requests = [
                request(copy.event_id, item=one.item.name)
                for one, copy in pairs
                for request in (get_event, calendar_of)
            ]
            outcomes = self._batch(members[mailbox_id], requests)
            for number, (one, _) in enumerate(pairs):
                _heard(one, mailbox_id, outcomes[2 * number : 2 * number + 2])
        return members

    def _ask_for_unread(self, off: Sequence[_Off]) -> None:
        """Let calendars be read first that hold the meeting and have not joined it yet."""
        invited = {one.item.key: _invited(one) for one in off if one.item.event_attempts < len(WAITS)}
        members = self._roster.by_users({user_id for users in invited.values() for user_id in users})
        for one in off:
            uid = plain_uid(one.link.series_ical_uid)
            for user_id in sorted(invited.get(one.item.key, ())) if uid else ():
                member = members.get(user_id)
                if member is not None and self._may_join(one, member) and self._holds(one, member, uid):
                    self._hint(member.mailbox_id)
                    one.item.state, one.item.retry_after = ItemState.RETRY, WAITS[one.item.event_attempts]
                    one.item.error = f"{one.item.name}: waits for the calendar of {member.account.address}"

    def _may_join(self, one: _Off, member: Member) -> bool:
        return (
            bool(member.mailbox_id)
            and one.link.copy_in(member.mailbox_id) is None
            and member.account.status in READY
            and member.brings(one.item.key.entity_type)
        )

    def _holds(self, one: _Off, member: Member, uid: str) -> bool:
        found = [
            outcome.value for outcome in self._batch(member, [find_by_ical_uid(uid, item=one.item.name)])
        ]
        events = found[0].get("value") if found and found[0] else None
        return isinstance(events, list) and any(isinstance(e, dict) and _is_on(e) for e in events)

    def _batch(self, member: Member, requests: Sequence[Request]) -> list[Outcome]:
        with suppress(Forbidden, MailboxUnusable, Unauthorized):
            return self._open_mailbox(member).batch(requests)
        # That mailbox's own run tells its user.
        return []


def _heard(one: _Off, mailbox_id: int, answers: Sequence[Outcome]) -> None:
    """What a calendar says of its copy."""
    error = next((o.error for o in answers if o.error and not isinstance(o.error, NotFound)), None)
    if isinstance(error, Transient):
        one.item.state, one.item.error, one.item.retry_after = ItemState.RETRY, str(error), error.retry_after
    elif error is not None or not answers:
        one.silent.add(mailbox_id)
    elif all(outcome.value for outcome in answers) and _is_on(answers[0].value or {}):
        one.heirs.add(mailbox_id)


def _settle(one: _Off, members: dict[int, Member]) -> None:
    """Hand it to a copy that is on. A calendar that cannot be asked may hold it: its next reading tells.

    A record that was the user's of this mailbox passes along, for it is the home's (4.2). Somebody else's is
    left alone: people decide who looks after it.
    """
    item, heirs = one.item, one.heirs or one.silent
    link = rehomed(one.link, heirs) if heirs and item.state is ItemState.OPEN else None
    if link is not None and link.home is not None:
        if item.ours.assignee.user_id == item.runner.account.user_id:
            item.passes_to = members[link.home.mailbox_id].account.user_id
        _goes_on(item, link, gone=False)


def _goes_on(item: Item, link: Link | None, *, gone: bool) -> None:
    """The item with its new home. Whose copy is `gone` declined; who was taken off has no answer."""
    if link is None or link.home is None:
        return
    item.link, item.changed_link = link, True
    item.theirs = replace(as_stored(link), own=refused(item.theirs.own) if gone else None)
    item.elsewhere.add(link.home.mailbox_id)


def _is_off(item: Item, link: Link) -> bool:
    """Whether the organizer called this mailbox's home copy off; what is over is left as it is (R5)."""
    meeting, policy = item.theirs.meeting, item.policy
    return (
        item.state is ItemState.OPEN
        and link.role is Role.ATTENDEE
        and bool(link.record_id)
        and item.home_here is not None
        and item.ours.presence is Presence.PRESENT
        and meeting is not None
        and meeting.cancelled
        and not meeting.span.over_at(policy.now)
        and not policy.suspended
    )


def _is_on(event: JsonObject) -> bool:
    return event.get("isCancelled") is not True


def _others(link: Link) -> Iterable[Copy]:
    return (c for c in link.copies if c.purpose is CopyPurpose.ATTENDEE and c.state is CopyState.LIVE)


def _invited(one: _Off) -> set[str]:
    """The other users of the CRM who are on the invitation."""
    people = one.item.theirs.meeting.attendees if one.item.theirs.meeting else ()
    users = {a.person.id for a in people if a.person and a.person.kind is PersonKind.USER}
    return users - {one.item.runner.account.user_id}
