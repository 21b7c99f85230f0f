"""R21: an event that no link names: matched to what the CRM has, or new; never doubled, never mixed up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from calsync_plugin.accounts.reset import reset
from calsync_plugin.domain.links import LinkState, Origin, Role, marker
from calsync_plugin.graph.calendar import MARKER
from calsync_plugin.hookspecs import hookimpl
from calsync_plugin.settings import CrmSettings
from tests.flows.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ALICE, BOB, CAROL, CRM, DAVE, ENTITIES, World

SPAN = {"start": "2026-12-01T10:00:00", "end": "2026-12-01T11:00:00"}
LABELS = {"Meeting": "", "Call": "C: ", "Visit": "V: "}


def _before(world: World) -> None:
    """What was saved until now is old when somebody connects."""
    world.settle()
    world.clock.advance(60)


def _reset(world: World, user_id: str) -> None:
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(user_id))
    world.settle()


def _uids_readable(world: World) -> None:
    """The CRM's role lets calsync read the calendar ids under which the CRM mails invitations."""
    for role in list(world.crm.store.tables["Role"].rows.values()):
        fields = {"uid": {"read": "yes", "edit": "no"}}
        world.crm.store.change("Role", role["id"], {"fieldData": {"Meeting": fields, "Call": fields}})


# --- the first reading of a mailbox that holds the same meetings


@pytest.mark.parametrize("kind", list(LABELS))
@pytest.mark.parametrize("mode", ["both", "outlook_to_crm", "crm_to_outlook"])
def test_r21_what_both_sides_hold_already_is_linked_and_nothing_is_written(
    make_world: MakeWorld, kind: str, mode: str
) -> None:
    world = make_world()
    record = world.save(kind, usersIds=[ALICE, BOB])
    world.outlook_create(ALICE, subject=f"{LABELS[kind]}Kick-off", attendees=["bob@example.com"], **SPAN)
    _before(world)
    world.mails()
    with world.writes() as seen:
        world.connect(ALICE, mode=mode)
        world.pull()
    assert seen == []
    assert world.only_record(kind)["id"] == record
    link = world.link(record, kind)
    assert (link.origin, link.role, len(world.events(ALICE))) == (Origin.ADOPTED, Role.ORGANIZER, 1)
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("mode", ["both", "crm_to_outlook"])
def test_r21_what_was_adopted_is_followed_from_then_on(make_world: MakeWorld, mode: str) -> None:
    world = make_world()
    record = world.save()
    world.outlook_create(ALICE, subject="Kick-off", **SPAN)
    _before(world)
    world.connect(ALICE, mode=mode)
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).subject == "Renamed"
    world.edit(ALICE, subject="Renamed again")
    world.pull()
    assert world.record(record)["name"] == ("Renamed again" if mode == "both" else "Renamed")
    world.quiet()


@pytest.mark.parametrize(
    ("mode", "description"),
    [("both", "From Outlook"), ("outlook_to_crm", "From Outlook"), ("crm_to_outlook", "From the CRM")],
)
def test_r21_differences_of_what_was_adopted_go_into_the_crm_only(
    make_world: MakeWorld, mode: str, description: str
) -> None:
    world = make_world()
    record = world.save(usersIds=[ALICE, BOB], description="From the CRM")
    world.outlook_create(
        ALICE, subject="Kick-off", body="From Outlook", attendees=["bob@example.com"], **SPAN
    )
    _before(world)
    world.mails()
    world.connect(ALICE, mode=mode)
    assert world.link(record).origin is Origin.ADOPTED
    assert world.record(record)["description"] == description
    assert "From Outlook" in world.event(ALICE).body["content"]
    if mode != "crm_to_outlook":
        (clash,) = world.app.store.log.clashes(ALICE)
        assert (clash.crm, clash.outlook) == ("From the CRM", "From Outlook")
    world.quiet()
    assert world.mails() == []


def test_r21_without_a_counterpart_both_stay_single(make_world: MakeWorld) -> None:
    """Nothing old goes out; what Outlook holds comes in."""
    world = make_world()
    world.save(name="Only in the CRM")
    world.outlook_create(ALICE, subject="Only in Outlook")
    _before(world)
    world.connect(ALICE)
    assert sorted(one["name"] for one in world.records()) == ["Only in Outlook", "Only in the CRM"]
    assert [e.subject for e in world.events(ALICE)] == ["Only in Outlook"]
    world.quiet()


