"""Edits of both sides, enumerated: what the laws are tried on."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from calsync_plugin.domain.links import Origin, Role
from calsync_plugin.domain.meeting import Meeting, Response
from calsync_plugin.domain.policy import Mode, Policy
from tests.unit.domain.cases import (
    BOB,
    DAN,
    EVE,
    OVER,
    ZED,
    A,
    linked,
    meeting,
)
from tests.unit.domain.world import World

RECORD, EVENT = meeting(attendees=(DAN,)), meeting(attendees=(DAN, ZED))


YES = replace(DAN, response=Response.ACCEPTED)


IN_CRM: dict[str, Meeting] = {
    "nothing": RECORD,
    "subject": replace(RECORD, subject="Ours"),
    "text and place": replace(RECORD, description="our text", location="Graz"),
    "added": replace(RECORD, attendees=(DAN, BOB)),
    "removed": replace(RECORD, attendees=()),
    "all": replace(RECORD, subject="Ours", reminder=5, attendees=(BOB,), online=True),
    "into the past": replace(RECORD, span=OVER),
}


IN_OUTLOOK: dict[str, Meeting] = {
    "nothing": EVENT,
    "subject": replace(EVENT, subject="Theirs"),
    "the same subject": replace(EVENT, subject="Ours"),
    "text and place": replace(EVENT, description="their text", location="Wien"),
    "known added": replace(EVENT, attendees=(DAN, ZED, EVE)),
    "stranger gone": replace(EVENT, attendees=(DAN,)),
    "removed": replace(EVENT, attendees=(ZED,)),
    "answered": replace(EVENT, attendees=(YES, ZED)),
    "all": replace(EVENT, subject="Theirs", reminder=30, attendees=(EVE,)),
}


EDITS = list(product(IN_CRM, IN_OUTLOOK))


CHOICES = list(product(Mode, Origin, Role))


NAMES = ["-".join(map(str, c)) for c in CHOICES]


def edited(
    in_crm: str, in_outlook: str, chosen: Policy, origin: Origin, role: Role = Role.ORGANIZER
) -> World:
    """Both sides in step, then edited."""
    return World(
        record=IN_CRM[in_crm],
        events={A: {"event-1": IN_OUTLOOK[in_outlook]}},
        link=linked(RECORD, EVENT, by=chosen, origin=origin, role=role),
        settings=chosen,
    )
