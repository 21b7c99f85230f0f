"""What becomes of a series that is changed: its days, its exceptions, the copies of its attendees, and what
delta says of all that.
"""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import IMMUTABLE, Json, Person, attendee, code_of, event, json_of, weekly
from tests.contract.outlook.test_delta import FIRST, removed, round_of

YEARS = "startDateTime=2026-01-01&endDateTime=2029-01-01&$top=1000"
BOB = "bob@example.com"


def found(person: Person, identity: str) -> list[Json]:
    return list(json_of(person.get(f"events/{identity}/instances?{YEARS}"))["value"])


def starts(person: Person, identity: str) -> list[str]:
    """Return when each occurrence begins, in UTC to the minute."""
    return [one["start"]["dateTime"][:16] for one in found(person, identity)]


def times(day: str, hour: int) -> Json:
    whole = event(day=day, hour=hour)
    return {"start": whole["start"], "end": whole["end"]}


def until(last: str) -> Json:
    rule = weekly()
    return {**rule, "range": {"type": "endDate", "startDate": "2026-11-24", "endDate": last}}


@pytest.fixture(params=[True, False], ids=["exceptions are dropped", "exceptions are kept"])
def drops(request: pytest.FixtureRequest, sim: Simulator) -> bool:
    sim.switches = sim.switches.changed({"recurrence_change_drops_exceptions": request.param})
    return bool(request.param)


def test_the_whole_series_moves_by_an_hour(alice: Person) -> None:
    made = alice.create(recurrence=weekly(count=3))
    before = found(alice, made["id"])
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{made['id']}", times("2026-11-24", 11))
    after = found(alice, made["id"])
    assert [one["start"]["dateTime"][:16] for one in after] == [
        "2026-11-24T10:00",
        "2026-12-01T10:00",
        "2026-12-08T10:00",
    ]
    assert [one["originalStart"] for one in after] == [one["start"]["dateTime"][:19] + "Z" for one in after]
    assert [one["id"] for one in after] == [one["id"] for one in before]
    assert {one["changeKey"] for one in after}.isdisjoint(one["changeKey"] for one in before)
    items, _, _ = round_of(alice, link)
    assert [one["type"] for one in items] == ["seriesMaster", "occurrence", "occurrence", "occurrence"]
    assert [one["start"]["dateTime"][11:13] for one in items] == ["10"] * 4


def test_the_whole_series_moves_with_its_exceptions(alice: Person, drops: bool) -> None:
    made = alice.create(recurrence=weekly(count=4))
    _, second, third, fourth = found(alice, made["id"])
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    alice.patch(f"events/{third['id']}", times("2026-12-09", 15))
    alice.delete(f"events/{fourth['id']}")
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{made['id']}", times("2026-11-24", 11))
    expected = [("Plan", "2026-11-24T10:00"), ("Plan", "2026-12-01T10:00"), ("Plan", "2026-12-08T10:00")]
    if drops:
        expected.append(("Plan", "2026-12-15T10:00"))
    else:
        expected[1:] = [("Other", "2026-12-01T10:00"), ("Plan", "2026-12-09T14:00")]
    assert [(one["subject"], one["start"]["dateTime"][:16]) for one in found(alice, made["id"])] == expected
    assert [one["originalStart"][:16] for one in found(alice, made["id"])] == [
        f"{day}T10:00" for day in ("2026-11-24", "2026-12-01", "2026-12-08", "2026-12-15")[: len(expected)]
    ]
    told = {one["id"]: one["type"] for one in round_of(alice, link)[0]}
    assert told[second["id"]] == ("occurrence" if drops else "exception")


