"""Answers in EspoCRM's dialog, and people linked and unlinked: neither a webhook nor modifiedAt tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from calsync_plugin.crm.spans import wire_instant
from calsync_plugin.engine.portions import PORTION
from tests.espocrm_side import MODES, in_dialog, quietly, requests_of
from tests.world import ALICE, BOB, CAROL, DAVE, DEFAULTS, START, World


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, world: World) -> str:
    """Both users in each mode, and a sweep that has run once."""
    for user in (ALICE, BOB):
        world.choose(user, mode=request.param)
    world.settle()
    world.sweep()
    return str(request.param)


def _invited(world: World, **attributes: Any) -> str:
    """A record of alice's in which bob takes part, in both calendars, and read."""
    record = world.save(usersIds=[ALICE, BOB], **attributes)
    world.settle()
    world.pull()
    world.mails()
    return record


def _at(days: float) -> dict[str, str]:
    start = START + timedelta(days=days)
    return {"dateStart": wire_instant(start), "dateEnd": wire_instant(start + timedelta(hours=1))}


@pytest.mark.parametrize(
    ("status", "response"),
    [("Accepted", "accepted"), ("Tentative", "tentativelyAccepted"), ("Declined", "declined")],
    ids=["accepted", "tentative", "declined"],
)
@pytest.mark.usefixtures("mode")
def test_an_answer_in_the_dialog_goes_out(world: World, status: str, response: str) -> None:
    record = _invited(world)
    saved = world.record(record)["modifiedAt"]
    in_dialog(world, "bob", record, status)
    assert world.record(record)["modifiedAt"] == saved
    world.sweep()
    assert world.event(ALICE).responses == {"bob@example.com": response}
    assert [kind for kind, _ in world.mails()] == ["response"]
    world.quiet()


@pytest.mark.parametrize("days", [0.5, 3, 60], ids=["within-a-day", "within-a-week", "later"])
@pytest.mark.usefixtures("mode")
def test_an_answer_is_found_however_far_away_its_meeting_is(world: World, days: float) -> None:
    record = _invited(world, **_at(days))
    in_dialog(world, "bob", record, "Accepted")
    world.sweep()
    assert world.event(ALICE).responses == {"bob@example.com": "accepted"}


@pytest.mark.usefixtures("mode")
def test_people_linked_and_unlinked_are_found(world: World) -> None:
    record = _invited(world)
    saved = world.record(record)["modifiedAt"]
    quietly(world, "POST", f"Meeting/{record}/users", id=CAROL)
    world.sweep()
    assert world.event(ALICE).attendees == {"bob@example.com", "carol@example.com"}
    quietly(world, "DELETE", f"Meeting/{record}/users", id=BOB)
    world.sweep()
    assert world.event(ALICE).attendees == {"carol@example.com"}
    assert world.record(record)["modifiedAt"] == saved
    world.quiet()


def test_a_contact_linked_is_found_where_contacts_are_invited(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save()
    world.settle()
    quietly(world, "POST", f"Meeting/{record}/contacts", id=DAVE)
    world.sweep()
    assert world.event(ALICE).attendees == {"dave@contoso.example"}


@pytest.mark.usefixtures("mode")
def test_what_is_alike_gets_no_mark(world: World) -> None:
    records = [
        _invited(world),
        # People who are on the record alone: not let out, without an address, or twice the same one.
        world.save(name="With a contact", contactsIds=[DAVE], **_at(0.5)),
        world.save(name="All day", isAllDay=True, dateStartDate="2026-12-03", dateEndDate="2026-12-03"),
    ]
    world.settle()
    world.sweep()
    for record in records:
        assert world.link(record).crm_base is not None
    world.clock.advance(600)
    world.sweep()
    world.app.store.queue.interrupt()
    before = world.app.store.changes.waiting()
    world.crm.log.clear()
    with world.watched() as sent:
        world.sweep()
    assert sent == []
    assert before == world.app.store.changes.waiting() == {"unrouted": 0, "routed": 0}
    # Lists alone: no run has read a record.
    assert {one.partition(" ")[0] for one in requests_of(world)} == {"GET"}
    assert not any(one.count("/") > 3 for one in requests_of(world)), requests_of(world)


def test_meetings_of_the_next_day_are_read_each_time_and_later_ones_in_portions(world: World) -> None:
    soon = _invited(world, name="Soon", **_at(0.5))
    for number in range(PORTION + 50):
        world.crm.insert("Meeting", {**DEFAULTS, **_at(30 + number / 100), "assignedUserId": CAROL})
    last = _invited(world, name="Last", **_at(40))
    world.sweep()
    in_dialog(world, "bob", soon, "Accepted")
    in_dialog(world, "bob", last, "Accepted")
    answered: list[str] = []
    for _ in range(3):
        world.crm.log.clear()
        world.sweep()
        answered += [
            name
            for name in ("Soon", "Last")
            if world.event_of(ALICE, name).responses == {"bob@example.com": "accepted"}
        ]
    assert answered.count("Soon") == 3
    assert "Last" in answered


def test_reading_again_has_an_interval_of_its_own(world: World) -> None:
    world.settings = replace(world.settings, crm=replace(world.settings.crm, reread_seconds=3600))
    world.open()
    record = _invited(world)
    world.sweep()
    in_dialog(world, "bob", record, "Accepted")
    world.sweep()
    assert world.event(ALICE).responses == {"bob@example.com": "none"}
    world.clock.advance(3600)
    world.sweep()
    assert world.event(ALICE).responses == {"bob@example.com": "accepted"}
