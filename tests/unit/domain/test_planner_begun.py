"""Lost bases, and creates that were begun and never confirmed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from calsync_plugin.domain.links import CopyState, Link, Origin, Role
from calsync_plugin.domain.operations import DeleteEvent, DeleteRecord
from calsync_plugin.domain.planner import Ours, Theirs, plan
from calsync_plugin.domain.policy import ClashRule, Mode
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    ABSENT_RECORD,
    AS_IN_BASE,
    BOB,
    DAY,
    ENTITIES,
    ENTITY_NAMES,
    EVENTS,
    GONE_EVENT,
    GONE_RECORD,
    NOW,
    RECORDS,
    UNKNOWN_EVENT,
    A,
    B,
    home,
    kinds,
    leaving,
    linked,
    meeting,
    not_syncing,
    ours,
    policy,
    suspended,
    theirs,
    writes,
)

SIDES: list[tuple[Ours, Theirs]] = list(product(RECORDS.values(), [*EVENTS.values(), AS_IN_BASE]))


LOST = {
    "crm": {"crm_base": None},
    "outlook": {"outlook_base": None},
    "both": {"crm_base": None, "outlook_base": None},
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=ENTITY_NAMES)
def test_a_lost_base_deletes_nothing(
    mode: Mode, origin: Origin, role: Role, setting: bool, lost: str
) -> None:
    """Compare everything, never delete everything."""
    chosen = policy(mode=mode, delete_outlook_born_event=setting, delete_crm_born_record=setting)
    for link, (record, event) in product([linked(origin=origin, role=role, **LOST[lost])], SIDES):
        for state in (link, suspended(link)):
            got = plan(state, record, event, chosen)
            assert not [o for o in got if isinstance(o, DeleteEvent | DeleteRecord)]


def test_a_lost_base_is_rebuilt_by_comparing() -> None:
    """Equal: remembered. Different: the clash rule. Not read: read first."""
    link = linked(crm_base=None, outlook_base=None)
    assert kinds(plan(link, ours(), AS_IN_BASE, policy())) == ["Wait"]
    assert kinds(plan(link, ours(), theirs(), policy())) == ["SaveBase"]
    got = plan(link, ours(meeting(subject="Ours")), theirs(meeting(subject="Theirs")), policy())
    assert kinds(got) == ["RecordClash", "UpdateEvent", "SaveBase"]
    one = replace(linked(), crm_base=None)
    assert kinds(plan(one, ours(), theirs(), policy())) == ["SaveBase"]


def test_what_carries_nothing_needs_no_base() -> None:
    """Somebody else's meeting where nothing is taken from Outlook: there is nothing to remember."""
    link = linked(role=Role.ATTENDEE, crm_base=None, outlook_base=None)
    for event in (AS_IN_BASE, theirs(meeting(subject="Theirs"))):
        assert plan(link, ours(), event, policy(mode=Mode.CRM_TO_OUTLOOK)) == ()


def test_a_lost_base_unites_the_people() -> None:
    """Nobody is taken off either side, because nobody can say who was removed."""
    link = linked(crm_base=None, outlook_base=None)
    got = plan(link, ours(meeting(attendees=(BOB,))), theirs(meeting()), policy())
    assert writes(got) == ["UpdateEvent"]
    got = plan(link, ours(meeting()), theirs(meeting(attendees=(BOB,))), policy())
    assert writes(got) == ["UpdateRecord"]


def test_a_lost_base_waits_for_the_back_fill_as_a_whole() -> None:
    """Half a base would make the other half look as if it had just entered."""
    chosen = policy(push_from=policy().now)
    link = linked(crm_base=None, outlook_base=None)
    old = ours(meeting(subject="Ours"), modified_at=NOW - DAY)
    assert kinds(plan(link, old, theirs(), chosen)) == ["Wait"]


INTENDED = linked(copies=(home(A, CopyState.INTENDED),), crm_base=None, outlook_base=None)


BEGUN = [
    pytest.param(INTENDED, ours(), ABSENT_EVENT, ["CreateEvent"], id="nothing came of it"),
    pytest.param(INTENDED, ours(), UNKNOWN_EVENT, ["Wait"], id="not looked up yet"),
    pytest.param(INTENDED, ours(), GONE_EVENT, ["Detach"], id="created and removed again"),
    pytest.param(INTENDED, ours(), theirs(), ["SaveBase"], id="found"),
    pytest.param(INTENDED, GONE_RECORD, ABSENT_EVENT, ["DropLink"], id="record gone before the create"),
    pytest.param(INTENDED, GONE_RECORD, UNKNOWN_EVENT, [], id="record gone, outcome unknown"),
    pytest.param(
        INTENDED, ours(assignee=not_syncing()), ABSENT_EVENT, ["DropLink"], id="unassigned before it"
    ),
    pytest.param(suspended(INTENDED), ours(), ABSENT_EVENT, ["Resume", "CreateEvent"], id="after a pause"),
    pytest.param(linked(copies=()), ours(), ABSENT_EVENT, ["CreateEvent"], id="linked without an event"),
    pytest.param(linked(copies=()), GONE_RECORD, ABSENT_EVENT, ["DropLink"], id="removed before any event"),
    pytest.param(
        linked(copies=(), origin=Origin.OUTLOOK), ours(), ABSENT_EVENT, [], id="an import is not recreated"
    ),
    pytest.param(
        replace(INTENDED, copies=(home(B, CopyState.INTENDED), leaving(A))),
        GONE_RECORD,
        ABSENT_EVENT,
        ["DeleteEvent"],
        id="record gone in the middle of a move",
    ),
]


@pytest.mark.parametrize(("link", "record", "event", "expected"), BEGUN)
def test_a_create_that_was_begun(link: Link, record: Ours, event: Theirs, expected: list[str]) -> None:
    """An interrupted create is looked up, repeated or dropped, never taken for a removal."""
    assert kinds(plan(link, record, event, policy())) == expected


def test_an_event_found_after_its_record_went_is_deleted() -> None:
    """A create of unknown outcome, and the record removed meanwhile: no orphan stays."""
    found = replace(INTENDED, copies=(replace(home(), state=CopyState.INTENDED),))
    assert kinds(plan(found, GONE_RECORD, theirs(), policy())) == ["DeleteEvent"]


@pytest.mark.parametrize("clash", ClashRule)
def test_an_event_found_after_its_create_was_begun_is_our_own_writing(clash: ClashRule) -> None:
    """What the record says else is newer, whoever wins clashes; nothing of it is a clash."""
    found = replace(INTENDED, copies=(replace(home(), state=CopyState.INTENDED),))
    got = plan(found, ours(meeting(subject="Newer")), theirs(), policy(clash=clash))
    assert kinds(got) == ["UpdateEvent", "SaveBase"]


def test_a_record_whose_create_was_begun() -> None:
    """The event of an import is never deleted because its record is not there yet."""
    link = linked(record_id="", origin=Origin.OUTLOOK, crm_base=None, outlook_base=None)
    chosen = policy(delete_outlook_born_event=True)
    assert kinds(plan(link, ABSENT_RECORD, theirs(), chosen)) == ["CreateRecord"]
    assert kinds(plan(link, ABSENT_RECORD, GONE_EVENT, chosen)) == ["DropLink"]
    assert plan(link, ABSENT_RECORD, UNKNOWN_EVENT, chosen) == ()
