"""Both sides of a meeting are there: what of the content is written to either (section 4.1).

Decides by merging what each side may see of the other, and what has to wait. Does not decide whether the
meeting still has to be followed (`planner`, `removal`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from calsync_plugin.domain.adoption import READ_FIRST
from calsync_plugin.domain.answering import Own, answered, said
from calsync_plugin.domain.basing import comparable, differing, entered, unbased
from calsync_plugin.domain.carried import Flow, with_flow
from calsync_plugin.domain.links import Link, Role
from calsync_plugin.domain.meeting import Field, Meeting, Sensitivity
from calsync_plugin.domain.merge import Merged, merge
from calsync_plugin.domain.operations import MaskLog, Operation, SaveBase, UpdateEvent, UpdateRecord, Wait
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.privacy import (
    CLOSED,
    OPEN,
    closed_alike,
    concealed,
    discreet,
    flows_of,
    masked,
    visible,
)
from calsync_plugin.domain.sending import MAILING, OLD, has_ended, update_event

Plan = tuple[Operation, ...]


def carry_across(
    link: Link,
    ours: Meeting,
    theirs: Meeting | None,
    own: Own | None,
    modified_at: datetime | None,
    policy: Policy,
) -> Plan:
    """Merge; what has to wait keeps its base, so that it is still a change when it may go."""
    assert link.home is not None
    event, before = theirs, _before_our_close(link, ours, theirs, own, policy)
    theirs = before or theirs
    flows = flows_of(link, theirs, policy)
    # What carries nothing needs no base.
    anew = unbased(link) and bool(flows)
    if anew and theirs is None:
        return (READ_FIRST,)
    merged = merge_sides(link, ours, theirs, own, policy)
    if before and event:
        merged = _closed_already(merged, link, before, event, policy)
    update = update_event(link, link.home, merged, theirs, modified_at, policy)
    if anew and update == OLD:
        return (OLD,)
    waiting = merged.to_outlook - (update.fields if isinstance(update, UpdateEvent) else frozenset())
    forgotten = concealed(link, event, flows, policy) | _conceals(link, theirs, update, flows, policy)
    operations: list[Operation] = [MaskLog()] if forgotten else []
    operations += [c for c in merged.clashes if c.field not in waiting]
    operations += _writes(update, merged)
    news = entered(link, theirs, flows) - waiting
    settled = merged.rebase - waiting | news | forgotten
    if anew or settled:
        differ = frozenset() if anew or theirs is None else differing(ours, theirs, news - forgotten)
        operations.append(SaveBase(fields=frozenset(flows) | settled if anew else settled, apart=differ))
    operations += _not_sent(link, ours, theirs, merged, policy)
    return _with_answer(tuple(operations), link, ours, theirs, own, policy)


def merge_sides(link: Link, ours: Meeting, theirs: Meeting | None, own: Own | None, policy: Policy) -> Merged:
    """What both sides make together, as far as each may see the other (R14)."""
    seen = visible(link.origin, theirs, policy) if theirs else None
    flows = flows_of(link, theirs, policy)
    # Whose copy this is answers for himself; the others' answers are the organizer's to know.
    apart = own.person_key if own and link.role is Role.ATTENDEE else ""
    merged = merge(comparable(link, seen, flows), ours, seen, flows, policy, apart)
    return replace(merged, clashes=tuple(discreet(c, link, theirs, policy) for c in merged.clashes))


def _before_our_close(
    link: Link, ours: Meeting, theirs: Meeting | None, own: Own | None, policy: Policy
) -> Meeting | None:
    """The event as it was before a run closed it for the record and was stopped; None if none did.

    Such an event hides nothing that the record lacks. What its owner wrote after he closed it himself is his
    alone, whatever the record says; and a record that lacks something of an import may be masked already.
    """
    if theirs is None or not closed_alike(link, ours, theirs):
        return None
    assert link.outlook_base is not None
    before = replace(theirs, sensitivity=Sensitivity(str(link.outlook_base.values[Field.SENSITIVITY])))
    merged = merge_sides(link, ours, before, own, policy)
    flows = flows_of(link, theirs, policy)
    shown = with_flow(flows, Flow.IN) - _hidden(link, before, theirs, policy)
    sent = with_flow(flows, Flow.OUT) | {Field.SENSITIVITY} | (frozenset() if merged.removed else MAILING)
    news = merged.to_crm | {clash.field for clash in merged.clashes}
    ours_to_close = Field.SENSITIVITY in merged.to_outlook
    return before if ours_to_close and news <= shown and merged.to_outlook <= sent else None


def _closed_already(merged: Merged, link: Link, before: Meeting, event: Meeting, policy: Policy) -> Merged:
    """Without closing it again; what that hides is no change of Outlook's."""
    hidden = _hidden(link, before, event, policy) & frozenset(flows_of(link, before, policy))
    to_outlook = merged.to_outlook - {Field.SENSITIVITY}
    return replace(merged, to_outlook=to_outlook, rebase=merged.rebase | hidden)


