"""Calendars, shares, settings, and what the control API does to mailboxes; state over a restart and under
threads.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from calsync_plugin.sandbox.outlook import Simulator, create_app
from calsync_plugin.sandbox.outlook.clock import MovableClock
from tests.contract.outlook.people import (
    IMMUTABLE,
    MARK,
    Person,
    attendee,
    code_of,
    event,
    json_of,
    member,
    weekly,
)

WINDOW = "startDateTime=2026-11-01&endDateTime=2027-02-01"


def test_calendars(alice: Person) -> None:
    made = json_of(alice.post("calendars", {"name": "Team", "color": "lightBlue"}))
    assert (made["isDefaultCalendar"], made["isRemovable"], made["canEdit"]) == (False, True, True)
    assert alice.post("calendars", {"name": "team"}).status_code == 409
    assert json_of(alice.patch(f"calendars/{made['id']}", {"name": "Crew"}))["name"] == "Crew"
    assert [one["name"] for one in json_of(alice.get("calendars"))["value"]] == ["Calendar", "Crew"]
    inside = json_of(alice.post(f"calendars/{made['id']}/events", event()))
    assert json_of(alice.get(f"events/{inside['id']}", expand="calendar"))["calendar"]["name"] == "Crew"
    assert alice.delete(f"calendars/{made['id']}").status_code == 204
    assert alice.get(f"events/{inside['id']}").status_code == 404
    assert alice.get(f"calendars/{made['id']}").status_code == 404
    default = json_of(alice.get("calendar"))
    assert alice.delete(f"calendars/{default['id']}").status_code == 403


@pytest.mark.parametrize(
    ("role", "reads", "writes", "subject"),
    [
        ("none", 403, 403, ""),
        ("freeBusyRead", 403, 403, ""),
        ("read", 200, 403, "Private Appointment"),
        ("write", 200, 201, "Private Appointment"),
        ("delegateWithPrivateEventAccess", 200, 201, "Secret"),
    ],
)
def test_a_shared_calendar(
    alice: Person, bob: Person, role: str, reads: int, writes: int, subject: str
) -> None:
    alice.create("Secret", sensitivity="private", attendees=[attendee("dave@contoso.example")])
    bob.post("/control/shares", {"owner": "alice@example.com", "to": "bob@example.com", "role": role})
    answer = bob.get("/v1.0/users/alice@example.com/calendar/events")
    assert answer.status_code == reads
    if reads == 200:
        assert [one["subject"] for one in json_of(answer)["value"]] == [subject]
    made = bob.post("/v1.0/users/alice@example.com/calendar/events", event("By Bob"))
    assert made.status_code == writes
    if writes == 201:
        body = json_of(made)
        assert (body["organizer"]["emailAddress"]["address"], body["isOrganizer"]) == (
            "alice@example.com",
            True,
        )


def test_an_added_calendar_has_ids_of_its_own(alice: Person, bob: Person) -> None:
    theirs = alice.create("Theirs")
    share = {"owner": "alice@example.com", "to": "bob@example.com", "role": "write", "add": True}
    local = json_of(bob.post("/control/shares", share))["id"]
    listed = json_of(bob.get("calendars"))["value"]
    assert [(one["name"], one["owner"]["address"], one["canShare"]) for one in listed] == [
        ("Calendar", "bob@example.com", True),
        ("Alice Able", "alice@example.com", False),
    ]
    (seen,) = json_of(bob.get(f"calendars/{local}/events"))["value"]
    assert seen["id"] != theirs["id"]
    assert bob.patch(f"events/{seen['id']}", {"subject": "Ours"}).status_code == 200
    assert json_of(alice.get(f"events/{theirs['id']}"))["subject"] == "Ours"
    assert bob.get(f"events/{theirs['id']}").status_code == 404
    immutable = json_of(bob.get(f"calendars/{local}/events", headers=IMMUTABLE))["value"][0]["id"]
    assert bob.get(f"events/{immutable}").status_code == 200
    delta = json_of(bob.get(f"calendars/{local}/calendarView/delta?{WINDOW}"))
    assert [one["id"] for one in delta["value"]] == [seen["id"]]
    assert bob.delete(f"calendars/{local}").status_code == 204
    assert bob.get(f"calendars/{local}/events").status_code == 404


@pytest.mark.parametrize(("role", "can_edit"), [("read", False), ("write", True)])
def test_what_may_be_done_in_an_added_calendar(alice: Person, bob: Person, role: str, can_edit: bool) -> None:
    share = {"owner": "alice@example.com", "to": "bob@example.com", "role": role, "add": True}
    local = json_of(bob.post("/control/shares", share))["id"]
    listed = {one["id"]: one for one in json_of(bob.get("calendars"))["value"]}
    assert (listed[local]["canEdit"], listed[local]["isTallyingResponses"]) == (can_edit, True)
    made = bob.post(f"calendars/{local}/events", event("By Bob"), headers=IMMUTABLE)
    assert made.status_code == (201 if can_edit else 403)
    if not can_edit:
        assert code_of(made) == "ErrorAccessDenied"
        return
    body = json_of(made)
    assert (body["organizer"]["emailAddress"]["address"], body["isOrganizer"]) == ("alice@example.com", True)
    got = json_of(bob.get(f"events/{body['id']}", expand="calendar"))
    assert got["calendar"] == {"id": local, "name": "Alice Able"}
    assert [one["subject"] for one in alice.events()] == ["By Bob"]
    assert alice.get(f"events/{body['id']}").status_code == 404, "the id is the delegate's"


@pytest.mark.parametrize(
    ("status", "code"), [(404, "ErrorItemNotFound"), (403, "ErrorAccessDenied")], ids=["404", "403"]
)
@pytest.mark.parametrize("how", ["the share is taken away", "the calendar is removed"])
def test_an_added_calendar_that_leads_nowhere(
    alice: Person, bob: Person, sim: Simulator, how: str, status: int, code: str
) -> None:
    sim.switches = sim.switches.changed({"lost_share_status": status})
    theirs = json_of(alice.post("calendars", {"name": "Team"}))["id"]
    inside = json_of(alice.post(f"calendars/{theirs}/events", event("Theirs")))
    share = {"owner": "alice@example.com", "calendar": theirs, "to": "bob@example.com", "role": "write"}
    local = json_of(bob.post("/control/shares", {**share, "add": True}))["id"]
    (seen,) = json_of(bob.get(f"calendars/{local}/events"))["value"]
    link = json_of(bob.get(f"calendars/{local}/calendarView/delta?{WINDOW}"))["@odata.deltaLink"]
    if how == "the calendar is removed":
        assert alice.delete(f"calendars/{theirs}").status_code == 204
        status, code = 404, "ErrorItemNotFound"
    else:
        bob.post("/control/shares", {**share, "role": "none"})
        assert json_of(alice.get(f"events/{inside['id']}"))["subject"] == "Theirs"
    paths = (
        link,
        f"calendars/{local}",
        f"calendars/{local}/events",
        f"calendars/{local}/events/{seen['id']}",
    )
    for answer in [bob.get(path) for path in paths]:
        assert (answer.status_code, code_of(answer)) == (status, code)
    assert bob.get(f"events/{seen['id']}").status_code == status
    assert [one["name"] for one in json_of(bob.get("calendars"))["value"]] == ["Calendar"]
    assert bob.delete(f"calendars/{local}").status_code == 204


def test_the_changes_of_a_removed_calendar(alice: Person) -> None:
    made = json_of(alice.post("calendars", {"name": "Team"}))["id"]
    inside = json_of(
        alice.post(f"calendars/{made}/events", event(recurrence=weekly(count=2)), headers=IMMUTABLE)
    )
    days = json_of(alice.get(f"events/{inside['id']}/instances?{WINDOW}", headers=IMMUTABLE))["value"]
    alice.patch(f"events/{days[1]['id']}", {"subject": "Other"})
    link = json_of(alice.get(f"calendars/{made}/calendarView/delta?{WINDOW}"))["@odata.deltaLink"]
    alice.delete(f"calendars/{made}")
    answer = alice.get(link)
    assert (answer.status_code, code_of(answer)) == (404, "ErrorItemNotFound")
    assert alice.get(f"calendars/{made}/calendarView/delta?{WINDOW}").status_code == 404
    for one in (inside, *days):
        assert alice.get(f"events/{one['id']}").status_code == 404


def test_settings(alice: Person) -> None:
    changed = json_of(
        alice.patch("mailboxSettings", {"timeZone": "Tokyo Standard Time", "timeFormat": "hh:mm"})
    )
    assert (changed["timeZone"], changed["timeFormat"]) == ("Tokyo Standard Time", "hh:mm")
    assert code_of(alice.patch("mailboxSettings", {"timeZone": "Mars"})) == "TimeZoneNotSupportedException"
    names = {one["alias"] for one in json_of(alice.get("outlook/supportedTimeZones"))["value"]}
    assert {"UTC", "W. Europe Standard Time"} <= names
    assert json_of(alice.get("", select="mail"))["mail"] == "alice@example.com"


def test_categories(alice: Person) -> None:
    made = json_of(alice.post("outlook/masterCategories", {"displayName": "CRM", "color": "preset3"}))
    assert alice.post("outlook/masterCategories", {"displayName": "crm"}).status_code == 409
    path = f"outlook/masterCategories/{made['id']}"
    assert json_of(alice.patch(path, {"color": "preset4"}))["color"] == "preset4"
    assert alice.delete(path).status_code == 204
    assert json_of(alice.get("outlook/masterCategories"))["value"] == []


def test_mailboxes_for_a_bench(alice: Person, sim: Simulator) -> None:
    found = json_of(alice.post("/control/mailboxes", {"count": 100, "prefix": "bench"}))["mailboxes"]
    assert len(found) == 104
    assert (
        alice.get(
            "/v1.0/me/events", headers={"Authorization": "Bearer sandbox:bench100@example.com"}
        ).status_code
        == 200
    )
    assert alice.post("/control/mailboxes", {"address": "x@elsewhere.example"}).status_code == 400


def test_reset(alice: Person, sim: Simulator) -> None:
    alice.create()
    alice.post("/control/faults", {"status": 500})
    alice._call("PUT", "/control/switches", {"enforce_if_match": False}, None)
    alice.post("/control/reset")
    assert alice.events() == []
    assert sim.switches.enforce_if_match


@pytest.mark.parametrize("body", [{"nonsense": 1}, {"enforce_if_match": "yes"}, {"throttle": 1}])
def test_wrong_switches_are_refused(alice: Person, body: dict[str, object]) -> None:
    assert alice._call("PUT", "/control/switches", body, None).status_code == 400


def test_the_clock_moves(alice: Person) -> None:
    alice.post("/control/clock/advance", {"seconds": 3600})
    assert json_of(alice.get("/control/clock"))["now"] == "2026-11-23T09:00:00.0000000Z"
    assert alice.create()["createdDateTime"] == "2026-11-23T09:00:00.0000000Z"


def test_state_survives_a_restart(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "data" / "outlook.json"
    first = create_app(clock=clock, data_file=path)
    alice, bob = Person(first, "alice@example.com"), Person(first, "bob@example.com")
    mark = [{"id": MARK, "value": "link-1"}]
    made = alice.create(
        recurrence=weekly(),
        attendees=[attendee("bob@example.com")],
        transactionId="t1",
        singleValueExtendedProperties=mark,
    )
    second = json_of(alice.get(f"events/{made['id']}/instances?{WINDOW}"))["value"][1]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    link = json_of(alice.get(f"calendarView/delta?{WINDOW}"))["@odata.deltaLink"]
    whole = json_of(alice.get(f"events/{made['id']}"))
    view = json_of(bob.get(f"calendarView?{WINDOW}"))
    first.extensions["outlook"].close()

    again = create_app(clock=clock, data_file=path)
    alice, bob = Person(again, "alice@example.com"), Person(again, "bob@example.com")
    assert json_of(alice.get(f"events/{made['id']}")) == whole
    assert json_of(bob.get(f"calendarView?{WINDOW}")) == view
    assert (
        alice.create(
            recurrence=weekly(),
            attendees=[attendee("bob@example.com")],
            transactionId="t1",
            singleValueExtendedProperties=mark,
        )["id"]
        == made["id"]
    )
    assert json_of(alice.get(link))["value"] == []
    assert (
        len(
            alice.events(
                filter=f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'link-1')"
            )
        )
        == 1
    )
    assert len(json_of(alice.get("/control/mails"))["mails"]) == 2
    assert alice.create("New")["id"] not in {made["id"], second["id"]}
    again.extensions["outlook"].close()


def test_days_that_are_gone_are_told_after_a_restart(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "outlook.json"
    first = create_app(clock=clock, data_file=path)
    alice = Person(first, "alice@example.com")
    made = alice.create(recurrence=weekly(count=3))
    days = json_of(alice.get(f"events/{made['id']}/instances?{WINDOW}"))["value"]
    alice.patch(f"events/{days[1]['id']}", {"subject": "Other"})
    link = json_of(alice.get(f"calendarView/delta?{WINDOW}"))["@odata.deltaLink"]
    alice.patch(f"events/{made['id']}", {"recurrence": weekly(count=1)})
    first.extensions["outlook"].close()
    again = create_app(clock=clock, data_file=path)
    told = json_of(Person(again, "alice@example.com").get(link))["value"]
    assert [one["id"] for one in told if "@removed" in one] == [days[1]["id"], days[2]["id"]]
    again.extensions["outlook"].close()


def _serving(path: Path, running: contextlib.ExitStack) -> tuple[subprocess.Popen[bytes], str]:
    """A simulator in a process of its own that answers, and where; it takes no port of anybody else."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        code = (
            "import pathlib; from calsync_plugin.sandbox.outlook import serve; "
            f"serve({port}, data_file=pathlib.Path({str(path)!r}), threads=2)"
        )
        process = running.enter_context(subprocess.Popen([sys.executable, "-c", code]))
        running.callback(process.kill)
        url = f"http://127.0.0.1:{port}"
        # Ended at once: somebody was faster to take the port.
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{url}/control/mails", timeout=60)
                return process, url
    raise AssertionError("no server came up")


