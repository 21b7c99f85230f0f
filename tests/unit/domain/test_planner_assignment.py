"""Whose calendar an event belongs into: the assigned user (R1) and reassignment (R2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from calsync_plugin.domain.links import CopyState, Link, Origin, Role
from calsync_plugin.domain.meeting import Attendee, Field
from calsync_plugin.domain.operations import CreateEvent, DeleteEvent, UpdateRecord
from calsync_plugin.domain.planner import Assignee, Ours, Theirs, governing_mailbox, plan
from calsync_plugin.domain.policy import Mode, Policy
from calsync_plugin.domain.timespan import TimeSpan
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    AS_IN_BASE,
    BOB,
    FAR_EVENT,
    GONE_EVENT,
    GONE_RECORD,
    OVER,
    SOON,
    TOMORROW,
    UNKNOWN_EVENT,
    ZED,
    A,
    B,
    C,
    home,
    kinds,
    leaving,
    linked,
    meeting,
    not_syncing,
    ours,
    policy,
    suspended,
    syncing,
    theirs,
    waiting,
)

STANDINGS = {"syncing": syncing(), "waiting": waiting(A), "none": not_syncing(A)}
NEW = {"syncing": "CreateEvent", "waiting": "Wait"}


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("standing", STANDINGS)
def test_a_new_record_goes_to_its_assigned_user_or_to_nobody(mode: Mode, standing: str) -> None:
    """R1: whoever attends, only the assigned user's account counts."""
    record = ours(meeting(attendees=(BOB,)), STANDINGS[standing])
    got = plan(None, record, ABSENT_EVENT, policy(mode=mode))
    pushes = standing in NEW and (mode is not Mode.OUTLOOK_TO_CRM or standing == "waiting")
    assert kinds(got) == ([NEW[standing]] if pushes else [])
    assert all(o.mailbox_id == A for o in got if isinstance(o, CreateEvent))


MOVES = [
    pytest.param(syncing(B), theirs(), ["CreateEvent"], id="to bob"),
    pytest.param(syncing(B), AS_IN_BASE, ["CreateEvent"], id="to bob, event not read"),
    pytest.param(syncing(B), UNKNOWN_EVENT, ["CreateEvent"], id="to bob, old mailbox out of reach"),
    pytest.param(syncing(B), FAR_EVENT, ["CreateEvent"], id="to bob, event in another calendar"),
    pytest.param(syncing(B), GONE_EVENT, ["Detach"], id="to bob, removed in Outlook"),
    pytest.param(waiting(B), theirs(), ["Wait"], id="to bob who reconnects"),
    pytest.param(waiting(B), GONE_EVENT, ["Wait"], id="to bob who reconnects, removed in Outlook"),
    pytest.param(not_syncing(), theirs(), ["DeleteEvent"], id="to nobody who syncs"),
    pytest.param(not_syncing(C), theirs(), ["DeleteEvent"], id="to one who takes nothing from the CRM"),
    pytest.param(not_syncing(), GONE_EVENT, ["DropLink"], id="to nobody, removed already"),
    pytest.param(syncing(A), theirs(), [], id="to bob and back before any run"),
    pytest.param(
        replace(syncing(B), former_mailboxes=frozenset({A})), theirs(), [], id="the same user's new mailbox"
    ),
    pytest.param(not_syncing(A), theirs(), [], id="the home's own account takes nothing any more"),
]


@pytest.mark.parametrize(("assignee", "event", "expected"), MOVES)
def test_reassigned(assignee: Assignee, event: Theirs, expected: list[str]) -> None:
    """R2 for links that the CRM bore."""
    got = plan(linked(), ours(assignee=assignee), event, policy())
    assert kinds(got) == expected
    assert all(o.mailbox_id == B and o.moves for o in got if isinstance(o, CreateEvent))
    assert all(o.mailbox_id == A and o.drops_link for o in got if isinstance(o, DeleteEvent))


STAY = {
    "born in Outlook": linked(origin=Origin.OUTLOOK),
    "somebody else's meeting": linked(role=Role.ATTENDEE),
    "occurrence": linked(original_start=datetime(2026, 12, 1, 9, tzinfo=UTC)),
    "occurrence of Outlook": linked(
        origin=Origin.OUTLOOK, original_start=datetime(2026, 12, 1, 9, tzinfo=UTC)
    ),
}


