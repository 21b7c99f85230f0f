"""Series: patterns, daylight saving, exceptions, cancelled occurrences, and what attendees get of them."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import IMMUTABLE, Json, Person, attendee, code_of, event, json_of, weekly

BERLIN = "W. Europe Standard Time"
ALWAYS = "startDateTime=2026-01-01&endDateTime=2030-01-01&$top=1000"


def recurrence(kind: str, *, start: str = "2026-11-24", **more: Any) -> Json:
    limits: Json = {"type": "numbered", "startDate": start, "numberOfOccurrences": more.pop("count", 4)}
    if "until" in more:
        limits = {"type": "endDate", "startDate": start, "endDate": more.pop("until")}
    return {"pattern": {"type": kind, "interval": more.pop("interval", 1), **more}, "range": limits}


def days(person: Person, identity: str) -> list[str]:
    body = json_of(person.get(f"events/{identity}/instances?{ALWAYS}"))
    return [one["start"]["dateTime"][:10] for one in body["value"]]


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        ("2026-11-24", recurrence("daily", count=3), ["2026-11-24", "2026-11-25", "2026-11-26"]),
        (
            "2026-11-24",
            recurrence("daily", interval=3, until="2026-12-01"),
            ["2026-11-24", "2026-11-27", "2026-11-30"],
        ),
        (
            "2026-11-24",
            recurrence("weekly", daysOfWeek=["tuesday", "Thursday"]),
            ["2026-11-24", "2026-11-26", "2026-12-01", "2026-12-03"],
        ),
        (
            "2026-11-24",
            recurrence("weekly", daysOfWeek=["monday"], count=2),
            ["2026-11-30", "2026-12-07"],
        ),
        (
            "2026-11-22",
            recurrence(
                "weekly",
                start="2026-11-22",
                interval=2,
                daysOfWeek=["sunday", "tuesday"],
                firstDayOfWeek="sunday",
            ),
            ["2026-11-22", "2026-11-24", "2026-12-06", "2026-12-08"],
        ),
        (
            "2026-11-22",
            recurrence(
                "weekly",
                start="2026-11-22",
                interval=2,
                daysOfWeek=["sunday", "tuesday"],
                firstDayOfWeek="monday",
            ),
            ["2026-11-22", "2026-12-01", "2026-12-06", "2026-12-15"],
        ),
        (
            "2026-12-31",
            recurrence("absoluteMonthly", start="2026-12-31", dayOfMonth=31),
            ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"],
        ),
        (
            "2026-11-24",
            recurrence("relativeMonthly", daysOfWeek=["friday"], index="last", count=3),
            ["2026-11-27", "2026-12-25", "2027-01-29"],
        ),
        (
            "2026-11-24",
            recurrence("relativeMonthly", daysOfWeek=["saturday", "sunday"], count=2),
            ["2026-12-05", "2027-01-02"],
        ),
        (
            "2026-11-24",
            recurrence("absoluteYearly", dayOfMonth=24, month=11, count=2),
            ["2026-11-24", "2027-11-24"],
        ),
        (
            "2026-11-24",
            recurrence("relativeYearly", daysOfWeek=["tuesday"], index="fourth", month=11, count=2),
            ["2026-11-24", "2027-11-23"],
        ),
    ],
    ids=lambda value: value["pattern"]["type"] if isinstance(value, dict) else None,
)
@pytest.mark.usefixtures("loose_requests")
def test_patterns(alice: Person, start: str, rule: Json, expected: list[str]) -> None:
    made = alice.create(day=start, recurrence=rule)
    assert made["type"] == "seriesMaster"
    assert days(alice, made["id"]) == expected


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(recurrence("weekly"), id="weekly without days"),
        pytest.param(recurrence("hourly"), id="unknown pattern"),
        pytest.param(recurrence("daily", interval=0), id="interval 0"),
        pytest.param(recurrence("daily", count=0), id="no occurrence"),
        pytest.param(recurrence("daily", start="2026-11-25"), id="range starts another day"),
        pytest.param(recurrence("daily", until="2026-11-01"), id="ends before it starts"),
        pytest.param(recurrence("absoluteMonthly"), id="no day of the month"),
        pytest.param(recurrence("absoluteYearly", dayOfMonth=1), id="no month"),
        pytest.param({"pattern": {"type": "daily", "interval": 1}}, id="no range"),
    ],
)
def test_refused_patterns(alice: Person, rule: Json) -> None:
    assert alice.post("events", event(recurrence=rule)).status_code == 400


def test_wall_clock_stays_over_daylight_saving(alice: Person) -> None:
    made = alice.create(day="2027-03-23", recurrence=weekly(start="2027-03-23", count=2))
    body = json_of(alice.get(f"events/{made['id']}/instances?{ALWAYS}"))
    assert [one["start"]["dateTime"] for one in body["value"]] == [
        "2027-03-23T09:00:00.0000000",
        "2027-03-30T08:00:00.0000000",
    ]
    assert body["value"][1]["originalStart"] == "2027-03-30T08:00:00Z"


def occurrences(person: Person, identity: str, **more: Any) -> list[Json]:
    body = json_of(person.get(f"events/{identity}/instances?{ALWAYS}", **more))
    return list(body["value"])


def test_an_occurrence_has_an_id_and_an_icaluid_of_its_own(alice: Person) -> None:
    made = alice.create(recurrence=weekly())
    found = occurrences(alice, made["id"])
    assert len({one["id"] for one in found} | {made["id"]}) == 5
    assert len({one["iCalUId"] for one in found} | {made["iCalUId"]}) == 5
    assert {one["seriesMasterId"] for one in found} == {made["id"]}
    got = json_of(alice.get(f"events/{found[1]['id']}"))
    assert (got["type"], got["id"], got["start"]) == ("occurrence", found[1]["id"], found[1]["start"])
    assert [one["type"] for one in alice.events()] == ["seriesMaster"]


def test_a_changed_occurrence_becomes_an_exception(alice: Person) -> None:
    made = alice.create(recurrence=weekly(), headers=IMMUTABLE)
    second = occurrences(alice, made["id"], headers=IMMUTABLE)[1]
    changed = json_of(alice.patch(f"events/{second['id']}", {"subject": "Other"}, headers=IMMUTABLE))
    assert (changed["type"], changed["id"], changed["originalStart"]) == (
        "exception",
        second["id"],
        "2026-12-01T09:00:00Z",
    )
    assert [one["subject"] for one in occurrences(alice, made["id"])] == ["Plan", "Other", "Plan", "Plan"]
    whole = json_of(
        alice.get(
            f"events/{made['id']}", select="subject,exceptionOccurrences", expand="exceptionOccurrences"
        )
    )
    assert [one["subject"] for one in whole["exceptionOccurrences"]] == ["Other"]
    alice.patch(f"events/{made['id']}", {"location": {"displayName": "B"}, "subject": "All"})
    found = occurrences(alice, made["id"])
    assert [one["subject"] for one in found] == ["All", "Other", "All", "All"]
    assert {one["location"]["displayName"] for one in found} == {"B"}


@pytest.mark.parametrize(
    ("day", "code"),
    [
        pytest.param("2026-11-25", "", id="the day after the previous one"),
        pytest.param("2026-12-07", "", id="the day before the next one"),
        pytest.param("2026-11-24", "ErrorOccurrenceCrossingBoundary", id="the day of the previous one"),
        pytest.param("2026-12-08", "ErrorOccurrenceCrossingBoundary", id="the day of the next one"),
        pytest.param("2027-01-05", "ErrorOccurrenceCrossingBoundary", id="beyond the next one"),
    ],
)
def test_moving_an_occurrence(alice: Person, day: str, code: str) -> None:
    made = alice.create(recurrence=weekly())
    second = occurrences(alice, made["id"])[1]
    change = {name: value for name, value in event(day=day).items() if name in {"start", "end"}}
    answer = alice.patch(f"events/{second['id']}", change)
    assert answer.status_code == (400 if code else 200)
    if code:
        assert code_of(answer) == code
        assert days(alice, made["id"])[1] == "2026-12-01"


@pytest.mark.parametrize("how", ["delete", "cancel"])
def test_a_deleted_occurrence_is_listed_by_its_master(alice: Person, how: str) -> None:
    made = alice.create(recurrence=weekly())
    second = occurrences(alice, made["id"])[1]["id"]
    answer = (
        alice.delete(f"events/{second}") if how == "delete" else alice.post(f"events/{second}/cancel", {})
    )
    assert answer.status_code in {202, 204}
    assert alice.get(f"events/{second}").status_code == 404
    assert days(alice, made["id"]) == ["2026-11-24", "2026-12-08", "2026-12-15"]
    assert "cancelledOccurrences" not in json_of(alice.get(f"events/{made['id']}"))
    chosen = json_of(alice.get(f"events/{made['id']}", select="cancelledOccurrences"))
    assert chosen["cancelledOccurrences"] == [f"OID.{made['id']}.2026-12-01"]


@pytest.mark.parametrize(("drops", "subjects"), [(True, {"Plan"}), (False, {"Plan", "Other"})])
def test_a_new_pattern_may_drop_exceptions(
    alice: Person, sim: Simulator, drops: bool, subjects: set[str]
) -> None:
    sim.switches = sim.switches.changed({"recurrence_change_drops_exceptions": drops})
    made = alice.create(recurrence=weekly())
    second = occurrences(alice, made["id"])[1]["id"]
    alice.patch(f"events/{second}", {"subject": "Other"})
    alice.patch(f"events/{made['id']}", {"recurrence": weekly(count=6)})
    assert {one["subject"] for one in occurrences(alice, made["id"])} == subjects
    assert len(days(alice, made["id"])) == 6


def test_a_series_becomes_a_single_event_and_back(alice: Person) -> None:
    made = alice.create(recurrence=weekly())
    single = json_of(alice.patch(f"events/{made['id']}", {"recurrence": None}))
    assert (single["type"], single["recurrence"]) == ("singleInstance", None)
    again = json_of(alice.patch(f"events/{made['id']}", {"recurrence": weekly(count=2)}))
    assert (again["type"], len(days(alice, made["id"]))) == ("seriesMaster", 2)


def test_an_occurrence_takes_no_recurrence(alice: Person) -> None:
    made = alice.create(recurrence=weekly())
    second = occurrences(alice, made["id"])[1]["id"]
    assert alice.patch(f"events/{second}", {"recurrence": weekly()}).status_code == 400


def test_calendar_view_shows_occurrences(alice: Person) -> None:
    alice.create("Series", recurrence=weekly())
    alice.create("Single", day="2026-12-01", hour=8)
    body = json_of(
        alice.get("calendarView?startDateTime=2026-11-30T00:00:00&endDateTime=2026-12-09T00:00:00")
    )
    assert [(one["subject"], one["type"]) for one in body["value"]] == [
        ("Single", "singleInstance"),
        ("Series", "occurrence"),
        ("Series", "occurrence"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        pytest.param("2026-11-24T10:00:00", "2026-11-24T10:30:00", 0, id="UTC without an offset"),
        pytest.param("2026-11-24T09:59:00%2B01:00", "2026-11-24T10:30:00%2B01:00", 1, id="its own offset"),
        pytest.param("2026-11-24T09:59:00Z", "2026-11-24T10:30:00Z", 1, id="touches the last minute"),
        pytest.param("2026-11-24T10:00:00Z", "2026-11-24T10:30:00Z", 0, id="begins where the event ends"),
    ],
)
@pytest.mark.usefixtures("loose_requests")
def test_the_window_of_a_view(alice: Person, first: str, last: str, count: int) -> None:
    alice.create()
    body = json_of(alice.get(f"calendarView?startdatetime={first}&ENDDATETIME={last}"))
    assert len(body["value"]) == count


@pytest.mark.parametrize(
    "query",
    [
        "",
        "startDateTime=2026-01-01",
        "startDateTime=2026-01-02&endDateTime=2026-01-01",
        "startDateTime=2020-01-01&endDateTime=2026-01-01",
        "startDateTime=x&endDateTime=y",
    ],
)
def test_refused_windows(alice: Person, query: str) -> None:
    assert alice.get(f"calendarView?{query}").status_code == 400


def test_attendees_get_series_exceptions_and_cancellations(
    alice: Person, bob: Person, sim: Simulator
) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee("bob@example.com")])
    (own,) = bob.events()
    assert own["type"] == "seriesMaster"
    second, third = occurrences(alice, made["id"])[1:3]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    alice.delete(f"events/{third['id']}")
    found = occurrences(bob, own["id"])
    assert [one["subject"] for one in found] == ["Plan", "Other", "Canceled: Plan", "Plan"]
    assert [one["isCancelled"] for one in found] == [False, False, True, False]
    assert found[1]["iCalUId"] == second["iCalUId"]
    kinds = [(mail.kind, mail.reason) for mail in sim.state.mails]
    assert kinds == [
        ("invitation", "created with attendees"),
        ("update", "changed: subject"),
        ("cancellation", "deleted"),
    ]


def test_a_changed_master_mails_for_each_modified_instance(alice: Person, sim: Simulator) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee("dave@contoso.example")])
    for one in occurrences(alice, made["id"])[1:3]:
        alice.patch(f"events/{one['id']}", {"location": {"displayName": one["start"]["dateTime"]}})
    sim.state.mails = []
    alice.patch(f"events/{made['id']}", {"subject": "New"})
    assert len([mail for mail in sim.state.mails if mail.kind == "update"]) == 3


def test_invited_to_one_occurrence_only(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly())
    second = occurrences(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"attendees": [attendee("bob@example.com")]})
    (own,) = bob.events()
    assert (own["type"], own["seriesMasterId"], own["iCalUId"]) == ("singleInstance", None, second["iCalUId"])
    assert own["start"] == second["start"]
    assert bob.post(f"events/{own['id']}/accept", {}).status_code == 202
    got = json_of(alice.get(f"events/{second['id']}"))
    assert got["attendees"][0]["status"]["response"] == "accepted"
    assert json_of(alice.get(f"events/{made['id']}"))["attendees"] == []


def test_answering_one_occurrence(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee("bob@example.com")])
    (own,) = bob.events()
    second = occurrences(bob, own["id"])[1]
    assert bob.post(f"events/{second['id']}/decline", {}).status_code == 202
    assert len(days(bob, own["id"])) == 3
    answers = [one["attendees"][0]["status"]["response"] for one in occurrences(alice, made["id"])]
    assert answers == ["none", "declined", "none", "none"]


def test_an_attendees_series_follows_the_organizers(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee("bob@example.com")])
    (own,) = bob.events()
    second = occurrences(alice, made["id"])[1]["id"]
    alice.patch(f"events/{second}", {"subject": "Other"})
    alice.patch(f"events/{made['id']}", {"location": {"displayName": "B"}})
    assert {one["location"]["displayName"] for one in occurrences(bob, own["id"])} == {"B"}
    link = json_of(bob.get("calendarView/delta?startDateTime=2026-11-01&endDateTime=2027-01-01"))
    alice.patch(f"events/{made['id']}", {"recurrence": weekly(count=2)})
    assert [one["subject"] for one in occurrences(bob, own["id"])] == ["Plan", "Plan"]
    news = json_of(bob.get(link["@odata.deltaLink"]))["value"]
    assert len([one for one in news if "@removed" in one]) == 2
