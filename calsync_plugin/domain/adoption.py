"""What becomes of an event that has no record of its own yet: import it, or link it to the record it matches.

Decides what is written to the CRM then. Does not decide what matches (R21).
"""

from __future__ import annotations

from calsync_plugin.domain.carried import Flow, carried, with_flow
from calsync_plugin.domain.links import Link, Origin, Role
from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.domain.merge import merge
from calsync_plugin.domain.operations import CreateRecord, Operation, SaveBase, UpdateRecord, Wait
from calsync_plugin.domain.policy import Policy

READ_FIRST = Wait(reason="the event must be read before it can be compared")


def create_record(theirs: Meeting | None, policy: Policy) -> tuple[Operation, ...]:
    """The record of an event, if this account takes anything from Outlook."""
    fields = with_flow(carried(Origin.OUTLOOK, Role.ORGANIZER, policy), Flow.IN)
    if not fields:
        return ()
    return (CreateRecord(meeting=theirs, fields=fields),) if theirs else (READ_FIRST,)


def adopt(origin: Origin, ours: Meeting, theirs: Meeting | None, policy: Policy) -> tuple[Operation, ...]:
    """Two that match are linked; differences go to the CRM only, so that nobody is mailed (R8, R21)."""
    if theirs is None:
        return (READ_FIRST,)
    flows = carried(origin, Role.ORGANIZER, policy)
    inward = dict.fromkeys(with_flow(flows, Flow.IN), Flow.IN)
    unbased = Link(id="", entity_type="", record_id="", origin=origin)
    merged = merge(unbased, ours, theirs, inward, policy)
    saved = SaveBase(fields=frozenset(flows))
    return (UpdateRecord(meeting=merged.meeting, fields=merged.to_crm), saved) if merged.to_crm else (saved,)