@pytest.mark.parametrize("link", STAY.values(), ids=STAY)
@pytest.mark.parametrize("assignee", [syncing(B), waiting(B), not_syncing()], ids=str)
def test_reassigning_anything_else_moves_no_event(link: Link, assignee: Assignee) -> None:
    """R2, R13: only the CRM's owner changes; content still flows through the home."""
    record = ours(meeting(subject="Ours"), assignee)
    expected = ["Wait"] if link.role is Role.ATTENDEE else ["UpdateEvent"]
    assert plan(link, ours(assignee=assignee), theirs(), policy()) == ()
    assert kinds(plan(link, record, theirs(), policy())) == expected
    assert governing_mailbox(link, record) == A


def test_an_edit_in_outlook_moves_along() -> None:
    """R2: reassigned while edited in Outlook; the record learns of it, the new event has both edits."""
    record, event = ours(meeting(subject="Ours"), syncing(B)), theirs(meeting(location="Wien"))
    got = plan(linked(), record, event, policy())
    both = meeting(subject="Ours", location="Wien")
    assert kinds(got) == ["UpdateRecord", "CreateEvent"]
    assert [o.meeting for o in got if isinstance(o, UpdateRecord | CreateEvent)] == [both, both]
    clashing = plan(linked(), record, theirs(meeting(subject="Theirs")), policy())
    assert kinds(clashing) == ["RecordClash", "CreateEvent"]


@pytest.mark.parametrize("event", [theirs(meeting(attendees=(BOB, ZED))), AS_IN_BASE], ids=["read", "unread"])
def test_people_unknown_to_the_crm_move_along(event: Theirs) -> None:
    """R7: they would only get the cancellation of the old event."""
    link = linked(meeting(attendees=(BOB,)), meeting(attendees=(BOB, ZED)))
    (created,) = plan(link, ours(meeting(attendees=(BOB,)), syncing(C)), event, policy())
    assert isinstance(created, CreateEvent)
    assert {a.address for a in created.meeting.attendees} == {BOB.address, ZED.address}
    begun = replace(link, copies=(home(C, CopyState.INTENDED), leaving(A)))
    (again,) = plan(begun, ours(meeting(attendees=(BOB,)), syncing(C)), ABSENT_EVENT, policy())
    assert isinstance(again, CreateEvent)
    assert again.meeting.attendees == created.meeting.attendees


def test_who_was_taken_off_the_record_does_not_move_along() -> None:
    """R7: the old event knew bob by his address alone."""
    strange_bob = replace(BOB, person=None)
    link = linked(meeting(attendees=(BOB,)), meeting(attendees=(strange_bob, ZED)))
    (created,) = plan(link, ours(meeting(), syncing(C)), AS_IN_BASE, policy())
    assert isinstance(created, CreateEvent)
    assert created.meeting.attendees == (ZED,)


def test_an_edit_in_outlook_is_kept_when_the_event_goes() -> None:
    """Assigned to somebody who does not sync: the record learns of the edit first."""
    got = plan(linked(), ours(assignee=not_syncing()), theirs(meeting(location="Wien")), policy())
    assert kinds(got) == ["UpdateRecord", "DeleteEvent"]


def test_a_one_way_source_is_not_removed_by_a_reassignment() -> None:
    """An account that only gives to the CRM keeps its event."""
    got = plan(linked(), ours(assignee=not_syncing()), theirs(), policy(mode=Mode.OUTLOOK_TO_CRM))
    assert kinds(got) == ["Detach"]


LEAVING = [
    pytest.param(CopyState.LIVE, theirs(), ["DeleteEvent"], id="confirmed"),
    pytest.param(CopyState.LIVE, UNKNOWN_EVENT, ["DeleteEvent"], id="confirmed, out of reach now"),
    pytest.param(CopyState.LIVE, FAR_EVENT, ["DeleteEvent", "Suspend"], id="confirmed, moved away"),
    pytest.param(CopyState.LIVE, GONE_EVENT, ["DeleteEvent"], id="confirmed, removed: former home first"),
    pytest.param(CopyState.INTENDED, ABSENT_EVENT, ["CreateEvent"], id="not created yet"),
    pytest.param(CopyState.INTENDED, UNKNOWN_EVENT, ["Wait"], id="outcome unknown"),
]


