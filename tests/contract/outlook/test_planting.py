"""Events that no client of Graph could make: copies, moves, nonsense, and ids that are nearly the same."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import IMMUTABLE, MARK, Json, Person, attendee, event, json_of, weekly
from tests.contract.outlook.test_delta import FIRST, removed, round_of

HOME = "/control/mailboxes/alice@example.com/events/"
YEARS = "startDateTime=2026-01-01&endDateTime=2029-01-01&$top=1000"
X500 = "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=1a2b3c-eve"


def act(person: Person, what: str, **body: Any) -> Json:
    answer: TestResponse = person.post(HOME + what, body)
    assert answer.status_code == 200, answer.text
    return json_of(answer)


# Copies


def test_a_copy_is_another_event_with_the_same_mark(alice: Person, bob: Person, sim: Simulator) -> None:
    mark = [{"id": MARK, "value": "link-1"}]
    people = [attendee("bob@example.com")]
    made = alice.create(
        singleValueExtendedProperties=mark, attendees=people, transactionId="t", location={"displayName": "B"}
    )
    mails = len(sim.state.mails)
    copied = act(alice, "copy", id=made["id"])
    assert copied["id"] != made["id"]
    got = json_of(alice.get(f"events/{copied['id']}"))
    assert got["iCalUId"] == copied["iCalUId"] != made["iCalUId"]
    assert (got["subject"], got["location"]["displayName"], got["start"]) == ("Plan", "B", made["start"])
    assert (got["attendees"], got["transactionId"], got["isOrganizer"]) == ([], None, True)
    clause = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'link-1')"
    assert {one["id"] for one in alice.events(filter=clause)} == {made["id"], copied["id"]}
    assert (len(sim.state.mails), len(bob.events())) == (mails, 1)
    alice.patch(f"events/{copied['id']}", {"subject": "Copy"})
    assert json_of(alice.get(f"events/{made['id']}"))["subject"] == "Plan"


def test_a_copy_may_keep_its_attendees(alice: Person) -> None:
    made = alice.create(attendees=[attendee("dave@contoso.example")])
    copied = act(alice, "copy", id=made["id"], attendees=True)
    got = json_of(alice.get(f"events/{copied['id']}"))
    assert [one["emailAddress"]["address"] for one in got["attendees"]] == ["dave@contoso.example"]


def test_a_copied_invitation_is_the_copiers_own(alice: Person, bob: Person) -> None:
    bob.create(attendees=[attendee("alice@example.com")])
    (own,) = alice.events()
    copied = act(alice, "copy", id=own["id"])
    got = json_of(alice.get(f"events/{copied['id']}"))
    assert (got["isOrganizer"], got["organizer"]["emailAddress"]["address"]) == (True, "alice@example.com")


def test_a_copied_series_and_a_copied_occurrence(alice: Person) -> None:
    made = alice.create(recurrence=weekly())
    days = json_of(alice.get(f"events/{made['id']}/instances?{YEARS}"))["value"]
    alice.patch(f"events/{days[1]['id']}", {"subject": "Other"})
    alice.delete(f"events/{days[2]['id']}")
    series = act(alice, "copy", id=made["id"])
    again = json_of(alice.get(f"events/{series['id']}/instances?{YEARS}"))["value"]
    assert [one["subject"] for one in again] == ["Plan", "Other", "Plan"]
    assert {one["id"] for one in again}.isdisjoint(one["id"] for one in days)
    alice.patch(f"events/{again[1]['id']}", {"subject": "Third"})
    assert json_of(alice.get(f"events/{days[1]['id']}"))["subject"] == "Other"
    one = act(alice, "copy", id=days[1]["id"])
    got = json_of(alice.get(f"events/{one['id']}"))
    assert (got["type"], got["subject"], got["seriesMasterId"]) == ("singleInstance", "Other", None)


# Moves


def test_a_moved_series_takes_its_days_along(alice: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))["id"]
    made = alice.create(recurrence=weekly(count=2), headers=IMMUTABLE)
    days = json_of(alice.get(f"events/{made['id']}/instances?{YEARS}", headers=IMMUTABLE))["value"]
    alice.patch(f"events/{days[1]['id']}", {"subject": "Other"})
    _, here, _ = round_of(alice, FIRST, headers=IMMUTABLE)
    _, there, _ = round_of(alice, f"calendars/{other}/{FIRST}", headers=IMMUTABLE)
    moved = act(alice, "move", id=days[1]["id"], calendar=other)
    assert moved["immutableId"] == days[1]["id"], "a day cannot leave its series"
    ids = [made["id"], *(one["id"] for one in days)]
    assert sorted(removed(round_of(alice, here, headers=IMMUTABLE)[0])) == sorted(ids)
    items, _, _ = round_of(alice, there, headers=IMMUTABLE)
    assert [(one["id"], one["type"]) for one in items] == list(
        zip(ids, ("seriesMaster", "occurrence", "exception"), strict=True)
    )
    got = json_of(alice.get(f"events/{made['id']}", expand="calendar"))
    assert got["calendar"]["id"] == other
    assert alice.events() == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("move", {"id": "x", "calendar": "y"}),
        ("copy", {"id": "x"}),
        ("copy", {}),
        ("raw", {}),
        ("raw", {"event": []}),
        ("twins", {"event": event(), "differ": "colour"}),
        ("renamed", {"id": "x"}),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(alice: Person, what: str, body: Json) -> None:
    answer = alice.post(HOME + what, body)
    assert answer.status_code == 400
    assert json_of(answer)["error"]
    assert alice.post(f"/control/mailboxes/nobody@example.com/events/{what}", body).status_code == 400


# Nonsense


@pytest.mark.usefixtures("unjudged")
def test_an_event_is_told_as_it_was_planted(alice: Person) -> None:
    _, link, _ = round_of(alice, FIRST)
    odd: Json = {
        "organizer": None,
        "sensitivity": None,
        "location": None,
        "showAs": "invented",
        "start": {"dateTime": "2026-11-24T10:00:00.0000000", "timeZone": "tzone://Microsoft/Custom"},
        "attendees": [{"emailAddress": {"name": "Nobody"}}, None],
        "invented": {"a": 1},
    }
    made = act(alice, "raw", event=event(**odd))
    got = json_of(alice.get(f"events/{made['id']}"))
    assert {name: got[name] for name in odd} == odd
    (told,) = round_of(alice, link)[0]
    assert {name: told[name] for name in odd} == odd
    assert len(json_of(alice.get(f"calendarView?{YEARS}"))["value"]) == 1
    alice.patch(f"events/{made['id']}", {"sensitivity": "private"})
    got = json_of(alice.get(f"events/{made['id']}"))
    assert (got["sensitivity"], got["organizer"]) == ("private", None)


def test_what_an_event_can_hold_behaves_as_ever(alice: Person) -> None:
    big = "<p>" + "x" * (2 * 1024 * 1024) + "</p>"
    made = act(
        alice,
        "raw",
        event=event(
            body={"contentType": "html", "content": big},
            attendees=[attendee(X500)],
            sensitivity="confidential",
            recurrence=weekly(count=2),
            isOrganizer=False,
            organizer={"emailAddress": {"name": "Eve", "address": "eve@partner.example"}},
            iCalUId="uid-1",
            isCancelled=True,
        ),
    )
    got = json_of(alice.get(f"events/{made['id']}"))
    assert big in got["body"]["content"]
    assert got["attendees"][0]["emailAddress"]["address"] == X500
    assert (got["sensitivity"], got["type"], got["isOrganizer"], got["isCancelled"], got["iCalUId"]) == (
        "confidential",
        "seriesMaster",
        False,
        True,
        "uid-1",
    )
    assert got["start"] == {"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"}
    assert len(json_of(alice.get(f"events/{made['id']}/instances?{YEARS}"))["value"]) == 2


@pytest.mark.usefixtures("unjudged")
def test_a_planted_zone_name_of_a_series(alice: Person) -> None:
    named = "tzone://Microsoft/Custom"
    odd: Json = {"originalStartTimeZone": named, "type": "invented"}
    made = act(alice, "raw", event=event(recurrence=weekly(count=2), **odd))
    assert json_of(alice.get(f"events/{made['id']}"))["type"] == "invented"
    days = json_of(alice.get(f"events/{made['id']}/instances?{YEARS}"))["value"]
    assert [(one["originalStartTimeZone"], one["type"], one["start"]["dateTime"][:10]) for one in days] == [
        (named, "occurrence", "2026-11-24"),
        (named, "occurrence", "2026-12-01"),
    ]


def test_many_at_once(alice: Person) -> None:
    made = act(alice, "many", events=[event(f"{number}") for number in range(30)])
    assert made["count"] == 30
    assert len(round_of(alice, FIRST)[0]) == 30


@pytest.mark.parametrize(("differ", "last"), [("case", ("A", "a")), ("dash", ("-", "_"))])
def test_twins(alice: Person, differ: str, last: tuple[str, str]) -> None:
    pair = act(alice, "twins", event=event(), differ=differ)["events"]
    for name in ("id", "immutableId"):
        one, other = (made[name] for made in pair)
        assert one[:-1] == other[:-1]
        assert (one[-1], other[-1]) == last
    alice.patch(f"events/{pair[0]['immutableId']}", {"subject": "One"})
    assert json_of(alice.get(f"events/{pair[1]['immutableId']}"))["subject"] == "Plan"
    assert alice.create("New")["id"] not in {made["id"] for made in pair}