OTHER = [
    pytest.param({"subject": "Kick-off 2"}, id="subject"),
    pytest.param({"start": "2026-12-01T10:30:00"}, id="start"),
    pytest.param({"end": "2026-12-01T11:30:00"}, id="end"),
    pytest.param({"attendees": ["bob@example.com", "zoe@elsewhere.example"]}, id="one-more"),
    pytest.param({"attendees": []}, id="nobody"),
    pytest.param({"attendees": ["carol@example.com"]}, id="somebody-else"),
]


@pytest.mark.parametrize("changes", OTHER)
def test_r21_what_differs_in_who_when_or_what_is_another_meeting(
    make_world: MakeWorld, changes: dict[str, Any]
) -> None:
    world = make_world()
    record = world.save(usersIds=[ALICE, BOB])
    world.outlook_create(
        ALICE, **{"subject": "Kick-off", "attendees": ["bob@example.com"], **SPAN, **changes}
    )
    _before(world)
    world.mails()
    world.connect(ALICE)
    assert len(world.records()) == 2
    assert world.app.store.links.by_records([("Meeting", record)]) == {}
    assert len(world.events(ALICE)) == 1
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize(("records", "events"), [(1, 2), (2, 1), (2, 2)])
def test_r21_what_looks_alike_twice_is_not_matched(make_world: MakeWorld, records: int, events: int) -> None:
    """Nobody knows which is which; a wrong link would mix up two meetings for good."""
    world = make_world()
    for _ in range(records):
        world.save()
    for _ in range(events):
        world.outlook_create(ALICE, subject="Kick-off", **SPAN)
    _before(world)
    world.connect(ALICE)
    assert len(world.records()) == records + events
    assert len(world.events(ALICE)) == events
    assert {world.link(one["id"]).origin for one in world.records()[-events:]} <= {Origin.OUTLOOK}
    world.quiet()


@pytest.mark.parametrize(("records", "events"), [(1, 2), (2, 1), (1, 3)])
@pytest.mark.parametrize("days", [False, True], ids=["an-hour", "whole-days"])
def test_r21_what_looks_alike_twice_is_not_matched_wherever_a_page_ends(
    make_world: MakeWorld, records: int, events: int, days: bool
) -> None:
    """As on one page; the page ends after each event."""
    world = make_world()
    world.switch(delta_page_limit=1)
    when: dict[str, Any] = dict(SPAN)
    there: dict[str, Any] = {}
    if days:
        when = {"isAllDay": True, "start": "2026-12-03T00:00:00", "end": "2026-12-04T00:00:00"}
        there = {"isAllDay": True, "dateStartDate": "2026-12-03", "dateEndDate": "2026-12-03"}
        there |= {"dateStart": None, "dateEnd": None}
    for _ in range(records):
        world.save(**there)
    for _ in range(events):
        world.outlook_create(ALICE, subject="Kick-off", **when)
    _before(world)
    world.connect(ALICE)
    assert len(world.records()) == records + events
    assert {world.link(one["id"]).origin for one in world.records()[records:]} == {Origin.OUTLOOK}
    world.quiet()


def test_r21_many_pages_ask_once_for_the_records_of_a_colleague(make_world: MakeWorld) -> None:
    world = make_world()
    world.switch(delta_page_limit=2)
    days = [f"2026-12-{number:02}" for number in range(1, 13)]
    records = [
        world.save(name=day, assignedUserId=CAROL, usersIds=[CAROL, BOB], dateStart=f"{day} 10:00:00",
                   dateEnd=f"{day} 11:00:00")
        for day in days
    ]  # fmt: skip
    for day in days:
        world.outlook_create(
            CAROL,
            subject=day,
            start=f"{day}T10:00:00",
            end=f"{day}T11:00:00",
            attendees=["bob@example.com"],
        )
    _before(world)
    world.crm.log.clear()
    world.connect(BOB)
    assert {one["id"] for one in world.records()} == set(records)
    asked = [unquote(one.query) for one in world.crm.log.requests if one.path.endswith("/Meeting")]
    assert len([query for query in asked if CAROL in query]) == 1
    world.quiet()


def test_r21_case_and_spaces_of_a_subject_are_no_difference_that_matters(make_world: MakeWorld) -> None:
    world = make_world()
    record = world.save(name="Kick-off with Dave", contactsIds=[DAVE])
    world.outlook_create(ALICE, subject=" Kick-off  with Dave", attendees=["Dave@Contoso.example"], **SPAN)
    _before(world)
    world.connect(ALICE)
    assert world.only_record()["id"] == record
    world.quiet()