def test_a_terminated_server_keeps_its_state(tmp_path: Path) -> None:
    path = tmp_path / "outlook.json"
    with contextlib.ExitStack() as running:
        process, url = _serving(path, running)
        header = {"Authorization": "Bearer sandbox:alice@example.com"}
        made = requests.post(f"{url}/v1.0/me/events", json=event("Kept"), headers=header, timeout=60)
        assert made.status_code == 201
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    again = create_app(data_file=path)
    assert [one["subject"] for one in Person(again, "alice@example.com").events()] == ["Kept"]


def test_threads_do_not_corrupt_the_state(sim: Simulator, alice: Person) -> None:
    """Eight threads create, answer and delete; afterwards every index says what the items say."""
    sim.switches = sim.switches.changed({"throttle": False})
    app = create_app()
    app.wsgi_app._sim = sim  # type: ignore[attr-defined]
    failures: list[str] = []

    def work(number: int) -> None:
        me, other = ("alice", "bob") if number % 2 else ("bob", "alice")
        host, guest = Person(app, f"{me}@example.com"), Person(app, f"{other}@example.com")
        for turn in range(15):
            body = event(
                f"{number}-{turn}", attendees=[attendee(guest.address)], transactionId=f"{number}-{turn}"
            )
            found = host.batch(
                member("1", "POST", "/me/events", body), member("2", "POST", "/me/events", body)
            )
            if {part["status"] for part in found.values()} != {201} or found["1"]["body"]["id"] != found["2"][
                "body"
            ]["id"]:
                failures.append(f"{found}")
            made = found["1"]["body"]
            (own,) = guest.events(filter=f"iCalUId eq '{made['iCalUId']}'")
            guest.post(f"events/{own['id']}/accept", {})
            if turn % 3 == 0:
                host.delete(f"events/{made['id']}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    for address in ("alice@example.com", "bob@example.com"):
        mailbox = sim.state.mailboxes[address]
        live = sorted(number for number, item in mailbox.items.items() if item.folder)
        assert mailbox.primary().order == live
        assert len(live) == 4 * 10 + 4 * 15
        assert set(mailbox.primary().changes) == {(number, 0) for number in mailbox.items}
        keys = list(mailbox.primary().changes.values())
        assert keys == sorted(keys)
        for number in live:
            item = mailbox.items[number]
            if item.is_organizer:
                assert item.attendees[0]["status"]["response"] == "accepted"
