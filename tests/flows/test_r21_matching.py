"""R21, what a push needs of it: an event whose answer was lost is found by its marker, never doubled."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.graph.calendar import MARKER
from tests.world import ALICE, BOB, World


def _marker(world: World, event_id: str) -> str:
    expand = f"singleValueExtendedProperties($filter=id eq '{MARKER}')"
    event = world.graph("GET", ALICE, f"events/{event_id}", params={"$expand": expand})
    return str(event["singleValueExtendedProperties"][0]["value"])


def test_r21_an_event_names_installation_and_link(world: World) -> None:
    record = world.save()
    world.settle()
    installation = world.app.store.installation.get().id
    assert _marker(world, world.event(ALICE).id) == f"{installation}:{world.link(record).id}"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"drop_after_commit": True}, id="connection-lost"),
        pytest.param({"status": 504, "after_commit": True}, id="gateway-timed-out"),
        pytest.param({"status": 500, "after_commit": True}, id="internal-error"),
        pytest.param({"truncate_body": True}, id="answer-cut"),
    ],
)
def test_pain_01_a_create_whose_answer_was_lost_is_one_event_and_one_mail(
    world: World, fault: dict[str, Any]
) -> None:
    world.fail(match={"method": "POST", "path": "events"}, **fault, times=1)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    assert world.event(ALICE).id == world.link(record).copies[0].event_id
    assert world.mails() == [("invitation", "bob@example.com")]
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).subject == "Renamed"


def test_pain_01_a_batch_whose_answer_was_lost_doubles_nothing(world: World) -> None:
    world.fail(match={"method": "POST", "path": r"\$batch"}, drop_after_commit=True, times=1)
    for number in range(25):
        world.save(name=f"Meeting {number:02}")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == [f"Meeting {n:02}" for n in range(25)]


def test_pain_01_a_process_that_dies_after_the_create_finds_its_event(world: World) -> None:
    # Outlook goes away in the middle of the work, not before the first look since the start.
    world.pull()
    world.fail(match={"method": "POST", "path": "events"}, drop_after_commit=True, times=1)
    world.fail(match={"method": "GET"}, status=503, times=20)
    record = world.save(usersIds=[ALICE, BOB])
    world.drain()
    world.open()
    world.change(record, name="Renamed meanwhile")
    world.settle()
    assert world.event(ALICE).subject == "Renamed meanwhile"
    assert world.mails() == [("invitation", "bob@example.com"), ("update", "bob@example.com")]


def test_r21_an_event_that_was_edited_before_it_was_found_keeps_the_edit(world: World) -> None:
    world.fail(match={"method": "POST", "path": "events"}, drop_after_commit=True, times=1)
    world.fail(match={"method": "GET", "path": "singleValue"}, status=503, times=8)
    world.save("Visit", location="Room 1")
    world.drain()
    world.edit(ALICE, showAs="oof")
    world.settle()
    assert (world.event(ALICE).showAs, world.event(ALICE).subject) == ("oof", "V: Kick-off")


def test_r21_a_copy_made_by_the_user_is_nobodys(world: World) -> None:
    record = world.save()
    world.settle()
    copied = {"id": MARKER, "value": _marker(world, world.event(ALICE).id)}
    times = {"dateTime": "2026-12-09T10:00:00", "timeZone": "UTC"}
    world.graph(
        "POST",
        ALICE,
        "events",
        json={"subject": "Copy", "start": times, "end": times, "singleValueExtendedProperties": [copied]},
    )
    world.change(record, name="Renamed")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Copy", "Renamed"]
    world.remove(record)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Copy"]


def test_r21_a_conflicting_edit_is_read_and_planned_again(world: World) -> None:
    record = world.save("Visit", location="Room 1")
    world.settle()
    world.edit(ALICE, location={"displayName": "Room 2"})
    world.change(record, "Visit", name="Renamed")
    with world.watched() as sent:
        world.settle()
    event = world.event(ALICE)
    assert (event.subject, event.location["displayName"]) == ("V: Renamed", "Room 2")
    assert sent.count("PATCH") == 2
    assert world.record(record, "Visit")["location"] == "Room 2"


def test_r21_an_edit_in_outlook_that_if_match_did_not_protect_still_reaches_the_record(world: World) -> None:
    world.switch(enforce_if_match=False)
    record = world.save("Visit", location="Room 1")
    world.settle()
    world.edit(ALICE, location={"displayName": "Room 2"})
    world.change(record, "Visit", name="Renamed")
    world.settle()
    assert world.event(ALICE).location["displayName"] == "Room 2"
    world.change(record, "Visit", usersIds=[ALICE, BOB])
    world.settle()
    assert world.event(ALICE).location["displayName"] == "Room 2"
    assert world.record(record, "Visit")["location"] == "Room 2"


def test_r21_both_sides_changed_the_same_field_the_origin_wins_and_both_are_kept(world: World) -> None:
    record = world.save()
    world.settle()
    world.edit(ALICE, subject="From Outlook")
    world.change(record, name="From the CRM")
    world.settle()
    assert world.event(ALICE).subject == "From the CRM"
    (clash,) = world.app.store.log.clashes(ALICE)
    assert (clash.crm, clash.outlook, clash.winner) == ("From the CRM", "From Outlook", "crm")


def test_pain_17_a_throttled_mailbox_waits_as_long_as_it_is_told(world: World) -> None:
    world.fail(match={"method": "POST", "mailbox": "alice@example.com"}, status=429, retry_after=120, times=1)
    world.save()
    world.save(name="Of bob", assignedUserId=BOB)
    started = world.clock.now()
    world.drain()
    assert world.event(BOB).subject == "Of bob"
    assert world.events(ALICE) == []
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.clock.now() - started >= 120
