"""What a meeting collides with that a host is about to save."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from calsync_plugin.booking.collisions import Collision, Collisions
from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.links import Copy, CopyPurpose, CopyState, Link
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.errors import StoreBusy
from calsync_plugin.state import AccountStatus, Booking, Gate, SourceKind, Standing, Subject
from tests.unit.booking.office import HOUR, Office, at

TEN = at("2026-12-01T10:00")
MEETING: dict[str, Any] = {
    "dateStart": "2026-12-01 10:00:00",
    "dateEnd": "2026-12-01 11:00:00",
    "assignedUserId": "anna",
    "usersIds": ["anna", "ben", "cleo"],
}


@pytest.fixture
def office(office: Office) -> Office:
    """Anna and ben are connected, cleo is not."""
    office.connect("anna")
    office.connect("ben")
    return office


def tells(office: Office, user_id: str, *blocks: Block) -> None:
    """What the main calendar of a user holds."""
    (source,) = office.store.busy.sources([user_id])
    office.read(source.id, *blocks)


def told(office: Office, **changes: Any) -> tuple[Collision, ...]:
    """What the meeting collides with, however long a busy machine takes to say it."""
    return office.desk.collisions.find("Meeting", MEETING | changes)


def test_each_user_of_the_meeting_is_told_of(office: Office) -> None:
    tells(office, "anna", Block(id="e1", start=TEN - HOUR, end=TEN + 1))
    tells(office, "ben", Block(id="e1", start=TEN + HOUR - 1, end=TEN + 2 * HOUR))
    calendar = office.calendar("ben", "Private")
    office.read(calendar, Block(id="p", start=TEN, end=TEN + HOUR))
    feed = office.address("anna", SourceKind.FEED, "home")
    office.read(feed, Block(id="f", start=TEN, end=TEN + HOUR))
    assert told(office) == (
        Collision(TEN - HOUR, TEN + 1, "anna", "linked"),
        Collision(TEN, TEN + HOUR, "anna", "feed"),
        Collision(TEN, TEN + HOUR, "ben", "conflict"),
        Collision(TEN + HOUR - 1, TEN + 2 * HOUR, "ben", "linked"),
    )


QUIET = [
    pytest.param(Block(id="x", start=TEN - HOUR, end=TEN), {}, id="ends-when-it-begins"),
    pytest.param(Block(id="x", start=TEN + HOUR, end=TEN + 2 * HOUR), {}, id="begins-when-it-ends"),
    pytest.param(Block(id="x", start=TEN, end=TEN + HOUR, show_as=ShowAs.FREE), {}, id="free"),
    pytest.param(
        Block(id="x", start=TEN, end=TEN + HOUR, show_as=ShowAs.WORKING_ELSEWHERE), {}, id="working-elsewhere"
    ),
    pytest.param(
        Block(id="x", start=at("2026-12-02T00:00"), end=at("2026-12-03T00:00"), whole_days=True),
        {},
        id="the-day-after",
    ),
    pytest.param(
        Block(id="x", start=TEN, end=TEN + HOUR),
        {"dateStart": "2026-12-01 11:00:00", "dateEnd": "2026-12-01 11:00:00"},
        id="no-length",
    ),
]


@pytest.mark.parametrize(("block", "changes"), QUIET)
def test_what_does_not_collide_is_not_told(office: Office, block: Block, changes: dict[str, Any]) -> None:
    tells(office, "anna", block)
    assert told(office, **changes) == ()


@pytest.mark.parametrize(
    ("show_as", "setting"),
    [(ShowAs.OOF, "out_of_office_blocks"), (ShowAs.TENTATIVE, "tentative_blocks")],
    ids=["out-of-office", "tentative"],
)
def test_each_user_decides_what_makes_busy(office: Office, show_as: ShowAs, setting: str) -> None:
    tells(office, "anna", Block(id="x", start=TEN, end=TEN + HOUR, show_as=show_as))
    assert len(told(office)) == 1
    account = office.store.accounts.get("anna")
    assert account
    office.store.accounts.set_settings("anna", {**account.settings, setting: False})
    assert told(office) == ()


def test_whole_days_are_those_of_each_user(office: Office) -> None:
    """23:30 in UTC is the next day in Berlin."""
    tells(
        office,
        "anna",
        Block(id="x", start=at("2026-12-02T00:00"), end=at("2026-12-03T00:00"), whole_days=True),
    )
    late = {"dateStart": "2026-12-01 23:30:00", "dateEnd": "2026-12-01 23:45:00"}
    early = {"dateStart": "2026-12-01 22:30:00", "dateEnd": "2026-12-01 22:45:00"}
    assert [one.start for one in told(office, **late)] == [at("2026-12-01T23:00")]
    assert told(office, **early) == ()


def test_a_meeting_of_whole_days_collides_on_its_days(office: Office) -> None:
    tells(office, "anna", Block(id="x", start=at("2026-12-01T22:30"), end=at("2026-12-01T22:45")))
    days = {"isAllDay": True, "dateStartDate": "2026-12-01", "dateEndDate": "2026-12-01"}
    assert len(told(office, **days)) == 1
    tomorrow = {"isAllDay": True, "dateStartDate": "2026-12-02", "dateEndDate": "2026-12-02"}
    assert told(office, **tomorrow) == ()


def test_the_events_of_the_record_itself_do_not_count(office: Office) -> None:
    copies = []
    for user_id, purpose in (("anna", CopyPurpose.HOME), ("ben", CopyPurpose.ATTENDEE)):
        tells(office, user_id, Block(id=f"of-{user_id}", start=TEN, end=TEN + HOUR))
        account = office.store.accounts.get(user_id)
        assert account
        assert account.mailbox_id
        copy = Copy(
            mailbox_id=account.mailbox_id,
            purpose=purpose,
            state=CopyState.LIVE,
            event_id=f"of-{user_id}",
            ical_uid="u1",
        )
        copies.append(copy)
    link = Link(
        id="5d0d2e4e-43f6-4b44-8a86-3d2f1d2d9d10",
        entity_type="Meeting",
        record_id="m1",
        copies=tuple(copies),
    )
    with office.store.save(None) as tx:
        tx.insert_links([link])
    assert len(told(office)) == 2
    assert told(office, id="m1") == ()
    assert len(told(office, id="m2")) == 2


def test_its_own_booking_does_not_count_and_others_do(office: Office) -> None:
    def anna(_standing: Standing) -> list[str]:
        return ["anna"]

    for number, start in enumerate((TEN, TEN + HOUR // 2)):
        booking = Booking(id=f"b{number}", start=start, end=start + HOUR, entity_type="Meeting", content="{}")
        office.store.bookings.reserve(booking, ["anna"], anna, around=(TEN, TEN), day=(TEN, TEN), since=0.0)
        office.store.bookings.confirm(f"b{number}", f"m{number}")
    assert [one.kind for one in told(office)] == ["booking", "booking"]
    assert told(office, id="m0") == (Collision(TEN + HOUR // 2, TEN + HOUR + HOUR // 2, "anna", "booking"),)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(lambda o: o.store.accounts.set_status("anna", AccountStatus.OFF), id="disconnected"),
        pytest.param(
            lambda o: o.store.gates.close(Gate(feature="availability", subject=Subject("installation", ""))),
            id="switched-off",
        ),
    ],
)
def test_some_are_not_told_of(office: Office, how: Callable[[Office], None]) -> None:
    tells(office, "anna", Block(id="x", start=TEN, end=TEN + HOUR))
    assert len(told(office)) == 1
    how(office)
    assert told(office) == ()


FOR_EVER = [
    pytest.param(-62_135_596_800, TEN + HOUR, False, id="from-year-1"),
    pytest.param(TEN, 253_402_318_740, False, id="into-year-10000"),
    pytest.param(-62_135_596_800, 253_402_300_800, True, id="whole-days-for-ever"),
    pytest.param(-(2**50), 2**50, False, id="no-dates-at-all"),
    pytest.param(-(2**50), 2**50, True, id="no-days-at-all"),
]


@pytest.mark.parametrize(("start", "end", "whole_days"), FOR_EVER)
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_what_lasts_for_ever_is_told_from_1970_to_2200(
    office: Office, zone: str, start: int, end: int, whole_days: bool
) -> None:
    tells(office, "anna", Block(id="x", start=start, end=end, whole_days=whole_days))
    office.live_in("anna", zone)
    (found,) = told(office)
    assert at("1969-12-30T00:00") <= found.start <= TEN
    assert TEN + HOUR <= found.end <= at("2200-01-02T00:00")
    assert set(found.told()) == {"user_id", "start", "end", "kind"}


ODD = [
    pytest.param({"dateStart": None}, id="no-start"),
    pytest.param({"dateEnd": ""}, id="no-end"),
    pytest.param({"dateStart": "2026-12-01T10:00:00"}, id="naive"),
    pytest.param({"dateStart": "yesterday"}, id="unreadable"),
    pytest.param({"dateStart": 17, "dateEnd": ["x"]}, id="no-text"),
    pytest.param({"dateEnd": "2026-12-01 09:00:00"}, id="ends-before-it-starts"),
    pytest.param({"dateStart": "0001-01-01 00:00:00", "dateEnd": "9999-12-31 23:59:59"}, id="for-ever"),
    pytest.param({"isAllDay": True, "dateStartDate": "2026-12-41", "dateEndDate": 9}, id="odd-days"),
    pytest.param({"assignedUserId": None, "usersIds": None}, id="nobody"),
    pytest.param({"assignedUserId": 7, "usersIds": {"x": 1}}, id="odd-users"),
    pytest.param({"assignedUserId": "a\x00b", "usersIds": ["\ud800"]}, id="unprintable-users"),
]


@pytest.mark.parametrize("changes", ODD)
def test_an_odd_record_collides_with_nothing(office: Office, changes: Mapping[str, Any]) -> None:
    tells(office, "anna", Block(id="x", start=TEN, end=TEN + HOUR))
    assert told(office, **changes) == ()


def test_another_kind_of_record_collides_with_nothing(office: Office) -> None:
    tells(office, "anna", Block(id="x", start=TEN, end=TEN + HOUR))
    assert office.desk.collisions.find("Opportunity", MEETING) == ()


class Stuck(Collisions):
    """A store that does not answer."""

    def __init__(self, office: Office, until: threading.Event) -> None:
        super().__init__(
            office.store, office.desk.features, office.entities, crm_zone=lambda: "", seconds=0.05
        )
        self.until = until

    def find(self, entity_type: str, record: Mapping[str, object]) -> tuple[Collision, ...]:
        """Wait, and then answer."""
        self.until.wait(30)
        return super().find(entity_type, record)


def test_nobody_waits_for_a_store_that_does_not_answer(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    until = threading.Event()
    try:
        assert Stuck(office, until).of("Meeting", MEETING) == ()
        assert "took too long" in caplog.text
    finally:
        until.set()


@pytest.mark.parametrize("error", [StoreBusy("no connection"), RuntimeError("a bug")], ids=["busy", "bug"])
def test_a_host_never_sees_an_error(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def broken(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(office.store.busy, "sources", broken)
    assert office.desk.collisions.of("Meeting", MEETING) == ()
    assert "were not told" in caplog.text


def test_a_host_sees_no_error_of_a_time_that_is_none(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    endless = (Collision(TEN, 2**60, "anna", "feed"),)
    monkeypatch.setattr(office.desk.collisions, "find", lambda *_arguments: endless)
    assert office.desk.collisions.of("Meeting", MEETING) == ()
    assert "were not told" in caplog.text