def test_a_series_moves_to_another_day(alice: Person) -> None:
    made = alice.create(recurrence=weekly(count=2))
    before = found(alice, made["id"])
    _, link, _ = round_of(alice, FIRST)
    rule = weekly(count=2, start="2026-11-25", daysOfWeek=["wednesday"])
    alice.patch(f"events/{made['id']}", {**times("2026-11-25", 10), "recurrence": rule})
    assert starts(alice, made["id"]) == ["2026-11-25T09:00", "2026-12-02T09:00"]
    items, _, _ = round_of(alice, link)
    assert sorted(removed(items)) == sorted(one["id"] for one in before)
    assert [one["type"] for one in items if "@removed" not in one] == [
        "seriesMaster",
        "occurrence",
        "occurrence",
    ]


def test_a_start_behind_the_end_of_the_range(alice: Person) -> None:
    made = alice.create(recurrence=until("2026-12-08"))
    answer = alice.patch(f"events/{made['id']}", times("2026-12-15", 10))
    assert (answer.status_code, code_of(answer)) == (400, "ErrorPropertyValidationFailure")
    assert len(starts(alice, made["id"])) == 3


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        pytest.param(weekly(count=2), ["2026-11-24", "2026-12-01"], id="shorter"),
        pytest.param(until("2026-12-02"), ["2026-11-24", "2026-12-01"], id="ends earlier"),
        pytest.param(
            weekly(count=5),
            ["2026-11-24", "2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22"],
            id="longer",
        ),
        pytest.param(
            weekly(count=3, interval=2), ["2026-11-24", "2026-12-08", "2026-12-22"], id="another pattern"
        ),
    ],
)
def test_a_changed_recurrence(alice: Person, drops: bool, rule: Json, days: list[str]) -> None:
    made = alice.create(recurrence=weekly(count=3))
    before = {one["id"]: one["start"]["dateTime"][:10] for one in found(alice, made["id"])}
    second = list(before)[1]
    alice.patch(f"events/{second}", {"subject": "Other"})
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{made['id']}", {"recurrence": rule})
    after = found(alice, made["id"])
    kept = days if drops else sorted({*days, "2026-12-01"})
    assert [one["start"]["dateTime"][:10] for one in after] == kept
    assert ("Other" in {one["subject"] for one in after}) is not drops
    items, _, _ = round_of(alice, link)
    assert set(removed(items)) == before.keys() - {one["id"] for one in after}


def test_this_and_following(alice: Person, bob: Person) -> None:
    """Outlook ends the series before that day, and makes another series of what follows."""
    made = alice.create(recurrence=weekly(count=4), attendees=[attendee(BOB)])
    days = found(alice, made["id"])
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{made['id']}", {"recurrence": until("2026-12-01")})
    rest = weekly(count=2, start="2026-12-08")
    other = alice.create("Plan", day="2026-12-08", hour=14, recurrence=rest, attendees=[attendee(BOB)])
    assert other["iCalUId"] != made["iCalUId"]
    items, _, _ = round_of(alice, link)
    assert removed(items) == [days[2]["id"]], "the fourth lies outside the window"
    assert [one["type"] for one in items if "@removed" not in one].count("seriesMaster") == 2
    assert [(one["iCalUId"], len(found(bob, one["id"]))) for one in bob.events()] == [
        (made["iCalUId"], 2),
        (other["iCalUId"], 2),
    ]


def test_a_series_of_many_years_that_ends(alice: Person) -> None:
    """Its days lie far from its start, and are said to be removed all the same."""
    rule: Json = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
        "range": {"type": "noEnd", "startDate": "2011-11-22"},
    }
    made = alice.create(day="2011-11-22", recurrence=rule)
    items, link, _ = round_of(alice, FIRST)
    days = [one["id"] for one in items if one["type"] == "occurrence"]
    assert len(days) == 6, "only the days in the window are told"
    ended = {**rule, "range": {"type": "endDate", "startDate": "2011-11-22", "endDate": "2026-11-10"}}
    alice.patch(f"events/{made['id']}", {"recurrence": ended})
    items, link, _ = round_of(alice, link)
    assert sorted(removed(items)) == sorted(days[2:])
    alice.patch(
        f"events/{made['id']}", {"recurrence": {**rule, "range": {**ended["range"], "endDate": "2012-01-01"}}}
    )
    items, _, _ = round_of(alice, link)
    assert sorted(removed(items)) == sorted([made["id"], *days[:2]])


