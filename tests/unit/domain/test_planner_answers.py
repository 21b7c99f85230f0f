"""A user's own answer to an invitation, between the record and that user's mailbox (R3)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from calsync_plugin.domain.answering import known_after, said
from calsync_plugin.domain.links import Link, LinkState, Origin, Role
from calsync_plugin.domain.meeting import Field, Meeting, Response
from calsync_plugin.domain.operations import Respond, SaveBase, UpdateEvent, UpdateRecord
from calsync_plugin.domain.planner import Theirs, plan
from calsync_plugin.domain.policy import Mode
from calsync_plugin.domain.timespan import TimeSpan
from tests.unit.domain.cases import (
    AS_IN_BASE,
    BOB,
    EVE,
    GONE_EVENT,
    LATER,
    OVER,
    SOON,
    A,
    B,
    attendee_copy,
    home,
    kinds,
    linked,
    meeting,
    ours,
    own,
    policy,
    suspended,
    theirs,
    writes,
)

ANY, YES, MAYBE, NO = Response.NONE, Response.ACCEPTED, Response.TENTATIVE, Response.DECLINED
OUT, IN, BOTH = Mode.CRM_TO_OUTLOOK, Mode.OUTLOOK_TO_CRM, Mode.BOTH


def of(response: Response, **parts: Any) -> Meeting:
    """A meeting to which bob answered like this."""
    return meeting(attendees=(replace(BOB, response=response),), **parts)


def link_of(role: Role, answer: Response = ANY, span: TimeSpan = SOON) -> Link:
    """A link of which bob's mailbox holds a copy: his own as home, or one beside alice's."""
    copies = (home(B),) if role is Role.ATTENDEE else (home(A), attendee_copy(B))
    return linked(of(answer, span=span), of(ANY, span=span), role=role, origin=Origin.OUTLOOK, copies=copies)


SEND, TAKE, REMEMBER, NOTHING = "send", "take", "remember", "nothing"

ANSWERS = [
    pytest.param(ANY, ANY, ANY, BOTH, NOTHING, id="nobody answered"),
    pytest.param(YES, YES, YES, BOTH, NOTHING, id="no news"),
    pytest.param(ANY, YES, ANY, BOTH, SEND, id="answered in the CRM"),
    pytest.param(YES, NO, YES, BOTH, SEND, id="answered anew in the CRM"),
    pytest.param(ANY, ANY, YES, BOTH, TAKE, id="answered in Outlook"),
    pytest.param(YES, YES, NO, BOTH, TAKE, id="answered anew in Outlook"),
    pytest.param(ANY, YES, NO, BOTH, TAKE, id="both: the own mailbox is right"),
    pytest.param(ANY, YES, YES, BOTH, REMEMBER, id="both alike"),
    pytest.param(YES, ANY, YES, BOTH, NOTHING, id="taken back in the CRM"),
    pytest.param(YES, YES, ANY, BOTH, NOTHING, id="fell to none in Outlook"),
    pytest.param(YES, NO, ANY, BOTH, SEND, id="fell to none, answered in the CRM"),
    pytest.param(YES, ANY, ANY, BOTH, REMEMBER, id="none on both sides"),
    pytest.param(ANY, YES, ANY, OUT, SEND, id="out: answered in the CRM"),
    pytest.param(ANY, ANY, YES, OUT, NOTHING, id="out: answered in Outlook"),
    pytest.param(ANY, NO, YES, OUT, SEND, id="out: both, the source decides"),
    pytest.param(ANY, YES, YES, OUT, REMEMBER, id="out: both alike"),
    pytest.param(ANY, YES, ANY, IN, NOTHING, id="in: answered in the CRM"),
    pytest.param(ANY, ANY, YES, IN, TAKE, id="in: answered in Outlook"),
    pytest.param(ANY, NO, YES, IN, TAKE, id="in: both, the source decides"),
]


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("known", "record", "mailbox", "mode", "expected"), ANSWERS)
def test_answers(
    known: Response, record: Response, mailbox: Response, mode: Mode, expected: str, role: Role, read: bool
) -> None:
    """Through bob's own copy, whoever organizes; the home's own mode has no say in it."""
    copy = own(mailbox, known, mode)
    event = theirs(of(ANY), copy) if read else replace(AS_IN_BASE, own=copy)
    for home_mode in Mode if role is Role.ORGANIZER else [mode]:
        got = plan(link_of(role), ours(of(record)), event, policy(mode=home_mode))
        assert (
            got
            == {
                NOTHING: (),
                REMEMBER: (SaveBase(fields=frozenset({Field.RESPONSES})),),
                SEND: (Respond(mailbox_id=B, event_id="copy-2", response=record),),
                TAKE: (UpdateRecord(meeting=of(mailbox), fields=frozenset({Field.RESPONSES})),),
            }[expected]
        )


@pytest.mark.parametrize(("known", "record", "mailbox", "mode", "expected"), ANSWERS)
def test_what_is_known_afterwards(
    known: Response, record: Response, mailbox: Response, mode: Mode, expected: str
) -> None:
    """The base moves only with both sides, so that what waits is still to be done."""
    said_now, answered_now = {
        NOTHING: (record, mailbox),
        REMEMBER: (record, mailbox),
        SEND: (record, record),
        TAKE: (mailbox, mailbox),
    }[expected]
    after = known_after(own(answered_now, known, mode), of(said_now))
    assert after is (answered_now if answered_now is said_now else known)
    again = theirs(of(ANY), own(answered_now, after, mode))
    assert plan(link_of(Role.ORGANIZER), ours(of(said_now)), again, policy()) == ()


def test_a_fallen_answer_is_news_if_the_time_changed() -> None:
    """R7: the yes was said to another time."""
    link = link_of(Role.ATTENDEE, YES)
    event = theirs(of(ANY, span=LATER), own(ANY, YES))
    (got,) = plan(link, ours(of(YES)), event, policy())
    assert isinstance(got, UpdateRecord)
    assert got.fields == {Field.SPAN, Field.RESPONSES}
    assert got.meeting == of(ANY, span=LATER)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("span", "expected"), [(SOON, ["Respond"]), (OVER, [])], ids=["ahead", "over"])
def test_nobody_answers_what_is_over(span: TimeSpan, expected: list[str], role: Role) -> None:
    """R8: the organizer would be mailed for nothing."""
    link = link_of(role, span=span)
    for event in (theirs(of(ANY, span=span), own(ANY)), replace(AS_IN_BASE, own=own(ANY))):
        got = plan(link, ours(of(YES, span=span)), event, policy(mode=OUT))
        assert kinds(got) == expected


MOVED = [
    pytest.param(SOON, OVER, ["UpdateEvent"], id="into the past"),
    pytest.param(OVER, SOON, ["UpdateEvent", "Respond"], id="ahead again"),
]


@pytest.mark.parametrize(("before", "now", "expected"), MOVED)
def test_whether_it_is_over_is_told_by_the_time_it_will_have(
    before: TimeSpan, now: TimeSpan, expected: list[str]
) -> None:
    """A run that dies between the two writes plans the same again."""
    link = linked(of(ANY, span=before), copies=(home(A), attendee_copy(B)))
    got = plan(link, ours(of(YES, span=now)), theirs(of(ANY, span=before), own(ANY)), policy())
    assert kinds(got) == expected


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("known", [ANY, NO])
def test_what_the_organizer_knows_already_is_not_sent(known: Response, read: bool) -> None:
    """R8: the record has the answer from alice's event, bob's own copy is not read yet."""
    link = linked(of(YES), of(YES), origin=Origin.OUTLOOK, copies=(home(A), attendee_copy(B)))
    event = theirs(of(YES), own(known, known)) if read else replace(AS_IN_BASE, own=own(known, known))
    assert plan(link, ours(of(YES)), event, policy()) == ()
    assert kinds(plan(link, ours(of(MAYBE)), event, policy())) == ["Respond"]


def test_an_answer_goes_along_with_what_the_record_is_given_anyway() -> None:
    """One write; the answers of others that it holds stay."""
    event = of(ANY, location="Wien")
    link = link_of(Role.ATTENDEE)
    (got,) = plan(link, ours(of(ANY)), theirs(event, own(YES)), policy())
    assert isinstance(got, UpdateRecord)
    assert got.fields == {Field.LOCATION, Field.RESPONSES}
    assert got.meeting == of(YES, location="Wien")


def test_an_answer_in_the_crm_goes_out_beside_an_edit() -> None:
    """Alice's event is updated, bob's copy answered."""
    got = plan(link_of(Role.ORGANIZER), ours(of(YES, location="Graz")), theirs(of(ANY), own(ANY)), policy())
    assert kinds(got) == ["UpdateEvent", "Respond"]
    assert all(o.mailbox_id == A for o in got if isinstance(o, UpdateEvent))
    both = plan(link_of(Role.ATTENDEE), ours(of(YES, location="Graz")), theirs(of(ANY), own(ANY)), policy())
    assert kinds(both) == ["Wait", "Respond"]


def test_the_owner_of_a_copy_answers_for_himself() -> None:
    """His copy lists him as well, like everybody without an answer; the others' answers come from it."""
    base = meeting(attendees=(replace(BOB, response=YES), EVE))
    link = linked(base, role=Role.ATTENDEE, origin=Origin.OUTLOOK, copies=(home(B),))
    listed = meeting(attendees=(BOB, EVE))
    assert plan(link, ours(base), theirs(listed, own(YES, YES)), policy()) == ()
    eve = meeting(attendees=(BOB, replace(EVE, response=NO)))
    (got,) = plan(link, ours(base), theirs(eve, own(YES, YES)), policy())
    assert isinstance(got, UpdateRecord)
    assert [a.response for a in got.meeting.attendees] == [YES, NO]


