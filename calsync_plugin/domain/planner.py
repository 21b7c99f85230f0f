"""The planner: from a link, its two sides and the policy to operations. Pure; both directions.

Decides everything that happens to a meeting. Does not know which mailbox is being run: operations name
theirs, and a run carries out those of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from calsync_plugin.domain.adoption import READ_FIRST, adopt, create_record, unwanted
from calsync_plugin.domain.answering import Own, answered
from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.content import carry_across, merge_sides
from calsync_plugin.domain.links import CopyState, Link, LinkState, Origin, Presence, Role
from calsync_plugin.domain.meeting import Meeting, PersonKind, Response
from calsync_plugin.domain.operations import (
    CreateEvent,
    DeleteEvent,
    Detach,
    DropLink,
    Operation,
    Resume,
    Suspend,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.people import merge_people
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.removal import (
    called_off,
    delete_leaving,
    event_gone,
    moved_event_gone,
    record_gone,
    unassigned,
)
from calsync_plugin.domain.sending import create_event, has_attendees, has_ended

Plan = tuple[Operation, ...]

OUT_OF_SIGHT = "the CRM no longer shows us this record"
"""Why a link is suspended whose record we may not read: nobody tells when that ends (R12)."""


class Standing(StrEnum):
    """Whether the account of a user takes records now."""

    SYNCING = "syncing"
    WAITING = "waiting"
    """Reconnecting, paused or in need of attention: it will take them later."""
    NONE = "none"
    """Not connected, without a grant, or in a mode that takes nothing from the CRM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignee:
    """The record's assigned user and where that user's events belong."""

    user_id: str
    standing: Standing
    mailbox_id: int = 0
    """Where the events belong, whatever the standing; 0 only for a user who never had a mailbox."""
    former_mailboxes: frozenset[int] = frozenset()
    """Mailboxes that the same user was connected to before: links stay there (R19), it is no reassignment."""


