"""getSchedule: how a question is split, and what the answers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.errors import CalsyncError, Forbidden, NotFound, Refused, Throttled, UnknownOutcome
from calsync_plugin.graph.schedules import (
    NO_TIMES,
    NOT_FOUND,
    NOT_HERE,
    NOT_SHOWN,
    TOO_MANY,
    Schedule,
    read_schedules,
    refusal,
    schedule_requests,
    together,
)

START = datetime(2026, 12, 1, tzinfo=UTC)
WORK = {
    "daysOfWeek": ["monday"],
    "startTime": "08:00:00",
    "endTime": "17:00:00",
    "timeZone": {"name": "UTC"},
}


def item(start: str, end: str, **more: Any) -> dict[str, Any]:
    times = {"start": {"dateTime": start, "timeZone": "UTC"}, "end": {"dateTime": end, "timeZone": "UTC"}}
    return {"status": "busy", **times, **more}


def test_one_request_asks_for_one_span_of_a_few_people() -> None:
    (request,) = schedule_requests(["Dave@x.example", "dave@X.example"], START, START + timedelta(days=62))
    assert (request.method, request.path, request.repeatable) == ("POST", "/me/calendar/getSchedule", True)
    assert request.body == {
        "schedules": ["dave@x.example"],
        "startTime": {"dateTime": "2026-12-01T00:00:00", "timeZone": "UTC"},
        "endTime": {"dateTime": "2027-02-01T00:00:00", "timeZone": "UTC"},
        "availabilityViewInterval": 60,
    }


@pytest.mark.parametrize(
    ("people", "days", "requests"),
    [
        pytest.param(20, 62, 1, id="both-at-their-limit"),
        pytest.param(21, 62, 2, id="one-person-more"),
        pytest.param(20, 63, 2, id="one-day-more"),
        pytest.param(45, 130, 9, id="both-beyond"),
        pytest.param(0, 5, 0, id="nobody"),
        pytest.param(3, 0, 0, id="no-time"),
    ],
)
def test_a_question_is_split(people: int, days: int, requests: int) -> None:
    addresses = [f"p{number}@x.example" for number in range(people)]
    found = schedule_requests(addresses, START, START + timedelta(days=days))
    assert len(found) == requests
    bodies = [request.body for request in found if request.body]
    assert all(len(body["schedules"]) <= 20 for body in bodies)  # type: ignore[arg-type]
    if days:
        assert {name for body in bodies for name in body["schedules"]} == set(addresses)  # type: ignore[union-attr]


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        schedule_requests(["a@x.example"], datetime(2026, 12, 1), datetime(2026, 12, 2))  # noqa: DTZ001


def test_an_answer_tells_times_and_hours_and_nothing_that_is_said() -> None:
    items = [
        item("2026-12-02T10:00:00.0000000", "2026-12-02T11:00:00.0000000", subject="secret", location="Bar"),
        item("2026-12-03T00:00:00", "2026-12-04T00:00:00", status="oof", isPrivate=True),
        item("2026-12-04T10:00:00", "2026-12-04T11:00:00", status="unknown"),
        item("nonsense", "2026-12-04T11:00:00"),
    ]
    value: Any = {"value": [{"scheduleId": "Dave@x.example", "scheduleItems": items, "workingHours": WORK}]}
    (found,) = read_schedules(value)
    assert found.address == "dave@x.example"
    assert [(block.end - block.start, block.show_as) for block in found.blocks] == [
        (3600, ShowAs.BUSY),
        (86400, ShowAs.OOF),
        (3600, ShowAs.BUSY),
    ]
    assert found.hours == {"days": [0], "start": "08:00", "end": "17:00", "zone": "UTC"}
    assert "secret" not in repr(found)


PROBLEMS = [
    pytest.param("ErrorMailRecipientNotFound", NOT_FOUND, id="unknown-address"),
    pytest.param("ErrorNoFreeBusyAccess", NOT_SHOWN, id="not-shown"),
    pytest.param("5006", TOO_MANY, id="too-many"),
    pytest.param("ErrorOdd", "Outlook could not tell (ErrorOdd)", id="another"),
    pytest.param("", "Outlook could not tell (no reason given)", id="no-code"),
]


@pytest.mark.parametrize(("code", "words"), PROBLEMS)
def test_why_nothing_is_known_is_said_in_words(code: str, words: str) -> None:
    error = {"message": "whatever it says", "responseCode": code}
    (found,) = read_schedules({"value": [{"scheduleId": "a@x.example", "error": error}]})
    assert found == Schedule(address="a@x.example", problem=words)


NOTHING = [item("nonsense", "2026-12-04T11:00:00")]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        pytest.param({"scheduleItems": [], "availabilityView": "0404"}, "", id="free"),
        pytest.param({"scheduleItems": []}, "", id="free-without-a-view"),
        pytest.param({"availabilityView": "0000"}, "", id="free-by-the-view-alone"),
        pytest.param({"scheduleItems": NOTHING, "availabilityView": "00"}, "", id="an-entry-that-is-free"),
        pytest.param({"availabilityView": "0200"}, NO_TIMES, id="busy-without-times"),
        pytest.param(
            {"scheduleItems": [], "availabilityView": "001"}, NO_TIMES, id="tentative-without-times"
        ),
        pytest.param({"scheduleItems": NOTHING, "availabilityView": "03"}, NO_TIMES, id="unreadable-times"),
        pytest.param({"scheduleItems": None}, NO_TIMES, id="nothing-is-told"),
    ],
)
def test_busy_times_that_are_not_told_are_not_free(told: dict[str, Any], problem: str) -> None:
    (found,) = read_schedules({"value": [{"scheduleId": "a@x.example", **told}]})
    assert found == Schedule(address="a@x.example", problem=problem)


def test_half_an_answer_is_none() -> None:
    one, other = (Block(id=name, start=0, end=60) for name in "ab")
    first = Schedule(address="a", blocks=(one,))
    second = Schedule(address="a", blocks=(one, other), hours={"zone": "UTC"})
    wrong = Schedule(address="a", problem=TOO_MANY)
    assert together([first, second]) == {
        "a": Schedule(address="a", blocks=(one, other), hours={"zone": "UTC"})
    }
    assert together([first, wrong, second]) == {"a": wrong}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(Forbidden("no", status=403), NOT_HERE, id="forbidden"),
        pytest.param(NotFound("no", status=404), NOT_HERE, id="no-such-thing"),
        pytest.param(Refused("no", item="x"), NOT_HERE, id="refused"),
        pytest.param(Throttled("later", status=429), "", id="later"),
    ],
)
def test_a_refusal_of_all_and_what_may_pass(error: CalsyncError, words: str) -> None:
    assert refusal(error) == words


def test_an_answer_without_a_list_says_nothing() -> None:
    with pytest.raises(UnknownOutcome):
        read_schedules({})
