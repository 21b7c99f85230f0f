"""Events without a record: imported, linked to the record they match, or left alone (R5, R8, R14, R21)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.domain.links import Link, Origin, Role
from calsync_plugin.domain.meeting import Field, Meeting, Response, Sensitivity, ShowAs
from calsync_plugin.domain.operations import CreateRecord, RecordClash, UpdateRecord
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import ClashRule, Mode, PrivateRule
from tests.unit.domain.cases import (
    ABSENT_RECORD,
    AS_IN_BASE,
    BOB,
    DAY,
    GONE_EVENT,
    LATER,
    NOW,
    OVER,
    UNKNOWN_EVENT,
    ZED,
    A,
    kinds,
    linked,
    meeting,
    ours,
    own,
    policy,
    theirs,
    writes,
)

YES, NO = Response.ACCEPTED, Response.DECLINED
CALLED_OFF = meeting(cancelled=True)
PRIVATE = meeting(
    "Dentist",
    location="Wien",
    description="again",
    attendees=(BOB,),
    reminder=15,
    sensitivity=Sensitivity.PRIVATE,
    show_as=ShowAs.OOF,
    join_url="https://teams.example/1",
    organizer=ZED,
)
MASKED = replace(
    PRIVATE,
    subject="Busy",
    location="",
    description="",
    attendees=(),
    reminder=None,
    join_url="",
    organizer=None,
)

DIFFERENT = ["RecordClash", "UpdateRecord"]
ADOPTED = [
    pytest.param(Mode.BOTH, meeting(), [], id="equal"),
    pytest.param(Mode.BOTH, meeting(subject="Theirs"), DIFFERENT, id="different"),
    pytest.param(Mode.BOTH, meeting(location="Wien"), ["UpdateRecord"], id="the record says nothing of it"),
    pytest.param(Mode.OUTLOOK_TO_CRM, meeting(subject="Theirs"), DIFFERENT, id="inward"),
    pytest.param(Mode.CRM_TO_OUTLOOK, meeting(subject="Theirs"), [], id="outward mails nobody"),
]


@pytest.mark.parametrize(("mode", "event", "expected"), ADOPTED)
@pytest.mark.parametrize("clash", ClashRule)
@pytest.mark.parametrize("confirmed", [False, True])
def test_adoption_writes_to_the_crm_only(
    mode: Mode, event: Meeting, expected: list[str], clash: ClashRule, confirmed: bool
) -> None:
    """R8, R21: a match is linked, its differences go to the record; what is lost there is noted."""
    chosen = policy(mode=mode, clash=clash, backfill_confirmed=confirmed)
    got = plan(None, ours(), theirs(event), chosen)
    assert kinds(got) == [*expected, "SaveBase"]
    begun = linked(origin=Origin.ADOPTED, crm_base=None, outlook_base=None)
    assert plan(begun, ours(), theirs(event), chosen) == got
    assert [(c.ours, c.theirs, c.winner) for c in got if isinstance(c, RecordClash)] == (
        [("Kick-off", "Theirs", "outlook")] if expected == DIFFERENT else []
    )


def test_adoption_takes_nobody_off_the_record() -> None:
    """Nobody knows whether bob was removed in Outlook or never invited."""
    got = plan(None, ours(meeting(attendees=(BOB,))), theirs(meeting()), policy())
    assert kinds(got) == ["SaveBase"]


def test_adoption_undoes_no_answer() -> None:
    """Somebody who has not answered in Outlook may have answered the CRM's own invitation."""
    mine = meeting(attendees=(replace(BOB, response=YES),))
    assert kinds(plan(None, ours(mine), theirs(meeting(attendees=(BOB,))), policy())) == ["SaveBase"]
    yours = theirs(meeting(attendees=(replace(BOB, response=NO),)))
    got = plan(None, ours(mine), yours, policy())
    assert [o.fields for o in got if isinstance(o, UpdateRecord)] == [frozenset({Field.RESPONSES})]


def test_an_event_is_read_before_it_is_adopted_or_imported() -> None:
    """Nothing is assumed of an event that has no base."""
    assert kinds(plan(None, ours(), AS_IN_BASE, policy())) == ["Wait"]
    assert kinds(plan(None, ABSENT_RECORD, AS_IN_BASE, policy())) == ["Wait"]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("role", Role)