def test_somebody_who_joins_brings_the_own_answer_along() -> None:
    """Bob was added in Outlook and has answered there."""
    link = linked(meeting(), role=Role.ATTENDEE, origin=Origin.OUTLOOK, copies=(home(B),))
    (got,) = plan(link, ours(meeting()), theirs(of(ANY), own(YES)), policy())
    assert isinstance(got, UpdateRecord)
    assert got.fields == {Field.ATTENDEES, Field.RESPONSES}
    assert got.meeting == of(YES)


def test_what_the_own_copy_lists_is_not_the_answer() -> None:
    """Only the answer of the whole event is its owner's; the list is the organizer's view of long ago."""
    link = linked(meeting(), role=Role.ATTENDEE, origin=Origin.OUTLOOK, copies=(home(B),))
    (got,) = plan(link, ours(meeting()), theirs(of(YES), own(ANY)), policy())
    assert isinstance(got, UpdateRecord)
    assert got.meeting == of(ANY)


def test_who_is_not_on_the_record_has_no_answer_there() -> None:
    """An invitation through a distribution list."""
    link = linked(meeting(), role=Role.ATTENDEE, origin=Origin.OUTLOOK, copies=(home(B),))
    for mailbox in Response:
        assert plan(link, ours(meeting()), theirs(meeting(), own(mailbox)), policy()) == ()
    assert said(meeting(), BOB.key) is None
    assert said(None, BOB.key) is None


