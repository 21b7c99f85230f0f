"""What the tests of privacy are made of: an event, its private form, its mask, and links in step with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from calsync_plugin.domain.links import Link, Origin
from calsync_plugin.domain.meeting import Field, Meeting, Sensitivity
from calsync_plugin.domain.operations import Operation, UpdateRecord
from calsync_plugin.domain.policy import Mode, Policy, PrivateRule
from calsync_plugin.domain.privacy import visible
from tests.unit.domain.cases import BOB, ZED, linked, meeting

OPEN = meeting("Dentist", location="Wien", description="again", attendees=(BOB, ZED), reminder=15)
ON_RECORD = replace(OPEN, attendees=(BOB,))
PRIVATE = replace(OPEN, sensitivity=Sensitivity.PRIVATE)
HIDDEN = {Field.SUBJECT, Field.LOCATION, Field.DESCRIPTION, Field.ATTENDEES, Field.REMINDER}
MASK = meeting("Busy", sensitivity=Sensitivity.PRIVATE)
IMPORTED = [Origin.OUTLOOK, Origin.ADOPTED]
MASKING = [PrivateRule.SKIP, PrivateRule.BUSY]
INWARD = [Mode.BOTH, Mode.OUTLOOK_TO_CRM]


def in_step(event: Meeting, by: Policy, origin: Origin = Origin.OUTLOOK, **parts: Any) -> Link:
    """A link whose record holds what the CRM may see of the event."""
    seen = visible(origin, event, by)
    known = replace(seen, attendees=tuple(a for a in seen.attendees if a.person))
    return linked(known, event, by=by, origin=origin, **parts)


def updates(plan: Iterable[Operation]) -> list[tuple[set[Field], Meeting]]:
    """What the record is given."""
    return [(set(o.fields), o.meeting) for o in plan if isinstance(o, UpdateRecord)]
