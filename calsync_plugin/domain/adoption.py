"""What becomes of an event that has no record of its own yet: import it, or link it to the record it matches.

Decides what is written to the CRM then; nothing is ever written to Outlook for it, so that nobody is mailed
(R8). Does not decide what matches (`matching`).
"""

from __future__ import annotations

from dataclasses import replace

from calsync_plugin.domain.answering import Own, answered, said, with_answer
from calsync_plugin.domain.carried import Flow, carried, with_flow
from calsync_plugin.domain.links import Link, Origin, Role
from calsync_plugin.domain.meeting import Field, Meeting, Response
from calsync_plugin.domain.merge import merge
from calsync_plugin.domain.operations import CreateRecord, Operation, SaveBase, UpdateRecord, Wait
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.privacy import OPEN, flows_of, masked, skipped, visible

Plan = tuple[Operation, ...]

READ_FIRST = Wait(reason="the event must be read before it can be compared")


def create_record(theirs: Meeting | None, own: Own | None, policy: Policy) -> Plan:
    """The record of an event, if this account takes anything from Outlook."""
    fields = with_flow(carried(Origin.OUTLOOK, Role.ORGANIZER, policy), Flow.IN)
    if not fields:
        return ()
    if theirs is None:
        return (READ_FIRST,)
    if unwanted(theirs, policy):
        return ()
    meeting = with_answer(visible(Origin.OUTLOOK, theirs, policy), own)
    return (CreateRecord(meeting=meeting, fields=fields),)


def unwanted(theirs: Meeting, policy: Policy) -> bool:
    """Whether an event is neither imported nor matched: called off already (R5), or private (R14)."""
    return theirs.cancelled or skipped(theirs, policy)


def adopt(origin: Origin, ours: Meeting, theirs: Meeting | None, own: Own | None, policy: Policy) -> Plan:
    """Two that match are linked; differences go to the CRM only, so that nobody is mailed (R8, R21).

    What is overwritten there is noted as a clash. A mask is not merged into the record: what it says is the
    CRM's own until the event is seen.
    """
    if theirs is None:
        return (READ_FIRST,)
    if origin is not Origin.CRM and unwanted(theirs, policy):
        return ()
    unbased = Link(id="", entity_type="", record_id="", origin=origin)
    hidden = masked(unbased, theirs, policy)
    inward = with_flow(flows_of(unbased, theirs, policy), Flow.IN)
    inward &= OPEN if hidden else inward
    merged = merge(unbased, ours, visible(origin, theirs, policy), dict.fromkeys(inward, Flow.IN), policy)
    saved = SaveBase(fields=frozenset(carried(origin, Role.ORGANIZER, policy)))
    planned: Plan = (saved,)
    if merged.to_crm:
        overwritten = (c for c in merged.clashes if c.field in inward and _holds(ours, c.field))
        planned = (*overwritten, UpdateRecord(meeting=merged.meeting, fields=merged.to_crm), saved)
    if own is None or hidden:
        return planned
    # There is no base yet: what the record says is not sent, what the mailbox says comes in.
    fresh = replace(own, known=said(ours, own.person_key) or Response.NONE)
    return answered(planned, fresh, ours, policy, over=False, moved=False)


def _holds(record: Meeting, name: Field) -> bool:
    return record.normal_form([name])[name] not in ("", None)