@pytest.mark.parametrize(("state", "event", "expected"), LEAVING)
def test_the_former_home_goes_only_after_the_new_one_is_confirmed(
    state: CopyState, event: Theirs, expected: list[str]
) -> None:
    """R2: created and confirmed first, then deleted."""
    link = linked(copies=(home(B, state), leaving(A)))
    got = plan(link, ours(assignee=syncing(B)), event, policy())
    assert kinds(got) == expected
    assert all(o.mailbox_id == A and not o.drops_link for o in got if isinstance(o, DeleteEvent))


EVENTS = [ABSENT_EVENT, AS_IN_BASE, FAR_EVENT, GONE_EVENT, UNKNOWN_EVENT, theirs()]


@pytest.mark.parametrize(
    "who", [syncing(A), syncing(B), syncing(C), waiting(C)], ids=lambda a: f"{a.standing}-{a.mailbox_id}"
)
def test_nothing_is_deleted_while_the_new_home_is_not_confirmed(who: Assignee) -> None:
    """R2: whatever is known of the new event, and whoever the record goes to next."""
    link = linked(copies=(home(B, CopyState.INTENDED), leaving(A)))
    for state, event in product((link, suspended(link)), EVENTS):
        got = plan(state, ours(assignee=who), event, policy())
        assert not [o for o in got if isinstance(o, DeleteEvent)], (state.state, event)


@pytest.mark.parametrize("event", [UNKNOWN_EVENT, FAR_EVENT], ids=["unknown", "far"])
def test_record_gone_before_the_new_home_is_confirmed(event: Theirs) -> None:
    """Both go together once the outcome of the create is known."""
    link = linked(copies=(home(B, CopyState.INTENDED), leaving(A)))
    assert plan(link, GONE_RECORD, event, policy()) == ()


def test_a_former_home_of_unknown_outcome_is_not_deleted_blindly() -> None:
    """There is no event id to delete; it is looked up first."""
    link = linked(copies=(home(B), leaving(A, "")))
    assert plan(link, ours(assignee=syncing(B)), theirs(), policy()) == ()


@pytest.mark.parametrize(
    "copies", [(home(B), leaving(A)), (leaving(A), home(B))], ids=["new first", "old first"]
)
def test_record_gone_while_a_former_home_is_left(copies: tuple[object, ...]) -> None:
    """Both events are deleted, and the link ends with the last of them."""
    got = plan(linked(copies=copies), GONE_RECORD, theirs(), policy())
    assert sorted(o.mailbox_id for o in got if isinstance(o, DeleteEvent) and o.drops_link) == [A, B]
    gone = plan(linked(copies=copies), GONE_RECORD, GONE_EVENT, policy())
    assert [o.mailbox_id for o in gone if isinstance(o, DeleteEvent) and o.drops_link] == [A]


def test_alice_bob_carl() -> None:
    """Reassigned again before the first former home is deleted: all former homes go in the end."""
    link = linked(copies=(home(B), leaving(A)))
    assert kinds(plan(link, ours(assignee=syncing(C)), theirs(), policy())) == ["CreateEvent"]
    after = linked(copies=(home(C), leaving(A), leaving(B)))
    got = plan(after, ours(assignee=syncing(C)), theirs(), policy())
    assert [o.mailbox_id for o in got if isinstance(o, DeleteEvent)] == [A, B]


SUSPENDED = [
    pytest.param(ours(assignee=syncing(B)), UNKNOWN_EVENT, ["Resume", "CreateEvent"], id="old account off"),
    pytest.param(ours(assignee=syncing(B)), theirs(), ["Resume", "CreateEvent"], id="old account readable"),
    pytest.param(ours(assignee=waiting(B)), UNKNOWN_EVENT, [], id="both not ready"),
    pytest.param(ours(assignee=not_syncing()), UNKNOWN_EVENT, [], id="to nobody, left behind"),
    pytest.param(ours(assignee=syncing(A)), UNKNOWN_EVENT, [], id="not reassigned"),
]


