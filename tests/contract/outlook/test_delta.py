"""calendarView/delta with its traps: skeletal occurrences, @removed as a hint, repeats, empty pages, expired
cursors.
"""

from __future__ import annotations

import time

import pytest

from calsync_plugin.sandbox.outlook import Simulator, writes
from tests.contract.outlook.people import IMMUTABLE, Json, Person, code_of, event, json_of, weekly

WINDOW = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2026-12-10T00:00:00Z"
FIRST = f"calendarView/delta?{WINDOW}"


def round_of(
    person: Person, link: str, *, size: int = 50, headers: dict[str, str] | None = None
) -> tuple[list[Json], str, int]:
    """Return the items of a whole round, its delta link, and the number of pages."""
    items: list[Json] = []
    sent = {"Prefer": f"odata.maxpagesize={size}" + (", " + headers["Prefer"] if headers else "")}
    for pages in range(1, 100):
        body = json_of(person.get(link, headers=sent))
        items += body["value"]
        if "@odata.deltaLink" in body:
            assert "@odata.nextLink" not in body
            return items, body["@odata.deltaLink"], pages
        link = body["@odata.nextLink"]
    raise AssertionError("the round does not end")


def removed(items: list[Json]) -> list[str]:
    return [one["id"] for one in items if one.get("@removed") == {"reason": "deleted"}]


def test_a_first_round_then_only_changes(alice: Person) -> None:
    made = [alice.create(f"{number}") for number in range(5)]
    items, link, pages = round_of(alice, FIRST, size=2)
    assert [one["subject"] for one in items] == ["0", "1", "2", "3", "4"]
    assert pages == 3
    assert round_of(alice, link)[0] == []
    alice.patch(f"events/{made[1]['id']}", {"subject": "new"})
    alice.delete(f"events/{made[2]['id']}")
    late = alice.create("5", transactionId="t")
    items, link, _ = round_of(alice, link)
    assert {one["id"]: one.get("subject") for one in items} == {
        made[1]["id"]: "new",
        made[2]["id"]: None,
        late["id"]: "5",
    }
    assert removed(items) == [made[2]["id"]]
    assert {one["id"]: one.get("transactionId") for one in items}[late["id"]] == "t"
    assert round_of(alice, link)[0] == []


def test_whatever_happens_outside_the_window_says_removed(alice: Person) -> None:
    inside = alice.create("in")
    _, link, _ = round_of(alice, FIRST)
    outside = alice.create("out", day="2027-03-01")
    moved = {name: value for name, value in event(day="2027-03-02").items() if name in {"start", "end"}}
    alice.patch(f"events/{inside['id']}", moved)
    items, link, _ = round_of(alice, link)
    assert sorted(removed(items)) == sorted([inside["id"], outside["id"]])
    assert alice.get(f"events/{inside['id']}").status_code == 200
    alice.patch(f"events/{outside['id']}", {"subject": "x"})
    items, link, _ = round_of(alice, link)
    assert removed(items) == [outside["id"]]


