"""The planner: from a link, its two sides and the policy to operations. Pure; both directions.

Decides everything that happens to a meeting. Does not know which mailbox is being run: operations name
theirs, and a run carries out those of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calsync_plugin.domain.backfill import may_push
from calsync_plugin.domain.carried import MODE_FLOW, Flow, carried, with_flow
from calsync_plugin.domain.links import Copy, CopyState, Link, LinkState, Origin, Presence, Role
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.merge import Merged, merge, merge_into_crm
from calsync_plugin.domain.operations import (
    CreateEvent,
    CreateRecord,
    DeleteEvent,
    DeleteRecord,
    Detach,
    DropLink,
    Operation,
    Resume,
    SaveBase,
    Suspend,
    UpdateEvent,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.policy import Policy

Plan = tuple[Operation, ...]


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


def plan(link: Link | None, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """What is to be done about one meeting."""
    if link is not None and link.state is LinkState.DETACHED:
        return ()
    if link is not None and link.state is LinkState.SUSPENDED and not _moves(link, ours):
        return _plan_suspended(link, ours, theirs, policy)
    if policy.suspended or not policy.entity_enabled:
        return _suspend(link, policy)
    if link is None or (link.home is None and not link.leaving):
        return _plan_unlinked(link, ours, theirs, policy)
    return _plan_active(link, ours, theirs, policy)


def _suspend(link: Link | None, policy: Policy) -> Plan:
    reason = policy.suspended or "this kind of record is not synced"
    if link is None or link.state is LinkState.SUSPENDED:
        return (Wait(reason=reason),)
    return (Suspend(reason=reason),)


def _plan_suspended(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """Nothing while the reason lasts; when it ended, compare with what is really there (R12)."""
    if policy.suspended or not policy.entity_enabled:
        return ()
    if theirs.presence is Presence.PRESENT and theirs.meeting is None:
        return (Wait(reason="the event must be read before the link resumes"),)
    if Presence.OUT_OF_SCOPE in (ours.presence, theirs.presence):
        return ()
    return (Resume(), *_plan_active(link, ours, theirs, policy))


def _plan_unlinked(link: Link | None, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """No event is linked yet: create one, create a record, adopt what matches, or drop an empty link."""
    present = (ours.presence is Presence.PRESENT, theirs.presence is Presence.PRESENT)
    if present == (True, True) and ours.meeting and theirs.meeting:
        return _adopt(link, ours.meeting, theirs.meeting, policy)
    if present == (True, False) and ours.meeting:
        return _create_event(ours, policy, moves=False)
    if present == (False, True) and theirs.meeting and link is None:
        fields = with_flow(carried(Origin.OUTLOOK, Role.ORGANIZER, policy), Flow.IN)
        return (CreateRecord(meeting=theirs.meeting, fields=fields),) if fields else ()
    if link is not None and ours.presence is Presence.GONE:
        return (DropLink(reason="the record was removed before its event was created"),)
    return ()


def _adopt(link: Link | None, ours: Meeting, theirs: Meeting, policy: Policy) -> Plan:
    """Two that match are linked; differences go to the CRM only, so that nobody is mailed (R8, R21)."""
    origin = link.origin if link else Origin.OUTLOOK
    flows = carried(origin, Role.ORGANIZER, policy)
    fields = merge_into_crm(ours, theirs, flows)
    saved = SaveBase(fields=frozenset(flows))
    return (UpdateRecord(meeting=theirs, fields=fields), saved) if fields else (saved,)


def _create_event(ours: Ours, policy: Policy, *, moves: bool) -> Plan:
    assert ours.meeting is not None
    fields = with_flow(carried(Origin.CRM, Role.ORGANIZER, policy), Flow.OUT)
    if ours.assignee.standing is Standing.NONE or not fields:
        return ()
    if ours.assignee.standing is Standing.WAITING:
        return (Wait(reason="the assigned user's account is not ready"),)
    if not may_push(ours.modified_at, policy):
        return (Wait(reason="older than the account; waits for the confirmed back-fill"),)
    if ours.meeting.span.over_at(policy.now):
        # Outlook would invite people to a meeting that is over; the appointment alone mails nobody.
        fields -= {Field.ATTENDEES, Field.ONLINE}
    return (
        CreateEvent(mailbox_id=ours.assignee.mailbox_id, meeting=ours.meeting, fields=fields, moves=moves),
    )


def _plan_active(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    if ours.presence is Presence.UNKNOWN:
        return ()
    if ours.presence is Presence.OUT_OF_SCOPE:
        return (Suspend(reason="the CRM no longer shows us this record"),)
    if ours.presence in (Presence.GONE, Presence.ABSENT):
        return _plan_record_gone(link, theirs, policy)
    if _moves(link, ours):
        return _plan_move(link, ours, policy)
    if link.home is not None and link.home.state is CopyState.INTENDED:
        return _plan_intended(link, ours, theirs, policy)
    if theirs.presence is Presence.UNKNOWN:
        return _delete_leaving(link)
    if theirs.presence is Presence.OUT_OF_SCOPE:
        return (*_delete_leaving(link), Suspend(reason="the event is out of our reach"))
    if theirs.presence in (Presence.GONE, Presence.ABSENT):
        return (*_delete_leaving(link), *_plan_event_gone(link, ours, policy))
    return (*_delete_leaving(link), *_plan_both(link, ours, theirs, policy))


def _moves(link: Link, ours: Ours) -> bool:
    """Whether the event belongs into another mailbox than its home now (R2)."""
    return (
        link.origin is Origin.CRM
        and link.role is Role.ORGANIZER
        and link.original_start is None
        and ours.presence is Presence.PRESENT
        and link.home is not None
        and link.home.mailbox_id != ours.assignee.mailbox_id
        and (link.state is LinkState.ACTIVE or ours.assignee.standing is Standing.SYNCING)
    )


def _plan_move(link: Link, ours: Ours, policy: Policy) -> Plan:
    """Created and confirmed with the new assignee first, then deleted at the old one."""
    home = link.home
    assert home is not None
    if ours.assignee.standing is Standing.WAITING:
        return (Wait(reason="stays with the former assignee until the new one's account is ready"),)
    if ours.assignee.standing is Standing.SYNCING:
        return _create_event(ours, policy, moves=True)
    reason = "the record was assigned to a user who does not sync"
    return tuple(_delete(copy, reason, drops_link=True) for copy in link.copies if _deletable(copy))


def _plan_intended(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    """A create was begun: once it is known that no event came of it, create again under the same key."""
    if theirs.presence is Presence.ABSENT:
        return _create_event(ours, policy, moves=bool(link.leaving))
    return (Wait(reason="a create was begun; its outcome must be looked up"),)


def _delete_leaving(link: Link) -> Plan:
    if link.home is None or link.home.state is not CopyState.LIVE:
        return ()
    return tuple(_delete(copy, "the record was reassigned", drops_link=False) for copy in link.leaving)


def _deletable(copy: Copy) -> bool:
    return copy.state is CopyState.LIVE and bool(copy.event_id)


def _delete(copy: Copy, reason: str, *, drops_link: bool) -> DeleteEvent:
    return DeleteEvent(
        mailbox_id=copy.mailbox_id, event_id=copy.event_id, reason=reason, drops_link=drops_link
    )


def _plan_record_gone(link: Link, theirs: Theirs, policy: Policy) -> Plan:
    """R9. An edit in Outlook that the CRM never saw saves the event."""
    reason = "the record was removed in the CRM"
    leaving = tuple(_delete(copy, reason, drops_link=True) for copy in link.leaving if _deletable(copy))
    if theirs.presence in (Presence.GONE, Presence.ABSENT) and not link.leaving:
        return (DropLink(reason="removed on both sides"),)
    if theirs.presence is not Presence.PRESENT:
        return leaving
    if Flow.OUT not in MODE_FLOW[policy.mode]:
        return (Detach(reason="the record was removed; this account only takes changes from Outlook"),)
    if link.role is Role.ATTENDEE:
        return (Detach(reason="the record of somebody else's meeting was removed"),)
    if link.origin is Origin.OUTLOOK and not policy.delete_outlook_born_event:
        return (Detach(reason="the record was removed; events born in Outlook stay"),)
    if theirs.meeting is not None and _changed_in_outlook(link, theirs.meeting, policy):
        return (Detach(reason="the record was removed while its event was edited in Outlook"),)
    home = link.home
    return (*leaving, *((_delete(home, reason, drops_link=True),) if home and _deletable(home) else ()))


def _plan_event_gone(link: Link, ours: Ours, policy: Policy) -> Plan:
    """R10. Nothing is recreated by itself; an edited record stays."""
    assert ours.meeting is not None
    flows = carried(link.origin, link.role, policy)
    changed = link.crm_base.changed(ours.meeting, frozenset(flows)) if link.crm_base else frozenset(flows)
    if changed:
        return (Detach(reason="the event was removed in Outlook while its record was edited"),)
    if Flow.IN not in MODE_FLOW[policy.mode]:
        return (Detach(reason="the event was removed in Outlook; this account only gives to Outlook"),)
    if link.origin is Origin.OUTLOOK or policy.delete_crm_born_record:
        return (DeleteRecord(reason="the event was removed in Outlook"),)
    return (Detach(reason="the event was removed in Outlook; records born in the CRM stay"),)


def _plan_both(link: Link, ours: Ours, theirs: Theirs, policy: Policy) -> Plan:
    assert ours.meeting is not None
    flows = carried(link.origin, link.role, policy)
    if link.crm_base is None or (link.outlook_base is None and theirs.meeting is None):
        return (Wait(reason="the event must be read before a lost base is rebuilt"),)
    merged = merge(link, ours.meeting, theirs.meeting, flows, policy)
    operations: list[Operation] = list(merged.clashes)
    home = link.home
    if home and merged.to_outlook:
        operations += _update_event(link, home, ours, merged, policy)
    if merged.to_crm:
        operations.append(UpdateRecord(meeting=merged.meeting, fields=merged.to_crm))
    if merged.rebase or _entered(link, flows):
        operations.append(SaveBase(fields=frozenset(flows)))
    return tuple(operations)


def _update_event(link: Link, home: Copy, ours: Ours, merged: Merged, policy: Policy) -> list[Operation]:
    if not may_push(ours.modified_at, policy):
        return [Wait(reason="older than the account; waits for the confirmed back-fill")]
    if merged.meeting.span.over_at(policy.now) and _invites(link, merged.meeting):
        return [Wait(reason="the meeting is over; an update would only mail its attendees")]
    return [
        UpdateEvent(
            mailbox_id=home.mailbox_id,
            event_id=home.event_id,
            meeting=merged.meeting,
            fields=merged.to_outlook,
            added=merged.added,
            removed=merged.removed,
        )
    ]


def _invites(link: Link, meeting: Meeting) -> bool:
    known = link.outlook_base.values.get(Field.ATTENDEES) if link.outlook_base else None
    return bool(known) or bool(meeting.attendees)


def _entered(link: Link, flows: Mapping[Field, Flow]) -> bool:
    """Fields that entered the carried set by a change of settings: re-based, not written."""
    base = link.crm_base
    return base is not None and bool(flows.keys() - base.values.keys() - {Field.RESPONSES})


def _changed_in_outlook(link: Link, meeting: Meeting, policy: Policy) -> bool:
    fields = frozenset(carried(link.origin, link.role, policy))
    return link.outlook_base is None or bool(link.outlook_base.changed(meeting, fields))