@pytest.mark.parametrize(("record", "event", "expected"), SUSPENDED)
def test_a_suspended_link_reassigned(record: Ours, event: Theirs, expected: list[str]) -> None:
    """R2, R12: the new assignee's account decides; nothing is deleted where the old account is off."""
    assert kinds(plan(suspended(linked()), record, event, policy())) == expected


@pytest.mark.parametrize(
    "pause", [policy(suspended="off"), policy(entity_enabled=False)], ids=["off", "entity"]
)
def test_a_suspended_link_waits_for_a_paused_assignee(pause: Policy) -> None:
    """The governing policy is the assignee's once the event is to move."""
    assert plan(suspended(linked()), ours(assignee=syncing(B)), UNKNOWN_EVENT, pause) == ()


def test_an_old_record_moves_only_after_the_back_fill() -> None:
    """R8 holds for a move too: the new assignee's push-from."""
    chosen = policy(push_from=TOMORROW)
    for link in (linked(), suspended(linked())):
        got = plan(link, ours(assignee=syncing(B), modified_at=chosen.now), UNKNOWN_EVENT, chosen)
        assert kinds(got) == ["Wait"]


PAST = [
    pytest.param(OVER, OVER, (BOB,), ["Wait"], id="over, with people: stays"),
    pytest.param(OVER, OVER, (), ["CreateEvent"], id="over, alone: moves"),
    pytest.param(OVER, SOON, (BOB,), ["CreateEvent"], id="comes back: moves"),
    pytest.param(SOON, OVER, (BOB,), ["CreateEvent"], id="set into the past: moves"),
]


@pytest.mark.parametrize(("before", "now", "people", "expected"), PAST)
def test_a_meeting_that_is_over_is_not_moved_where_that_would_mail(
    before: TimeSpan, now: TimeSpan, people: tuple[Attendee, ...], expected: list[str]
) -> None:
    """R8: the organizer's delete would cancel a meeting that took place."""
    base = meeting(span=before, attendees=people)
    record = ours(meeting(span=now, attendees=people), syncing(B))
    assert kinds(plan(linked(base), record, theirs(base), policy())) == expected
    assert kinds(plan(linked(base), record, AS_IN_BASE, policy())) == expected


GOVERNED = [
    pytest.param(None, syncing(B), B, id="new"),
    pytest.param(linked(copies=()), syncing(B), B, id="no home yet"),
    pytest.param(linked(), syncing(A), A, id="at home"),
    pytest.param(linked(), syncing(B), B, id="moves"),
    pytest.param(linked(), waiting(B), A, id="waits at the old home"),
    pytest.param(linked(), not_syncing(B), A, id="removed from the old home"),
    pytest.param(linked(origin=Origin.OUTLOOK), syncing(B), A, id="does not move"),
    pytest.param(suspended(linked()), syncing(B), B, id="suspended, moves"),
]


@pytest.mark.parametrize(("link", "assignee", "mailbox"), GOVERNED)
def test_whose_settings_govern(link: Link | None, assignee: Assignee, mailbox: int) -> None:
    """The policy comes from the mailbox through which content is going to flow."""
    assert governing_mailbox(link, ours(assignee=assignee)) == mailbox


@pytest.mark.parametrize(("mode", "origin"), list(product(Mode, Origin)), ids=str)
def test_an_attendees_copy_gives_and_never_takes(mode: Mode, origin: Origin) -> None:
    """Role attendee: the organizer's update overwrites an edit of the record, and both values are logged."""
    chosen = policy(mode=mode)
    link = linked(by=chosen, origin=origin, role=Role.ATTENDEE)
    alone = plan(link, ours(meeting(subject="Ours")), theirs(), chosen)
    assert kinds(alone) == ([] if mode is Mode.CRM_TO_OUTLOOK else ["Wait"])
    got = plan(link, ours(meeting(subject="Ours")), theirs(meeting(subject="Theirs")), chosen)
    assert kinds(got) == ([] if mode is Mode.CRM_TO_OUTLOOK else ["RecordClash", "UpdateRecord"])
    assert all(o.fields == {Field.SUBJECT} for o in got if isinstance(o, UpdateRecord))