def test_import(mode: Mode, role: Role) -> None:
    """An event without a record is imported unless the account takes nothing from Outlook."""
    event = theirs(own=own(YES, mode=mode) if role is Role.ATTENDEE else None)
    got = plan(None, ABSENT_RECORD, event, policy(mode=mode))
    assert kinds(got) == ([] if mode is Mode.CRM_TO_OUTLOOK else ["CreateRecord"])
    assert all(Field.ONLINE not in o.fields for o in got if isinstance(o, CreateRecord))


@pytest.mark.parametrize("before", [NOW - DAY, NOW + DAY], ids=str)
def test_the_back_fill_keeps_nothing_out_of_the_crm(before: Any) -> None:
    """An import mails nobody; old ones come in too."""
    got = plan(None, ABSENT_RECORD, theirs(meeting(span=OVER)), policy(push_from=before))
    assert kinds(got) == ["CreateRecord"]


def test_an_import_knows_the_answer_of_its_owner() -> None:
    """The copy of an attendee lists everybody without an answer; the owner's stands beside (R3)."""
    event = meeting(attendees=(BOB, ZED), organizer=ZED)
    (got,) = plan(None, ABSENT_RECORD, theirs(event, own(YES)), policy())
    assert isinstance(got, CreateRecord)
    assert [a.response for a in got.meeting.attendees] == [YES, Response.NONE]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("span", [LATER, OVER], ids=["ahead", "over"])
def test_what_was_called_off_already_gets_no_record(role: Role, span: Any) -> None:
    """R5: neither a new one nor one that it matches."""
    event = theirs(replace(CALLED_OFF, span=span), own(YES) if role is Role.ATTENDEE else None)
    assert plan(None, ABSENT_RECORD, event, policy()) == ()
    assert plan(None, ours(meeting(span=span)), event, policy()) == ()
    begun = linked(record_id="", origin=Origin.OUTLOOK, role=role, crm_base=None, outlook_base=None)
    assert kinds(plan(begun, ABSENT_RECORD, event, policy())) == ["DropLink"]


RULES = [
    pytest.param(PrivateRule.SKIP, None, id="skip"),
    pytest.param(PrivateRule.BUSY, MASKED, id="busy"),
    pytest.param(PrivateRule.FULL, replace(PRIVATE, attendees=(), organizer=None), id="full"),
]


@pytest.mark.parametrize(("rule", "expected"), RULES)
@pytest.mark.parametrize("sensitivity", [Sensitivity.PRIVATE, Sensitivity.CONFIDENTIAL])
def test_a_private_event_is_imported_as_its_owner_chose(
    rule: PrivateRule, expected: Meeting | None, sensitivity: Sensitivity
) -> None:
    """R14: not at all, as an empty block, or without its people."""
    event = replace(PRIVATE, sensitivity=sensitivity)
    got = plan(None, ABSENT_RECORD, theirs(event), policy(private=rule))
    assert [strictly(o.meeting) for o in got if isinstance(o, CreateRecord)] == (
        [strictly(replace(expected, sensitivity=sensitivity))] if expected else []
    )
    begun = linked(record_id="", origin=Origin.OUTLOOK, crm_base=None, outlook_base=None)
    again = kinds(plan(begun, ABSENT_RECORD, theirs(event), policy(private=rule)))
    assert again == (["CreateRecord"] if expected else ["DropLink"])


@pytest.mark.parametrize("sensitivity", [Sensitivity.NORMAL, Sensitivity.PERSONAL])
def test_a_personal_event_is_no_secret(sensitivity: Sensitivity) -> None:
    """Outlook's "personal" hides nothing from those with whom a calendar is shared."""
    event = replace(PRIVATE, sensitivity=sensitivity)
    (got,) = plan(None, ABSENT_RECORD, theirs(event), policy())
    assert isinstance(got, CreateRecord)
    assert strictly(got.meeting) == strictly(event)


@pytest.mark.parametrize("rule", PrivateRule)
def test_hidden_details_are_imported_as_busy_blocks(rule: PrivateRule) -> None:
    """R14: whatever is private; and what is private still by its own rule."""
    chosen = policy(private=rule, hide_details=True)
    (got,) = plan(None, ABSENT_RECORD, theirs(replace(PRIVATE, sensitivity=Sensitivity.NORMAL)), chosen)
    assert isinstance(got, CreateRecord)
    assert strictly(got.meeting) == strictly(replace(MASKED, sensitivity=Sensitivity.NORMAL))
    assert len(plan(None, ABSENT_RECORD, theirs(PRIVATE), chosen)) == (rule is not PrivateRule.SKIP)


