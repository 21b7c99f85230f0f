"""What comes in from Outlook, against the sandbox's CRM: new records, matching, contacts, people gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from calsync_plugin.crm.attributes import (
    cancelled_attributes,
    new_record_attributes,
    record_attributes,
    restored_attributes,
)
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.espocrm import UID_REFUSED_SECONDS, EspoGateway
from calsync_plugin.crm.gateway import Found, Missing, Record
from calsync_plugin.crm.relating import write_related
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Person, PersonKind, Response
from calsync_plugin.domain.timespan import AllDay, TimeSpan
from calsync_plugin.errors import Refused, UnknownOutcome
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.sandbox.crm.faults import FaultRule
from tests.unit.crm.sandbox import ALICE, BOB, CALL, DAVE, DAYS, FRANK, MEETING, SETTINGS, TIMED, World

START = datetime(2026, 12, 1, tzinfo=UTC)
END = datetime(2026, 12, 8, tzinfo=UTC)
STRANGER = Attendee("Stranger@elsewhere.example", "Stranger")


def new(meeting: Meeting, *, owner: str = ids.ALICE_ID, marker: str = "i:l") -> Record:
    return new_record_attributes(
        meeting, Field, MEETING, assigned_user_id=owner, teams=(), marker=marker
    ).attributes


def record_of(world: World, record_id: str) -> Record:
    loaded = world.gateway.load("Meeting", [record_id])[record_id]
    assert isinstance(loaded, Found)
    return loaded.record


@pytest.mark.parametrize("span", [TIMED, DAYS], ids=["timed", "all-day"])
@pytest.mark.parametrize("subject", ["Kick-off", "", "(no subject)", "a <= b > c", "x" * 255], ids=repr)
def test_a_new_record_reads_back_as_its_event(world: World, span: TimeSpan, subject: str) -> None:
    meeting = Meeting(subject=subject, span=span, attendees=(BOB, DAVE, FRANK), description="a\nb")

    view = world.read(world.gateway.create("Meeting", new(meeting)))

    assert view.meeting.normal_form(Field) == meeting.normal_form(Field)
    assert set(view.meeting.attendees) == {BOB, DAVE, FRANK}
    assert view.meeting.organizer == Attendee("alice@example.com", "Alice Able", ALICE, Response.ACCEPTED)
    assert (view.assigned_user_id, view.marker, view.status) == (ids.ALICE_ID, "i:l", "Planned")


def test_an_invitation_is_the_users_own_answer(world: World) -> None:
    alice = Attendee("alice@example.com", "Alice", ALICE, Response.TENTATIVE)
    meeting = Meeting(subject="Invited", span=TIMED, attendees=(alice, BOB, STRANGER))

    view = world.read(world.gateway.create("Meeting", new(meeting)))

    assert view.meeting.organizer == Attendee("alice@example.com", "Alice Able", ALICE, Response.TENTATIVE)
    assert view.meeting.attendees == (BOB,)


def test_twenty_new_records_are_read_back_by_one_request(world: World) -> None:
    meetings = [Meeting(subject=f"n{n}", span=TIMED, description="x" * 4_000) for n in range(20)]
    made = [
        world.gateway.create("Meeting", new(meeting, marker=f"i:{meeting.subject}")) for meeting in meetings
    ]
    world.crm.log.clear()

    loaded = world.gateway.load("Meeting", made)

    assert all(isinstance(answer, Found) for answer in loaded.values())
    assert world.crm.log.counts == {"GET /api/v1/Meeting": 1}


def test_a_cancelled_meeting_is_not_held(world: World) -> None:
    record_id = world.create()

    world.gateway.update("Meeting", record_id, cancelled_attributes())

    assert (world.read(record_id).status, world.read(record_id).held) == ("Not Held", True)


@pytest.mark.parametrize("span", [TIMED, DAYS], ids=["timed", "all-day"])
def test_a_removed_record_is_made_again(world: World, span: TimeSpan) -> None:
    meeting = Meeting(subject="a < b", span=span, attendees=(BOB, DAVE, FRANK), description="text")
    parent = {"parentType": "Account", "parentId": ids.CONTOSO_ID, "status": "Held"}
    old_id = world.gateway.create("Meeting", {**new(meeting), **parent})
    old = record_of(world, old_id)
    world.gateway.delete("Meeting", old_id)

    made = world.gateway.create("Meeting", restored_attributes(old, MEETING))

    again = record_of(world, made)
    changing = {"id", "createdAt", "modifiedAt", "streamUpdatedAt", "uid"}
    assert made != old_id
    assert {k: v for k, v in again.items() if k not in changing} == {
        k: v for k, v in old.items() if k not in changing
    }
    assert isinstance(world.gateway.load("Meeting", [old_id])[old_id], Missing)


# --- records of a window


def times(start: str, end: str | None) -> dict[str, object]:
    return {"dateStart": f"2026-{start}:00", "dateEnd": end and f"2026-{end}:00"}


def days(first: str, last: str) -> dict[str, object]:
    span = AllDay(date.fromisoformat(f"2026-{first}"), date.fromisoformat(f"2026-{last}") + timedelta(days=1))
    return dict(record_attributes(Meeting(subject="", span=span), [Field.SPAN], MEETING).attributes)


@pytest.mark.parametrize(
    ("attributes", "inside"),
    [
        pytest.param(times("12-01 00:00", "12-01 01:00"), True, id="at the start"),
        pytest.param(times("11-30 23:00", "12-01 00:00"), False, id="ends at the start"),
        pytest.param(times("11-30 23:00", "12-01 00:01"), True, id="reaches in"),
        pytest.param(times("12-07 23:59", "12-08 09:00"), True, id="reaches out"),
        pytest.param(times("12-08 00:00", "12-08 01:00"), False, id="begins at the end"),
        pytest.param(times("11-01 00:00", "12-31 00:00"), True, id="around it"),
        pytest.param(times("12-01 00:00", "12-01 00:00"), True, id="without length"),
        pytest.param(times("12-02 10:00", "12-01 09:00"), True, id="ends before it starts"),
        pytest.param(times("12-02 10:00", None), True, id="without end"),
        pytest.param(times("11-02 10:00", None), False, id="without end, before"),
        pytest.param(days("12-03", "12-04"), True, id="whole days"),
        pytest.param(days("12-08", "12-08"), True, id="the day after, which begins earlier elsewhere"),
        pytest.param(days("11-30", "11-30"), True, id="the day before, which ends later elsewhere"),
        pytest.param(days("12-10", "12-10"), False, id="days later"),
        pytest.param(days("11-28", "11-28"), False, id="days before"),
        pytest.param({"assignedUserId": ids.BOB_ID, "usersIds": [ids.ALICE_ID]}, False, id="of another user"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_records_of_a_window(world: World, zone: str, attributes: dict[str, object], inside: bool) -> None:
    world.crm.settings.time_zone = zone
    record_id = world.create(**attributes)

    found = list(world.gateway.records_of("Meeting", ids.ALICE_ID, START, END))

    assert [record["id"] for record in found] == ([record_id] if inside else [])


def test_records_of_a_window_are_whole_and_by_their_start(world: World) -> None:
    late = world.create(dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00", usersIds=[ids.BOB_ID])
    early = world.create(description="x" * 100_000, contactsIds=[ids.DAVE_ID])

    found = list(world.gateway.records_of("Meeting", ids.ALICE_ID, START, END))

    assert [record["id"] for record in found] == [early, late]
    whole = [record_of(world, str(record["id"])) for record in found]
    for record, expected in zip(found, whole, strict=True):
        assert record.items() <= expected.items()
        assert {"usersColumns", "contactsIds", "description", "cOutlookEventId"} <= record.keys()


def test_calls_have_no_days(world: World) -> None:
    write = record_attributes(Meeting(subject="Phone", span=TIMED), Field, CALL).attributes
    record_id = world.gateway.create("Call", {**write, "assignedUserId": ids.ALICE_ID})

    assert [r["id"] for r in world.gateway.records_of("Call", ids.ALICE_ID, START, END)] == [record_id]


@pytest.mark.parametrize("apart", [60, 0], ids=["a minute apart", "all at once"])
def test_a_record_removed_on_the_way_costs_no_other(world: World, apart: int) -> None:
    starts = [START + timedelta(seconds=apart * number) for number in range(450)]
    made = [
        world.crm.insert(
            "Meeting",
            {
                "name": f"n{number}",
                "dateStart": f"{start:%Y-%m-%d %H:%M:%S}",
                "dateEnd": f"{start + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
                "assignedUserId": ids.ALICE_ID,
            },
        )["id"]
        for number, start in enumerate(starts)
    ]
    walk = world.gateway.records_of("Meeting", ids.ALICE_ID, START, END)
    found = [str(next(walk)["id"]) for _ in range(10)]
    if apart:
        world.gateway.delete("Meeting", found[0])

    found += [str(record["id"]) for record in walk]

    assert sorted(found) == sorted(made)


# --- after a create whose answer was lost


@pytest.mark.parametrize(
    "span", [TIMED, DAYS, AllDay(date(2026, 12, 3), date(2026, 12, 4))], ids=["timed", "days", "a day"]
)
def test_a_created_record_is_found_after_its_answer_was_lost(world: World, span: TimeSpan) -> None:
    attributes = new(Meeting(subject="Lost <&> found é", span=span, attendees=(BOB,)), marker="")
    world.gateway.create("Meeting", attributes)
    world.crm.advance(timedelta(minutes=5))
    since = world.crm.clock.now()
    world.crm.faults.add(FaultRule("Meeting", drop_after_commit=True))

    with pytest.raises(UnknownOutcome):
        world.gateway.create("Meeting", attributes)

    found = world.gateway.find_created("Meeting", attributes, since)
    newest = max(world.crm.store.tables["Meeting"], key=lambda row: (row["createdAt"], row["id"]))
    assert found == newest["id"]
    assert world.gateway.find_created("Meeting", attributes, since + timedelta(minutes=1)) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"name": "Kick-Off"}, id="case"),
        pytest.param({"name": "Kick-off!"}, id="name"),
        pytest.param({"dateStart": "2026-12-01 09:00:00"}, id="start"),
        pytest.param({"dateEnd": "2026-12-01 11:00:01"}, id="end"),
        pytest.param({"dateEnd": None}, id="no end"),
        pytest.param({"assignedUserId": ids.BOB_ID}, id="owner"),
        pytest.param(days("12-01", "12-01"), id="days"),
    ],
)
def test_what_is_not_alike_is_not_found(world: World, other: dict[str, object]) -> None:
    attributes = new(Meeting(subject="Kick-off", span=TIMED))
    world.create(**{**attributes, **other})

    assert world.gateway.find_created("Meeting", attributes, world.gateway.now() - timedelta(hours=1)) is None


def test_of_several_that_are_alike_the_newest_is_found(world: World) -> None:
    attributes = new(Meeting(subject="Kick-off", span=TIMED))
    since = world.crm.clock.now()
    made = []
    for _ in range(3):
        made.append(world.gateway.create("Meeting", attributes))
        world.crm.advance(timedelta(seconds=2))

    assert world.gateway.find_created("Meeting", attributes, since) == made[-1]


# --- the CRM's own uid


def uid_of(world: World, record_id: str) -> str:
    return str(world.crm.store.tables["Meeting"].rows[record_id]["uid"])


def let_uid_be_read(world: World) -> None:
    readable = {"Meeting": {"uid": {"read": "yes", "edit": "no"}}}
    world.crm.store.tables["Role"].rows[ids.ROLE_BRIDGE_ID]["fieldData"] = readable


def test_records_are_found_by_uid(world: World) -> None:
    let_uid_be_read(world)
    made = [world.create(name=f"n{number}") for number in range(3)]
    uids = [uid_of(world, record_id) for record_id in made]

    found = world.gateway.find_by_uid("Meeting", [*uids[:2], "nobody's", uids[0].upper()])

    assert found == {uids[0]: made[0], uids[1]: made[1]}
    assert world.read(made[0]).uid == uids[0]


def test_of_two_with_one_uid_the_oldest_is_found(world: World) -> None:
    let_uid_be_read(world)
    for record_id, created in (("b" * 17, "2026-11-02 09:00:00"), ("a" * 17, "2026-11-03 09:00:00")):
        row = {"id": record_id, "name": "x", "uid": "same", "createdAt": created, "dateStart": created}
        world.crm.insert("Meeting", row)

    assert world.gateway.find_by_uid("Meeting", ["same"]) == {"same": "b" * 17}


@pytest.mark.parametrize("entity_type", ["Meeting", "Visit"], ids=["no right", "no attribute"])
def test_where_the_uid_cannot_be_read_nothing_is_found_and_it_is_asked_seldom(
    world: World, entity_type: str
) -> None:
    now = [0.0]
    gateway = EspoGateway(SETTINGS, world.client, clock=lambda: now[0])
    record_id = world.create()
    uid = uid_of(world, record_id)
    world.crm.log.clear()

    for _ in range(3):
        assert gateway.find_by_uid(entity_type, [uid]) == {}
    assert world.crm.log.counts == {f"GET /api/v1/{entity_type}": 1}

    let_uid_be_read(world)
    now[0] = UID_REFUSED_SECONDS
    assert gateway.find_by_uid("Meeting", [uid]) == {uid: record_id}


# --- contacts


def test_a_contact_is_created(world: World) -> None:
    person = world.gateway.create_contact("Heidi.Hall@Contoso.example", "Heidi Hall")

    assert world.gateway.people_by_address(["heidi.hall@contoso.example"]) == {
        "heidi.hall@contoso.example": person
    }
    (card,) = world.gateway.people(PersonKind.CONTACT, [person.id]).values()
    assert (card.name, card.addresses) == ("Heidi Hall", ("Heidi.Hall@Contoso.example",))


@pytest.mark.parametrize(
    ("address", "name", "holder"),
    [
        pytest.param(
            "DAVE@contoso.example", "Someone Else", Person(PersonKind.CONTACT, ids.DAVE_ID), id="address"
        ),
        pytest.param("dave.other@contoso.example", "Dave Dunn", None, id="only the name"),
    ],
)
def test_a_contact_who_is_there_already(world: World, address: str, name: str, holder: Person | None) -> None:
    contacts = len(world.crm.store.tables["Contact"].live)

    person = world.gateway.create_contact(address, name)

    assert person == holder if holder else person.id != ids.DAVE_ID
    assert len(world.crm.store.tables["Contact"].live) == contacts + (holder is None)


@pytest.mark.parametrize("name", ["Ivan Ilves", "Dave Dunn"], ids=["new name", "name of another"])
def test_a_contact_whose_answer_was_lost_is_not_created_twice(world: World, name: str) -> None:
    world.crm.faults.add(FaultRule("Contact", method="POST", drop_after_commit=True))
    with pytest.raises(UnknownOutcome):
        world.gateway.create_contact("ivan@contoso.example", "Ivan Ilves")

    again = world.gateway.create_contact("ivan@contoso.example", name)

    assert world.gateway.people_by_address(["ivan@contoso.example"]) == {"ivan@contoso.example": again}
    rows = world.crm.store.tables["Contact"]
    assert [row["id"] for row in rows if row["emailAddress"] == "ivan@contoso.example"] == [again.id]


def test_an_address_that_the_crm_does_not_take(world: World) -> None:
    with pytest.raises(Refused) as caught:
        world.gateway.create_contact("no address", "X")

    assert caught.value.reason.endswith(":emailAddress")


# --- users


@pytest.mark.parametrize(
    ("address", "user"),
    [
        pytest.param("Alice@EXAMPLE.com", ids.ALICE_ID, id="any case"),
        pytest.param("a.able@example.com", ids.ALICE_ID, id="a further address"),
        pytest.param("carol@example.com", None, id="a user who left"),
        pytest.param("dave@contoso.example", None, id="a contact"),
        pytest.param("nobody@elsewhere.example", None, id="nobody"),
        pytest.param("portal@example.com", None, id="a customer with a portal"),
    ],
)
def test_active_users(world: World, address: str, user: str | None) -> None:
    entries = [
        {"emailAddress": "alice@example.com", "primary": True},
        {"emailAddress": "A.Able@example.com", "primary": False},
    ]
    for user_id, values in (
        (ids.ALICE_ID, {"emailAddressData": entries}),
        (ids.CAROL_ID, {"isActive": False}),
    ):
        world.crm.store.change("User", user_id, values)
    world.crm.insert("User", {"lastName": "Portal", "type": "portal", "emailAddress": "portal@example.com"})

    found = Directory(world.gateway).active_user(address)

    assert found == (Person(PersonKind.USER, user) if user else None)


# --- people who are gone


def send(world: World, attributes: Record) -> str:
    return world.gateway.create("Meeting", attributes)


def with_people(*attendees: Attendee) -> Meeting:
    return Meeting(subject="Kick-off", span=TIMED, attendees=attendees)


def lose(world: World, lost: Sequence[Attendee]) -> None:
    for attendee in lost:
        assert attendee.person is not None
        entity_type = {"user": "User", "contact": "Contact", "lead": "Lead"}[attendee.person.kind]
        values = {"isActive": False} if entity_type == "User" else {"deleted": True}
        world.crm.store.change(entity_type, attendee.person.id, values)


@pytest.mark.parametrize(
    "lost", [(DAVE,), (FRANK,), (BOB,), (BOB, DAVE, FRANK)], ids=["contact", "lead", "user", "all"]
)
def test_a_record_is_created_without_who_is_gone(world: World, lost: Sequence[Attendee]) -> None:
    directory = Directory(world.gateway)
    meeting = with_people(BOB, DAVE, FRANK)
    write = new_record_attributes(
        meeting, Field, MEETING, assigned_user_id=ids.ALICE_ID, teams=(), marker="i:l"
    )
    directory.prefetch({a.person for a in meeting.attendees if a.person})
    lose(world, lost)

    record_id, sent = write_related(lambda a: send(world, a), write, directory)

    kept = {BOB, DAVE, FRANK} - set(lost)
    assert set(world.read(record_id).meeting.attendees) == kept
    assert sorted(sent.notes) == sorted(
        f"{a.person.kind} {a.name} cannot be related in the CRM; left out of the record"
        for a in lost
        if a.person
    )
    assert world.crm.log.counts["POST /api/v1/Meeting"] == 2


def test_an_update_keeps_who_left_but_is_on_the_record(world: World) -> None:
    """A colleague who left stays on old records: EspoCRM looks at the ones who are new to it only."""
    record_id = world.gateway.create("Meeting", new(with_people(BOB)))
    view = world.read(record_id)
    lose(world, (BOB, DAVE))
    write = record_attributes(
        with_people(BOB, DAVE), [Field.ATTENDEES, Field.RESPONSES], MEETING, current=view
    )

    write_related(
        lambda a: world.gateway.update("Meeting", record_id, a),
        write,
        Directory(world.gateway),
        present=view.people,
    )

    assert {a.person for a in world.read(record_id).meeting.attendees} == {BOB.person}


def test_a_user_who_left_is_told_and_forgotten(world: World) -> None:
    directory = Directory(world.gateway)
    assert directory.active_user("alice@example.com") == ALICE
    world.crm.store.change("User", ids.ALICE_ID, {"isActive": False})
    write = new_record_attributes(
        with_people(DAVE), Field, MEETING, assigned_user_id=ids.ALICE_ID, teams=(), marker="i:l"
    )

    with pytest.raises(Refused) as caught:
        write_related(lambda a: send(world, a), write, directory)

    assert caught.value.reason.startswith("cannot_relate:")
    assert directory.active_user("alice@example.com") is None


def test_another_refusal_is_passed_on(world: World) -> None:
    write = new_record_attributes(
        with_people(), Field, MEETING, assigned_user_id=ids.ALICE_ID, teams=(), marker=""
    )
    bad = replace(write, attributes={**write.attributes, "name": "<"})

    with pytest.raises(Refused) as caught:
        write_related(lambda a: send(world, a), bad, Directory(world.gateway))

    assert caught.value.reason == "pattern:name"
