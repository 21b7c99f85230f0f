"""What of a private event is seen, and which way the rest of it may go (R14).

Decides what an event looks like to the CRM, which fields still flow, and when what was noted before must
become unreadable. Does not merge (`content`), and does not decide who may read a record: that is the CRM's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from calsync_plugin.domain.carried import Flow, carried
from calsync_plugin.domain.links import Link, Origin
from calsync_plugin.domain.meeting import Field, Meeting, Sensitivity
from calsync_plugin.domain.operations import RecordClash
from calsync_plugin.domain.policy import Policy, PrivateRule

CLOSED = frozenset({Sensitivity.PRIVATE, Sensitivity.CONFIDENTIAL})
"""Sensitivities whose content is its owner's alone; a `personal` event is no secret."""

OPEN = frozenset({Field.SPAN, Field.SHOW_AS, Field.SENSITIVITY})
"""What is seen of a masked event: that the time is taken, how, and that there is more to it."""

MASK = "Busy"
"""The subject of a masked event."""

UNREADABLE = "(private)"
"""Stands in a log for a value that only its owner may read."""


def skipped(event: Meeting, policy: Policy) -> bool:
    """Whether an event without a record is to get none, nor to be matched with one."""
    return policy.private is PrivateRule.SKIP and event.sensitivity in CLOSED


def visible(origin: Origin, event: Meeting, policy: Policy) -> Meeting:
    """An event as the CRM may see it; a base must hold no more than this. What is masked stays masked.

    What the CRM bore is its own and is not masked: `flows_of` keeps out what was added to it in Outlook.
    """
    closed = event.sensitivity in CLOSED
    if _masked(origin, policy, closed=closed):
        return replace(
            event,
            subject=MASK,
            location="",
            description="",
            attendees=(),
            reminder=None,
            organizer=None,
            join_url="",
        )
    if closed and origin is not Origin.CRM:
        return replace(event, attendees=(), organizer=None)
    return event


def flows_of(link: Link, event: Meeting | None, policy: Policy) -> Mapping[Field, Flow]:
    """The flows of a link's fields, as far as privacy lets them. `event` None means: as in its base.

    What the CRM does not see it does not write, and it opens nothing that its owner closed. What the CRM bore
    still goes out, and nothing of it comes in but the time and the answers.
    """
    flows = carried(link.origin, link.role, policy)
    inward: set[Field] = set()
    outward: set[Field] = set()
    if masked(link, event, policy):
        inward = {*Field} - {Field.SPAN}
    elif _closed(link, event) and link.origin is not Origin.CRM:
        inward = {Field.ATTENDEES, Field.SENSITIVITY}
    elif _closed(link, event) and policy.private is not PrivateRule.FULL:
        outward = {*Field} - {Field.SPAN, Field.RESPONSES}
        flows = {f: flow for f, flow in flows.items() if f is not Field.SENSITIVITY}
    if not inward and not outward:
        return flows
    kept = {f: flow & _limit(f, inward, outward) for f, flow in flows.items()}
    return {f: flow for f, flow in kept.items() if flow}


def _limit(name: Field, inward: Collection[Field], outward: Collection[Field]) -> Flow:
    return Flow.IN if name in inward else Flow.OUT if name in outward else Flow.BOTH


def masked(link: Link, event: Meeting | None, policy: Policy) -> bool:
    """Whether the CRM sees a mask instead of the event. `event` None means: as in its base."""
    return _masked(link.origin, policy, closed=_closed(link, event))


def concealed(link: Link, event: Meeting | None, flows: Iterable[Field], policy: Policy) -> frozenset[Field]:
    """The fields to be re-based because the event was open and is masked now; none if nothing is new.

    Bases forget what no flow carries any more; all else is overwritten by what the mask changes.
    """
    if event is None or not masked(link, event, policy) or _masked_at_base(link, policy):
        return frozenset()
    return (frozenset(carried(link.origin, link.role, policy)) - frozenset(flows)) | {Field.SENSITIVITY}


def became_closed(link: Link, event: Meeting | None) -> bool:
    """Whether an event that is not the CRM's own was open at its base and is its owner's alone now."""
    known = link.outlook_base.values.get(Field.SENSITIVITY) if link.outlook_base else None
    if event is None or known is None or link.origin is Origin.CRM:
        return False
    return event.sensitivity in CLOSED and known not in CLOSED


def closed_alike(link: Link, ours: Meeting, theirs: Meeting) -> bool:
    """Whether both sides were open at their bases and are closed now, in the same way."""
    bases = (link.crm_base, link.outlook_base)
    were = [base.values.get(Field.SENSITIVITY) if base else None for base in bases]
    return (
        theirs.sensitivity in CLOSED
        and ours.sensitivity is theirs.sensitivity
        and not any(known is None or known in CLOSED for known in were)
    )


def discreet(clash: RecordClash, link: Link, event: Meeting | None, policy: Policy) -> RecordClash:
    """A clash as it may be noted: without what its owner hides."""
    if clash.field in OPEN:
        return clash
    if masked(link, event, policy):
        return replace(clash, ours=UNREADABLE, theirs=UNREADABLE)
    hides = policy.private is not PrivateRule.FULL and _closed(link, event)
    return replace(clash, theirs=UNREADABLE) if hides else clash


def _closed(link: Link, event: Meeting | None) -> bool:
    """Whether the event's owner made it private. What the CRM itself made private is no secret to it."""
    known = link.outlook_base.values.get(Field.SENSITIVITY) if link.outlook_base else None
    if (event.sensitivity if event else known) not in CLOSED:
        return False
    own = link.crm_base.values.get(Field.SENSITIVITY) if link.crm_base else None
    return link.origin is not Origin.CRM or own not in CLOSED


def _masked(origin: Origin, policy: Policy, *, closed: bool) -> bool:
    if origin is Origin.OUTLOOK and policy.hide_details:
        return True
    return closed and origin is not Origin.CRM and policy.private is not PrivateRule.FULL


def _masked_at_base(link: Link, policy: Policy) -> bool:
    base = link.outlook_base
    if base is None or base.values.get(Field.SUBJECT, MASK) != MASK:
        return False
    return _masked(link.origin, policy, closed=_closed(link, None))