def test_days_of_two_changes_between_two_rounds(alice: Person) -> None:
    made = alice.create(recurrence=weekly(count=3))
    before = found(alice, made["id"])
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{made['id']}", {"recurrence": weekly(count=2)})
    alice.patch(f"events/{made['id']}", {"recurrence": weekly(count=1)})
    items, link, _ = round_of(alice, link)
    assert sorted(removed(items)) == sorted(one["id"] for one in before[1:])
    alice.patch(f"events/{made['id']}", {"subject": "New"})
    assert removed(round_of(alice, link)[0]) == [], "once is enough"


def test_a_series_that_becomes_a_single_event(alice: Person) -> None:
    made = alice.create(recurrence=weekly(count=3))
    before = found(alice, made["id"])
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{made['id']}", {"recurrence": None})
    items, _, _ = round_of(alice, link)
    assert sorted(removed(items)) == sorted(one["id"] for one in before)
    assert [one["id"] for one in items if "@removed" not in one] == [made["id"]]


@pytest.mark.parametrize("named", [True, False])
def test_a_series_that_is_gone(alice: Person, sim: Simulator, named: bool) -> None:
    sim.switches = sim.switches.changed({"removed_series_names_occurrences": named})
    made = alice.create(recurrence=weekly(count=2))
    _, link, _ = round_of(alice, FIRST)
    alice.delete(f"events/{made['id']}")
    items, _, _ = round_of(alice, link)
    assert removed(items)[0] == made["id"]
    assert len(items) == (3 if named else 1)


def test_an_exception_that_leaves_the_window_and_one_that_enters(alice: Person) -> None:
    rule = weekly(count=2, interval=2, daysOfWeek=["wednesday"])
    made = alice.create(
        day="2026-11-25", recurrence={**rule, "range": {**rule["range"], "startDate": "2026-11-25"}}
    )
    first, second = found(alice, made["id"])
    _, link, _ = round_of(alice, FIRST)
    alice.patch(f"events/{second['id']}", times("2026-12-14", 10))
    items, link, _ = round_of(alice, link)
    assert removed(items) == [second["id"]]
    alice.patch(f"events/{second['id']}", times("2026-12-03", 10))
    items, link, _ = round_of(alice, link)
    assert [(one["id"], one["type"]) for one in items] == [(second["id"], "exception")]
    assert first["id"] not in {one["id"] for one in items}


def test_daylight_saving_ends_within_a_series(alice: Person) -> None:
    rule = weekly(start="2027-10-26", count=2)
    made = alice.create(day="2027-10-26", recurrence=rule)
    assert starts(alice, made["id"]) == ["2027-10-26T08:00", "2027-11-02T09:00"]
    local = json_of(
        alice.get(
            f"events/{made['id']}/instances?{YEARS}",
            headers={"Prefer": 'outlook.timezone="W. Europe Standard Time"'},
        )
    )["value"]
    assert [one["start"]["dateTime"][11:16] for one in local] == ["10:00", "10:00"]
    assert [one["originalStart"] for one in local] == ["2027-10-26T08:00:00Z", "2027-11-02T09:00:00Z"]


# Attendees


def test_one_series_in_two_mailboxes(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee(BOB)])
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", times("2026-12-02", 15))
    (own,) = bob.events()
    assert own["iCalUId"] == made["iCalUId"]
    assert own["id"] != made["id"]
    mine, theirs = found(alice, made["id"]), found(bob, own["id"])
    assert {one["id"] for one in mine}.isdisjoint(one["id"] for one in theirs)
    for name in ("originalStart", "iCalUId", "start", "type"):
        assert [one[name] for one in mine] == [one[name] for one in theirs]


