"""The laws of the plan over random meetings, edits, answers and settings, private events included."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from calsync_plugin.domain.links import Origin, Role
from calsync_plugin.domain.meeting import Field, Response, Sensitivity
from calsync_plugin.domain.operations import (
    CreateEvent,
    CreateRecord,
    DeleteEvent,
    DeleteRecord,
    RecordClash,
)
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import ClashRule, Mode, Policy
from calsync_plugin.domain.privacy import CLOSED
from tests.unit.domain.cases import AS_IN_BASE, CRM_WRITES, LATER, OUTLOOK_WRITES, OVER, SOON, A, policy
from tests.unit.domain.strategies import (
    ANSWERS,
    MASKING,
    edit_event,
    edit_record,
    edits,
    forget,
    policies,
    worlds,
)
from tests.unit.domain.world import STEPS, World

Edit = dict[str, Any]

UNHURRIED = settings(deadline=None)
"""Several worlds share the machine; how long one example takes says nothing."""


@UNHURRIED
@given(worlds(), edits("ours"), edits("theirs"), ANSWERS)
def test_after_a_run_there_is_nothing_to_do(world: World, mine: Edit, yours: Edit, answer: Response) -> None:
    """One run settles whatever both sides did."""
    edit_record(world, mine)
    edit_event(world, yours, answer)
    world.run()
    assert not [o for o in world.plan() if isinstance(o, STEPS)]


@UNHURRIED
@given(worlds(), edits("ours"), st.booleans())
def test_an_edit_of_the_record_never_writes_the_record(world: World, mine: Edit, read: bool) -> None:
    """However often the mailbox runs, and with the event read or not."""
    edit_record(world, mine)
    unread = replace(AS_IN_BASE, own=world.own)
    got = plan(world.link, world.ours, unread, world.settings)
    assert not [o for o in got if isinstance(o, CRM_WRITES)]
    world.settle()
    assert not [o for o in world.done if isinstance(o, CRM_WRITES)]


@UNHURRIED
@given(worlds(), edits("theirs"), ANSWERS)
def test_an_edit_of_the_event_never_writes_the_event(world: World, yours: Edit, answer: Response) -> None:
    """Nor does an answer in Outlook send one."""
    edit_event(world, yours, answer)
    world.settle()
    assert not [o for o in world.done if isinstance(o, OUTLOOK_WRITES)]


@UNHURRIED
@given(
    worlds(policies([Mode.CRM_TO_OUTLOOK, Mode.OUTLOOK_TO_CRM])),
    edits("ours"),
    edits("theirs"),
    ANSWERS,
    st.sampled_from(["", "crm", "outlook", "both"]),
)
def test_a_one_way_mode_never_writes_to_its_source(
    world: World, mine: Edit, yours: Edit, answer: Response, lost: str
) -> None:
    """With bases or without."""
    edit_record(world, mine)
    edit_event(world, yours, answer)
    forget(world, lost)
    world.settle()
    source = CRM_WRITES if world.settings.mode is Mode.CRM_TO_OUTLOOK else OUTLOOK_WRITES
    assert not [o for o in world.done if isinstance(o, source)]


@UNHURRIED
@given(worlds(), edits("ours"), edits("theirs"), st.sampled_from(["crm", "outlook", "both"]))
def test_a_lost_base_removes_nobody_and_nothing(world: World, mine: Edit, yours: Edit, lost: str) -> None:
    """Compare everything, never delete everything; and it comes to rest."""
    edit_record(world, mine)
    edit_event(world, yours)
    forget(world, lost)
    before = world.events[A]["event-1"], world.record
    world.settle()
    for was, now in zip(before, (world.events[A]["event-1"], world.record), strict=True):
        assert was is not None
        assert now is not None
        assert {a.key for a in was.attendees} <= {a.key for a in now.attendees}
    assert not [o for o in world.done if isinstance(o, DeleteEvent | DeleteRecord)]


@settings(max_examples=60, deadline=None)
@given(worlds(), edits("ours"), edits("theirs"), ANSWERS, st.integers(0, 6))
def test_an_interrupted_run_converges(
    world: World, mine: Edit, yours: Edit, answer: Response, fuel: int
) -> None:
    """The same end as without a stop."""
    edit_record(world, mine)
    edit_event(world, yours, answer)
    calm = deepcopy(world)
    calm.settle()
    world.settle_after_stop(fuel)
    assert (world.record, world.events) == (calm.record, calm.events)
    assert (world.own and world.own.response) is (calm.own and calm.own.response)


@UNHURRIED
@given(worlds(), edits("ours"), edits("theirs"), st.sampled_from(["record", "event", "both"]))
def test_nothing_is_recreated(world: World, mine: Edit, yours: Edit, gone: str) -> None:
    """Whatever went, and whatever was edited on the other side."""
    edit_record(world, mine)
    edit_event(world, yours)
    if gone in {"record", "both"}:
        world.record, world.removed = None, True
    if gone in {"event", "both"}:
        world.events = {A: {}}
    world.settle()
    assert not [o for o in world.done if isinstance(o, CreateEvent | CreateRecord)]


HISTORY = st.lists(
    st.tuples(st.sampled_from(["ours", "theirs"]), edits("secret"), st.booleans()), min_size=1, max_size=5
)


@UNHURRIED
@given(worlds(policies(rules=MASKING), sensitivity=Sensitivity.NORMAL), HISTORY)
def test_what_is_written_while_private_stays_private(
    world: World, history: list[tuple[str, Edit, bool]]
) -> None:
    """Neither record nor clashes nor, of an import, the base learn of it, over any history in Outlook."""
    edit_event(world, {"sensitivity": Sensitivity.PRIVATE})
    told: list[str] = []
    for side, changes, runs in history:
        kept = {name: value for name, value in changes.items() if name != "sensitivity"}
        if side == "ours":
            kept = {name: "ours" if value == "secret" else value for name, value in kept.items()}
        (edit_record if side == "ours" else edit_event)(world, kept)
        planned = world.run() if runs else ()
        told += [str(o) for o in planned if isinstance(o, RecordClash)]
        told.append(str(world.record))
        assert world.link is not None
        told += [str(world.link.outlook_base)] if world.link.origin is not Origin.CRM else []
    assert "secret" not in "".join(told)


@UNHURRIED
@given(
    worlds(policies([Mode.BOTH, Mode.OUTLOOK_TO_CRM], MASKING), [Origin.OUTLOOK, Origin.ADOPTED]),
    edits("theirs"),
)
def test_becoming_private_masks_the_record(world: World, yours: Edit) -> None:
    """Of what Outlook bore nothing is left to read, and the log is masked once."""
    assert world.link is not None
    hidden = world.settings.hide_details and world.link.origin is Origin.OUTLOOK
    was_open = world.events[A]["event-1"].sensitivity not in CLOSED and not hidden
    edit_event(world, {**yours, "sensitivity": Sensitivity.PRIVATE})
    world.settle()
    assert world.record is not None
    shown = world.record
    assert (shown.subject, shown.description, shown.attendees, shown.reminder) == ("Busy", "", (), None)
    assert world.masked == was_open


def agreeing(clash: ClashRule) -> Policy:
    """Everything is carried both ways."""
    return policy(clash=clash, description_both_ways=True)


@UNHURRIED
@given(
    worlds(
        st.sampled_from(ClashRule).map(agreeing),
        roles=[Role.ORGANIZER],
        sensitivity=Sensitivity.PERSONAL,
    ),
    edits("ours"),
    edits("theirs"),
)
def test_both_ways_the_sides_agree_in_the_end(world: World, mine: Edit, yours: Edit) -> None:
    """Wherever nothing is hidden, somebody else's, or over and done with."""
    for side in (mine, yours):
        side["span"] = LATER if side.get("span") == OVER else side.get("span", SOON)
        side["sensitivity"] = Sensitivity.NORMAL if "sensitivity" in side else Sensitivity.PERSONAL
    edit_record(world, mine)
    edit_event(world, yours)
    world.settle()
    assert world.record is not None
    fields = set(Field) - {Field.ONLINE, Field.RESPONSES, Field.ATTENDEES}
    assert world.record.normal_form(fields) == world.events[A]["event-1"].normal_form(fields)