def test_r21_an_occurrence_is_nobodys_match(make_world: MakeWorld) -> None:
    world = make_world()
    record = world.save()
    world.outlook_create(ALICE, subject="Kick-off", recurrence=repeats(start=SPAN["start"], count=3), **SPAN)
    _before(world)
    world.connect(ALICE)
    assert len(world.records()) == 4
    assert world.app.store.links.by_records([("Meeting", record)]) == {}
    world.quiet()


def test_r21_an_attendees_copy_matches_the_record_that_it_is_invited_to(make_world: MakeWorld) -> None:
    """Alice invited bob by hand before anybody connected; both kept the meeting in the CRM."""
    world = make_world()
    record = world.save(usersIds=[ALICE, BOB])
    world.outlook_create(ALICE, subject="Kick-off", attendees=["bob@example.com"], **SPAN)
    _before(world)
    world.mails()
    world.connect(BOB)
    world.connect(ALICE)
    world.pull()
    assert world.only_record()["id"] == record
    link = world.link(record)
    assert (link.role, len(link.copies)) == (Role.ORGANIZER, 2)
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("order", [(ALICE, BOB, CAROL), (CAROL, BOB, ALICE)], ids=["organizer", "guest"])
def test_pain_03_three_users_whose_mailboxes_hold_the_same_meetings(
    make_world: MakeWorld, order: tuple[str, ...]
) -> None:
    world = make_world()
    records = [
        world.save(name=f"Meeting {n}", usersIds=[ALICE, BOB, CAROL], dateStart=f"2026-12-0{n} 10:00:00",
                   dateEnd=f"2026-12-0{n} 11:00:00")
        for n in range(1, 6)
    ]  # fmt: skip
    for n in range(1, 6):
        world.outlook_create(
            ALICE,
            subject=f"Meeting {n}",
            start=f"2026-12-0{n}T10:00:00",
            end=f"2026-12-0{n}T11:00:00",
            attendees=["bob@example.com", "carol@example.com"],
        )
    _before(world)
    world.mails()
    for user in order:
        world.connect(user)
    world.pull()
    assert {one["id"] for one in world.records()} == set(records)
    assert {len(world.link(record).copies) for record in records} == {3}
    world.quiet()
    assert world.mails() == []


def test_r21_a_meeting_of_a_colleague_that_is_in_the_crm_is_matched_from_a_guests_mailbox(
    make_world: MakeWorld,
) -> None:
    """Carol is not connected; her record and her event are the same, which only bob's copy shows."""
    world = make_world()
    record = world.save(assignedUserId=CAROL, usersIds=[CAROL, BOB])
    world.outlook_create(CAROL, subject="Kick-off", attendees=["bob@example.com"], **SPAN)
    _before(world)
    world.mails()
    world.connect(BOB)
    assert world.only_record()["id"] == record
    assert world.link(record).role is Role.ATTENDEE
    world.quiet()
    assert world.mails() == []


def test_r21_a_colleagues_whole_day_is_matched_from_a_guests_mailbox(make_world: MakeWorld) -> None:
    world = make_world()
    days: dict[str, Any] = {"isAllDay": True, "dateStartDate": "2026-12-03", "dateEndDate": "2026-12-04"}
    record = world.save(
        name="Fair", assignedUserId=CAROL, usersIds=[CAROL, BOB], dateStart=None, dateEnd=None, **days
    )
    world.outlook_create(
        CAROL,
        subject="Fair",
        isAllDay=True,
        start="2026-12-03T00:00:00",
        end="2026-12-05T00:00:00",
        attendees=["bob@example.com"],
    )
    _before(world)
    world.mails()
    world.connect(BOB)
    assert world.only_record()["id"] == record
    world.quiet()
    assert world.mails() == []


def test_r21_a_record_that_was_edited_right_after_connecting_is_still_matched(make_world: MakeWorld) -> None:
    """Nothing may go out before it is known what Outlook holds already."""
    world = make_world(notifications=True)
    record = world.save(usersIds=[ALICE, BOB])
    world.outlook_create(ALICE, subject="Kick-off", attendees=["bob@example.com"], **SPAN)
    _before(world)
    world.mails()
    world.fail(match={"path": "calendarView/delta"}, status=503, times=4)
    world.connect(ALICE)
    world.change(record, description="Edited at once")
    world.settle()
    assert world.only_record()["id"] == record
    assert world.event(ALICE).subject == "Kick-off"
    assert world.link(record).origin is Origin.ADOPTED
    world.quiet()
    assert ("invitation", "bob@example.com") not in world.mails()


