"""Attendees as a set merged three ways (R7), and answers to invitations."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from calsync_plugin.domain.links import Base, Link
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Response
from calsync_plugin.domain.operations import SaveBase, UpdateEvent, UpdateRecord
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import Mode
from tests.unit.domain.cases import (
    AS_IN_BASE,
    BOB,
    DAN,
    EVE,
    ZED,
    contact,
    linked,
    meeting,
    ours,
    policy,
    stranger,
    theirs,
    user,
    writes,
)

People = tuple[Attendee, ...]


def with_people(*people: Attendee) -> Meeting:
    """A meeting of these people."""
    return meeting(attendees=people)


class Case(NamedTuple):
    """Attendees in both bases and on both sides now, and what has to follow in mode `both`."""

    name: str
    crm: People
    outlook: People
    record: People
    event: People
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    on_record: set[str] | None = None
    """Keys that the record is given; None: it is not written."""


MUTE = contact("mute", "")
BOB_MOVED = user("bob", "bob@new.example")
BOB_UNKNOWN = stranger(BOB.address)
DAN_MERGED = contact("dan2", DAN.address)
U_BOB, U_EVE, C_DAN = BOB.key, EVE.key, DAN.key

CASES = [
    Case("nothing", (BOB,), (BOB,), (BOB,), (BOB,)),
    Case("another order", (BOB, EVE), (BOB, EVE), (EVE, BOB), (EVE, BOB)),
    Case("added in the CRM", (BOB,), (BOB,), (BOB, EVE), (BOB,), added=frozenset({U_EVE})),
    Case("removed in the CRM", (BOB, EVE), (BOB, EVE), (BOB,), (BOB, EVE), removed=frozenset({U_EVE})),
    Case(
        "exchanged in the CRM",
        (BOB,),
        (BOB,),
        (EVE,),
        (BOB,),
        added=frozenset({U_EVE}),
        removed=frozenset({U_BOB}),
    ),
    Case("added in Outlook", (BOB,), (BOB,), (BOB,), (BOB, EVE), on_record={U_BOB, U_EVE}),
    Case("removed in Outlook", (BOB, EVE), (BOB, EVE), (BOB, EVE), (BOB,), on_record={U_BOB}),
    Case("added on both sides", (), (), (BOB,), (EVE,), added=frozenset({U_BOB}), on_record={U_BOB, U_EVE}),
    Case("the same on both sides", (), (), (BOB,), (BOB,)),
    Case("removed on both sides", (BOB,), (BOB,), (), ()),
    Case(
        "one removed on each side",
        (BOB, EVE),
        (BOB, EVE),
        (EVE,),
        (BOB,),
        removed=frozenset({U_BOB}),
        on_record=set(),
    ),
    Case("stranger stays", (BOB,), (BOB, ZED), (BOB,), (BOB, ZED)),
    Case(
        "stranger survives an addition", (BOB,), (BOB, ZED), (BOB, EVE), (BOB, ZED), added=frozenset({U_EVE})
    ),
    Case("stranger survives a removal", (BOB,), (BOB, ZED), (), (BOB, ZED), removed=frozenset({U_BOB})),
    Case("stranger appears", (BOB,), (BOB,), (BOB,), (BOB, ZED)),
    Case("stranger leaves", (BOB,), (BOB, ZED), (BOB,), (BOB,)),
    Case("stranger is added as a contact", (BOB,), (BOB, ZED), (BOB, contact("z", ZED.address)), (BOB, ZED)),
    Case("without an address", (BOB,), (BOB,), (BOB, MUTE), (BOB,)),
    Case("without an address, for long", (BOB, MUTE), (BOB,), (BOB, MUTE), (BOB,)),
    Case(
        "the first address",
        (BOB, MUTE),
        (BOB,),
        (BOB, contact("mute")),
        (BOB,),
        added=frozenset({MUTE.key}),
    ),
    Case("not invited, kept on the record", (BOB, DAN), (BOB,), (BOB, DAN), (BOB,)),
    Case(
        "not invited, others change",
        (BOB, DAN),
        (BOB,),
        (BOB, DAN),
        (BOB, EVE),
        on_record={U_BOB, C_DAN, U_EVE},
    ),
    Case("re-addressed, known by both", (BOB,), (BOB,), (BOB_MOVED,), (BOB,)),
    Case("re-addressed, a stranger to the event", (BOB,), (BOB,), (BOB_MOVED,), (BOB_UNKNOWN,)),
    Case("re-addressed, then removed", (BOB_MOVED,), (BOB,), (), (BOB_UNKNOWN,), removed=frozenset({U_BOB})),
    Case("merged into another person", (DAN,), (DAN,), (DAN_MERGED,), (DAN,)),
    Case("merged, event read anew", (DAN,), (DAN,), (DAN_MERGED,), (DAN_MERGED,)),
    Case("an address turns out to be known", (BOB,), (BOB, stranger(DAN.address)), (BOB,), (BOB, DAN)),
    Case(
        "removed, known by address only",
        (BOB,),
        (BOB_UNKNOWN,),
        (),
        (BOB_UNKNOWN,),
        removed=frozenset({BOB.address}),
    ),
    Case("removed while added again in Outlook", (BOB,), (), (), (BOB,), removed=frozenset({U_BOB})),
]


def based(case: Case) -> Link:
    """A link whose two bases know different people."""
    return linked(with_people(*case.crm), with_people(*case.outlook))


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_people(case: Case) -> None:
    """Both ways, with the event read."""
    got = plan(based(case), ours(with_people(*case.record)), theirs(with_people(*case.event)), policy())
    updates = [o for o in got if isinstance(o, UpdateEvent)]
    records = [o for o in got if isinstance(o, UpdateRecord)]
    assert {a.key for o in updates for a in o.added} == case.added
    assert {a.key for o in updates for a in o.removed} == case.removed
    assert len(updates) == bool(case.added or case.removed)
    known = [{a.key for a in o.meeting.attendees if a.person} for o in records]
    assert known == ([] if case.on_record is None else [case.on_record])
    assert all(o.fields == {Field.ATTENDEES} for o in got if isinstance(o, UpdateEvent | UpdateRecord))


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_people_outward_only(case: Case) -> None:
    """What Outlook's users did stays, what the CRM's users did is sent, the record is never written."""
    chosen = policy(mode=Mode.CRM_TO_OUTLOOK)
    got = plan(based(case), ours(with_people(*case.record)), theirs(with_people(*case.event)), chosen)
    updates = [o for o in got if isinstance(o, UpdateEvent)]
    assert {a.key for o in updates for a in o.added} == case.added
    assert {a.key for o in updates for a in o.removed} == case.removed
    assert writes(got) == ["UpdateEvent"] * bool(case.added or case.removed)


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_people_inward_only(case: Case) -> None:
    """The event is never written."""
    chosen = policy(mode=Mode.OUTLOOK_TO_CRM)
    got = plan(based(case), ours(with_people(*case.record)), theirs(with_people(*case.event)), chosen)
    assert writes(got) == ["UpdateRecord"] * (case.on_record is not None)


UNREAD = [c for c in CASES if c.outlook == c.event]


@pytest.mark.parametrize("case", UNREAD, ids=[c.name for c in UNREAD])
def test_people_of_an_event_that_nobody_read(case: Case) -> None:
    """As in its base means the same plan for the event."""
    record = ours(with_people(*case.record))
    read, unread = (
        [o for o in plan(based(case), record, event, policy()) if isinstance(o, UpdateEvent)]
        for event in (theirs(with_people(*case.event)), AS_IN_BASE)
    )
    assert [{a.key for a in o.added} for o in read] == [{a.key for a in o.added} for o in unread]
    assert [{a.key for a in o.removed} for o in read] == [{a.key for a in o.removed} for o in unread]


def test_who_is_removed_is_named_as_the_event_has_him() -> None:
    """The address on the event is the old one; with the new one nobody would be found."""
    link = linked(with_people(BOB_MOVED), with_people(BOB))
    got = plan(link, ours(meeting()), theirs(with_people(BOB_UNKNOWN)), policy())
    assert [[a.address for a in o.removed] for o in got if isinstance(o, UpdateEvent)] == [[BOB.address]]


@pytest.mark.parametrize("settled", ["the same on both sides", "stranger appears", "without an address"])
def test_what_needs_no_write_is_rebased(settled: str) -> None:
    """Otherwise it would be compared for ever."""
    case = next(c for c in CASES if c.name == settled)
    got = plan(based(case), ours(with_people(*case.record)), theirs(with_people(*case.event)), policy())
    assert got == (SaveBase(fields=frozenset({Field.ATTENDEES})),)


YES, MAYBE, NO = Response.ACCEPTED, Response.TENTATIVE, Response.DECLINED
ANSWERS = [
    pytest.param(Response.NONE, Response.NONE, YES, YES, id="answered in Outlook"),
    pytest.param(YES, YES, NO, NO, id="answered anew in Outlook"),
    pytest.param(Response.NONE, YES, Response.NONE, None, id="answered in the CRM"),
    pytest.param(Response.NONE, YES, YES, None, id="the same answer on both sides"),
    pytest.param(Response.NONE, MAYBE, NO, NO, id="the organizer's calendar is right"),
    pytest.param(YES, YES, YES, None, id="no news"),
]


@pytest.mark.parametrize(("before", "record", "event", "given"), ANSWERS)
def test_answers(before: Response, record: Response, event: Response, given: Response | None) -> None:
    """Answers come in and never go out through the home copy; no clash is made of them."""
    link = linked(with_people(replace(BOB, response=before)))
    mine, yours = replace(BOB, response=record), replace(BOB, response=event)
    got = plan(link, ours(with_people(mine)), theirs(with_people(yours)), policy())
    assert writes(got) == ([] if given is None else ["UpdateRecord"])
    for update in got:
        if isinstance(update, UpdateRecord):
            assert update.fields == {Field.RESPONSES}
            assert [a.response for a in update.meeting.attendees] == [given]


def test_answers_of_strangers_and_of_the_uninvited_write_nothing() -> None:
    """The record has no place for them."""
    link = linked(with_people(BOB), with_people(BOB, ZED))
    event = with_people(BOB, replace(ZED, response=YES))
    assert plan(link, ours(with_people(BOB)), theirs(event), policy()) == (
        SaveBase(fields=frozenset({Field.RESPONSES})),
    )


def test_somebody_who_joined_brings_the_answer_along() -> None:
    """One write for both."""
    event = with_people(replace(EVE, response=YES))
    got = plan(linked(), ours(), theirs(event), policy())
    assert [(o.fields, o.meeting.attendees) for o in got if isinstance(o, UpdateRecord)] == [
        (frozenset({Field.ATTENDEES, Field.RESPONSES}), event.attendees)
    ]


def test_an_answer_does_not_touch_the_others() -> None:
    """Bob answered in the CRM, eve in Outlook: both answers stay."""
    link = linked(with_people(BOB, EVE))
    record = with_people(replace(BOB, response=YES), EVE)
    got = plan(link, ours(record), theirs(with_people(BOB, replace(EVE, response=NO))), policy())
    assert [[a.response for a in o.meeting.attendees] for o in got if isinstance(o, UpdateRecord)] == [
        [YES, NO]
    ]


@pytest.mark.parametrize("side", ["crm", "outlook"])
def test_attendees_that_enter_the_carried_set_invite_nobody(side: str) -> None:
    """A field that a base does not know has no history."""
    link = linked(with_people(BOB), with_people())
    base = link.crm_base if side == "crm" else link.outlook_base
    assert base is not None
    poor = Base({f: v for f, v in base.values.items() if f is not Field.ATTENDEES}, "")
    link = replace(link, crm_base=poor) if side == "crm" else replace(link, outlook_base=poor)
    event = with_people() if side == "crm" else with_people(EVE)
    assert writes(plan(link, ours(with_people(BOB)), theirs(event), policy())) == []


@pytest.mark.parametrize("wanted", [True, False], ids=["contacts-created", "not-created"])
def test_a_stranger_who_joined_is_news_for_the_record_only_by_setting(wanted: bool) -> None:
    """Who was there before makes no write."""
    link = linked(with_people(BOB), with_people(BOB))
    got = plan(link, ours(with_people(BOB)), theirs(with_people(BOB, ZED)), policy(create_contacts=wanted))
    assert writes(got) == (["UpdateRecord"] if wanted else [])
    link = linked(with_people(BOB), with_people(BOB, ZED))
    assert (
        plan(link, ours(with_people(BOB)), theirs(with_people(BOB, ZED)), policy(create_contacts=wanted))
        == ()
    )
