"""The CRM makes a meeting private: what the run does, and what follows when it was stopped at that."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from calsync_plugin.domain.links import Origin
from calsync_plugin.domain.meeting import Field, Sensitivity, ShowAs
from calsync_plugin.domain.operations import SaveBase, UpdateEvent, UpdateRecord
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import ClashRule, Mode, Policy, PrivateRule
from tests.unit.domain.cases import (
    BOB,
    DAN,
    EVE,
    LATER,
    OVER,
    ZED,
    A,
    hours,
    kinds,
    linked,
    ours,
    policy,
    theirs,
)
from tests.unit.domain.private_events import MASKING, ON_RECORD, OPEN, PRIVATE
from tests.unit.domain.world import World

MADE_PRIVATE = replace(ON_RECORD, sensitivity=Sensitivity.PRIVATE)
CLOSING = {"sensitivity": Sensitivity.PRIVATE}
IN_CRM: dict[str, dict[str, Any]] = {
    "closed": {},
    "closed and renamed": {"subject": "Ours"},
    "closed and emptied": {"attendees": ()},
    "closed and moved": {"span": LATER},
    "closed, free, dan": {"show_as": ShowAs.FREE, "attendees": (BOB, DAN)},
}
IN_OUTLOOK: dict[str, dict[str, Any]] = {
    "nothing": {},
    "eve added": {"attendees": (BOB, ZED, EVE)},
    "renamed": {"subject": "Theirs"},
    "moved": {"span": hours(30)},
    "over": {"span": OVER},
    "closed too": CLOSING,
    "closed and renamed": {**CLOSING, "subject": "Theirs"},
    "closed, eve, nowhere": {**CLOSING, "attendees": (BOB, EVE), "location": ""},
    "closed, moved, free": {**CLOSING, "span": LATER, "show_as": ShowAs.FREE},
}


def closed(origin: Origin, chosen: Policy, mine: dict[str, Any], yours: dict[str, Any]) -> World:
    """Both sides were in step and open; then the record was made private, and more."""
    return World(
        record=replace(MADE_PRIVATE, **mine),
        events={A: {"event-1": replace(OPEN, **yours)}},
        link=linked(ON_RECORD, OPEN, by=chosen, origin=origin),
        settings=chosen,
    )


@pytest.mark.parametrize("yours", IN_OUTLOOK)
@pytest.mark.parametrize("mine", IN_CRM)
@pytest.mark.parametrize("origin", Origin)
def test_stopped_while_it_closes_the_event_a_run_converges(origin: Origin, mine: str, yours: str) -> None:
    """At any step: what was edited in Outlook comes in all the same, and nothing is masked that was not."""
    for rule, mode, clash in product(PrivateRule, (Mode.BOTH, Mode.CRM_TO_OUTLOOK), ClashRule):
        chosen = policy(private=rule, mode=mode, clash=clash)
        calm = closed(origin, chosen, IN_CRM[mine], IN_OUTLOOK[yours])
        calm.settle()
        stops = 0
        while (world := closed(origin, chosen, IN_CRM[mine], IN_OUTLOOK[yours])).settle_after_stop(stops):
            assert (world.record, world.events) == (calm.record, calm.events), (rule, mode, clash, stops)
            stops += 1


@pytest.mark.parametrize("rule", PrivateRule)
@pytest.mark.parametrize("origin", Origin)
def test_somebody_added_in_outlook_is_on_record_before_the_event_is_closed(
    origin: Origin, rule: PrivateRule
) -> None:
    """A run that is stopped after the record wrote no secret; one that is stopped later lacks nothing."""
    chosen = policy(private=rule)
    added = replace(OPEN, attendees=(BOB, ZED, EVE))
    link = linked(ON_RECORD, OPEN, by=chosen, origin=origin)
    got = plan(link, ours(MADE_PRIVATE), theirs(added), chosen)
    assert [k for k in kinds(got) if k.startswith("Update")] == ["UpdateRecord", "UpdateEvent"]
    assert [o.fields for o in got if isinstance(o, UpdateRecord)] == [{Field.ATTENDEES}]


@pytest.mark.parametrize("rule", PrivateRule)
@pytest.mark.parametrize("origin", Origin)
def test_what_a_stopped_run_closed_is_not_closed_again(origin: Origin, rule: PrivateRule) -> None:
    """It is based, and an import's log is masked, as the stopped run would have done."""
    chosen = policy(private=rule)
    link = linked(ON_RECORD, OPEN, by=chosen, origin=origin)
    got = plan(link, ours(MADE_PRIVATE), theirs(PRIVATE), chosen)
    masks = origin is not Origin.CRM and rule is not PrivateRule.FULL
    assert kinds(got) == (["MaskLog", "SaveBase"] if masks else ["SaveBase"])
    assert all(Field.SENSITIVITY in o.fields for o in got if isinstance(o, SaveBase))


@pytest.mark.parametrize("after", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("rule", MASKING)
@pytest.mark.parametrize("origin", Origin)
def test_what_the_owner_wrote_after_he_closed_it_stays_his(
    origin: Origin, rule: PrivateRule, after: bool
) -> None:
    """Making the record private as well is no way to read it, nor to write over it."""
    chosen = policy(private=rule)
    world = closed(origin, chosen, CLOSING, {**CLOSING, "subject": "secret"})
    if after:
        world.record = ON_RECORD
        world.settle()
        assert world.record is not None
        world.record = replace(world.record, sensitivity=Sensitivity.PRIVATE)
    world.settle()
    assert world.record is not None
    assert "secret" not in str(world.record)
    assert world.events[A]["event-1"].subject == "secret"
    assert not [o for o in world.done if isinstance(o, UpdateEvent)]
