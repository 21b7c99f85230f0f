"""Availability as it is told from the store, against an oracle that looks at each minute by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calsync_plugin.booking.availability import LONGEST, Availability, UserTime
from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.domain.availability import Block, Interval
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.errors import SettingsError
from calsync_plugin.settings import UserSettings
from calsync_plugin.state import AccountStatus, Booking, Gate, Notify, SourceKind, Subject
from calsync_plugin.state.database import Database
from tests.state.samples import MovedClock
from tests.unit.booking.office import DAY, FAR, HOUR, MINUTE, NOW, Office, at, blocks

MONDAY = at("2026-11-23")


def _spans(found: UserTime) -> tuple[tuple[int, int, str], ...]:
    """When the user is busy, and which kind of source tells it, in order of time."""
    return tuple(sorted((start, end, kind) for kind, all_of in found.kinds.items() for start, end in all_of))


def _words(intervals: Any, zone: str = "UTC") -> list[str]:
    return [
        " ".join(f"{datetime.fromtimestamp(one, ZoneInfo(zone)):%d/%H:%M}" for one in interval[:2])
        for interval in intervals
    ]


def test_what_blocks_is_told_by_kind_and_together(office: Office) -> None:
    main = office.connect("alice")
    other = office.calendar("alice", "private")
    feed = office.address("alice", SourceKind.FEED, "club")
    office.read(main, *blocks((MONDAY + 9 * HOUR, MONDAY + 10 * HOUR), (MONDAY - DAY, MONDAY + HOUR)))
    office.read(other, *blocks((MONDAY + 9 * HOUR + 30 * MINUTE, MONDAY + 11 * HOUR)))
    office.read(feed, *blocks((MONDAY + 15 * HOUR, MONDAY + 16 * HOUR)))
    booking = Booking(id="b", start=MONDAY + 16 * HOUR, end=MONDAY + 17 * HOUR)
    assert office.store.bookings.reserve(
        booking, ["alice"], lambda _: ["alice"], around=(MONDAY, MONDAY + DAY), day=(MONDAY, MONDAY), since=0
    )
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert (found.user_id, found.known, found.reason, found.problems, found.stale) == (
        "alice",
        True,
        "",
        (),
        False,
    )
    assert _words(found.busy) == ["23/00:00 23/01:00", "23/09:00 23/11:00", "23/15:00 23/17:00"]
    assert _spans(found) == (
        (MONDAY, MONDAY + HOUR, "linked"),
        (MONDAY + 9 * HOUR, MONDAY + 10 * HOUR, "linked"),
        (MONDAY + 9 * HOUR + 30 * MINUTE, MONDAY + 11 * HOUR, "conflict"),
        (MONDAY + 15 * HOUR, MONDAY + 16 * HOUR, "feed"),
        (MONDAY + 16 * HOUR, MONDAY + 17 * HOUR, "booking"),
    )
    assert (found.zone, _words(found.hours)) == ("Europe/Berlin", ["23/08:00 23/16:00"])


@pytest.mark.parametrize(
    ("choice", "show_as", "blocked"),
    [
        pytest.param({}, ShowAs.BUSY, True, id="busy"),
        pytest.param({}, ShowAs.OOF, True, id="out-of-office"),
        pytest.param({}, ShowAs.TENTATIVE, True, id="tentative"),
        pytest.param({"out_of_office_blocks": False}, ShowAs.OOF, False, id="out-of-office-is-free"),
        pytest.param({"out_of_office_blocks": False}, ShowAs.TENTATIVE, True, id="only-out-of-office"),
        pytest.param({"tentative_blocks": False}, ShowAs.TENTATIVE, False, id="tentative-is-free"),
        pytest.param({}, ShowAs.FREE, False, id="free"),
        pytest.param({}, ShowAs.WORKING_ELSEWHERE, False, id="working-elsewhere"),
    ],
)
def test_settings_decide_what_blocks(
    office: Office, choice: dict[str, Any], show_as: ShowAs, blocked: bool
) -> None:
    source = office.connect("alice", settings=choice)
    office.read(source, Block(id="e", start=MONDAY, end=MONDAY + HOUR, show_as=show_as))
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert bool(found.busy) is blocked


@pytest.mark.parametrize(
    ("mailbox", "crm", "installation", "expected"),
    [
        pytest.param("Europe/Berlin", "Asia/Tokyo", "UTC", "22/23:00 23/23:00", id="the-mailboxs-zone"),
        pytest.param(
            "W. Europe Standard Time", "Asia/Tokyo", "UTC", "22/23:00 23/23:00", id="by-a-windows-name"
        ),
        pytest.param("", "Asia/Tokyo", "UTC", "22/15:00 23/15:00", id="the-users-zone"),
        pytest.param("Customized Time Zone", "", "America/New_York", "23/05:00 24/05:00", id="installation"),
        pytest.param("", "", "nowhere", "23/00:00 24/00:00", id="none"),
    ],
)
def test_whole_days_are_those_of_the_users_zone(
    office: Office, mailbox: str, crm: str, installation: str, expected: str
) -> None:
    source = office.connect("alice", zone=mailbox)
    office.live_in("alice", crm)
    office.zone = installation
    office.read(source, Block(id="e", start=MONDAY, end=MONDAY + DAY, whole_days=True))
    (found,) = office.desk.availability.of(["alice"], MONDAY - 2 * DAY, MONDAY + 2 * DAY)
    assert _words(found.busy) == [expected]


def test_working_hours_are_the_mailboxs(office: Office) -> None:
    hours = {"days": [0, 1], "start": "08:00", "end": "12:30", "zone": "America/New_York"}
    office.connect("alice", working_hours=hours)
    office.connect("bob", working_hours={"days": "nonsense"})
    alice, bob = office.desk.availability.of(["alice", "bob"], MONDAY + 14 * HOUR, MONDAY + 3 * DAY)
    assert _words(alice.hours) == ["23/14:00 23/17:30", "24/13:00 24/17:30"]
    assert _words(bob.hours) == ["23/14:00 23/16:00", "24/08:00 24/16:00", "25/08:00 25/16:00"]


def _off(office: Office) -> None:
    office.connect("alice", status=AccountStatus.OFF, reason="Outlook was disconnected")


def _not_granted(office: Office) -> None:
    office.connect("alice", status=AccountStatus.OFF, grants=frozenset({"ExternalAccount"}))


def _closed(office: Office) -> None:
    office.connect("alice")
    office.store.gates.close(_gate(Feature.AVAILABILITY))


def _gate(feature: Feature) -> Gate:
    return Gate(feature=feature.value, subject=EVERYBODY)


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        pytest.param(lambda _: None, "not connected", id="nobody-knows-the-user"),
        pytest.param(_off, "not connected", id="disconnected"),
        pytest.param(_not_granted, "give the grant", id="no-grant"),
        pytest.param(_closed, "not enabled", id="feature-off"),
    ],
)
def test_nothing_is_told_of_some(office: Office, arrange: Any, reason: str) -> None:
    arrange(office)
    for source in office.store.busy.sources(["alice"]):
        office.read(source.id, *blocks((MONDAY, MONDAY + HOUR)))
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert not found.known
    assert reason in found.reason
    assert (found.busy, _spans(found), found.hours, found.zone) == ((), (), (), "")
    assert found.unknown((MONDAY, MONDAY + DAY)) == [(MONDAY, MONDAY + DAY)]


def test_a_calendar_that_was_not_read_yet_makes_all_unsure(office: Office) -> None:
    """What is known of the others is told, but nobody may rely on it."""
    main = office.connect("alice")
    office.read(main, *blocks((MONDAY, MONDAY + HOUR)))
    feed = office.address("alice", SourceKind.FEED, "club", read=False)
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert (found.known, found.read_at) == (False, None)
    assert "have been read" in found.reason
    assert _words(found.busy) == ["23/00:00 23/01:00"]
    assert found.unknown((MONDAY, MONDAY + DAY)) == [(MONDAY, MONDAY + DAY)]
    with office.store.save(None) as tx:
        # Looked at, as by a poll, and not listed yet.
        tx.busy.was_read(feed)
    assert not office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)[0].known
    office.read(feed)
    assert office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)[0].known


@pytest.mark.parametrize(
    ("choice", "kinds", "known", "reason"),
    [
        pytest.param({}, [], False, "have been read", id="sources-are-not-made-yet"),
        pytest.param({}, [SourceKind.CONFLICT], False, "have been read", id="the-main-one-is-not-made-yet"),
        pytest.param({}, [SourceKind.LINKED], True, "", id="the-main-one-alone"),
        pytest.param(
            {"conflict_calendars": ["c1"]}, [SourceKind.LINKED], False, "have been read", id="chosen-just-now"
        ),
        pytest.param(
            {"conflict_calendars": ["c1"]}, [SourceKind.LINKED, SourceKind.CONFLICT], True, "", id="both"
        ),
        pytest.param({"main_calendar": "none"}, [], False, "No calendar tells", id="none-at-all"),
        pytest.param({"main_calendar": "none"}, [SourceKind.CONFLICT], True, "", id="no-main-one"),
    ],
)
def test_what_was_chosen_counts_from_that_moment(
    office: Office, choice: dict[str, Any], kinds: list[SourceKind], known: bool, reason: str
) -> None:
    office.connect("alice", settings=choice)
    account = office.store.accounts.get("alice")
    assert account
    assert account.mailbox_id
    wanted = {f"c{list(SourceKind).index(kind)}": (kind, kind.value) for kind in kinds}
    for source in office.store.busy.keep_calendars("alice", account.mailbox_id, wanted):
        office.read(source.id)
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert found.known is known
    assert reason in found.reason


def mondays(office: Office) -> UserTime:
    """What is told of alice's Monday."""
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    return found


