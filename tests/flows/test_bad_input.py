"""Bad input: a clear reason, the item parked where people see it, all others synced, nothing lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from calsync_plugin.crm.gateway import CrmGateway, Found, Loaded
from calsync_plugin.hookspecs import hookimpl
from calsync_plugin.markup import html_to_text
from tests.world import ALICE, BOB, DAVE, World

HOSTILE = ('<script>alert("x")</script><img src=x onerror=y>&amp;\n' * 2000)[:100_000]

CORRECT = {
    "dateStart": "2026-12-01 10:00:00",
    "dateEnd": "2026-12-01 11:00:00",
    "isAllDay": False,
    "dateStartDate": None,
    "dateEndDate": None,
}

UNREADABLE = [
    pytest.param({"dateEnd": None}, "no_end", id="without-end"),
    pytest.param({"dateStart": None}, "no_start", id="without-start"),
    pytest.param({"dateEnd": "2026-12-01 09:00:00"}, "end_before_start", id="end-before-start"),
    pytest.param(
        {"isAllDay": True, "dateStartDate": "2026-12-03", "dateEndDate": "2026-12-01"},
        "end_before_start",
        id="last-day-before-first",
    ),
    pytest.param({"isAllDay": True, "dateStartDate": "2026-12-03"}, "no_end", id="all-day-without-end"),
    pytest.param({"dateStart": "0001-01-01 00:00:00"}, "date_out_of_range", id="year-1"),
    pytest.param({"dateEnd": "9999-12-31 23:59:59"}, "date_out_of_range", id="year-9999"),
    pytest.param(
        {"isAllDay": True, "dateStartDate": "9999-12-31", "dateEndDate": "9999-12-31"},
        "date_out_of_range",
        id="all-day-in-year-9999",
    ),
    pytest.param(
        {"isAllDay": True, "dateStartDate": "0001-01-01", "dateEndDate": "0001-01-01"},
        "date_out_of_range",
        id="all-day-in-year-1",
    ),
    pytest.param({"dateStart": "tomorrow"}, "unreadable_date", id="no-date"),
]


@pytest.mark.parametrize(("attributes", "reason"), UNREADABLE)
def test_pain_24_an_unreadable_record_is_parked_and_all_others_are_synced(
    world: World, attributes: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.save(name="Before")
    bad = world.insert(name="Bad", **attributes)
    world.save(name="After")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["After", "Before"]
    (parked,) = world.app.store.parked.all(user_id=ALICE)
    assert (parked.record_id, parked.reason) == (bad, reason)
    assert f"Meeting {bad}" in parked.message
    assert f"Meeting {bad}" in caplog.text
    world.crm.store.change("Meeting", bad, dict(CORRECT))
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": bad}, changed=None)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["After", "Bad", "Before"]
    assert world.parked() == {}


@pytest.mark.parametrize(("attributes", "reason"), UNREADABLE)
def test_pain_24_a_linked_record_that_becomes_unreadable_leaves_its_event(
    world: World, attributes: dict[str, Any], reason: str
) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.crm.store.change("Meeting", record, dict(attributes))
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=None)
    world.settle()
    assert world.event(ALICE).start == "2026-12-01T10:00:00"
    assert world.parked() == {record: reason}
    assert world.mails() == []
    world.crm.store.change("Meeting", record, {**CORRECT, "name": "In order again"})
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=None)
    world.settle()
    assert world.event(ALICE).subject == "In order again"
    assert world.parked() == {}


class _Zoned:
    """A host whose records name their time zone, which EspoCRM's do not."""

    def __init__(self, inner: CrmGateway) -> None:
        self._inner = inner
        self.zone = ""

    @hookimpl
    def calsync_crm_gateway(self) -> CrmGateway:
        return self

    def load(self, entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        found = self._inner.load(entity_type, ids)
        return {
            i: Found({**a.record, "timeZone": self.zone}) if isinstance(a, Found) else a
            for i, a in found.items()
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_pain_19_a_record_with_an_unknown_time_zone_is_parked_until_it_has_a_known_one(world: World) -> None:
    host = _Zoned(world.app.gateway)
    world.open(host)
    fine = world.save(name="Fine")
    world.settle()
    host.zone = "Mars/Olympus Mons"
    bad = world.save(name="Bad")
    world.settle()
    assert world.event(ALICE).subject == "Fine"
    (parked,) = world.app.store.parked.all(user_id=ALICE)
    assert (parked.record_id, parked.reason) == (bad, "unknown_zone")
    assert "Mars/Olympus Mons" in parked.message
    host.zone = "Asia/Tokyo"
    world.change(bad, description="Corrected")
    world.change(fine, description="Still fine")
    world.settle()
    assert [(e.subject, e.start) for e in world.events(ALICE)] == [
        ("Bad", "2026-12-01T10:00:00"),
        ("Fine", "2026-12-01T10:00:00"),
    ]
    assert world.parked() == {}


def test_parked_and_removed_is_no_longer_parked(world: World) -> None:
    bad = world.insert(dateEnd=None)
    world.settle()
    world.remove(bad)
    world.settle()
    assert world.parked() == {}


def test_parked_and_corrected_for_another_user_is_parked_with_nobody(world: World) -> None:
    bad = world.insert(dateEnd=None)
    world.settle()
    world.change(bad, assignedUserId=BOB, usersIds=[BOB], dateEnd="2026-12-01 12:00:00")
    world.settle()
    assert world.event(BOB).subject == "Kick-off"
    assert world.parked() == {}


def test_parked_and_given_to_another_user_is_parked_with_that_one(world: World) -> None:
    bad = world.insert(dateEnd=None)
    world.settle()
    world.crm.store.change("Meeting", bad, {"assignedUserId": BOB})
    world.plugins.hook.calsync_entity_updated(
        entity_type="Meeting", record={"id": bad, "assignedUserId": BOB}, changed=None
    )
    world.settle()
    assert [p.user_id for p in world.app.store.parked.all()] == [BOB]


def test_a_record_of_nobody_is_parked_until_it_has_an_assignee(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    record = world.save("Visit", assignedUserId=None)
    world.settle()
    assert world.parked() == {record: "no_assigned_user"}
    assert f"Visit {record}: it has no assigned user" in caplog.text
    world.change(record, "Visit", assignedUserId=ALICE)
    world.settle()
    assert world.event(ALICE).subject == "V: Kick-off"
    assert world.parked() == {}


def test_a_linked_record_that_loses_its_assignee_is_parked_with_its_owner(world: World) -> None:
    record = world.save("Visit")
    world.settle()
    world.change(record, "Visit", assignedUserId=None)
    world.settle()
    assert world.event(ALICE).subject == "V: Kick-off"
    assert [(p.user_id, p.reason) for p in world.app.store.parked.all()] == [(ALICE, "no_assigned_user")]
    world.change(record, "Visit", assignedUserId=BOB, usersIds=[BOB])
    world.settle()
    assert world.event(BOB).isOrganizer is True
    assert world.parked() == {}


def test_a_hostile_description_of_100_kb_arrives_as_its_text(world: World) -> None:
    record = world.save(description=HOSTILE)
    world.settle()
    content = world.event(ALICE).body["content"]
    assert "<script" not in content
    assert "<img" not in content
    assert html_to_text(content).split() == HOSTILE.split()
    world.change(record, name="Renamed")
    with world.watched() as sent:
        world.settle()
    assert sent == ["PATCH"]
    assert html_to_text(world.event(ALICE).body["content"]).split() == HOSTILE.split()


@pytest.mark.parametrize("refuse", [False, True], ids=["taken", "refused"])
def test_a_subject_of_5000_characters_is_shortened_with_a_note(world: World, refuse: bool) -> None:
    world.switch(refuse_long_subject=refuse)
    record = world.insert(name="Long 🎉 " * 715)
    world.settle()
    subject = world.event(ALICE).subject
    assert len(subject.encode("utf-16-le")) <= 510
    assert subject.startswith("Long 🎉 Long 🎉")
    assert "shortened in Outlook" in world.notes(ALICE)
    world.change(record, description="More")
    world.settle()
    assert world.event(ALICE).subject == subject
    assert world.parked() == {}


def test_600_attendees_are_too_many_for_outlook(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    people = [
        world.crm.insert("Contact", {"lastName": f"P{n}", "emailAddress": f"p{n}@crowd.example"})["id"]
        for n in range(600)
    ]
    crowd = world.save(name="Crowd", contactsIds=people)
    world.save(name="Other")
    with world.watched() as sent:
        world.settle()
    assert sent == ["POST"]
    assert world.event(ALICE).subject == "Other"
    assert world.parked() == {crowd: "too_many_attendees"}
    assert "600" in world.app.store.parked.all()[0].message
    assert world.mails() == []
    assert world.app.store.links.by_records([("Meeting", crowd)]) == {}
    world.change(crowd, contactsIds=people[:500])
    world.settle()
    assert len({e.subject: e for e in world.events(ALICE)}["Crowd"].attendees) == 500
    assert world.parked() == {}


def test_a_linked_meeting_that_grows_to_600_attendees_is_parked_unchanged(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE])
    world.settle()
    world.mails()
    people = [
        world.crm.insert("Contact", {"lastName": f"P{n}", "emailAddress": f"p{n}@crowd.example"})["id"]
        for n in range(600)
    ]
    world.change(record, contactsIds=[DAVE, *people])
    world.settle()
    assert world.event(ALICE).attendees == {"dave@contoso.example"}
    assert world.parked() == {record: "too_many_attendees"}
    assert world.mails() == []
    world.change(record, contactsIds=[DAVE, *people[:2]])
    world.settle()
    assert len(world.event(ALICE).attendees) == 3
    assert world.parked() == {}


def test_what_outlook_refuses_is_parked_and_tried_again_when_it_changes(world: World) -> None:
    world.fail(
        match={"method": "POST", "path": "events"}, status=400, code="ErrorInvalidPropertySet", times=1
    )
    record = world.save()
    world.settle()
    assert list(world.parked()) == [record]
    world.settle()
    assert world.events(ALICE) == []
    world.change(record, name="Corrected")
    world.settle()
    assert world.event(ALICE).subject == "Corrected"
    assert world.parked() == {}


def test_20_bad_and_20_good_records_in_one_run(world: World) -> None:
    for number in range(20):
        world.insert(name=f"Bad {number}", dateEnd=None)
        world.save(name=f"Good {number}")
    world.settle()
    assert len(world.events(ALICE)) == 20
    assert all(e.subject.startswith("Good") for e in world.events(ALICE))
    assert len(world.parked()) == 20


def test_r10_an_event_that_was_parked_and_is_deleted_is_no_longer_listed(world: World) -> None:
    nonsense = {"dateTime": "2026-12-02T10:00:00", "timeZone": "Nowhere/Land"}
    event = world.plant(ALICE, start=nonsense)
    world.pull()
    assert [one.reason for one in world.app.store.parked.all()] == ["unknown_zone"]
    world.outlook_delete(ALICE, event)
    world.pull()
    assert world.app.store.parked.all() == []
    world.quiet()