@pytest.mark.parametrize("shared", [False, True])
def test_the_icaluid_of_occurrences(alice: Person, sim: Simulator, shared: bool) -> None:
    sim.switches = sim.switches.changed({"occurrences_share_icaluid": shared})
    made = alice.create(recurrence=weekly())
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    uids = {one["iCalUId"] for one in found(alice, made["id"])}
    assert (uids == {made["iCalUId"]}) is shared
    assert len(uids) == (1 if shared else 4)
    assert json_of(alice.get(f"events/{made['id']}"))["iCalUId"] == made["iCalUId"]
    told = [one for one in round_of(alice, FIRST)[0] if one["type"] == "exception"]
    assert (told[0]["iCalUId"] == made["iCalUId"]) is shared
    assert [one["id"] for one in alice.events(filter=f"iCalUId eq '{made['iCalUId']}'")] == [made["id"]]


@pytest.mark.parametrize("names", [False, True])
def test_invited_to_one_occurrence_alone(alice: Person, bob: Person, sim: Simulator, names: bool) -> None:
    sim.switches = sim.switches.changed({"lone_occurrence_names_master": names})
    made = alice.create(recurrence=weekly())
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"attendees": [attendee(BOB)]})
    (own,) = bob.events()
    assert own["type"] == ("exception" if names else "singleInstance")
    assert ("originalStart" in own) is names
    (told,) = round_of(bob, FIRST)[0]
    assert (told["id"], told["type"]) == (own["id"], own["type"])
    if names:
        assert own["originalStart"] == second["originalStart"]
        answer = bob.get(f"events/{own['seriesMasterId']}")
        assert (answer.status_code, code_of(answer)) == (404, "ErrorItemNotFound")
    else:
        assert own["seriesMasterId"] is None
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    (own,) = bob.events()
    assert (own["subject"], own["type"]) == ("Other", "exception" if names else "singleInstance")
    assert bob.post(f"events/{own['id']}/accept", {}).status_code == 202
    assert json_of(alice.get(f"events/{second['id']}"))["attendees"][0]["status"]["response"] == "accepted"
    alice.delete(f"events/{second['id']}")
    assert [one["isCancelled"] for one in bob.events()] == [True]


@pytest.mark.parametrize("absorbs", [True, False])
def test_invited_to_one_occurrence_and_then_to_the_series(
    alice: Person, bob: Person, sim: Simulator, absorbs: bool
) -> None:
    sim.switches = sim.switches.changed({"series_absorbs_lone_occurrence": absorbs})
    made = alice.create(recurrence=weekly())
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"attendees": [attendee(BOB)], "subject": "Other"})
    _, link, _ = round_of(bob, FIRST)
    (lone,) = bob.events()
    alice.patch(f"events/{made['id']}", {"attendees": [attendee(BOB)]})
    kinds = [one["type"] for one in bob.events()]
    assert kinds == (["seriesMaster"] if absorbs else ["singleInstance", "seriesMaster"])
    items, _, _ = round_of(bob, link)
    assert (lone["id"] in removed(items)) is absorbs
    series = next(one for one in bob.events() if one["type"] == "seriesMaster")
    assert [one["subject"] for one in found(bob, series["id"])] == (
        ["Plan", "Other", "Plan", "Plan"] if absorbs else ["Plan"] * 4
    )


def test_who_is_added_later_gets_the_exceptions_too(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly())
    second, third = found(alice, made["id"])[1:3]
    alice.patch(f"events/{second['id']}", times("2026-12-02", 15))
    alice.delete(f"events/{third['id']}")
    alice.patch(f"events/{made['id']}", {"attendees": [attendee(BOB)]})
    (own,) = bob.events()
    assert starts(bob, own["id"]) == starts(alice, made["id"])