def _hidden(link: Link, before: Meeting, event: Meeting, policy: Policy) -> frozenset[Field]:
    """What the CRM sees otherwise, or no more, since the event was closed."""
    was, now = (visible(link.origin, side, policy).normal_form(Field) for side in (before, event))
    return frozenset(name for name, value in now.items() if value != was[name])


def _writes(update: UpdateEvent | Wait | None, merged: Merged) -> list[UpdateEvent | UpdateRecord | Wait]:
    """The event first; but one that is closed goes last, when the record has what it held while it was open.

    Otherwise a run that is stopped in between could not be told from an owner who closed it.
    """
    event = [update] if update else []
    record = [UpdateRecord(meeting=merged.meeting, fields=merged.to_crm)] if merged.to_crm else []
    closes = isinstance(update, UpdateEvent) and Field.SENSITIVITY in update.fields
    return [*record, *event] if closes and merged.meeting.sensitivity in CLOSED else [*event, *record]


def _conceals(
    link: Link,
    theirs: Meeting | None,
    update: UpdateEvent | Wait | None,
    flows: Mapping[Field, Flow],
    policy: Policy,
) -> frozenset[Field]:
    """What our own write is about to mask: the record made it private, and keeps what it holds."""
    if not isinstance(update, UpdateEvent) or Field.SENSITIVITY not in update.fields:
        return frozenset()
    hides = masked(link, update.meeting, policy) and not masked(link, theirs, policy)
    return frozenset(flows) - OPEN | {Field.SENSITIVITY} if hides else frozenset()


def _with_answer(
    planned: Plan, link: Link, ours: Meeting, theirs: Meeting | None, own: Own | None, policy: Policy
) -> Plan:
    if masked(link, theirs, policy):
        return planned
    base = link.outlook_base
    moved = bool(base and theirs and base.changed(theirs, frozenset({Field.SPAN})))
    # Over or not is told by the event as it will be: a run that was stopped in between plans the same.
    writes = next((o for o in planned if isinstance(o, UpdateEvent) and Field.SPAN in o.fields), None)
    over = writes.meeting.span.over_at(policy.now) if writes else has_ended(link, theirs, policy.now)
    told = _told(link, theirs, own) if own and link.role is Role.ORGANIZER else None
    return answered(planned, own, ours, policy, over=over, moved=moved, told=told)


def _told(link: Link, theirs: Meeting | None, own: Own) -> object:
    """What the organizer's event says of the user's answer."""
    if theirs is not None:
        return said(theirs, own.person_key)
    answers = link.outlook_base.values.get(Field.RESPONSES) if link.outlook_base else None
    return answers.get(own.person_key) if isinstance(answers, dict) else None


def _not_sent(
    link: Link, ours: Meeting, theirs: Meeting | None, merged: Merged, policy: Policy
) -> list[Operation]:
    """An edit of somebody else's meeting is kept, and shown, until the organizer's next update."""
    if link.role is not Role.ATTENDEE or link.crm_base is None:
        return []
    fields = frozenset(flows_of(link, theirs, policy)) - {Field.RESPONSES} - merged.to_crm - merged.rebase
    if not link.crm_base.changed(ours, fields):
        return []
    organizer = visible(link.origin, theirs, policy).organizer if theirs else None
    name = (organizer.name or organizer.address) if organizer else ""
    return [Wait(reason=f"organised by {name or 'somebody else'}, not sent", told=True)]