def test_r21_a_new_record_does_not_wait_for_the_first_reading(make_world: MakeWorld) -> None:
    world = make_world(notifications=True)
    world.fail(match={"path": "calendarView/delta"}, status=503, times=20)
    world.connect(ALICE)
    world.clock.advance(1)
    world.save(usersIds=[ALICE, BOB])
    for _ in range(3):
        world.drain()
        world.clock.advance(5)
    assert world.event(ALICE).subject == "Kick-off"
    assert world.account(ALICE).pulled_at is None
    assert world.mails() == [("invitation", "bob@example.com")]
    world.outlook.faults.replace([])
    world.clock.advance(700)
    world.pull(ALICE)
    assert world.account(ALICE).pulled_at is not None
    world.quiet()
    assert world.mails() == []


# --- the CRM's own invitations


@pytest.mark.parametrize("kind", ["Meeting", "Call"])
def test_r21_an_invitation_that_the_crm_mailed_is_its_record(make_world: MakeWorld, kind: str) -> None:
    """EspoCRM mails invitations of its own; Outlook files them under the record's uid."""
    world = make_world()
    _uids_readable(world)
    record = world.save(kind, usersIds=[ALICE, BOB])
    uid = world.record(record, kind)["uid"]
    _before(world)
    world.connect(BOB)
    world.plant(
        BOB,
        subject="Kick-off",
        iCalUId=uid,
        isOrganizer=False,
        organizer={"emailAddress": {"address": "alice@example.com"}},
        attendees=["bob@example.com"],
        **SPAN,
    )
    world.mails()
    world.pull()
    assert world.only_record(kind)["id"] == record
    assert world.link(record, kind).origin is Origin.ADOPTED
    world.quiet()
    assert world.mails() == []


def test_r21_the_crms_own_invitation_is_matched_though_its_text_differs(make_world: MakeWorld) -> None:
    world = make_world()
    _uids_readable(world)
    world.connect(ALICE)
    world.connect(BOB)
    record = world.save(usersIds=[ALICE, BOB])
    uid = world.record(record)["uid"]
    world.settle()
    world.pull()
    world.invite_from_outside(
        BOB, organizer="crm@example.com", subject="Invitation: Kick-off", iCalUId=uid, **SPAN
    )
    world.mails()
    world.pull()
    assert world.only_record()["id"] == record
    assert world.record(record)["name"] == "Kick-off"
    assert world.event(ALICE).subject == "Kick-off"
    world.quiet()
    assert world.mails() == []


def test_r21_without_the_right_to_read_uids_the_looks_decide(make_world: MakeWorld) -> None:
    world = make_world()
    record = world.save(assignedUserId=CAROL, usersIds=[CAROL, BOB])
    uid = world.crm.store.tables["Meeting"].rows[record]["uid"]
    world.plant(
        BOB,
        subject="Kick-off",
        iCalUId=uid,
        isOrganizer=False,
        organizer={"emailAddress": {"address": "carol@example.com"}},
        attendees=["bob@example.com"],
        **SPAN,
    )
    _before(world)
    world.connect(BOB)
    assert world.only_record()["id"] == record
    world.quiet()


@pytest.mark.parametrize("contacts", [[DAVE], []], ids=["organizer-on-the-record", "organizer-not-on-it"])
def test_r21_what_alice_wrote_down_of_a_customers_invitation_is_that_invitation(
    make_world: MakeWorld, contacts: list[str]
) -> None:
    world = make_world()
    record = world.save(name="Demo", contactsIds=contacts)
    world.invite_from_outside(ALICE, organizer="dave@contoso.example", subject="Demo", **SPAN)
    _before(world)
    world.mails()
    world.connect(ALICE)
    assert world.only_record()["id"] == record
    assert (world.link(record).role, world.link(record).origin) == (Role.ATTENDEE, Origin.ADOPTED)
    world.quiet()
    assert world.mails() == []


def test_r21_a_label_names_the_only_kind_that_is_matched(make_world: MakeWorld) -> None:
    world = make_world()
    meeting, call = world.save(), world.save("Call")
    world.outlook_create(ALICE, subject="C: Kick-off", **SPAN)
    _before(world)
    world.connect(ALICE)
    assert world.link(call, "Call").origin is Origin.ADOPTED
    assert world.app.store.links.by_records([("Meeting", meeting)]) == {}
    assert (world.only_record()["id"], world.only_record("Call")["id"]) == (meeting, call)
    world.quiet()