@pytest.mark.parametrize("kind", [SourceKind.FEED, SourceKind.SCHEDULE])
def test_an_address_that_never_answered_makes_nothing_unsure(office: Office, kind: SourceKind) -> None:
    office.read(office.connect("alice"), *blocks((MONDAY, MONDAY + HOUR)))
    source = office.address("alice", kind, "slip", read=False)
    assert not mondays(office).known
    with office.store.save(None) as tx:
        tx.busy.failed(source, "there is no server of that name")
    time = mondays(office)
    assert (time.known, time.busy, time.stale, len(time.problems)) == (
        True,
        ((MONDAY, MONDAY + HOUR),),
        True,
        1,
    )
    assert time.read_at
    office.read(source)
    with office.store.save(None) as tx:
        tx.busy.failed(source, "it is away")
    assert mondays(office).known


def test_a_calendar_of_the_mailbox_that_never_answered_makes_all_unsure(office: Office) -> None:
    source = office.connect("alice", read=False)
    with office.store.save(None) as tx:
        tx.busy.failed(source, "it is away")
    assert not mondays(office).known


def test_beyond_what_all_calendars_are_known_for_nothing_is(office: Office) -> None:
    office.connect("alice")
    other = office.calendar("alice", "private")
    until = datetime.fromtimestamp(MONDAY + 12 * HOUR, UTC)
    office.read(other, span=(FAR[0], until))
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert (found.known, found.known_until) == (True, until)
    assert found.unknown((MONDAY, MONDAY + DAY)) == [(MONDAY + 12 * HOUR, MONDAY + DAY)]
    assert found.problems == ("Times after 23 November 2026 are not known yet.",)
    assert not found.stale