def test_occurrences_are_skeletal(alice: Person) -> None:
    master = alice.create(recurrence=weekly(count=2))
    second = json_of(alice.get(f"events/{master['id']}/instances?{WINDOW}"))["value"][1]
    items, link, _ = round_of(alice, FIRST)
    assert [one["type"] for one in items] == ["seriesMaster", "occurrence", "occurrence"]
    assert set(items[1]) == {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    assert items[1]["seriesMasterId"] == master["id"]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    items, link, _ = round_of(alice, link)
    assert [(one["type"], one["subject"], one["id"]) for one in items] == [
        ("exception", "Other", second["id"])
    ]
    alice.patch(f"events/{master['id']}", {"subject": "All"})
    items, _, _ = round_of(alice, link)
    assert [one["type"] for one in items] == ["seriesMaster", "occurrence", "exception"]


@pytest.mark.parametrize("told", [True, False])
def test_a_deleted_occurrence(alice: Person, sim: Simulator, told: bool) -> None:
    sim.switches = sim.switches.changed({"removed_for_deleted_occurrence": told})
    master = alice.create(recurrence=weekly(count=2))
    second = json_of(alice.get(f"events/{master['id']}/instances?{WINDOW}"))["value"][1]
    _, link, _ = round_of(alice, FIRST)
    alice.delete(f"events/{second['id']}")
    items, _, _ = round_of(alice, link)
    assert removed(items) == ([second["id"]] if told else [])


def test_a_shorter_series_removes_its_days(alice: Person) -> None:
    master = alice.create(recurrence=weekly(count=3))
    days = json_of(alice.get(f"events/{master['id']}/instances?{WINDOW}"))["value"]
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{master['id']}", {"recurrence": weekly(count=1)})
    items, _, _ = round_of(alice, link)
    assert removed(items) == [days[1]["id"], days[2]["id"]]
    assert [one["type"] for one in items if "@removed" not in one] == ["seriesMaster", "occurrence"]


def test_a_deleted_series(alice: Person) -> None:
    master = alice.create(recurrence=weekly(count=2))
    _, link, _ = round_of(alice, FIRST)
    alice.delete(f"events/{master['id']}")
    items, _, _ = round_of(alice, link)
    assert len(removed(items)) == len(items) == 3
    assert master["id"] in removed(items)


def test_a_change_while_a_round_runs_is_told_in_the_next(alice: Person) -> None:
    made = [alice.create(f"{number}") for number in range(4)]
    body = json_of(alice.get(FIRST, headers={"Prefer": "odata.maxpagesize=2"}))
    alice.patch(f"events/{made[0]['id']}", {"subject": "new"})
    alice.delete(f"events/{made[3]['id']}")
    items, link, _ = round_of(alice, body["@odata.nextLink"], size=2)
    assert [one["subject"] for one in items] == ["2"]
    items, _, _ = round_of(alice, link)
    assert {one["id"] for one in items} == {made[0]["id"], made[3]["id"]}


def test_immutable_ids_and_zone(alice: Person) -> None:
    made = alice.create(headers=IMMUTABLE)
    prefer = {"Prefer": IMMUTABLE["Prefer"] + ', outlook.timezone="Tokyo Standard Time"'}
    items, link, _ = round_of(alice, FIRST, headers=prefer)
    assert (items[0]["id"], items[0]["start"]["timeZone"]) == (made["id"], "Tokyo Standard Time")
    alice.delete(f"events/{made['id']}")
    assert removed(round_of(alice, link, headers=prefer)[0]) == [made["id"]]


def test_each_calendar_has_its_own_changes(alice: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))
    made = alice.create(headers=IMMUTABLE)
    default = json_of(alice.get(f"events/{made['id']}"))["id"]
    _, here, _ = round_of(alice, FIRST)
    _, there, _ = round_of(alice, f"calendars/{other['id']}/{FIRST}")
    alice.post(
        "/control/mailboxes/alice@example.com/events/move", {"id": made["id"], "calendar": other["id"]}
    )
    assert removed(round_of(alice, here)[0]) == [default]
    items, _, _ = round_of(alice, there)
    assert [one["subject"] for one in items] == ["Plan"]
    assert (
        alice.get(here.replace("/me/calendarView", f"/me/calendars/{other['id']}/calendarView")).status_code
        == 400
    )


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (410, "", "SyncStateNotFound"),
        (400, "", "syncStateNotFound"),
        (404, "", "syncStateNotFound"),
        (400, "SYNCSTATENOTFOUND", "SYNCSTATENOTFOUND"),
        (410, "resyncRequired", "resyncRequired"),
    ],
)
@pytest.mark.usefixtures("loose_requests")
def test_an_expired_cursor(alice: Person, sim: Simulator, status: int, code: str, expected: str) -> None:
    sim.switches = sim.switches.changed({"expired_cursor_status": status, "expired_cursor_code": code})
    alice.create()
    _, link, _ = round_of(alice, FIRST)
    alice.post("/control/cursors/expire")
    answer = alice.get(link)
    assert (answer.status_code, code_of(answer)) == (status, expected)
    assert ("Location" in answer.headers) is (status == 410)
    again = answer.headers["Location"] if status == 410 else FIRST
    items, link, _ = round_of(alice, again)
    assert len(items) == 1, "a full round begins"
    assert alice.get(link).status_code == 200


def test_a_cursor_may_expire_within_a_round(alice: Person) -> None:
    for number in range(3):
        alice.create(f"{number}")
    body = json_of(alice.get(FIRST, headers={"Prefer": "odata.maxpagesize=2"}))
    alice.post("/control/cursors/expire")
    assert alice.get(body["@odata.nextLink"]).status_code == 410


def test_a_page_that_is_asked_for_again_is_the_same_page(alice: Person) -> None:
    made = [alice.create(f"{number}") for number in range(6)]
    alice.create(recurrence=weekly(count=2))
    page = {"Prefer": "odata.maxpagesize=3"}
    body = json_of(alice.get(FIRST, headers=page))
    link = body["@odata.nextLink"]
    second = json_of(alice.get(link, headers=page))
    assert json_of(alice.get(link, headers=page)) == second
    # What happens meanwhile moves no page: a key that is gone is left out, nothing slides in.
    alice.delete(f"events/{made[1]['id']}")
    alice.delete(f"events/{made[4]['id']}")
    alice.create("late")
    subjects = [one["subject"] for one in json_of(alice.get(link, headers=page))["value"]]
    assert subjects == ["3", "5"]
    last = json_of(alice.get(second["@odata.nextLink"], headers=page))
    assert [one["type"] for one in last["value"]] == ["seriesMaster", "occurrence", "occurrence"]
    items, _, _ = round_of(alice, last["@odata.deltaLink"])
    assert set(removed(items)) == {made[1]["id"], made[4]["id"]}
    assert [one["subject"] for one in items if "@removed" not in one] == ["late"]