# --- markers


def _mark(value: str) -> dict[str, Any]:
    return {"singleValueExtendedProperties": [{"id": MARKER, "value": value}]}


def test_r21_an_event_of_ours_whose_link_lost_it_comes_back_to_its_record(world: World) -> None:
    """The store of yesterday, restored: the link is there and knows nothing of its event."""
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    world.mails()
    link = world.link(record)
    with world.app.store.save(None) as tx:
        tx.save_links([replace(link, copies=(), crm_base=None, outlook_base=None)])
    _reset(world, ALICE)
    world.pull()
    assert world.only_record()["id"] == record
    home = world.link(record).home
    assert home is not None
    assert home.event_id == world.event(ALICE).id
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).subject == "Renamed"
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r21_an_event_of_ours_whose_link_is_lost_altogether_is_matched_by_its_looks(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    world.mails()
    with world.app.store.save(None) as tx:
        tx.drop_link(world.link(record))
    _reset(world, ALICE)
    world.pull()
    assert world.only_record()["id"] == record
    assert world.link(record).origin is Origin.ADOPTED
    assert len(world.events(ALICE)) == 1
    world.quiet()
    assert world.mails() == []


def test_r21_a_foreign_installations_marker_says_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    link_id = world.link(record).id
    world.outlook_create(ALICE, subject="Of another calsync", **_mark(marker("other", link_id)))
    _reset(world, ALICE)
    assert [one["name"] for one in world.records()] == ["Kick-off", "Of another calsync"]
    world.quiet()


@pytest.mark.parametrize("value", ["", ":", "no colon", "x" * 500, "\u2028:\u2028"], ids=range(5))
def test_r21_a_marker_of_nonsense_says_nothing(world: World, value: str) -> None:
    installation = world.app.store.installation.get().id
    world.plant(ALICE, subject="Odd", **_mark(value))
    world.plant(ALICE, subject="Odd too", **_mark(f"{installation}:{value}"))
    _reset(world, ALICE)
    assert sorted(one["name"] for one in world.records()) == ["Odd", "Odd too"]
    world.quiet()


@pytest.mark.parametrize("read", ["changes", "everything"])
@pytest.mark.parametrize("attendees", [False, True], ids=["without-people", "with-people"])
def test_r21_a_copy_that_a_user_made_is_a_meeting_of_its_own(
    world: World, read: str, attendees: bool
) -> None:
    """Copied items carry our marker: its link has an event already, so it says nothing."""
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    copied = world.copy_event(ALICE, world.event(ALICE).id, attendees=attendees)
    world.outlook_patch(ALICE, copied, start="2026-12-08T10:00:00", end="2026-12-08T11:00:00")
    world.mails()
    if read == "everything":
        _reset(world, ALICE)
    world.pull()
    assert [one["dateStart"] for one in world.records()] == ["2026-12-01 10:00:00", "2026-12-08 10:00:00"]
    (fresh,) = [one["id"] for one in world.records() if one["id"] != record]
    assert world.link(fresh).origin is Origin.OUTLOOK
    world.outlook_delete(ALICE, copied)
    world.pull()
    assert world.only_record()["id"] == record
    assert [e.subject for e in world.events(ALICE)] == ["Kick-off"]
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r21_a_copy_whose_original_was_deleted_is_not_taken_for_it(world: World) -> None:
    record = world.save()
    world.settle()
    original = world.event(ALICE).id
    world.copy_event(ALICE, original)
    world.outlook_delete(ALICE, original)
    world.pull()
    assert world.link(record).state is LinkState.DETACHED
    assert len(world.records()) == 2
    assert len(world.events(ALICE)) == 1
    world.quiet()
    world.remove(record)
    world.settle()
    assert len(world.events(ALICE)) == 1


# --- our own creates


@pytest.mark.parametrize("first", ["retry", "reading"])
def test_pain_01_an_event_whose_create_was_lost_never_comes_in_as_a_second_meeting(
    world: World, first: str
) -> None:
    world.fail(match={"method": "POST", "path": "/events"}, drop_after_commit=True, times=1)
    world.fail(match={"method": "GET", "path": "singleValue"}, status=503, times=6)
    record = world.save(usersIds=[ALICE, BOB])
    world.drain()
    if first == "reading":
        world.app.store.queue.hint(world.account(ALICE).mailbox_id or 0)
        world.app.store.queue.hint(world.account(BOB).mailbox_id or 0)
    world.settle()
    world.pull()
    assert world.only_record()["id"] == record
    assert len(world.events(ALICE)) == 1
    assert len(world.link(record).copies) == 2
    assert world.mails() == [("invitation", "bob@example.com")]
    world.quiet()
    assert world.mails() == []


def test_pain_01_a_guest_who_is_read_before_the_lost_create_was_found(world: World) -> None:
    """Bob's copy is there, and alice's create is not yet known to have succeeded."""
    world.fail(match={"method": "POST", "path": "/events"}, drop_after_commit=True, times=1)
    world.fail(match={"mailbox": "alice@example.com", "method": "GET"}, status=503, times=10)
    record = world.save(usersIds=[ALICE, BOB])
    world.drain()
    world.pull(BOB)
    world.pull()
    assert world.only_record()["id"] == record
    assert len(world.link(record).copies) == 2
    assert world.mails() == [("invitation", "bob@example.com")]
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("kind", list(LABELS))
@pytest.mark.parametrize("marked", [True, False], ids=["marker-field", "no-marker-field"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"drop_after_commit": True}, id="lost"),
        pytest.param({"truncate_body": True}, id="cut"),
        pytest.param({"status": 503}, id="refused"),
    ],
)
def test_pain_01_a_record_whose_create_was_lost_is_created_once(
    make_world: MakeWorld, kind: str, marked: bool, fault: dict[str, Any]
) -> None:
    entities = ENTITIES if marked else tuple(replace(one, marker="") for one in ENTITIES)
    world = make_world(crm=CrmSettings(url=CRM, api_key="sandbox", entities=entities, sweep_seconds=86_400))
    world.connect(ALICE)
    world.crm_fails(method="POST", path=kind, times=1, **fault)
    world.outlook_create(ALICE, subject=f"{LABELS[kind]}Planning")
    world.pull()
    record = world.only_record(kind)
    assert record["name"] == "Planning"
    world.edit(ALICE, subject=f"{LABELS[kind]}Planning 2")
    world.pull()
    assert world.only_record(kind)["name"] == "Planning 2"
    world.quiet()


