"""R3, R7: an answer travels through the own mailbox of whoever gave it, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.domain.links import LinkState
from tests.flows.conftest import MakeWorld
from tests.outlook_side import EVE
from tests.world import ALICE, BOB, CAROL, DAVE, World

ANSWERS = [
    pytest.param("Accepted", "accept", "accepted", id="accepted"),
    pytest.param("Tentative", "tentativelyAccept", "tentativelyAccepted", id="tentative"),
    pytest.param("Declined", "decline", "declined", id="declined"),
]
KINDS = ["Meeting", "Call", "Visit"]


def _answer_in_crm(world: World, record: str, user_id: str, status: str, kind: str = "Meeting") -> None:
    """A user answers in the CRM: EspoCRM's own dialog changes no time of the record, its hook says so."""
    columns = world.record(record, kind)["usersColumns"]
    world.clock.advance(1)
    world.api("PUT", f"{kind}/{record}", json={"usersColumns": {**columns, user_id: {"status": status}}})
    world.plugins.hook.calsync_attendance_changed(entity_type=kind, record_id=record)


def _said(world: World, record: str, user_id: str, kind: str = "Meeting") -> Any:
    return world.record(record, kind)["usersColumns"][user_id]["status"]


def _invited(world: World, kind: str = "Meeting", **attributes: Any) -> str:
    """A record of alice's in which bob takes part, in both calendars, and read."""
    record = world.save(kind, usersIds=[ALICE, BOB], **attributes)
    world.settle()
    world.pull()
    world.mails()
    return record


# --- out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "_action", "response"), ANSWERS)
def test_r03_an_answer_in_the_crm_goes_out_through_the_own_mailbox(
    world: World, kind: str, status: str, _action: str, response: str
) -> None:
    record = _invited(world, kind)
    _answer_in_crm(world, record, BOB, status, kind)
    with world.writes() as seen:
        world.settle()
    (sent,) = seen
    assert sent.startswith("POST ")
    assert sent.rsplit("/", 1)[1] in {"accept", "tentativelyAccept", "decline"}
    assert world.event(ALICE).responses == {"bob@example.com": response}
    assert [kind for kind, _ in world.mails()] == ["response"]
    world.quiet()
    assert _said(world, record, BOB, kind) == status
    assert world.mails() == []


def test_r03_an_answer_in_the_crm_is_never_written_to_the_organizers_copy(world: World) -> None:
    record = _invited(world)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.outlook.log.clear()
    world.settle()
    asked = world.outlook.log.as_json()["requests"]
    assert {e["mailbox"] for e in asked if e["method"] != "GET"} == {"bob@example.com"}


def test_r03_an_answer_that_changes_in_the_crm_is_sent_again(world: World) -> None:
    record = _invited(world)
    for status, response in (("Accepted", "accepted"), ("Tentative", "tentativelyAccepted")):
        _answer_in_crm(world, record, BOB, status)
        world.settle()
        assert world.event(ALICE).responses == {"bob@example.com": response}
    assert len(world.mails()) == 2
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_in_the_crm_for_somebody_who_does_not_sync_stays_there(world: World) -> None:
    record = world.save(usersIds=[ALICE, CAROL])
    world.settle()
    world.mails()
    _answer_in_crm(world, record, CAROL, "Accepted")
    world.settle()
    assert world.event(ALICE).responses == {"carol@example.com": "none"}
    world.quiet()
    assert _said(world, record, CAROL) == "Accepted"
    assert world.mails() == []


def test_r03_an_answer_in_the_crm_of_an_outlook_to_crm_user_is_not_sent(world: World) -> None:
    world.choose(BOB, mode="outlook_to_crm")
    record = _invited(world)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.settle()
    assert world.event(ALICE).responses == {"bob@example.com": "none"}
    world.quiet()
    assert _said(world, record, BOB) == "Accepted"
    assert world.mails() == []


