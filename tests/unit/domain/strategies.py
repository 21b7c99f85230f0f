"""Random meetings, edits, settings and worlds whose sides are in step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from calsync_plugin.domain.answering import Own
from calsync_plugin.domain.links import Origin, Role
from calsync_plugin.domain.meeting import Attendee, Field, Response, Sensitivity, ShowAs
from calsync_plugin.domain.policy import ClashRule, Mode, Policy, PrivateRule
from calsync_plugin.domain.privacy import visible
from tests.unit.domain.cases import BOB, DAN, EVE, LATER, OVER, SOON, ZED, A, linked, meeting, policy
from tests.unit.domain.world import World

ANSWERS = st.sampled_from(Response)
KNOWN = (BOB, EVE, DAN)
FEWER = frozenset(Field) - {Field.SENSITIVITY, Field.SHOW_AS, Field.LOCATION}
MASKING = [PrivateRule.SKIP, PrivateRule.BUSY]


@st.composite
def people(draw: st.DrawFn, *, strangers: bool) -> tuple[Attendee, ...]:
    """Some people with some answers; the CRM has no place for strangers."""
    chosen = draw(st.lists(st.sampled_from([*KNOWN, ZED] if strangers else KNOWN), unique=True, max_size=3))
    return tuple(replace(a, response=draw(ANSWERS)) for a in chosen)


def edits(side: str) -> st.SearchStrategy[dict[str, Any]]:
    """What a user did to some fields; texts tell the side."""
    return st.fixed_dictionaries(
        {},
        optional={
            "subject": st.sampled_from(["Kick-off", "The same", side]),
            "location": st.sampled_from(["", "The same", side]),
            "description": st.sampled_from(["", "The same", side]),
            "span": st.sampled_from([SOON, LATER, OVER]),
            "reminder": st.sampled_from([None, 5, 15]),
            "sensitivity": st.sampled_from(Sensitivity),
            "show_as": st.sampled_from([ShowAs.BUSY, ShowAs.FREE]),
            "attendees": people(strangers=side != "ours"),
        },
    )


def policies(
    modes: Sequence[Mode] = tuple(Mode), rules: Sequence[PrivateRule] = tuple(PrivateRule)
) -> st.SearchStrategy[Policy]:
    """All that can be chosen, unless given."""
    return st.builds(
        policy,
        mode=st.sampled_from(modes),
        clash=st.sampled_from(ClashRule),
        private=st.sampled_from(rules),
        hide_details=st.booleans(),
        description_both_ways=st.booleans(),
        delete_outlook_born_event=st.booleans(),
        delete_crm_born_record=st.booleans(),
        entity_fields=st.sampled_from([frozenset(Field), FEWER]),
    )


@st.composite
def worlds(
    draw: st.DrawFn,
    /,
    chosen_by: st.SearchStrategy[Policy] | None = None,
    origins: Sequence[Origin] = tuple(Origin),
    roles: Sequence[Role] = tuple(Role),
    **fixed: Any,
) -> World:
    """A link whose sides are in step, with or without bob's own copy."""
    chosen = draw(policies() if chosen_by is None else chosen_by)
    origin, role = draw(st.sampled_from(origins)), draw(st.sampled_from(roles))
    event = meeting(**(draw(edits("before")) | fixed))
    seen = visible(origin, event, chosen)
    record = replace(seen, attendees=tuple(a for a in seen.attendees if a.person))
    answer = next((a.response for a in record.attendees if a.key == BOB.key), Response.NONE)
    copy = Own(
        mailbox_id=A,
        event_id="copy",
        person_key=BOB.key,
        response=answer,
        known=answer,
        takes=chosen.mode is not Mode.OUTLOOK_TO_CRM,
        gives=chosen.mode is not Mode.CRM_TO_OUTLOOK,
    )
    return World(
        record=record,
        events={A: {"event-1": event}},
        link=linked(record, event, by=chosen, origin=origin, role=role),
        settings=chosen,
        own=copy if draw(st.booleans()) else None,
    )


def edit_record(world: World, changes: dict[str, Any]) -> None:
    """Edited in the CRM."""
    assert world.record is not None
    world.record = replace(world.record, **changes)


def edit_event(world: World, changes: dict[str, Any], answer: Response | None = None) -> None:
    """Edited in Outlook, and perhaps answered there."""
    world.events[A]["event-1"] = replace(world.events[A]["event-1"], **changes)
    if world.own and answer:
        world.own = replace(world.own, response=answer)


def forget(world: World, lost: str) -> None:
    """One base is lost, or both."""
    assert world.link is not None
    link = world.link
    world.link = replace(
        link,
        crm_base=None if lost in {"crm", "both"} else link.crm_base,
        outlook_base=None if lost in {"outlook", "both"} else link.outlook_base,
    )