def test_pain_01_a_lost_record_of_an_unconnected_organizer_stays_hers(world: World) -> None:
    world.crm_fails(method="POST", path="Meeting", drop_before=True, times=2)
    world.outlook_create(CAROL, subject="Planning", attendees=["alice@example.com", "bob@example.com"])
    world.pull()
    assert world.only_record()["assignedUserId"] == CAROL
    world.quiet()


class _Meanwhile:
    """Something happens while an event is being brought in."""

    def __init__(self) -> None:
        self.action: Any = None

    @hookimpl
    def calsync_inbound(self, meeting: Any, event: Mapping[str, object]) -> None:
        """Do it, once."""
        del meeting, event
        action, self.action = self.action, None
        if action is not None:
            action()


def test_r21_a_record_that_two_events_could_be_is_linked_to_one(make_world: MakeWorld) -> None:
    """Alice's and bob's mailboxes are read for the first time at once, each with an event of its own."""
    world = make_world()
    meanwhile = _Meanwhile()
    world.open(meanwhile)
    record = world.save(usersIds=[ALICE])
    world.outlook_create(ALICE, subject="Kick-off", **SPAN)
    _before(world)
    meanwhile.action = lambda: world.change(record, description="Edited meanwhile")
    world.connect(ALICE)
    assert world.only_record()["id"] == record
    assert len(world.events(ALICE)) == 1
    world.quiet()


def test_r21_a_reset_doubles_nothing_on_either_side(world: World) -> None:
    for number in range(3):
        world.save(name=f"From the CRM {number}", usersIds=[ALICE, BOB])
        world.outlook_create(ALICE, subject=f"From Outlook {number}", attendees=["bob@example.com"])
    world.invite_from_outside(ALICE, BOB, subject="From outside")
    world.settle()
    world.pull()
    before = sorted(one["name"] for one in world.records())
    world.mails()
    for user in (ALICE, BOB):
        _reset(world, user)
    world.pull()
    assert sorted(one["name"] for one in world.records()) == before
    assert len(world.events(ALICE)) == len(world.events(BOB)) == 7
    assert world.mails() == []
    world.quiet()
    assert world.mails() == []