def test_r03_an_answer_to_an_outside_meeting_goes_to_its_organizer(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.mails()
    world.pull()
    record = world.only_record()["id"]
    _answer_in_crm(world, record, ALICE, "Accepted")
    world.settle()
    assert world.outside_event(theirs).responses["alice@example.com"] == "accepted"
    assert world.mails() == [("response", EVE)]
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_of_the_second_invited_user_goes_through_the_second_mailbox(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.mails()
    world.pull()
    record = world.only_record()["id"]
    _answer_in_crm(world, record, BOB, "Tentative")
    _answer_in_crm(world, record, ALICE, "Accepted")
    world.settle()
    responses = world.outside_event(theirs).responses
    assert responses == {"alice@example.com": "accepted", "bob@example.com": "tentativelyAccepted"}
    assert world.mails() == [("response", EVE), ("response", EVE)]
    world.quiet()
    assert world.mails() == []


def test_r03_a_past_meeting_is_answered_by_nobody_any_more(world: World) -> None:
    record = _invited(world)
    world.clock.advance(20 * 86_400)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.settle()
    assert world.event(ALICE).responses == {"bob@example.com": "none"}
    assert world.mails() == []
    world.quiet()
    assert _said(world, record, BOB) == "Accepted"


def test_r03_an_answer_before_the_copy_was_read_goes_out_once_it_is(world: World) -> None:
    """Bob's mailbox has not been read since the invitation: the answer waits for his own copy."""
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    _answer_in_crm(world, record, BOB, "Accepted")
    world.settle()
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    world.quiet()
    assert _said(world, record, BOB) == "Accepted"


def test_r03_declined_in_the_crm_the_meeting_goes_on(world: World) -> None:
    record = _invited(world)
    _answer_in_crm(world, record, BOB, "Declined")
    world.settle()
    assert world.events(BOB) == []
    assert world.event(ALICE).responses == {"bob@example.com": "declined"}
    assert world.link(record).state is LinkState.ACTIVE
    world.mails()
    world.quiet()
    assert _said(world, record, BOB) == "Declined"
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    assert world.mails() == []


def test_r03_the_organizers_own_answer_in_the_crm_is_nobodys_news(world: World) -> None:
    record = _invited(world)
    _answer_in_crm(world, record, ALICE, "Declined")
    with world.writes() as seen:
        world.settle()
        world.pull()
    assert seen == []
    assert _said(world, record, ALICE) == "Declined"
    assert world.mails() == []


# --- in


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "action", "_response"), ANSWERS)
def test_r03_an_answer_in_outlook_reaches_the_record(
    world: World, kind: str, status: str, action: str, _response: str
) -> None:
    record = _invited(world, kind)
    world.respond(BOB, world.event(BOB).id, action)
    world.mails()
    world.pull(BOB)
    assert _said(world, record, BOB, kind) == status
    world.pull(ALICE)
    assert _said(world, record, BOB, kind) == status
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize(("status", "action", "_response"), ANSWERS)
def test_r03_an_answer_that_the_organizer_was_not_told_reaches_the_record(
    world: World, status: str, action: str, _response: str
) -> None:
    """Accepted without a response: only the own copy knows of it."""
    record = _invited(world)
    world.respond(BOB, world.event(BOB).id, action, send=False)
    world.mails()
    world.pull()
    assert _said(world, record, BOB) == status
    world.quiet()
    assert _said(world, record, BOB) == status
    assert world.mails() == []


@pytest.mark.parametrize(("status", "action", "_response"), ANSWERS)
def test_r07_an_answer_of_somebody_outside_reaches_the_record(
    world: World, status: str, action: str, _response: str
) -> None:
    """Whoever has no mailbox here answers the organizer, whose copy tells it."""
    world.outlook_create(ALICE, subject="Planning", attendees=["carol@example.com"])
    world.pull()
    record = world.only_record()["id"]
    world.respond(CAROL, world.event(CAROL).id, action)
    world.mails()
    world.pull()
    assert _said(world, record, CAROL) == status
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_to_an_outside_meeting_reaches_the_record(world: World) -> None:
    world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.respond(ALICE, world.event(ALICE).id, "accept")
    world.respond(BOB, world.event(BOB).id, "tentativelyAccept")
    world.mails()
    world.pull()
    assert (_said(world, record, ALICE), _said(world, record, BOB)) == ("Accepted", "Tentative")
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_given_before_the_import_is_on_the_new_record(world: World) -> None:
    world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.respond(ALICE, world.event(ALICE).id, "accept")
    world.respond(BOB, world.event(BOB).id, "tentativelyAccept")
    world.mails()
    world.pull()
    record = world.only_record()["id"]
    assert (_said(world, record, ALICE), _said(world, record, BOB)) == ("Accepted", "Tentative")
    world.quiet()
    assert world.mails() == []