def test_a_delta_link_that_is_asked_again_tells_the_same(alice: Person) -> None:
    _, link, _ = round_of(alice, FIRST)
    made = alice.create()
    assert [one["id"] for one in round_of(alice, link)[0]] == [made["id"]]
    assert [one["id"] for one in round_of(alice, link)[0]] == [made["id"]]


@pytest.mark.parametrize(("limit", "expected"), [(1000, 1), (2, 3)])
def test_a_page_may_be_smaller_than_was_asked_for(
    alice: Person, sim: Simulator, limit: int, expected: int
) -> None:
    sim.switches = sim.switches.changed({"delta_page_limit": limit})
    for number in range(5):
        alice.create(f"{number}")
    items, _, pages = round_of(alice, FIRST, size=5)
    assert (len(items), pages) == (5, expected)


def test_the_order_is_not_to_be_relied_on(alice: Person, sim: Simulator) -> None:
    sim.switches = sim.switches.changed({"delta_newest_first": True})
    alice.create("first")
    alice.create(recurrence=weekly(count=2))
    alice.create("last")
    items, link, pages = round_of(alice, FIRST, size=2)
    assert pages == 3
    assert [one.get("subject", one["type"]) for one in items] == [
        "last",
        "occurrence",
        "occurrence",
        "Plan",
        "first",
    ]
    sim.switches = sim.switches.changed({"delta_newest_first": False})
    alice.create("A")
    alice.create("B")
    assert [one["subject"] for one in round_of(alice, link, size=1)[0]] == ["A", "B"]


def test_items_may_repeat_and_pages_be_empty(alice: Person, sim: Simulator) -> None:
    sim.switches = sim.switches.changed({"delta_repeats_items": True, "delta_empty_pages": True})
    for number in range(3):
        alice.create(f"{number}")
    first = json_of(alice.get(FIRST))
    assert first["value"] == []
    items, _, pages = round_of(alice, FIRST, size=2)
    assert [one["subject"] for one in items] == ["0", "1", "0", "1", "2", "2"]
    assert pages == 4, "an empty page before each of the two"


def test_an_item_may_repeat_as_removed_on_the_next_page(alice: Person, sim: Simulator) -> None:
    sim.switches = sim.switches.changed({"delta_repeats_items": True})
    made = [alice.create(f"{number}") for number in range(3)]
    body = json_of(alice.get(FIRST, headers={"Prefer": "odata.maxpagesize=2"}))
    assert [one["id"] for one in body["value"]] == [made[0]["id"], made[1]["id"], made[0]["id"]]
    alice.delete(f"events/{made[1]['id']}")
    items, _, _ = round_of(alice, body["@odata.nextLink"], size=2)
    assert removed(items) == [made[1]["id"]]


@pytest.mark.parametrize(
    "option",
    [
        "$select=subject",
        "$filter=subject eq 'x'",
        "$expand=calendar",
        "$orderby=subject",
        "$top=5",
        "$search=x",
    ],
)
@pytest.mark.usefixtures("loose_requests")
def test_options_that_delta_does_not_know(alice: Person, option: str) -> None:
    assert alice.get(f"{FIRST}&{option}").status_code == 400


@pytest.mark.parametrize("token", ["x", "e30", "bm9uc2Vuc2U"])
def test_a_token_that_is_none(alice: Person, token: str) -> None:
    answer = alice.get(f"calendarView/delta?$deltatoken={token}")
    assert (answer.status_code, code_of(answer)) == (400, "SyncStateInvalid")


def test_delta_needs_a_window(alice: Person) -> None:
    assert alice.get("calendarView/delta").status_code == 400


def test_spelling_with_brackets(alice: Person) -> None:
    alice.create()
    assert len(round_of(alice, f"calendarView/delta()?{WINDOW}")[0]) == 1
    assert len(round_of(alice, f"calendar/calendarView/delta?{WINDOW}")[0]) == 1


class Counted(dict[tuple[int, int], int]):
    """The changes of a calendar; counts how many of them were looked at."""

    looks = 0

    def __getitem__(self, key: tuple[int, int]) -> int:
        self.looks += 1
        return super().__getitem__(key)


def test_ten_thousand_events_cost_little_each_and_a_change_among_them_too(
    alice: Person, sim: Simulator
) -> None:
    with sim.state.lock:
        for number in range(10_000):
            alice_create(sim, f"{number}")
    began = time.process_time()
    items, link, pages = round_of(alice, FIRST, size=200)
    assert (len(items), pages) == (10_000, 50)
    assert time.process_time() - began < 10, "a millisecond for each"
    calendar = sim.state.mailboxes["alice@example.com"].primary()
    calendar.changes = Counted(calendar.changes)
    alice.create("one more")
    assert len(round_of(alice, link)[0]) == 1
    assert calendar.changes.looks < 10, "what did not change is not looked at"


def alice_create(sim: Simulator, subject: str) -> None:
    mailbox = sim.state.mailboxes["alice@example.com"]
    writes.create(sim, mailbox, mailbox.primary(), event(subject))