NOBODY = Assignee(user_id="", standing=Standing.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The CRM's side now. `meeting` is None unless present."""

    presence: Presence
    meeting: Meeting | None = None
    assignee: Assignee = NOBODY
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """Outlook's side now: the home copy. `meeting` None while present means: as in its base."""

    presence: Presence
    meeting: Meeting | None = None
    own: Own | None = None
    """The copy in the mailbox of this run, where that mailbox's user is invited."""


def plan(link: Link | None, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """What is to be done about one meeting. `policy` is that of `governing_mailbox`."""
    if link is None:
        if policy.suspended or not policy.entity_enabled:
            return (Wait(reason=_pause(policy)),)
        return _plan_unlinked(ours, theirs, policy)
    match link.state:
        case LinkState.DETACHED:
            return ()
        case LinkState.SUSPENDED:
            return _plan_suspended(link, ours, theirs, policy)
        case LinkState.ACTIVE:
            if policy.suspended or not policy.entity_enabled:
                return (Suspend(reason=_pause(policy)),)
            return _plan_active(link, ours, theirs, policy)


def governing_mailbox(link: Link | None, ours: Ours) -> int:
    """The mailbox whose settings are the policy of the plan; 0 if there is none.

    Content flows by the home's settings, whoever the record is assigned to. Only where the event is created,
    because there is no home yet or because it moves, the assigned user's decide.
    """
    if link is None or link.home is None:
        return ours.assignee.mailbox_id
    moves = _moves(link, ours) and ours.assignee.standing is Standing.SYNCING
    return ours.assignee.mailbox_id if moves else link.home.mailbox_id


def _pause(policy: Policy) -> str:
    return policy.suspended or "this kind of record is not synced"


def _plan_suspended(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """Nothing while the reason lasts; when it ended, compare with what is really there (R12).

    A move to a user who syncs ends the reason too: it was the former one's (R2).
    """
    if policy.suspended or not policy.entity_enabled:
        return ()
    if ours.presence in (Presence.OUT_OF_SCOPE, Presence.UNKNOWN):
        return ()
    active = replace(link, state=LinkState.ACTIVE)
    if _moves(active, ours) and ours.assignee.standing is Standing.SYNCING:
        moved = _plan_active(active, ours, theirs, policy)
        return (Resume(), *moved) if any(isinstance(o, CreateEvent | Detach) for o in moved) else moved
    if theirs.presence in (Presence.OUT_OF_SCOPE, Presence.UNKNOWN):
        return ()
    if theirs.presence is Presence.PRESENT and theirs.meeting is None:
        return (READ_FIRST,)
    return (Resume(), *_plan_active(active, ours, theirs, policy))


def _plan_unlinked(ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """Nothing is linked yet: create an event or a record, or adopt. Only `absent` is a vacancy."""
    match ours.presence, theirs.presence:
        case Presence.PRESENT, Presence.PRESENT:
            assert ours.meeting is not None
            return adopt(Origin.ADOPTED, ours.meeting, theirs.meeting, theirs.own, policy)
        case Presence.PRESENT, Presence.ABSENT:
            return _create_event(ours, policy, moves=False)
        case Presence.ABSENT, Presence.PRESENT:
            return create_record(theirs.meeting, theirs.own, policy)
    return ()


def _create_event(ours: Ours, policy: Policy, *, moves: bool) -> Plan:
    assert ours.meeting is not None
    if ours.assignee.standing is Standing.NONE:
        return ()
    if ours.assignee.standing is Standing.WAITING:
        return (Wait(reason="the assigned user's account is not ready"),)
    flows = carried(Origin.CRM, Role.ORGANIZER, policy)
    created = create_event(
        ours.assignee.mailbox_id, ours.meeting, ours.modified_at, flows, policy, moves=moves
    )
    return (created,) if created else ()


def _plan_active(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    match ours.presence:
        case Presence.UNKNOWN:
            return ()
        case Presence.OUT_OF_SCOPE:
            return (Suspend(reason=OUT_OF_SIGHT),)
        case Presence.GONE:
            return record_gone(link, theirs.presence, theirs.meeting, policy)
        case Presence.ABSENT:
            return _plan_record_begun(link, theirs, policy)
        case Presence.PRESENT:
            pass
    if _moves(link, ours):
        return _plan_move(link, ours, theirs, policy)
    if link.home is None or link.home.state is CopyState.INTENDED:
        return _plan_begun(link, ours, theirs, policy)
    match theirs.presence:
        case Presence.UNKNOWN | Presence.ABSENT:
            return delete_leaving(link)
        case Presence.OUT_OF_SCOPE:
            return (*delete_leaving(link), Suspend(reason="the event is out of our reach"))
        case Presence.GONE:
            return _plan_event_gone(link, ours, theirs, policy)
        case Presence.PRESENT:
            return (*delete_leaving(link), *_plan_both(link, ours, theirs, policy))


def _plan_event_gone(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """Who takes an invitation out of the own calendar declines it; that is no end of the meeting (R3)."""
    assert ours.meeting is not None
    ended = event_gone(link, ours.meeting, policy)
    if link.role is not Role.ATTENDEE or theirs.own is None or has_ended(link, None, policy.now):
        return ended
    declined = replace(theirs.own, response=Response.DECLINED, takes=False)
    answer = answered((), declined, ours.meeting, policy, over=False, moved=False)
    return (*answer, *ended)


def _plan_both(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """Compare the contents, unless the meeting was called off by an organizer who is not ours (R5)."""
    assert ours.meeting is not None
    if link.role is Role.ATTENDEE and theirs.meeting is not None and theirs.meeting.cancelled:
        return () if theirs.meeting.span.over_at(policy.now) else called_off(link, policy)
    if link.origin is Origin.ADOPTED and link.crm_base is None and link.outlook_base is None:
        return adopt(link.origin, ours.meeting, theirs.meeting, theirs.own, policy)
    return carry_across(link, ours.meeting, theirs.meeting, theirs.own, ours.modified_at, policy)


def _plan_record_begun(link: Link, theirs: Theirs, policy: Policy) -> Plan:
    """A record's create was begun, and it is not there: once more, under the same marker."""
    if link.record_id:
        return ()
    if theirs.presence is Presence.GONE:
        return (DropLink(reason="the event was removed before its record was created"),)
    if theirs.presence is not Presence.PRESENT:
        return ()
    if theirs.meeting is not None and unwanted(theirs.meeting, policy):
        return (DropLink(reason="the event was called off or made private before its record was created"),)
    return create_record(theirs.meeting, theirs.own, policy)


def _plan_begun(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """A create was begun: once it is known that no event came of it, create again under the same key."""
    if link.home is None and theirs.presence is Presence.PRESENT:
        assert ours.meeting is not None
        return adopt(link.origin, ours.meeting, theirs.meeting, theirs.own, policy)
    if not _may_create(link):
        return ()
    match theirs.presence:
        case Presence.ABSENT:
            assert ours.meeting is not None
            # People unknown to the CRM, whom the former home had, come along in the repeated create too.
            everybody = merge_people(link, ours.meeting, None).record
            moved = replace(ours, meeting=replace(ours.meeting, attendees=everybody))
            asked = replace(policy, backfill_confirmed=True) if _asked_for(link) else policy
            return _create_event(moved, asked, moves=bool(link.leaving))
        case Presence.GONE:
            return (Detach(reason="the event was removed in Outlook as soon as it was created"),)
        case Presence.PRESENT:
            return _plan_both(link, ours, theirs, policy)
    return (Wait(reason="a create was begun; its outcome must be looked up"),)


def _asked_for(link: Link) -> bool:
    """Whether a person wants it pushed again: then it does not wait for the back-fill, old as it may be."""
    return link.generation > 1 and not link.copies


def _may_create(link: Link) -> bool:
    return link.origin is Origin.CRM and link.role is Role.ORGANIZER and link.original_start is None


def _moves(link: Link, ours: Ours) -> bool:
    """Whether the event belongs into another mailbox than its home now (R2)."""
    return (
        _may_create(link)
        and ours.presence is Presence.PRESENT
        and link.home is not None
        and link.home.mailbox_id != ours.assignee.mailbox_id
        and link.home.mailbox_id not in ours.assignee.former_mailboxes
    )


def _plan_move(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """Created and confirmed with the new assignee first, then deleted at the old one."""
    assert link.home is not None
    assert ours.meeting is not None
    if ours.assignee.standing is Standing.WAITING:
        return (Wait(reason="stays with the former assignee until the new one's account is ready"),)
    gone = theirs.presence in (Presence.GONE, Presence.ABSENT)
    over = has_ended(link, theirs.meeting, policy.now) and ours.meeting.span.over_at(policy.now)
    if not gone and over and has_attendees(link, theirs.meeting, policy):
        return (Wait(reason="the meeting is over; moving it would only mail its attendees"),)
    if theirs.presence is Presence.GONE and link.home.state is CopyState.LIVE:
        return moved_event_gone(link, dropped=ours.assignee.standing is Standing.NONE)
    # What was edited at the old home and never reached the record moves along, unknown people too.
    merged = merge_sides(link, ours.meeting, theirs.meeting, None, policy)
    if ours.assignee.standing is Standing.NONE:
        left = unassigned(link, policy, gone=gone)
    else:
        # The new organizer may have been invited to the event that is left.
        host = f"{PersonKind.USER}:{ours.assignee.user_id}"
        guests = tuple(a for a in merged.everybody if a.key != host)
        moved = replace(merged.meeting, attendees=guests)
        left = _create_event(replace(ours, meeting=moved), policy, moves=True)
    if theirs.meeting is None or not any(isinstance(o, CreateEvent | DeleteEvent) for o in left):
        return left
    saved = (UpdateRecord(meeting=merged.meeting, fields=merged.to_crm),) if merged.to_crm else ()
    return (*merged.clashes, *saved, *left)