def _broken(office: Office, source: int) -> None:
    with office.store.save(None) as tx:
        tx.busy.failed(source, "this calendar cannot be read: https://secret.example.com")


def _standing(status: AccountStatus) -> Any:
    return lambda office, _source: office.store.accounts.set_status("alice", status, "a reason of her own")


@pytest.mark.parametrize(
    ("arrange", "minutes", "notify", "problem"),
    [
        pytest.param(_broken, 0, Notify.UNKNOWN, "main calendar cannot be read", id="unreadable"),
        pytest.param(
            _standing(AccountStatus.RECONNECT), 0, Notify.UNKNOWN, "connected again", id="reconnect"
        ),
        pytest.param(_standing(AccountStatus.PAUSED), 0, Notify.UNKNOWN, "paused", id="paused"),
        pytest.param(
            _standing(AccountStatus.NEEDS_ATTENTION), 0, Notify.UNKNOWN, "needs attention", id="attention"
        ),
        pytest.param(None, 31, Notify.UNKNOWN, "for a long time", id="three-looks-missed"),
        pytest.param(None, 29, Notify.UNKNOWN, "", id="two-looks-missed"),
        pytest.param(None, 25 * 60, Notify.NOTIFICATIONS, "", id="a-day-without-news"),
        pytest.param(None, 27 * 60, Notify.NOTIFICATIONS, "for a long time", id="a-look-a-day-missed"),
        pytest.param(
            lambda office, _source: office.set_graph(enabled=False),
            0,
            Notify.UNKNOWN,
            "for everybody",
            id="off",
        ),
    ],
)
def test_what_is_stale_is_told_and_still_counts(
    office: Office, clock: MovedClock, arrange: Any, minutes: int, notify: Notify, problem: str
) -> None:
    source = office.connect("alice", notify=notify)
    office.read(source, *blocks((MONDAY, MONDAY + HOUR)))
    read_at = datetime.fromtimestamp(NOW, UTC)
    clock.move(minutes * 60)
    if arrange:
        arrange(office, source)
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert (found.known, found.stale, found.read_at) == (True, bool(problem), read_at)
    assert problem in " ".join(found.problems)
    assert "secret" not in " ".join(found.problems)
    assert "her own" not in " ".join(found.problems)
    assert _words(found.busy) == ["23/00:00 23/01:00"]


