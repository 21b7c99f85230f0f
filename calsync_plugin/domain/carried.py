"""Which fields a link carries, and which way (R5, R6, R14, section on authority).

Decides the flow of each field from the mode, the origin, the role and what the record can hold. Does not look
at any value.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag
from functools import lru_cache
from types import MappingProxyType

from calsync_plugin.domain.links import Origin, Role
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.policy import Mode, Policy


class Flow(Flag):
    """The ways a field may take: out to Outlook, in to the CRM."""

    OUT = 1
    IN = 2
    BOTH = 3


MODE_FLOW = {
    Mode.CRM_TO_OUTLOOK: Flow.OUT,
    Mode.OUTLOOK_TO_CRM: Flow.IN,
    Mode.BOTH: Flow.BOTH,
}


def carried(origin: Origin, role: Role, policy: Policy) -> Mapping[Field, Flow]:
    """The carried fields with their flows; a field without any flow is absent.

    An attendee's copy only gives: its organizer would overwrite whatever we wrote. Responses never go out
    through a home copy, they are each person's own.
    """
    return _carried(origin, role, policy.mode, policy.entity_fields, policy.description_both_ways)


@lru_cache(maxsize=256)
def _carried(
    origin: Origin, role: Role, mode: Mode, fields: frozenset[Field], description_both_ways: bool
) -> Mapping[Field, Flow]:
    """Few users choose anything else than others, and each meeting is asked about several times."""
    allowed = Flow.IN & MODE_FLOW[mode] if role is Role.ATTENDEE else MODE_FLOW[mode]
    flows = {name: allowed & _limit(name, origin, description_both_ways) for name in fields}
    return MappingProxyType({name: flow for name, flow in flows.items() if flow})


def _limit(name: Field, origin: Origin, description_both_ways: bool) -> Flow:
    if name is Field.DESCRIPTION and not description_both_ways:
        return Flow.OUT if origin is Origin.CRM else Flow.IN
    if name is Field.RESPONSES:
        return Flow.IN
    if name is Field.ONLINE:
        return Flow.OUT
    return Flow.BOTH


def with_flow(flows: Mapping[Field, Flow], way: Flow) -> frozenset[Field]:
    """The fields that may go `way`."""
    return frozenset(name for name, flow in flows.items() if way in flow)