def test_r03_a_crm_to_outlook_user_keeps_the_answer_out_of_the_crm(world: World) -> None:
    world.choose(BOB, mode="crm_to_outlook")
    record = _invited(world)
    world.respond(BOB, world.event(BOB).id, "accept", send=False)
    world.pull()
    assert _said(world, record, BOB) == "None"
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("removes", [True, False], ids=["copy-goes", "copy-stays"])
def test_r03_declined_in_outlook_and_edited_afterwards_in_the_crm(world: World, removes: bool) -> None:
    world.switch(decline_removes_copy=removes)
    record = _invited(world)
    world.respond(BOB, world.event(BOB).id, "decline")
    world.pull()
    assert _said(world, record, BOB) == "Declined"
    world.mails()
    world.change(record, name="Renamed", contactsIds=[DAVE])
    world.settle()
    world.pull()
    assert world.event(ALICE).subject == "Renamed"
    assert _said(world, record, BOB) == "Declined"
    world.mails()
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("told", [True, False], ids=["decline-is-mailed", "nobody-is-told"])
@pytest.mark.parametrize("gone", [404, 200])
def test_r03_pain_11_an_attendee_who_deletes_the_copy_has_declined(
    world: World, told: bool, gone: int
) -> None:
    world.switch(attendee_delete_declines=told, deleted_by_immutable_id=gone)
    record = _invited(world)
    world.discard(BOB)
    world.mails()
    world.pull()
    assert _said(world, record, BOB) == "Declined"
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    assert world.event(ALICE).attendees == {"bob@example.com"}
    assert world.link(record).state is LinkState.ACTIVE
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("mode", ["both", "crm_to_outlook", "outlook_to_crm"])
def test_r03_pain_11_the_copy_that_was_deleted_is_that_persons_word_in_any_mode(
    world: World, mode: str
) -> None:
    world.choose(BOB, mode=mode)
    record = _invited(world)
    world.discard(BOB)
    world.pull()
    assert world.only_record()["id"] == record
    assert _said(world, record, BOB) == ("None" if mode == "crm_to_outlook" else "Declined")
    assert world.event(ALICE).subject == "Kick-off"
    world.quiet()
    assert world.mails() == []


