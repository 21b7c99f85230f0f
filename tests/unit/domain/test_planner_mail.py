"""No needless mail (R8): the back-fill, no-ops, and meetings that are over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import pytest

from calsync_plugin.domain.backfill import may_push
from calsync_plugin.domain.links import Base
from calsync_plugin.domain.meeting import Attendee, Field, Meeting
from calsync_plugin.domain.operations import CreateEvent, SaveBase, UpdateEvent
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import Mode
from calsync_plugin.domain.timespan import TimeSpan
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    AS_IN_BASE,
    BOB,
    DAY,
    EVE,
    GONE_RECORD,
    LATER,
    LONG_OVER,
    NOW,
    OVER,
    SOON,
    ZED,
    kinds,
    linked,
    meeting,
    ours,
    policy,
    theirs,
    writes,
)

PUSHES = [
    pytest.param(None, None, False, True, id="no push-from"),
    pytest.param(NOW - DAY, NOW, False, False, id="older"),
    pytest.param(NOW, NOW, False, True, id="at the same instant"),
    pytest.param(NOW, NOW - DAY, False, True, id="newer"),
    pytest.param(NOW - DAY, NOW, True, True, id="older, confirmed"),
    pytest.param(None, NOW, False, True, id="a host that does not tell"),
]


@pytest.mark.parametrize(("modified_at", "push_from", "confirmed", "allowed"), PUSHES)
def test_what_may_be_pushed(
    modified_at: datetime | None, push_from: datetime | None, confirmed: bool, allowed: bool
) -> None:
    """For a create and for an update alike."""
    chosen = policy(push_from=push_from, backfill_confirmed=confirmed)
    assert may_push(modified_at, chosen) is allowed
    created = plan(None, ours(modified_at=modified_at), ABSENT_EVENT, chosen)
    assert kinds(created) == (["CreateEvent"] if allowed else ["Wait"])
    updated = plan(linked(), ours(meeting(subject="Ours"), modified_at=modified_at), theirs(), chosen)
    assert kinds(updated) == (["UpdateEvent"] if allowed else ["Wait"])


def test_the_back_fill_holds_nothing_inward() -> None:
    """An update of the CRM mails nobody."""
    chosen = policy(push_from=NOW + DAY)
    record = ours(meeting(subject="Ours"), modified_at=NOW)
    assert kinds(plan(linked(), record, theirs(meeting(location="Wien")), chosen)) == ["Wait", "UpdateRecord"]


@pytest.mark.parametrize(
    "now",
    [
        meeting(subject="  Kick-off\u00a0"),
        meeting(description="\r\n"),
        meeting(zone="Europe/Vienna"),
        meeting(organizer=BOB),
        meeting(join_url="https://teams.example/1"),
        meeting(cancelled=True),
    ],
    ids=["blanks", "empty text", "zone", "organizer", "join url", "cancelled"],
)
def test_a_no_op_sends_nothing(now: Meeting) -> None:
    """What no reader sees, hints and bookkeeping are no change."""
    assert plan(linked(), ours(now), theirs(), policy()) == ()
    assert plan(linked(), ours(), theirs(now), policy()) == ()


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("mine", "yours"), [("Theirs", "Theirs"), ("Ours", "Ours")], ids=["ours", "theirs"])
def test_who_comes_to_say_what_the_other_side_says_is_not_written(mode: Mode, mine: str, yours: str) -> None:
    """Sides that were linked while they differed: one of them was corrected."""
    chosen = policy(mode=mode)
    link = linked(meeting("Ours"), meeting("Theirs"), by=chosen)
    got = plan(link, ours(meeting(mine)), theirs(meeting(yours)), chosen)
    assert got == (SaveBase(fields=frozenset({Field.SUBJECT})),)


@pytest.mark.parametrize("span", [SOON, OVER], ids=["to come", "over"])
def test_a_meeting_that_is_over_is_created_without_its_people(span: TimeSpan) -> None:
    """The appointment alone mails nobody."""
    record = ours(meeting(span=span, attendees=(BOB,), online=True))
    (created,) = plan(None, record, ABSENT_EVENT, policy())
    assert isinstance(created, CreateEvent)
    everything = frozenset(Field) - {Field.RESPONSES}
    mailing = {Field.ATTENDEES, Field.ONLINE}
    assert created.fields == (everything if span is SOON else everything - mailing)


class Over(NamedTuple):
    """The meeting at the last success and the record now; what goes out."""

    name: str
    base: Meeting
    record: Meeting
    sent: frozenset[Field] | None


def fields(*names: Field) -> frozenset[Field]:
    """Names of fields."""
    return frozenset(names)


def on(span: TimeSpan, *people: Attendee, subject: str = "Kick-off") -> Meeting:
    """A meeting at this time with these people."""
    return meeting(subject, span, attendees=people)


CASES = [
    Over("to come", on(SOON, BOB), on(SOON, BOB, subject="New"), fields(Field.SUBJECT)),
    Over("over, with people", on(OVER, BOB), on(OVER, BOB, subject="New"), None),
    Over("over, with a stranger", on(OVER, ZED), on(OVER, ZED, subject="New"), None),
    Over("over, alone", on(OVER), on(OVER, subject="New"), fields(Field.SUBJECT)),
    Over("over, moved within the past", on(OVER, BOB), on(LONG_OVER, BOB), None),
    Over("over, comes back", on(OVER, BOB), on(SOON, BOB), fields(Field.SPAN)),
    Over("to come, set into the past", on(SOON, BOB), on(OVER, BOB), fields(Field.SPAN)),
    Over("to come, put off", on(SOON, BOB), on(LATER, BOB), fields(Field.SPAN)),
    Over("over, people added only", on(OVER), on(OVER, EVE), None),
    Over("over, people added and renamed", on(OVER), on(OVER, EVE, subject="New"), fields(Field.SUBJECT)),
    Over("over, people removed", on(OVER, BOB), on(OVER), None),
    Over("comes back with people", on(OVER), on(SOON, EVE), fields(Field.SPAN, Field.ATTENDEES)),
]


@pytest.mark.parametrize("event_read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_an_event_that_has_ended(case: Over, event_read: bool) -> None:
    """R8: no PATCH if it has attendees; what has to wait is not said to be settled."""
    link = linked(case.base)
    event = theirs(case.base) if event_read else AS_IN_BASE
    got = plan(link, ours(case.record), event, policy())
    assert kinds(got) == (["Wait"] if case.sent is None else ["UpdateEvent"])
    for update in got:
        if isinstance(update, UpdateEvent):
            assert update.fields == case.sent
            assert bool(update.added) == (Field.ATTENDEES in update.fields)


def test_people_left_out_of_an_ended_event_are_invited_when_it_comes_back() -> None:
    """What the create left out is still to be carried, as its base says."""
    record = on(OVER, BOB)
    link = linked(record, on(OVER))
    assert link.crm_base is not None
    pending = replace(link, crm_base=Base({**link.crm_base.values, Field.ATTENDEES: {}}))
    assert kinds(plan(pending, ours(record), theirs(on(OVER)), policy())) == ["Wait"]
    (update,) = plan(pending, ours(on(SOON, BOB)), theirs(on(OVER)), policy())
    assert isinstance(update, UpdateEvent)
    assert (update.fields, update.added) == (fields(Field.SPAN, Field.ATTENDEES), (BOB,))


def test_an_ended_meeting_still_comes_in() -> None:
    """Only what Outlook would mail is held."""
    got = plan(linked(on(OVER, BOB)), ours(on(OVER, BOB)), theirs(on(OVER, BOB, subject="New")), policy())
    assert writes(got) == ["UpdateRecord"]


def test_a_lost_base_of_an_ended_meeting_is_rebuilt_without_a_patch() -> None:
    """Otherwise it would be compared for ever."""
    link = linked(crm_base=None, outlook_base=None)
    got = plan(link, ours(on(OVER, BOB, subject="New")), theirs(on(OVER, BOB)), policy())
    assert kinds(got) == ["Wait", "SaveBase"]


REMOVALS = [
    pytest.param(OVER, (BOB,), ["Detach"], id="over, with attendees: a cancellation would only mail them"),
    pytest.param(OVER, (), ["DeleteEvent"], id="over, alone"),
    pytest.param(SOON, (BOB,), ["DeleteEvent"], id="ahead, with attendees"),
]


@pytest.mark.parametrize(("span", "people", "planned"), REMOVALS)
def test_a_removed_record_of_a_past_meeting_mails_nobody(
    span: TimeSpan, people: tuple[Attendee, ...], planned: list[str]
) -> None:
    both = meeting(span=span, attendees=people)
    assert kinds(plan(linked(both, both), GONE_RECORD, AS_IN_BASE, policy())) == planned