def test_a_private_event_is_not_matched_if_it_is_to_be_skipped() -> None:
    """R14, R21: its record stays the CRM's own."""
    record = ours(replace(PRIVATE, sensitivity=Sensitivity.NORMAL))
    assert plan(None, record, theirs(PRIVATE), policy()) == ()
    begun = linked(origin=Origin.ADOPTED, crm_base=None, outlook_base=None)
    assert plan(begun, record, theirs(PRIVATE), policy()) == ()


def test_a_mask_is_not_merged_into_a_record_that_was_there_before() -> None:
    """R14: only the time of the block comes in."""
    record = ours(meeting("Dentist", location="Wien"))
    got = plan(None, record, theirs(replace(PRIVATE, span=LATER)), policy(private=PrivateRule.BUSY))
    shown = {Field.SPAN, Field.SHOW_AS, Field.SENSITIVITY}
    assert {o.field for o in got if isinstance(o, RecordClash)} == shown
    (update,) = (o for o in got if isinstance(o, UpdateRecord))
    assert update.fields == shown
    assert (update.meeting.subject, update.meeting.location) == ("Dentist", "Wien")
    assert update.meeting.span == LATER
    assert writes(got) == ["UpdateRecord"]


def test_hidden_details_hide_no_match() -> None:
    """R14: what the CRM had before is no import; its content may come in."""
    got = plan(None, ours(), theirs(meeting(location="Wien")), policy(hide_details=True))
    assert [o.meeting.location for o in got if isinstance(o, UpdateRecord)] == ["Wien"]


ADOPTED_ANSWERS = [
    pytest.param(Response.NONE, YES, Mode.BOTH, YES, id="answered in Outlook"),
    pytest.param(NO, YES, Mode.BOTH, YES, id="the own mailbox is right"),
    pytest.param(YES, Response.NONE, Mode.BOTH, None, id="answered in the CRM"),
    pytest.param(YES, YES, Mode.BOTH, None, id="the same"),
    pytest.param(NO, YES, Mode.CRM_TO_OUTLOOK, None, id="nothing comes in"),
    pytest.param(NO, YES, Mode.OUTLOOK_TO_CRM, YES, id="inward"),
]


@pytest.mark.parametrize(("record", "mailbox", "mode", "given"), ADOPTED_ANSWERS)
def test_adoption_of_an_invitation_sends_no_answer(
    record: Response, mailbox: Response, mode: Mode, given: Response | None
) -> None:
    """R8: what the record says was said long ago, and the organizer would be mailed."""
    link = linked(origin=Origin.ADOPTED, role=Role.ATTENDEE, crm_base=None, outlook_base=None)
    sides = (
        ours(meeting(attendees=(replace(BOB, response=record),))),
        theirs(meeting(attendees=(BOB,)), own(mailbox, mode=mode, mailbox_id=A)),
    )
    for state in (None, link):
        got = plan(state, *sides, policy(mode=mode))
        assert writes(got) == ([] if given is None else ["UpdateRecord"])
        answers = [[a.response for a in o.meeting.attendees] for o in got if isinstance(o, UpdateRecord)]
        assert answers == ([] if given is None else [[given]])


STATES: list[Link] = [linked(copies=()), linked(copies=(), origin=Origin.ADOPTED)]


@pytest.mark.parametrize("link", STATES, ids=lambda link: str(link.origin))
@pytest.mark.parametrize("event", [GONE_EVENT, UNKNOWN_EVENT], ids=["gone", "unknown"])
def test_a_link_without_an_event_waits_for_one(link: Link, event: Any) -> None:
    """Only a link that the CRM bore gets a new event."""
    got = plan(link, ours(), event, policy())
    assert writes(got) == []


@pytest.mark.parametrize("rule", PrivateRule)
def test_an_event_of_the_crms_own_is_found_again_though_it_is_private(rule: PrivateRule) -> None:
    """A reset forgot where it is; a second event would mail everybody."""
    link = linked(copies=())
    record = ours(meeting("Kick-off", location="Graz"))
    got = plan(link, record, theirs(replace(PRIVATE, sensitivity=Sensitivity.PRIVATE)), policy(private=rule))
    kept = [o.meeting.subject for o in got if isinstance(o, UpdateRecord)]
    assert kinds(got)[-1] == "SaveBase"
    assert kept == ([PRIVATE.subject] if rule is PrivateRule.FULL else [])


def strictly(side: Meeting) -> tuple[Meeting, object]:
    """With what takes no part in comparisons."""
    return side, (side.join_url, side.organizer)