def test_outlook_is_asked_first_about_those_of_whom_something_is_told(office: Office) -> None:
    """What the look brought is in the answer, and so is why it brought nothing."""
    source = office.connect("alice")
    office.connect("bob")
    office.connect("carol")
    office.people.teams = {
        "alice": frozenset(), "bob": frozenset(), "carol": frozenset({"sales"})
    }  # fmt: skip
    office.store.gates.close(Gate(feature="availability", subject=Subject("team", "sales")))
    asked: list[tuple[list[str], int, int]] = []

    def look(user_ids: Collection[str], start: int, end: int) -> Mapping[str, str]:
        asked.append((list(user_ids), start, end))
        office.read(source, *blocks((MONDAY, MONDAY + HOUR)))
        return {"alice": "", "bob": "Outlook did not answer in time."}

    availability = Availability(
        office.store,
        office.desk.features,
        settings=lambda: office.settings,
        crm_zone=office.crm_zone,
        look=look,
    )
    assert availability.of(["alice"], MONDAY, MONDAY + DAY)[0].busy == ()
    assert asked == []
    alice, bob, carol = availability.of(["alice", "bob", "carol"], MONDAY, MONDAY + DAY, fresh=True)
    assert asked == [(["alice", "bob"], MONDAY, MONDAY + DAY)]
    assert (alice.busy, alice.stale) == (((MONDAY, MONDAY + HOUR),), False)
    assert (bob.known, bob.stale, bob.problems) == (True, True, ("Outlook did not answer in time.",))
    assert not carol.known