def test_who_is_invited_to_a_series_again_has_its_days_again(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee(BOB)])
    second, third = found(alice, made["id"])[1:3]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    alice.delete(f"events/{third['id']}")
    (own,) = bob.events()
    bob.patch(f"events/{found(bob, own['id'])[3]['id']}", {"categories": ["Red"]})
    alice.patch(f"events/{made['id']}", {"attendees": []})
    (own,) = bob.events()
    assert {one["isCancelled"] for one in found(bob, own["id"])} == {True}
    alice.patch(f"events/{made['id']}", {"attendees": [attendee(BOB)]})
    (own,) = bob.events()
    assert [(one["subject"], one["isCancelled"]) for one in found(bob, own["id"])] == [
        ("Plan", False),
        ("Other", False),
        ("Canceled: Plan", True),
        ("Plan", False),
    ]


def test_what_an_attendee_removed_stays_removed(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee(BOB)])
    (own,) = bob.events()
    bob.delete(f"events/{found(bob, own['id'])[1]['id']}")
    alice.patch(f"events/{made['id']}", {"location": {"displayName": "B"}})
    assert len(starts(alice, made["id"])) == 4
    assert starts(bob, own["id"]) == [when for when in starts(alice, made["id"]) if "12-01" not in when]


def test_an_answer_to_a_series_is_one_to_its_exceptions(alice: Person, bob: Person) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee(BOB)])
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    (own,) = bob.events()
    bob.post(f"events/{own['id']}/accept", {})
    answers = [one["attendees"][0]["status"]["response"] for one in found(alice, made["id"])]
    assert answers == ["accepted"] * 4
    assert {one["responseStatus"]["response"] for one in found(bob, own["id"])} == {"accepted"}


def test_a_lone_guest_of_a_day_that_is_no_more(alice: Person, bob: Person, drops: bool) -> None:
    made = alice.create(recurrence=weekly())
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"attendees": [attendee(BOB)]})
    alice.patch(f"events/{made['id']}", times("2026-11-24", 15))
    assert [one["isCancelled"] for one in bob.events()] == [drops]


def test_a_cancelled_series_is_cancelled_for_guests_of_a_day(
    alice: Person, bob: Person, carol: Person
) -> None:
    made = alice.create(recurrence=weekly(), attendees=[attendee(BOB)])
    second = found(alice, made["id"])[1]
    both = [attendee(BOB), attendee("carol@example.com")]
    alice.patch(f"events/{second['id']}", {"attendees": both})
    alice.post(f"events/{made['id']}/cancel", {})
    for guest in (bob, carol):
        assert [one["isCancelled"] for one in guest.events()] == [True]


def test_an_attendees_series_moves_with_the_organizers(alice: Person, bob: Person, drops: bool) -> None:
    made = alice.create(recurrence=weekly(count=3), attendees=[attendee(BOB)])
    second = found(alice, made["id"])[1]
    alice.patch(f"events/{second['id']}", {"subject": "Other"})
    (own,) = bob.events()
    before = {one["id"] for one in found(bob, own["id"])}
    _, link, _ = round_of(bob, FIRST)
    rule = weekly(count=3, start="2026-11-25", daysOfWeek=["wednesday"])
    alice.patch(f"events/{made['id']}", {**times("2026-11-25", 10), "recurrence": rule})
    assert starts(bob, own["id"]) == starts(alice, made["id"])
    assert len(starts(bob, own["id"])) == (3 if drops else 4)
    items, _, _ = round_of(bob, link)
    assert set(removed(items)) == before - {one["id"] for one in found(bob, own["id"])}


def test_ids_of_a_series_survive_all_changes(alice: Person) -> None:
    made = alice.create(recurrence=weekly(), headers=IMMUTABLE)
    second = json_of(alice.get(f"events/{made['id']}/instances?{YEARS}", headers=IMMUTABLE))["value"][1]
    for change in ({"subject": "New"}, times("2026-11-24", 15), {"recurrence": weekly(count=9)}):
        body: dict[str, Any] = change
        alice.patch(f"events/{made['id']}", body)
        assert json_of(alice.get(f"events/{second['id']}", headers=IMMUTABLE))["id"] == second["id"]