@pytest.mark.parametrize(("record", "mailbox"), list(product(Response, Response)), ids=str)
def test_a_record_that_holds_no_answers_gets_and_sends_none(record: Response, mailbox: Response) -> None:
    """A custom entity without attendance."""
    chosen = policy(entity_fields=frozenset(Field) - {Field.RESPONSES})
    got = plan(link_of(Role.ORGANIZER), ours(of(record)), theirs(of(ANY), own(mailbox)), chosen)
    assert got == ()


@pytest.mark.parametrize("record", Response)
@pytest.mark.parametrize("state", [LinkState.SUSPENDED, LinkState.DETACHED])
def test_a_link_that_is_not_followed_answers_nothing(state: LinkState, record: Response) -> None:
    """R12: neither way."""
    paused = policy(suspended="paused")
    link = replace(link_of(Role.ORGANIZER), state=state)
    assert plan(link, ours(of(record)), theirs(of(ANY), own(MAYBE)), paused) == ()
    back = plan(suspended(link_of(Role.ORGANIZER)), ours(of(YES)), theirs(of(ANY), own(ANY)), policy())
    assert kinds(back) == ["Resume", "Respond"]


TAKEN_OUT = [
    pytest.param(BOTH, SOON, ["UpdateRecord", "Detach"], id="ahead"),
    pytest.param(IN, SOON, ["UpdateRecord", "Detach"], id="inward"),
    pytest.param(OUT, SOON, ["Detach"], id="outward"),
    pytest.param(BOTH, OVER, ["Detach"], id="over: only tidied up"),
]


@pytest.mark.parametrize(("mode", "span", "expected"), TAKEN_OUT)
@pytest.mark.parametrize("record", [ANY, YES])
def test_taking_an_invitation_out_of_the_calendar_declines_it(
    mode: Mode, span: TimeSpan, expected: list[str], record: Response
) -> None:
    """R3: that is no end of the meeting, and no answer is sent through a copy that is gone."""
    base = of(ANY, span=span)
    link = linked(base, role=Role.ATTENDEE, origin=Origin.OUTLOOK, copies=(home(B),))
    gone = replace(GONE_EVENT, own=own(ANY, mode=mode))
    got = plan(link, ours(of(record, span=span)), gone, policy(mode=mode))
    assert kinds(got) == expected
    assert [o.meeting for o in got if isinstance(o, UpdateRecord)] == (
        [of(NO, span=span)] if "UpdateRecord" in expected else []
    )


def test_an_organizers_event_that_is_gone_is_nobodys_answer() -> None:
    """Bob's copy lies beside alice's event; she removed hers."""
    gone = Theirs(presence=GONE_EVENT.presence, own=own(ANY))
    got = plan(link_of(Role.ORGANIZER), ours(of(ANY)), gone, policy())
    assert writes(got) == ["DeleteRecord"]
