"""What follows when one side of a meeting is gone or called off (R5, R9, R10).

Decides whether the other side is removed as well or kept and no longer followed. A side that was edited since
its base, or whose base is lost, is never removed.
"""

from __future__ import annotations

from calsync_plugin.domain.carried import MODE_FLOW, Flow, carried
from calsync_plugin.domain.links import Base, Copy, CopyState, Link, Origin, Presence, Role
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.operations import (
    CancelRecord,
    DeleteEvent,
    DeleteRecord,
    Detach,
    DropLink,
    Operation,
)
from calsync_plugin.domain.people import recognised
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.privacy import visible
from calsync_plugin.domain.sending import has_attendees, has_ended

Plan = tuple[Operation, ...]


def record_gone(link: Link, event: Presence, theirs: Meeting | None, policy: Policy) -> Plan:
    """R9. An edit in Outlook that the CRM never saw saves the event."""
    reason = "the record was removed in the CRM"
    if event is Presence.GONE and link.role is Role.ATTENDEE:
        # Only an invited user's copy: the meeting may go on, and must not come in again by another one.
        return _detach(link, "the record of somebody else's meeting was removed")
    match event:
        case Presence.GONE | Presence.ABSENT:
            return _remove_events(link, "removed on both sides", home=False)
        case Presence.UNKNOWN | Presence.OUT_OF_SCOPE:
            return delete_leaving(link)
        case Presence.PRESENT:
            pass
    if Flow.OUT not in MODE_FLOW[policy.mode]:
        return _detach(link, "the record was removed; this account only takes changes from Outlook")
    if link.role is Role.ATTENDEE:
        return _detach(link, "the record of somebody else's meeting was removed")
    if link.origin is not Origin.CRM and not policy.delete_outlook_born_event:
        return _detach(link, "the record was removed; events born in Outlook stay")
    if link.home is not None and link.home.state is CopyState.INTENDED:
        return _remove_events(link, reason, home=True)
    if link.crm_base is None or link.outlook_base is None:
        return _detach(link, "the record was removed; what its event looked like before is not known")
    seen = visible(link.origin, theirs, policy) if theirs else None
    if seen and _edited(link.outlook_base, recognised(link.outlook_base, seen), link, policy):
        return _detach(link, "the record was removed while its event was edited in Outlook")
    if has_ended(link, theirs, policy.now) and has_attendees(link, theirs, policy):
        return _detach(link, "the record of a past meeting was removed; deleting it would mail its attendees")
    return _remove_events(link, reason, home=True)


def event_gone(link: Link, ours: Meeting, policy: Policy) -> Plan:
    """R10. Nothing is recreated by itself; an edited record stays.

    An attendee who removes a copy answers for himself alone (R3).
    """
    if link.crm_base is None or link.outlook_base is None:
        return _detach(
            link, "the event was removed in Outlook; what its record looked like before is not known"
        )
    if _edited(link.crm_base, ours, link, policy):
        return _detach(link, "the event was removed in Outlook while its record was edited")
    if Flow.IN not in MODE_FLOW[policy.mode]:
        return _detach(link, "the event was removed in Outlook; this account only gives to Outlook")
    if link.role is Role.ATTENDEE:
        return _detach(link, "an attendee removed the event from the own calendar; the meeting may go on")
    if link.origin is Origin.OUTLOOK or policy.delete_crm_born_record:
        return delete_leaving(link) or (DeleteRecord(reason="the event was removed in Outlook"),)
    return _detach(link, "the event was removed in Outlook; records born in the CRM stay")


def called_off(link: Link, policy: Policy) -> Plan:
    """R5. An organizer who is not ours cancelled a meeting that is still ahead: its record is Not Held."""
    reason = "the organizer called the meeting off"
    if Flow.IN not in MODE_FLOW[policy.mode]:
        return _detach(link, reason)
    return (CancelRecord(reason=reason), *_detach(link, reason))


def unassigned(link: Link, policy: Policy, *, gone: bool) -> Plan:
    """R2. The record went to a user who does not sync: the event goes too. `gone`: it has already."""
    if Flow.OUT not in MODE_FLOW[policy.mode]:
        return _detach(link, "the record was reassigned; this account only takes changes from Outlook")
    return _remove_events(link, "the record was assigned to a user who does not sync", home=not gone)


def moved_event_gone(link: Link, *, dropped: bool) -> Plan:
    """Its event vanished while a record was reassigned: nothing is recreated by itself.

    `dropped`: the new assignee does not sync, so that the event had to go anyway.
    """
    if dropped:
        return _remove_events(link, "removed on both sides", home=False)
    return _detach(link, "the event was removed in Outlook while its record was reassigned")


def _remove_events(link: Link, reason: str, *, home: bool) -> Plan:
    """Delete what the link wrote and drop it with the last copy. Attendee copies are their owners' (R1).

    `home` False: the home copy is gone already.
    """
    copies = (*link.leaving, *((link.home,) if home and link.home else ()))
    deleted = tuple(_delete(copy, reason, drops_link=True) for copy in copies if copy.event_id)
    if deleted or any(copy.state is CopyState.INTENDED for copy in copies):
        # A create whose outcome is not known may still turn out to be an event.
        return deleted
    return (DropLink(reason=reason),)


def delete_leaving(link: Link) -> Plan:
    """Delete former homes, once the new home is confirmed (R2)."""
    if link.home is None or link.home.state is not CopyState.LIVE:
        return ()
    reason = "the record was reassigned"
    return tuple(_delete(copy, reason, drops_link=False) for copy in link.leaving if copy.event_id)


def _detach(link: Link, reason: str) -> Plan:
    # Nothing looks after a detached link's former homes, so these go first.
    return delete_leaving(link) or (Detach(reason=reason),)


def _delete(copy: Copy, reason: str, *, drops_link: bool) -> DeleteEvent:
    return DeleteEvent(
        mailbox_id=copy.mailbox_id, event_id=copy.event_id, reason=reason, drops_link=drops_link
    )


def _edited(base: Base, now: Meeting, link: Link, policy: Policy) -> bool:
    """Whether the meeting itself was edited; an answer to an invitation is no edit."""
    fields = frozenset(carried(link.origin, link.role, policy)) - {Field.RESPONSES}
    return bool(base.changed(now, fields))
