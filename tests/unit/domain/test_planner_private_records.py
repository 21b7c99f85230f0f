"""Private events of records that the CRM bore, and what clashes may tell (R14)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from calsync_plugin.domain.links import Origin
from calsync_plugin.domain.meeting import Field, Response, Sensitivity
from calsync_plugin.domain.operations import (
    RecordClash,
    UpdateEvent,
)
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import Mode, PrivateRule
from tests.unit.domain.cases import (
    BOB,
    DAN,
    EVE,
    LATER,
    OVER,
    ZED,
    A,
    linked,
    ours,
    policy,
    theirs,
)
from tests.unit.domain.private_events import (
    MASKING,
    ON_RECORD,
    OPEN,
    PRIVATE,
    updates,
)
from tests.unit.domain.world import World

PRIVATELY = replace(PRIVATE, subject="Ours", location="Graz", description="ours", attendees=(BOB, ZED, DAN))


@pytest.mark.parametrize(("mode", "rule"), list(product(Mode, MASKING)), ids=str)
def test_a_record_of_the_crms_own_is_not_masked(mode: Mode, rule: PrivateRule) -> None:
    """Its content is the CRM's; what the owner adds in Outlook from now on is his."""
    chosen = policy(mode=mode, private=rule, description_both_ways=True)
    link = linked(ON_RECORD, OPEN, by=chosen)
    got = plan(link, ours(ON_RECORD), theirs(replace(PRIVATELY, span=LATER)), chosen)
    expected = replace(ON_RECORD, span=LATER)
    assert updates(got) == ([] if mode is Mode.CRM_TO_OUTLOOK else [({Field.SPAN}, expected)])
    assert len(got) == len(updates(got))


def test_what_was_added_privately_comes_in_when_it_is_open_again() -> None:
    """It never entered a base, so it is still a change."""
    world = World(record=ON_RECORD, events={A: {"event-1": PRIVATELY}}, link=linked(ON_RECORD, OPEN))
    world.settle()
    assert world.record == ON_RECORD
    world.events[A]["event-1"] = replace(PRIVATELY, sensitivity=Sensitivity.NORMAL)
    world.settle()
    assert world.record is not None
    assert (world.record.subject, world.record.location) == ("Ours", "Graz")
    assert {a.key for a in world.record.attendees} == {BOB.key, DAN.key}


@pytest.mark.parametrize("mode", [Mode.BOTH, Mode.CRM_TO_OUTLOOK])
def test_a_record_of_the_crms_own_still_goes_out(mode: Mode) -> None:
    """People too: whom the record's edit removes is uninvited, though the event is private."""
    chosen = policy(mode=mode)
    link = linked(ON_RECORD, OPEN, by=chosen)
    edited = replace(ON_RECORD, subject="Theirs", attendees=(EVE,))
    (update,) = (o for o in plan(link, ours(edited), theirs(PRIVATE), chosen) if isinstance(o, UpdateEvent))
    assert update.fields == {Field.SUBJECT, Field.ATTENDEES}
    assert ([a.key for a in update.added], [a.key for a in update.removed]) == ([EVE.key], [BOB.key])


@pytest.mark.parametrize("rule", MASKING)
@pytest.mark.parametrize("mode", [Mode.BOTH, Mode.CRM_TO_OUTLOOK])
def test_the_crm_opens_nothing_that_its_owner_closed(mode: Mode, rule: PrivateRule) -> None:
    """What was written there in private would come in after it."""
    chosen = policy(mode=mode, private=rule)
    link = linked(ON_RECORD, OPEN, by=chosen)
    record = ours(replace(ON_RECORD, sensitivity=Sensitivity.PERSONAL))
    assert plan(link, record, theirs(PRIVATE), chosen) == ()


@pytest.mark.parametrize("rule", PrivateRule)
def test_what_the_crm_made_private_itself_is_no_secret_to_it(rule: PrivateRule) -> None:
    """Content flows as ever, and the CRM may open it again."""
    chosen = policy(private=rule)
    record = replace(ON_RECORD, sensitivity=Sensitivity.PRIVATE)
    link = linked(record, PRIVATE, by=chosen)
    got = plan(link, ours(record), theirs(replace(PRIVATE, subject="Theirs")), chosen)
    assert updates(got) == [({Field.SUBJECT}, replace(record, subject="Theirs"))]
    opened = plan(link, ours(ON_RECORD), theirs(PRIVATE), chosen)
    assert [o.fields for o in opened if isinstance(o, UpdateEvent)] == [frozenset({Field.SENSITIVITY})]


def test_answers_to_the_crms_own_invitations_come_in() -> None:
    """They are no content of the owner's."""
    event = replace(PRIVATE, attendees=(replace(BOB, response=Response.ACCEPTED), ZED))
    link = linked(ON_RECORD, OPEN, by=policy())
    assert [fields for fields, _ in updates(plan(link, ours(ON_RECORD), theirs(event), policy()))] == [
        {Field.RESPONSES}
    ]


def test_full_shows_an_event_of_the_crms_own_as_it_is() -> None:
    """The record has its own readers and its own people."""
    chosen = policy(private=PrivateRule.FULL)
    got = plan(linked(ON_RECORD, OPEN), ours(ON_RECORD), theirs(PRIVATELY), chosen)
    assert [fields for fields, _ in updates(got)] == [
        {Field.SUBJECT, Field.LOCATION, Field.ATTENDEES, Field.SENSITIVITY}
    ]


CLASHES = [
    pytest.param(Origin.CRM, MASKING[0], Field.SUBJECT, ("Ours", "(private)"), id="crm, hidden"),
    pytest.param(Origin.CRM, MASKING[0], Field.SPAN, None, id="crm, the time"),
    pytest.param(Origin.CRM, PrivateRule.FULL, Field.SUBJECT, ("Ours", "Theirs"), id="crm, full"),
    pytest.param(Origin.OUTLOOK, MASKING[1], Field.SUBJECT, ("(private)", "(private)"), id="masked"),
    pytest.param(Origin.OUTLOOK, MASKING[1], Field.SPAN, None, id="masked, the time"),
    pytest.param(Origin.OUTLOOK, PrivateRule.FULL, Field.SUBJECT, ("Ours", "Theirs"), id="full"),
]


@pytest.mark.parametrize(("origin", "rule", "name", "expected"), CLASHES)
def test_a_clash_is_noted_without_what_is_hidden(
    origin: Origin, rule: PrivateRule, name: Field, expected: tuple[str, str] | None
) -> None:
    """Open values are noted as they are."""
    chosen = policy(private=rule)
    now = replace(ON_RECORD, subject="Ours", span=LATER)
    event = replace(PRIVATE, subject="Theirs", span=OVER)
    got = plan(linked(ON_RECORD, OPEN, origin=origin), ours(now), theirs(event), chosen)
    (clash,) = (o for o in got if isinstance(o, RecordClash) and o.field is name)
    values = (str(now.normal_form([name])[name]), str(event.normal_form([name])[name]))
    assert (clash.ours, clash.theirs) == (expected or values)