def test_more_users_are_not_more_questions_to_the_store(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [f"u{number}" for number in range(20)]
    for user_id in users:
        office.connect(user_id)
    read, begun = Database.read, []

    def counted(self: Database) -> AbstractContextManager[Any]:
        begun.append(self)
        return read(self)

    monkeypatch.setattr(Database, "read", counted)
    counts = []
    for asked in (users[:1], users):
        begun.clear()
        office.desk.availability.of(asked, MONDAY, MONDAY + DAY)
        counts.append(len(begun))
    assert counts[0] == counts[1] <= 5


def test_the_order_is_that_of_the_question(office: Office) -> None:
    office.connect("alice")
    office.connect("bob")
    found = office.desk.availability.of(["bob", "carol", "alice", "bob"], MONDAY, MONDAY + DAY)
    assert [one.user_id for one in found] == ["bob", "carol", "alice", "bob"]
    assert office.desk.availability.of([], MONDAY, MONDAY + DAY) == []


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        pytest.param(MONDAY, MONDAY - 1, "ends before it starts", id="backwards"),
        pytest.param(MONDAY, MONDAY, "ends before it starts", id="nothing"),
        pytest.param(MONDAY, MONDAY + LONGEST + 1, "62 days at most", id="too-long"),
        pytest.param(-DAY, DAY, "outside of every calendar", id="before-1970"),
        pytest.param(10**12, 10**12 + DAY, "outside of every calendar", id="milliseconds"),
    ],
)
def test_a_window_without_an_answer(office: Office, start: int, end: int, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        office.desk.availability.of(["alice"], start, end)
    assert office.desk.availability.of(["alice"], MONDAY, MONDAY + LONGEST)


def test_what_blocks_by_default_is_what_the_settings_say() -> None:
    assert UserSettings(sync_since=FAR[0].date()).out_of_office_blocks
    assert UserSettings(sync_since=FAR[0].date()).tentative_blocks


def test_a_colleague_whom_somebody_followed_does_not_stand_for_that_user(office: Office) -> None:
    """Alice lost the grant; what she followed of Bob is kept, and says nothing of her."""
    office.connect("alice", status=AccountStatus.OFF, grants=frozenset())
    source = office.address("alice", SourceKind.SCHEDULE, "bob")
    office.read(source, *blocks((MONDAY, MONDAY + HOUR)))
    office.set_graph(schedules=True)
    (found,) = office.desk.availability.of(["alice"], MONDAY, MONDAY + DAY)
    assert (found.known, found.busy) == (False, ())
    assert "give the grant" in found.reason


# --- the oracle

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo"]
NIGHTS = ["2026-03-28", "2026-10-24", "2026-04-04", "2026-10-03", "2026-04-23", "2026-10-29", "2026-12-01"]
"""Days around which the clocks of these zones are moved, and an ordinary one."""


@dataclass(frozen=True)
class Life:
    """One user: the zone, what the user chose to block, and what each calendar tells."""

    zone: str
    choices: dict[str, bool]
    calendars: list[list[Block]]

    def is_busy(self, minute: int, calendar: list[Block]) -> bool:
        """Whether something in a calendar takes up the minute that begins then."""
        return any(self._takes(block) and self._spans(block, minute) for block in calendar)

    def _takes(self, block: Block) -> bool:
        if block.show_as is ShowAs.OOF:
            return self.choices["out_of_office_blocks"]
        if block.show_as is ShowAs.TENTATIVE:
            return self.choices["tentative_blocks"]
        return block.show_as is ShowAs.BUSY

    def _spans(self, block: Block, minute: int) -> bool:
        if not block.whole_days:
            return block.start <= minute < block.end
        day = datetime.fromtimestamp(minute, ZoneInfo(self.zone)).date()
        first, until = (datetime.fromtimestamp(one, UTC).date() for one in (block.start, block.end))
        return first <= day < until


@st.composite
def lives(draw: st.DrawFn) -> tuple[Interval, Life]:
    """Two days around a night on which clocks are moved, in whole minutes."""
    zone, night = draw(st.sampled_from(ZONES)), draw(st.sampled_from(NIGHTS))
    midnight = at(night)
    minutes = st.integers(-12 * 60, 60 * 60).map(lambda minute: midnight + minute * MINUTE)
    shown = st.sampled_from(list(ShowAs))

    def timed() -> st.SearchStrategy[Block]:
        return st.builds(
            lambda start, length, show_as: Block(
                id=f"t{start}-{length}-{show_as}", start=start, end=start + length * MINUTE, show_as=show_as
            ),
            minutes,
            st.integers(0, 900),
            shown,
        )

    def whole() -> st.SearchStrategy[Block]:
        return st.builds(
            lambda first, days, show_as: Block(
                id=f"d{first}-{days}-{show_as}",
                start=midnight + first * DAY,
                end=midnight + (first + days) * DAY,
                whole_days=True,
                show_as=show_as,
            ),
            st.integers(-3, 4),
            st.integers(1, 3),
            shown,
        )

    calendars = draw(
        st.lists(st.lists(timed() | whole(), max_size=6, unique_by=lambda b: b.id), min_size=1, max_size=3)
    )
    choices = {name: draw(st.booleans()) for name in ("out_of_office_blocks", "tentative_blocks")}
    start = draw(minutes)
    return (start, start + draw(st.integers(1, 48 * 60)) * MINUTE), Life(zone, choices, calendars)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives())
