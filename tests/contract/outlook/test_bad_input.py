"""Whatever a client sends, the simulator answers in Graph's envelope: nothing breaks it."""

from __future__ import annotations

import itertools
import random
from typing import Any
from urllib.parse import quote

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook.fields import READ_ONLY
from tests.contract.outlook.description import Recorder
from tests.contract.outlook.people import Json, Person, event, member

WRITABLE = (
    "subject body start end isAllDay location locations attendees importance sensitivity showAs isReminderOn "
    "reminderMinutesBeforeStart responseRequested allowNewTimeProposals hideAttendees categories recurrence "
    "isOnlineMeeting onlineMeetingProvider transactionId singleValueExtendedProperties"
)
PROPERTIES = [*sorted(READ_ONLY), *WRITABLE.split()]
JUNK: list[Any] = [
    None, -1, 2**40, 1.5, "", "\ud800", True, [], [None], [1], [[]], [{}], {}, {"x": 1}, {"dateTime": None},
    {"dateTime": "2026-11-24", "timeZone": 5}, [{"emailAddress": {"address": 5}}], [{"id": 5}],
    [{"id": "String 0x4001001E", "value": 5}], {"content": 5}, {"pattern": {}, "range": {}},
    {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "recurrenceTimeZone": 5}},
    {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [5]}, "range": {"type": "noEnd"}},
]  # fmt: skip
WORDS = [
    "(",
    ")",
    "'",
    "eq",
    "ne",
    "and",
    "or",
    "not",
    "subject",
    "start/dateTime",
    "'x'",
    "5",
    "true",
    "contains",
    "startswith",
    ",",
    "iCalUId",
    "null",
    "cast",
    "isAllDay",
    "singleValueExtendedProperties/Any",
    "ep:",
    "ep/id",
    "ep/value",
    "2026-01-01",
]


@pytest.fixture(autouse=True)
def unlimited(sim: Simulator, recorder: Recorder) -> None:
    sim.switches = sim.switches.changed({"throttle": False})
    recorder.judge_requests = False


@pytest.mark.parametrize("name", PROPERTIES)
def test_properties(alice: Person, name: str) -> None:
    made = alice.create()
    for junk in JUNK:
        assert alice.post("events", {**event(), name: junk}).status_code in {201, 400}
        assert alice.patch(f"events/{made['id']}", {name: junk}).status_code in {200, 400}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("events/{}/decline", ["comment", "sendResponse", "proposedNewTime"]),
        ("events/{}/forward", ["toRecipients", "comment"]),
        ("events/{}/snoozeReminder", ["newReminderTime"]),
        ("events/{}/extensions", ["extensionName"]),
        ("calendar/getSchedule", ["schedules", "startTime", "endTime", "availabilityViewInterval"]),
        ("translateExchangeIds", ["inputIds", "targetIdType", "sourceIdType"]),
        ("calendars", ["name", "color"]),
        ("outlook/masterCategories", ["displayName", "color"]),
        ("/v1.0/subscriptions", ["changeType", "notificationUrl", "resource", "expirationDateTime"]),
        ("/v1.0/$batch", ["requests"]),
    ],
)
def test_bodies_of_actions(alice: Person, path: str, names: list[str]) -> None:
    made = alice.create()
    for name, junk in itertools.product(names, JUNK):
        for body in ({name: junk}, junk):
            assert alice.post(path.format(made["id"]), body).status_code < 500


@pytest.mark.parametrize("name", ["id", "method", "url", "headers", "body", "dependsOn"])
def test_members_of_batches(alice: Person, name: str) -> None:
    for junk in JUNK:
        request: Json = {**member("1", "GET", "/me"), name: junk}
        assert alice.post("/v1.0/$batch", {"requests": [request]}).status_code in {200, 400}


def test_filters(alice: Person) -> None:
    alice.create()
    chooser = random.Random(1)
    for _ in range(300):
        clause = " ".join(chooser.choice(WORDS) for _ in range(chooser.randint(1, 9)))
        assert alice.get("events", filter=clause).status_code in {200, 400}


@pytest.mark.parametrize(
    "name", ["$top", "$skip", "$orderby", "$expand", "$count", "$skiptoken", "$deltatoken"]
)
def test_options(alice: Person, name: str) -> None:
    window = "startDateTime=2026-01-01&endDateTime=2026-02-01"
    for path, value in itertools.product(
        ("events", f"calendarView?{window}", f"calendarView/delta?{window}"),
        ("", "x", "-1", "9" * 30, "(", "id desc", "a,b", "bnVsbA", "W10", "eyJhIjoxfQ", "²"),
    ):
        joined = f"{path}{'&' if '?' in path else '?'}{name}={quote(value)}"
        assert alice.get(joined).status_code < 500


@pytest.mark.parametrize(
    "prefer", ['outlook.timezone="', "outlook.timezone=", "odata.maxpagesize=²", '"', "=,="]
)
def test_preferences(alice: Person, prefer: str) -> None:
    assert alice.get("events", headers={"Prefer": prefer.encode().decode("latin-1")}).status_code in {
        200,
        400,
    }


@pytest.mark.parametrize(
    "path", ["faults", "clock/advance", "mailboxes", "shares", "tokens/revoke", "lifecycle"]
)
def test_the_control_api(alice: Person, path: str) -> None:
    names = ("status", "match", "times", "seconds", "count", "address", "owner", "event")
    for name, junk in itertools.product(names, [None, -1, 2**70, "x", [], [1], {"x": 1}]):
        if name != "count":
            assert alice.post(f"/control/{path}", {name: junk}).status_code in {200, 400}
        alice.delete("/control/faults")
