"""Slots from the store against an oracle that tries every minute, and questions without an answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calsync_plugin.accounts.auditing import COMMAND_LINE
from calsync_plugin.booking.availability import LONGEST
from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.booking.slots import SlotQuery
from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.slots import Mode, Slot
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import AccountStatus, BookingCalendar, CalendarKind, Gate, SourceKind, Subject
from tests.state.samples import MovedClock
from tests.unit.booking.office import DAY, FAR, HOUR, MINUTE, NOW, Office, at, blocks

MONDAY = at("2026-11-23")
WORKDAY = (MONDAY + 8 * HOUR, MONDAY + 16 * HOUR)
"""Nine to five in Berlin."""
HOURLY = SlotQuery(window=(MONDAY, MONDAY + DAY), duration=HOUR, step=HOUR)


def _calendar(office: Office, kind: CalendarKind, *members: str, **rules: Any) -> SlotQuery:
    """A booking calendar with these members, and a question about its Monday."""
    made = BookingCalendar(id="team", name="Team", kind=kind, rules=rules, members=dict.fromkeys(members, 0))
    office.store.booking_calendars.save(made)
    return SlotQuery(window=(MONDAY, MONDAY + DAY), calendar_id="team")


def _found(office: Office, query: SlotQuery) -> list[tuple[str, str]]:
    return [
        (f"{datetime.fromtimestamp(slot.start, ZoneInfo('Europe/Berlin')):%H:%M}", "+".join(slot.user_ids))
        for slot in office.desk.slots.find(query).slots
    ]


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        pytest.param(CalendarKind.PERSONAL, "", [("09:00", "alice"), ("16:00", "alice")], id="personal"),
        pytest.param(CalendarKind.COLLECTIVE, "", [("16:00", "alice+bob")], id="collective"),
        pytest.param(
            CalendarKind.ROUND_ROBIN,
            "",
            [("09:00", "alice"), ("12:00", "bob"), ("16:00", "alice+bob")],
            id="round-robin",
        ),
        pytest.param(
            CalendarKind.SERVICE,
            "",
            [("09:00", "alice"), ("12:00", "bob"), ("16:00", "alice+bob")],
            id="service",
        ),
        pytest.param(CalendarKind.SERVICE, "bob", [("12:00", "bob"), ("16:00", "bob")], id="asked-for"),
    ],
)
def test_the_kind_decides_who_must_be_free(
    office: Office, kind: CalendarKind, asked: str, expected: list[tuple[str, str]]
) -> None:
    """Alice is busy from ten to four, Bob until noon and from one to four."""
    office.read(office.connect("alice"), *blocks((MONDAY + 9 * HOUR, MONDAY + 15 * HOUR)))
    office.read(
        office.connect("bob"),
        *blocks((MONDAY, MONDAY + 11 * HOUR), (MONDAY + 12 * HOUR, MONDAY + 15 * HOUR)),
    )
    members = ["alice"] if kind is CalendarKind.PERSONAL else ["alice", "bob"]
    query = _calendar(office, kind, *members, duration=60, step=60)
    assert _found(office, replace(query, asked_user=asked)) == expected


def test_a_question_asks_for_less_than_the_rules_allow_and_never_for_more(office: Office) -> None:
    office.connect("alice")
    rules = {"duration": 60, "step": 60, "before": 15, "after": 15, "notice": 120, "daily_limit": 2}
    query = _calendar(office, CalendarKind.PERSONAL, "alice", **rules)
    looser = replace(query, before=0, after=60, notice=0, daily_limit=5, duration=2 * HOUR, step=None)
    stricter = replace(query, before=HOUR, after=HOUR, notice=DAY, daily_limit=1)
    found = [office.desk.slots.fit(one).wanted for one in (query, looser, stricter)]
    assert [(one.before, one.after, one.earliest - NOW, one.daily_limit) for one in found] == [
        (900, 900, 2 * HOUR, 2),
        (900, 900, 2 * HOUR, 2),
        (HOUR, HOUR, DAY, 1),
    ]
    assert [(one.duration, one.step) for one in found] == [(HOUR, HOUR), (2 * HOUR, HOUR), (HOUR, HOUR)]


def test_times_are_offered_so_many_days_ahead(office: Office, clock: MovedClock) -> None:
    office.connect("alice")
    query = _calendar(office, CalendarKind.PERSONAL, "alice", days_ahead=3, notice=0, duration=60, step=60)
    assert _found(office, query)[-1][0] == "12:00"
    clock.move(-DAY)
    assert _found(office, query) == []


def test_hours_of_the_calendar_stand_in_for_the_members(office: Office) -> None:
    office.connect("alice")
    own = {"hours": "own", "weekdays": ["mon"], "start": "18:00", "end": "20:00", "zone": "Europe/Berlin"}
    query = _calendar(office, CalendarKind.PERSONAL, "alice", duration=60, step=60, **own)
    assert _found(office, query) == [("18:00", "alice"), ("19:00", "alice")]
    assert _found(office, replace(query, window=(MONDAY + DAY, MONDAY + 2 * DAY))) == []


def test_the_crm_is_not_asked_for_a_zone_that_nobody_needs(office: Office) -> None:
    office.connect("alice")
    query = _calendar(office, CalendarKind.PERSONAL, "alice", zone="Europe/Vienna")
    office.zone = ""
    asked = replace(HOURLY, users=("alice",), zone="Asia/Tokyo")
    zones = [office.desk.slots.find(one).fitting.zone for one in (query, asked)]
    assert zones == ["Europe/Vienna", "Asia/Tokyo"]
    assert office.asked_for_zone == 0


def test_the_daily_limit_counts_bookings_of_that_calendar(office: Office) -> None:
    office.connect("alice")
    query = _calendar(office, CalendarKind.PERSONAL, "alice", daily_limit=1, duration=60, step=60)
    office.book("alice", MONDAY + 9 * HOUR, "another")
    assert len(_found(office, query)) == 7
    assert _found(office, replace(HOURLY, users=("alice",), daily_limit=1)) == []
    office.book("alice", MONDAY + 10 * HOUR, "team")
    assert _found(office, query) == []
    assert len(_found(office, replace(query, window=(MONDAY + DAY, MONDAY + 2 * DAY)))) == 8


@pytest.mark.parametrize(
    ("zone", "free"),
    [
        pytest.param("Europe/Berlin", False, id="the-same-day-in-berlin"),
        pytest.param("Asia/Tokyo", True, id="the-day-before-in-tokyo"),
    ],
)
def test_the_day_of_the_limit_is_that_of_the_questions_zone(office: Office, zone: str, free: bool) -> None:
    """Early afternoon and evening in Berlin are one day; in Tokyo midnight lies between them."""
    hours = {"days": [0], "start": "00:00", "end": "00:00", "zone": "Europe/Berlin"}
    office.connect("alice", working_hours=hours)
    office.book("alice", MONDAY + 13 * HOUR)
    evening = (MONDAY + 18 * HOUR, MONDAY + 19 * HOUR)
    query = replace(HOURLY, users=("alice",), window=evening, daily_limit=1, zone=zone)
    assert bool(_found(office, query)) is free


@pytest.mark.parametrize("zone", ["", "Europe/Berlin", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_days_and_steps_of_a_booking_calendar_are_those_of_its_zone(office: Office, zone: str) -> None:
    """In another zone the full day would look like two with room left."""
    office.connect("alice")
    rules = {"hours": "own", "start": "08:00", "end": "18:00", "zone": "Europe/Berlin", "daily_limit": 1}
    query = _calendar(office, CalendarKind.PERSONAL, "alice", duration=60, step=240, **rules)
    assert [at for at, _ in _found(office, replace(query, zone=zone))] == ["08:00", "12:00", "16:00"]
    office.book("alice", MONDAY + 9 * HOUR, "team")
    assert _found(office, replace(query, zone=zone)) == []


@pytest.mark.parametrize(
    ("before", "after", "asked", "expected"),
    [
        pytest.param(0, 0, 0, ["09:00", "10:00", "12:00", "13:00"], id="none"),
        pytest.param(0, 60, 0, ["09:00", "13:00"], id="after"),
        pytest.param(60, 0, 0, ["09:00", "13:00"], id="before"),
        pytest.param(60, 60, 0, ["09:00", "13:00"], id="both-and-not-one-after-the-other"),
        pytest.param(0, 60, HOUR, ["09:00", "13:00"], id="asked-for-as-well"),
        pytest.param(0, 60, 2 * HOUR, [], id="asked-for-more"),
    ],
)
def test_free_time_around_bookings_does_not_depend_on_who_came_first(
    office: Office, before: int, after: int, asked: int, expected: list[str]
) -> None:
    """Booked is eleven to twelve; offered are nine to two."""
    office.connect("alice")
    own = {"hours": "own", "start": "09:00", "end": "14:00", "zone": "Europe/Berlin"}
    rules = {"duration": 60, "step": 60, "before": before, "after": after, **own}
    query = _calendar(office, CalendarKind.PERSONAL, "alice", **rules)
    office.book("alice", MONDAY + 10 * HOUR, "team")
    assert [at for at, _ in _found(office, replace(query, before=asked, after=asked))] == expected


def test_what_nobody_knows_is_not_offered(office: Office) -> None:
    source = office.connect("alice")
    until = datetime.fromtimestamp(MONDAY + 12 * HOUR, UTC)
    office.read(source, span=(FAR[0], until))
    query = replace(HOURLY, users=("alice",))
    assert [at for at, _ in _found(office, query)] == ["09:00", "10:00", "11:00", "12:00"]
    # The free time after a meeting must be known to be free, too.
    assert [at for at, _ in _found(office, replace(query, after=HOUR))][-1] == "11:00"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(0, 0, ["10:00", "11:00", "12:00"], id="without-buffers"),
        pytest.param(HOUR, 0, ["11:00", "12:00"], id="before"),
        pytest.param(0, HOUR, ["10:00", "11:00"], id="after"),
        pytest.param(HOUR, HOUR, ["11:00"], id="both"),
    ],
)
def test_the_free_time_around_a_meeting_may_lie_outside_of_the_window(
    office: Office, before: int, after: int, expected: list[str]
) -> None:
    """Alice is busy from nine to ten and from one to two; it is asked for ten to one."""
    ten, one = MONDAY + 9 * HOUR, MONDAY + 12 * HOUR
    office.read(office.connect("alice"), *blocks((ten - HOUR, ten), (one, one + HOUR)))
    query = replace(HOURLY, users=("alice",), window=(ten, one), before=before, after=after)
    assert [at for at, _ in _found(office, query)] == expected


def _unread(office: Office) -> str:
    office.connect("bob")
    office.address("bob", SourceKind.FEED, "club", read=False)
    return "have been read"


def _off(office: Office) -> str:
    office.connect("bob", status=AccountStatus.OFF)
    return "not connected"


def _no_bookings(office: Office) -> str:
    office.connect("bob")
    office.people.teams = {"alice": frozenset(), "bob": frozenset({"sales"})}
    office.desk.features.close(COMMAND_LINE, Feature.BOOKINGS, Subject("team", "sales"))
    return "Bookings are not enabled"


def _no_availability(office: Office) -> str:
    office.connect("bob")
    office.people.teams = {"alice": frozenset(), "bob": frozenset({"sales"})}
    office.desk.features.close(COMMAND_LINE, Feature.AVAILABILITY, Subject("team", "sales"))
    return "not enabled"


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(_unread, id="not-read"),
        pytest.param(_off, id="not-connected"),
        pytest.param(_no_bookings, id="bookings-off"),
        pytest.param(_no_availability, id="availability-off"),
    ],
)
def test_who_cannot_be_booked_is_left_out_with_the_reason(office: Office, arrange: Any) -> None:
    office.connect("alice")
    reason = arrange(office)
    both = replace(HOURLY, users=("alice", "bob"))
    team = office.desk.slots.find(replace(both, mode=Mode.ROUND_ROBIN))
    assert {slot.user_ids for slot in team.slots} == {("alice",)}
    assert list(team.lacking) == ["bob"]
    assert reason in team.lacking["bob"]
    together = office.desk.slots.find(replace(both, mode=Mode.COLLECTIVE))
    assert (together.slots, list(together.lacking)) == ([], ["bob"])


def test_for_everybody_bookings_are_off(office: Office) -> None:
    office.connect("alice")
    office.store.gates.close(Gate(feature="bookings", subject=EVERYBODY))
    found = office.desk.slots.find(replace(HOURLY, users=("alice",)))
    assert (found.slots, list(found.lacking)) == ([], ["alice"])


def test_the_age_and_what_is_wrong_are_told(office: Office, clock: MovedClock) -> None:
    office.connect("alice")
    clock.move(HOUR)
    office.connect("bob")
    found = office.desk.slots.find(replace(HOURLY, users=("alice", "bob"), mode=Mode.ROUND_ROBIN))
    assert (found.read_at, found.stale) == (datetime.fromtimestamp(NOW, UTC), True)
    assert list(found.problems) == ["alice"]


def test_the_first_slots_are_enough(office: Office) -> None:
    office.connect("alice")
    query = replace(HOURLY, users=("alice",))
    assert office.desk.slots.find(query, limit=3).slots == office.desk.slots.find(query).slots[:3]


ALICE = replace(HOURLY, users=("alice",))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        pytest.param(replace(ALICE, users=()), "Name at least one user", id="nobody"),
        pytest.param(replace(ALICE, window=(MONDAY, MONDAY - 1)), "ends before", id="backwards"),
        pytest.param(replace(ALICE, window=(MONDAY, MONDAY + LONGEST + 1)), "62 days", id="too-long"),
        pytest.param(replace(ALICE, duration=0), "duration", id="no-duration"),
        pytest.param(replace(ALICE, duration=-60), "duration", id="negative-duration"),
        pytest.param(replace(ALICE, step=0), "step", id="no-step"),
        pytest.param(replace(ALICE, step=60), "step is too short", id="a-step-of-a-minute"),
        pytest.param(replace(ALICE, before=-1), "before", id="negative-buffer"),
        pytest.param(replace(ALICE, after=2 * DAY), "one day at most", id="a-buffer-of-two-days"),
        pytest.param(replace(ALICE, daily_limit=0), "daily_limit", id="no-meetings-a-day"),
        pytest.param(replace(ALICE, zone="Mars/Olympus"), "time zone is not known", id="zone"),
        pytest.param(replace(ALICE, users=("alice", "bob")), "Several users need a mode", id="no-mode"),
        pytest.param(replace(ALICE, asked_user="alice"), "for a service only", id="asked-without-a-service"),
        pytest.param(replace(ALICE, calendar_id="team"), "not both", id="users-and-a-calendar"),
        pytest.param(replace(HOURLY, calendar_id="none"), "no such booking calendar", id="no-calendar"),
        pytest.param(replace(HOURLY, calendar_id="team", mode=Mode.SINGLE), "mode follows", id="other-mode"),
        pytest.param(
            replace(HOURLY, calendar_id="team", asked_user="alice"), "for a service only", id="not-a-service"
        ),
    ],
)
def test_a_question_without_an_answer(office: Office, query: SlotQuery, words: str) -> None:
    _calendar(office, CalendarKind.ROUND_ROBIN, "alice")
    with pytest.raises(SettingsError, match=words):
        office.desk.slots.find(query)


@pytest.mark.parametrize(
    ("kind", "members", "asked", "words"),
    [
        pytest.param(CalendarKind.EVENT, [], "", "not connected to Outlook", id="event"),
        pytest.param(CalendarKind.COLLECTIVE, [], "", "no members", id="no-members"),
        pytest.param(CalendarKind.SERVICE, ["alice"], "bob", "does not give", id="gives-another-service"),
    ],
)
def test_a_booking_calendar_without_slots(
    office: Office, kind: CalendarKind, members: list[str], asked: str, words: str
) -> None:
    query = _calendar(office, kind, *members)
    with pytest.raises(SettingsError, match=words):
        office.desk.slots.find(replace(query, asked_user=asked))


# --- the oracle

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo"]
NIGHTS = ["2027-03-27", "2027-10-30", "2027-04-03", "2027-10-02", "2027-04-29", "2027-10-28", "2027-12-01"]
"""Days around which the clocks of these zones are moved, and an ordinary one."""


@dataclass(frozen=True)
class Person:
    """One user: when busy, when at work by the clock on the wall, when booked, and how far that is known."""

    user_id: str
    zone: str
    hours: tuple[str, str]
    known_until: int
    busy: list[Interval] = field(default_factory=list)
    booked: list[int] = field(default_factory=list)

    def works(self, minute: int) -> bool:
        """Whether the clock on the wall shows a working hour; every day is one."""
        now = f"{datetime.fromtimestamp(minute, ZoneInfo(self.zone)):%H:%M}"
        start, end = self.hours
        if start < end:
            return start <= now < end
        return now >= start or now < end

    def is_free(self, minute: int) -> bool:
        """Whether nothing is known to be in the way."""
        taken = [*self.busy, *((start, start + HOUR) for start in self.booked)]
        return minute < self.known_until and not any(start <= minute < end for start, end in taken)


def _oracle(query: SlotQuery, people: list[Person], zone: str) -> list[Slot]:
    """Every minute of the window, looked at by itself."""
    assert query.duration
    assert query.step
    wall, found = ZoneInfo(zone), []
    around = range(query.window[0] - DAY, query.window[1] + DAY, MINUTE)
    free_at = {one.user_id: {minute for minute in around if one.is_free(minute)} for one in people}
    works_at = {one.user_id: {minute for minute in around if one.works(minute)} for one in people}
    for start in range(query.window[0], query.window[1], MINUTE):
        end = start + query.duration
        on_wall = datetime.fromtimestamp(start, wall)
        past_midnight = on_wall.hour * HOUR + on_wall.minute * MINUTE
        if past_midnight % query.step or start < NOW + (query.notice or 0) or end > query.window[1]:
            continue
        needed = range(start - (query.before or 0), end + (query.after or 0), MINUTE)
        free = sorted(
            one.user_id
            for one in people
            if works_at[one.user_id].issuperset(range(start, end, MINUTE))
            and free_at[one.user_id].issuperset(needed)
            and not _is_full(query, one, on_wall)
        )
        if free and (query.mode is Mode.ROUND_ROBIN or len(free) == len(people)):
            found.append(Slot(start, end, tuple(free)))
    return found


def _is_full(query: SlotQuery, person: Person, on_wall: datetime) -> bool:
    days = Counter(datetime.fromtimestamp(one, on_wall.tzinfo).date() for one in person.booked)
    return query.daily_limit is not None and days[on_wall.date()] >= query.daily_limit


@st.composite
def questions(draw: st.DrawFn) -> tuple[SlotQuery, list[Person]]:
    """A day and a half around a night on which clocks are moved, in whole minutes."""
    zone, night = draw(st.sampled_from(ZONES)), draw(st.sampled_from(NIGHTS))
    midnight = int(datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone)).timestamp())
    minutes = st.integers(-12 * 60, 48 * 60).map(lambda minute: midnight + minute * MINUTE)
    spans = st.tuples(minutes, st.integers(1, 600)).map(lambda one: (one[0], one[0] + one[1] * MINUTE))

    def person(number: int) -> Person:
        return Person(
            user_id=f"u{number}",
            zone=draw(st.sampled_from([zone, "Europe/Berlin"])),
            hours=draw(st.sampled_from([("09:00", "17:00"), ("22:00", "06:00"), ("00:00", "00:00")])),
            known_until=midnight + draw(st.sampled_from([20, 48, 96])) * HOUR,
            busy=draw(st.lists(spans, max_size=6)),
            booked=draw(st.lists(minutes, max_size=3)),
        )

    mode = draw(st.sampled_from(list(Mode)))
    people = [person(number) for number in range(1 if mode is Mode.SINGLE else draw(st.integers(1, 3)))]
    start = midnight + draw(st.integers(-6, 6)) * HOUR
    query = SlotQuery(
        window=(start, start + draw(st.integers(1, 36)) * HOUR),
        users=tuple(one.user_id for one in people),
        mode=mode,
        duration=draw(st.integers(1, 180)) * MINUTE,
        step=draw(st.sampled_from([5, 15, 30, 45, 60, 90, 7])) * MINUTE,
        before=draw(st.sampled_from([None, 0, 10 * MINUTE, 45 * MINUTE])),
        after=draw(st.sampled_from([None, 0, 5 * MINUTE, HOUR])),
        notice=draw(st.sampled_from([None, 0, (midnight - NOW) // MINUTE * MINUTE])),
        daily_limit=draw(st.sampled_from([None, None, 1, 2])),
        zone=zone,
    )
    return query, people


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(questions())
def test_slots_are_those_that_trying_every_minute_finds(
    office: Office, question: tuple[SlotQuery, list[Person]]
) -> None:
    query, people = question
    office.release_all()
    for person in people:
        office.store.busy.remove_all(person.user_id)
        hours = {
            "days": list(range(7)), "start": person.hours[0], "end": person.hours[1], "zone": person.zone,
        }  # fmt: skip
        source = office.connect(person.user_id, working_hours=hours)
        office.read(
            source, *blocks(*person.busy), span=(FAR[0], datetime.fromtimestamp(person.known_until, UTC))
        )
        for start in person.booked:
            office.book(person.user_id, start)
    assert office.desk.slots.find(query).slots == _oracle(query, people, query.zone)