def test_availability_is_what_looking_at_each_minute_finds(
    office: Office, question: tuple[Interval, Life]
) -> None:
    window, life = question
    office.store.busy.remove_all("alice")
    sources = [office.connect("alice", zone=life.zone, settings=life.choices)]
    sources += [office.calendar("alice", f"c{number}") for number in range(1, len(life.calendars))]
    for source, calendar in zip(sources, life.calendars, strict=True):
        office.read(source, *calendar)
    (found,) = office.desk.availability.of(["alice"], *window)
    by_kind = {"linked": life.calendars[:1], "conflict": life.calendars[1:]}
    for minute in range(*window, MINUTE):
        busy = {
            kind
            for kind, calendars in by_kind.items()
            if any(life.is_busy(minute, calendar) for calendar in calendars)
        }
        told = {kind for start, end, kind in _spans(found) if start <= minute < end}
        assert told == busy, datetime.fromtimestamp(minute, UTC)
        assert any(start <= minute < end for start, end in found.busy) is bool(busy)
    edges = [edge for span in _spans(found) for edge in span[:2]]
    assert all(window[0] <= edge <= window[1] and edge % MINUTE == 0 for edge in edges)
    assert timedelta(0) <= timedelta(seconds=sum(end - start for start, end in found.busy))


@pytest.mark.parametrize("allowed", [pytest.param(True, id="allowed"), pytest.param(False, id="not-allowed")])
def test_who_is_not_connected_is_known_by_what_outlook_tells_colleagues(
    office: Office, allowed: bool
) -> None:
    source = office.address("dora", SourceKind.SCHEDULE, "dora")
    office.read(source, *blocks((MONDAY, MONDAY + HOUR)))
    office.live_in("dora", "Asia/Tokyo")
    office.set_graph(schedules=allowed)
    (found,) = office.desk.availability.of(["dora"], MONDAY, MONDAY + DAY)
    assert (found.known, bool(found.reason)) == (allowed, not allowed)
    assert _spans(found) == (((MONDAY, MONDAY + HOUR, "schedule"),) if allowed else ())
    assert found.zone == ("Asia/Tokyo" if allowed else "")


def test_a_booking_whose_event_is_read_at_this_moment_is_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event takes over from the hold between the reading of the one and that of the other."""
    source = office.connect("alice")
    start = NOW + DAY
    office.book("alice", start)
    times = office.store.busy.times

    def followed(*window: Any) -> Any:
        found = times(*window)
        office.read(source, *blocks((start, start + HOUR)))
        office.release_all()
        return found

    monkeypatch.setattr(office.store.busy, "times", followed)
    (told,) = office.desk.availability.of(["alice"], start - HOUR, start + 2 * HOUR)
    assert told.busy == ((start, start + HOUR),)
