"""Bad events: a reason where people see it, all others synced, and followed again once they are mended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import ALICE, BOB, DAVE, World

POISON = [
    pytest.param({"start": None}, "no_time", id="no-start"),
    pytest.param({"end": {"dateTime": None, "timeZone": "UTC"}}, "no_time", id="no-end"),
    pytest.param({"start": {"dateTime": "soon", "timeZone": "UTC"}}, "no_time", id="no-date"),
    pytest.param(
        {"start": {"dateTime": "0001-01-01T00:00:00.0000000", "timeZone": "UTC"}},
        "date_out_of_range",
        id="0001",
    ),
    pytest.param(
        {"end": {"dateTime": "9999-12-31T23:59:59.0000000", "timeZone": "UTC"}},
        "date_out_of_range",
        id="9999",
    ),
    pytest.param(
        {"start": {"dateTime": "2026-12-02T10:00:00", "timeZone": "tzone://Microsoft/Custom"}},
        "unknown_zone",
        id="custom-zone",
    ),
    pytest.param(
        {"end": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"}}, "end_before_start", id="ends-before"
    ),
    pytest.param(
        {"isAllDay": True, "start": {"dateTime": "0001-01-01T00:00:00", "timeZone": "UTC"}},
        "date_out_of_range",
        id="all-day-0001",
    ),
]


def _parked(world: World) -> dict[str, str]:
    """Reasons of parked events, by event id."""
    return {p.event_id: p.reason for p in world.app.store.parked.all()}


@pytest.mark.parametrize(("properties", "reason"), POISON)
def test_pain_24_a_poisonous_event_is_parked_and_all_others_come_in(
    world: World, properties: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.outlook_create(ALICE, subject="Before")
    bad = world.plant(ALICE, **{"subject": "Bad", **properties})
    world.outlook_create(ALICE, subject="After")
    world.outlook_create(BOB, subject="Of bob")
    world.pull()
    assert {r["name"] for r in world.records()} == {"Before", "After", "Of bob"}
    assert _parked(world) == {bad: reason}
    (parked,) = world.app.store.parked.all(user_id=ALICE)
    assert bad[-12:] in parked.message
    assert parked.message in caplog.text
    world.quiet()
    assert _parked(world) == {bad: reason}
    assert world.account(ALICE).status == "connected"
    mended = {"start": "2026-12-03T10:00:00", "end": "2026-12-03T11:00:00", "isAllDay": False}
    world.outlook_patch(ALICE, bad, **mended)
    world.pull()
    assert {r["name"] for r in world.records()} == {"Before", "After", "Of bob", "Bad"}
    assert _parked(world) == {}
    world.quiet()


@pytest.mark.parametrize(("properties", "reason"), POISON)
def test_pain_24_a_followed_event_that_turns_poisonous_leaves_its_record(
    world: World, properties: dict[str, Any], reason: str
) -> None:
    good = world.outlook_create(ALICE, subject="Good")
    bad = world.outlook_create(ALICE, subject="Bad", attendees=["bob@example.com"])
    world.pull(ALICE)
    record = next(r["id"] for r in world.records() if r["name"] == "Bad")
    before = world.record(record)
    world.mails()
    world.spoil(ALICE, bad, **properties)
    world.outlook_patch(ALICE, good, subject="Better")
    world.pull(ALICE)
    assert world.record(record) == before
    assert _parked(world) == {bad: reason}
    assert "Better" in {r["name"] for r in world.records()}
    # An edit of the record cannot be compared with what cannot be read.
    world.change(record, name="Of the CRM")
    world.settle()
    assert world.mails() == []
    world.outlook_patch(ALICE, bad, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00", isAllDay=False)
    world.mails()
    world.pull(ALICE)
    after = world.record(record)
    assert (after["name"], after["dateStart"]) == ("Of the CRM", "2026-12-03 10:00:00")
    assert world.event_at(ALICE, bad).subject == "Of the CRM"
    assert _parked(world) == {}
    world.quiet()


ODD = [
    pytest.param({"organizer": None}, id="null-organizer"),
    pytest.param({"organizer": {"emailAddress": None}}, id="organizer-without-address"),
    pytest.param({"sensitivity": None}, id="null-sensitivity"),
    pytest.param({"sensitivity": "strange"}, id="strange-sensitivity"),
    pytest.param({"location": None, "locations": None}, id="null-location"),
    pytest.param({"location": {"displayName": None}}, id="location-without-name"),
    pytest.param({"body": None}, id="null-body"),
    pytest.param({"body": {"contentType": "html", "content": None}}, id="null-content"),
    pytest.param({"attendees": None}, id="null-attendees"),
    pytest.param({"attendees": [None, {}, {"emailAddress": {"name": "X"}}]}, id="odd-attendees"),
    pytest.param({"showAs": None, "isReminderOn": None, "reminderMinutesBeforeStart": None}, id="null-rest"),
    pytest.param({"iCalUId": None}, id="null-uid"),
    pytest.param({"changeKey": None, "categories": None, "importance": None}, id="null-more"),
    pytest.param({"responseStatus": None, "isOrganizer": None}, id="null-response"),
    pytest.param({"onlineMeeting": {"joinUrl": None}, "isOnlineMeeting": None}, id="null-online"),
    pytest.param({"recurrence": None, "seriesMasterId": None, "type": None}, id="null-type"),
    pytest.param({"originalStart": "0001-01-01T00:00:00Z", "transactionId": 7}, id="odd-hints"),
    pytest.param({"newProperty": {"of": ["another", "version"]}}, id="unknown-property"),
]


@pytest.mark.parametrize("properties", ODD)
def test_pain_24_odd_properties_are_read_as_a_person_would(world: World, properties: dict[str, Any]) -> None:
    world.plant(ALICE, **{"subject": "V: Odd", "location": "Room", **properties})
    world.outlook_create(ALICE, subject="Other")
    world.pull()
    record = world.only_record("Visit")
    assert (record["name"], record["dateStart"]) == ("Odd", "2026-12-02 10:00:00")
    assert record["assignedUserId"] == ALICE
    assert world.only_record()["name"] == "Other"
    assert _parked(world) == {}
    world.quiet()
    world.change(record["id"], "Visit", name="Renamed")
    world.settle()
    assert "V: Renamed" in {e.subject for e in world.events(ALICE)}
    world.quiet()


def test_pain_02_events_without_a_uid_are_not_one_meeting(world: World) -> None:
    for name in ("One", "Two", "Three"):
        world.plant(ALICE, subject=name, iCalUId=None)
    world.plant(BOB, subject="Of bob", iCalUId=None)
    world.pull()
    assert {r["name"] for r in world.records()} == {"One", "Two", "Three", "Of bob"}
    world.quiet()


def test_pain_24_20_poisonous_events_among_20_good_ones(world: World) -> None:
    for number in range(20):
        world.plant(ALICE, subject=f"Bad {number}", start=None)
        world.outlook_create(ALICE, subject=f"Good {number}")
    world.pull()
    assert len(world.records()) == 20
    assert all(r["name"].startswith("Good") for r in world.records())
    assert len(_parked(world)) == 20
    world.quiet()


@pytest.mark.parametrize("expired", [False, True], ids=["told", "not-told"])
def test_pain_24_a_parked_event_that_is_removed_is_no_longer_parked(world: World, expired: bool) -> None:
    bad = world.plant(ALICE, subject="Bad", start=None)
    world.pull()
    assert len(_parked(world)) == 1
    world.outlook_delete(ALICE, bad)
    if expired:
        world.expire_cursors()
    world.pull()
    assert _parked(world) == {}
    assert world.records() == []
    world.quiet()


def test_pain_16_a_full_read_parks_nothing_twice(world: World) -> None:
    world.plant(ALICE, subject="Bad", start=None)
    world.outlook_create(ALICE, subject="Good")
    world.pull()
    world.expire_cursors()
    world.quiet()
    assert len(_parked(world)) == 1
    assert world.only_record()["name"] == "Good"


# --- subjects


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("a < b => c <> d = e", id="refused-by-the-crm"),
        pytest.param("<script>alert(1)</script>", id="html"),
        pytest.param("Grüße, 会議 🎉 عربى é", id="any-script"),
        pytest.param("Tab\tand   blanks ", id="blanks"),
        pytest.param("﹤already a look-alike﹥", id="look-alikes"),
        pytest.param("'; DROP TABLE meeting; --", id="sql"),
        pytest.param("%s %d {0} {{x}} $name", id="placeholders"),
    ],
)
def test_odd_subjects_come_in_and_never_come_back_otherwise(world: World, subject: str) -> None:
    world.outlook_create(ALICE, subject=subject)
    world.pull()
    record = world.only_record()
    assert len(record["name"]) >= len(subject.split())
    assert not set("<>=") & set(record["name"])
    world.quiet()
    world.change(
        record["id"], description="Other", dateStart="2026-12-05 10:00:00", dateEnd="2026-12-05 11:00:00"
    )
    world.settle()
    assert world.event(ALICE).subject == subject
    world.quiet()
    # An edit of the name carries the characters that were meant.
    world.change(record["id"], name=f"{record['name']} again")
    world.settle()
    shown = world.event(ALICE).subject.replace("﹤", "<").replace("﹥", ">")
    assert shown.split() == f"{subject} again".replace("﹤", "<").replace("﹥", ">").split()
    world.quiet()


@pytest.mark.parametrize(
    "subject", [None, "", "   ", "\u200b"], ids=["null", "empty", "blanks", "zero-width"]
)
@pytest.mark.parametrize(("kind", "label"), [("Meeting", ""), ("Call", "C: ")])
def test_an_event_without_a_subject_does_not_go_to_and_fro(
    world: World, kind: str, label: str, subject: str | None
) -> None:
    given = f"{label}{subject or ''}" if label else subject
    world.plant(ALICE, subject=given)
    world.pull()
    record = world.only_record(kind)
    assert record["name"]
    world.quiet()
    world.change(record["id"], kind, description="Text")
    world.settle()
    assert (world.event(ALICE).subject or "").strip() == (given or "").strip()
    world.change(record["id"], kind, name="Named")
    world.settle()
    assert world.event(ALICE).subject == f"{label}Named"
    world.edit(ALICE, subject="")
    world.pull()
    assert world.only_record(kind)["name"] == "﹙no subject﹚"
    world.quiet()
    world.edit(ALICE, subject="Back")
    world.pull()
    assert world.only_record(kind)["name"] == "Back"
    world.quiet()


def test_a_subject_of_1000_characters_is_cut_in_the_crm_alone(world: World) -> None:
    subject = "Long 🎉 " * 160
    world.outlook_create(ALICE, subject=subject)
    world.pull()
    record = world.only_record()
    assert len(record["name"]) <= 255
    assert "cut in the CRM" in world.notes(ALICE)
    world.quiet()
    world.change(
        record["id"], description="Other", dateStart="2026-12-05 10:00:00", dateEnd="2026-12-05 11:00:00"
    )
    world.settle()
    assert world.event(ALICE).subject == subject
    world.edit(ALICE, start="2026-12-06T10:00:00", end="2026-12-06T11:00:00")
    world.pull()
    assert world.only_record()["name"] == record["name"]
    world.quiet()


# --- bodies


def test_a_body_of_2_mb_comes_in(world: World) -> None:
    line = "<p>Grüße &amp; <b>more</b> 🎉 of it</p>"
    world.outlook_create(ALICE, subject="Big", body=line * (2_000_000 // len(line.encode())))
    world.outlook_create(ALICE, subject="Other")
    world.pull()
    by_name = {r["name"]: r for r in world.records()}
    assert by_name.keys() == {"Big", "Other"}
    assert by_name["Big"]["description"].count("Grüße & more 🎉 of it") == 2_000_000 // len(line.encode())
    world.quiet()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<div>" * 100_000, id="deeply-nested"),
        pytest.param("<" * 500_000, id="only-brackets"),
        pytest.param("<!--" * 200_000, id="open-comments"),
        pytest.param("e" + "\u0301" * 500_000, id="one-letter-many-marks"),
        pytest.param("<a href='" * 100_000, id="open-attributes"),
        pytest.param("&" * 500_000, id="ampersands"),
    ],
)
def test_a_hostile_body_stops_no_mailbox(world: World, body: str) -> None:
    event = world.outlook_create(ALICE, subject="Hostile")
    world.spoil(ALICE, event, body={"contentType": "html", "content": body})
    world.outlook_create(ALICE, subject="Other")
    world.pull()
    assert {r["name"] for r in world.records()} == {"Hostile", "Other"}
    world.quiet()


def test_what_xml_and_databases_cannot_hold_is_left_out(world: World) -> None:
    world.plant(
        ALICE,
        subject="Bell \x07 and nul \x00",
        body={"contentType": "html", "content": "<p>\x00\x0b\ufffe</p>x"},
    )
    world.pull()
    assert world.only_record()["name"].startswith("Bell")
    world.quiet()


# --- ids


@pytest.mark.parametrize("differ", ["case", "dash"])
def test_pain_25_ids_that_hardly_differ_are_two_events(world: World, differ: str) -> None:
    one, other = world.twins(ALICE, differ=differ, subject="Twin")
    world.pull()
    assert len(world.records()) == 2
    world.outlook_patch(ALICE, one, subject="One")
    world.pull()
    assert sorted(r["name"] for r in world.records()) == ["One", "Twin"]
    record = next(r["id"] for r in world.records() if r["name"] == "Twin")
    world.change(record, name="Other")
    world.settle()
    assert (world.event_at(ALICE, one).subject, world.event_at(ALICE, other).subject) == ("One", "Other")
    world.outlook_delete(ALICE, other)
    world.pull()
    assert world.only_record()["name"] == "One"
    world.quiet()


# --- what the CRM refuses


def test_pain_24_an_event_that_the_crm_refuses_is_parked_until_it_changes(world: World) -> None:
    world.crm_fails(method="POST", path="Meeting", status=400, times=1)
    bad = world.outlook_create(ALICE, subject="Refused")
    world.pull()
    assert list(_parked(world)) == [bad]
    world.outlook_create(ALICE, subject="Other")
    world.pull()
    assert world.only_record()["name"] == "Other"
    world.outlook_patch(ALICE, bad, subject="Mended")
    world.pull()
    assert {r["name"] for r in world.records()} == {"Mended", "Other"}
    assert _parked(world) == {}
    world.quiet()


def test_pain_24_a_linked_record_that_refuses_an_edit_is_parked_until_it_takes_one(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Fine", attendees=["dave@contoso.example"])
    other = world.outlook_create(ALICE, subject="Other")
    world.pull()
    world.crm_fails(method="PUT", path="Meeting/", status=400, times=1)
    world.outlook_patch(ALICE, event, subject="Refused")
    world.pull()
    (parked,) = world.app.store.parked.all()
    assert parked.record_id
    world.outlook_patch(ALICE, other, subject="Other edited")
    world.pull()
    assert {r["name"] for r in world.records()} == {"Fine", "Other edited"}
    world.outlook_patch(ALICE, event, location="Somewhere")
    world.pull()
    record = world.record(parked.record_id)
    assert (record["name"], record["contactsIds"]) == ("Refused", [DAVE])
    assert _parked(world) == {}
    world.quiet()