def test_r03_who_was_invited_again_after_the_own_copy_was_deleted_is_followed_again(world: World) -> None:
    record = _invited(world)
    world.discard(BOB)
    world.pull()
    world.change(record, usersIds=[ALICE])
    world.settle()
    world.change(record, usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    assert world.event(BOB).subject == "Kick-off"
    assert world.only_record()["id"] == record
    assert len(world.link(record).copies) == 2
    world.mails()
    world.quiet()
    assert world.mails() == []


# --- both


@pytest.mark.parametrize("first", ["crm", "outlook"])
def test_r03_answered_on_both_sides_the_own_mailbox_is_right(world: World, first: str) -> None:
    record = _invited(world)
    if first == "crm":
        _answer_in_crm(world, record, BOB, "Declined")
    world.respond(BOB, world.event(BOB).id, "accept")
    if first == "outlook":
        _answer_in_crm(world, record, BOB, "Declined")
    world.mails()
    world.pull()
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    assert world.event(ALICE).responses == {"bob@example.com": "accepted"}
    world.quiet()
    assert world.mails() == []


def test_r03_the_same_answer_on_both_sides_mails_nobody(world: World) -> None:
    record = _invited(world)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.respond(BOB, world.event(BOB).id, "accept")
    world.mails()
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_and_an_edit_of_the_record_at_once(world: World) -> None:
    record = _invited(world)
    world.respond(BOB, world.event(BOB).id, "accept")
    world.change(record, name="Renamed")
    world.mails()
    world.settle()
    world.pull()
    assert world.event(ALICE).subject == world.event(BOB).subject == "Renamed"
    assert _said(world, record, BOB) == "Accepted"
    world.mails()
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("kept", [True, False], ids=["answer-kept", "answer-falls"])
def test_r07_an_answer_that_falls_by_our_own_write_stays_in_the_crm(world: World, kept: bool) -> None:
    world.switch(attendee_without_status_keeps_response=kept)
    record = _invited(world)
    world.respond(BOB, world.event(BOB).id, "accept")
    world.pull()
    world.change(record, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    world.mails()
    world.quiet()
    assert _said(world, record, BOB) == "Accepted"
    assert world.mails() == []


def test_r07_a_meeting_that_moved_is_to_be_answered_anew(world: World) -> None:
    record = _invited(world)
    world.respond(BOB, world.event(BOB).id, "accept")
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    world.edit(ALICE, start="2026-12-05T10:00:00", end="2026-12-05T11:00:00")
    world.mails()
    world.pull()
    assert _said(world, record, BOB) in {"None", "Accepted"}
    now = world.event(BOB).responseStatus["response"]
    world.quiet()
    assert world.event(BOB).responseStatus["response"] == now
    assert world.mails() == []


def test_r07_a_user_added_in_outlook_who_answers_at_once(world: World) -> None:
    record = world.save()
    world.settle()
    world.edit(ALICE, attendees=["bob@example.com"])
    world.respond(BOB, world.event(BOB).id, "accept")
    world.mails()
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    world.quiet()
    assert world.mails() == []


def test_r03_an_invited_user_who_is_read_before_the_organizer_answers(world: World) -> None:
    """Bob's copy waits for alice's mailbox; his answer is not lost on the way."""
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.respond(BOB, world.event(BOB).id, "tentativelyAccept")
    world.mails()
    world.pull(BOB)
    world.pull(ALICE)
    record = world.only_record()["id"]
    assert _said(world, record, BOB) == "Tentative"
    world.quiet()
    assert world.mails() == []


def test_r03_a_refused_answer_stops_nothing_else(world: World) -> None:
    record = _invited(world)
    world.fail(match={"method": "POST", "path": "/accept"}, status=400, times=1)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.settle()
    assert world.parked() == {}
    assert "refused the answer" in world.notes(BOB)
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).subject == "Renamed"
    assert _said(world, record, BOB) == "Accepted"
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_is_not_sent_twice_when_its_outcome_was_lost(world: World) -> None:
    record = _invited(world)
    world.fail(match={"method": "POST", "path": "/accept"}, drop_after_commit=True, times=1)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.settle()
    assert world.event(ALICE).responses == {"bob@example.com": "accepted"}
    assert [kind for kind, _ in world.mails()] == ["response"]
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_waits_for_a_paused_mailbox(world: World) -> None:
    record = _invited(world)
    world.app.connections.pause(BOB)
    _answer_in_crm(world, record, BOB, "Accepted")
    world.settle()
    assert world.event(ALICE).responses == {"bob@example.com": "none"}
    world.app.connections.resume(BOB)
    world.settle()
    assert world.event(ALICE).responses == {"bob@example.com": "accepted"}
    assert [kind for kind, _ in world.mails()] == ["response"]
    world.quiet()
    assert world.mails() == []


def test_r03_an_answer_to_a_shared_calendars_meeting_is_its_owners(make_world: MakeWorld) -> None:
    """Alice reads carol's calendar; what bob answers to carol's meeting is bob's alone."""
    world = make_world()
    world.connect(ALICE)
    world.connect(BOB)
    world.choose(ALICE, other_calendars=[world.share(CAROL, ALICE)])
    world.settle()
    world.outlook_create(CAROL, subject="Planning", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record()["id"]
    world.respond(BOB, world.event(BOB).id, "accept")
    world.mails()
    world.pull()
    assert _said(world, record, BOB) == "Accepted"
    world.quiet()
    assert world.mails() == []
