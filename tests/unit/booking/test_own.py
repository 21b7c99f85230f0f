"""What a user does with addresses and colleagues: added, named, read, taken off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.booking.own import MOST, MOST_AN_HOUR, READ_AGAIN
from calsync_plugin.errors import FeatureOff, SettingsError, UserError
from calsync_plugin.state import FEEDS, AccountStatus, Gate, SourceKind
from tests.state.samples import MovedClock
from tests.unit.booking.office import HOUR, Office, at, blocks

ALICE, ADMIN = Actor("alice", "Alice"), Actor("boss", "Boss")
SECRET = "calendar.google.com/calendar/ical/alice%40example.com/private-0123456789abcdef/basic.ics"
MONDAY = at("2026-11-23")


def _is_due(office: Office) -> bool:
    """Whether the lane of feeds is."""
    leases = office.store.queue.claim("test", limit=10, lease=15)
    return FEEDS in [lease.mailbox_id for lease in leases]


def _audit(office: Office) -> str:
    return " ".join(f"{entry.text} {entry.subject}" for entry in office.store.audit.entries())


def test_an_address_is_added_masked_and_due_at_once(office: Office) -> None:
    office.connect("alice")
    line = office.desk.own.add_feed(ALICE, "alice", f"https://{SECRET}", " Home ")
    assert (line.kind, line.name, line.shown, line.state, line.removable) == (
        SourceKind.FEED,
        "Home",
        "calendar.google.com/…/basic.ics",
        "is read for the first time",
        True,
    )
    assert _is_due(office)
    assert [one.name for one in office.desk.own.sources("alice")] == ["Calendar", "Home"]
    assert [one.removable for one in office.desk.own.sources("alice")] == [False, True]
    assert "added a calendar address" in _audit(office)
    assert "google" not in _audit(office)
    assert "0123456789abcdef" not in repr(office.desk.own.sources("alice"))


def test_a_feed_without_a_name_is_called_by_its_host(office: Office) -> None:
    office.connect("alice")
    assert office.desk.own.add_feed(ALICE, "alice", f"webcal://{SECRET}").name == "calendar.google.com"


@pytest.mark.parametrize(
    ("address", "name", "words"),
    [
        pytest.param("", "", "Enter the calendar's", id="nothing"),
        pytest.param("ftp://example.com/a.ics", "", "cannot be used", id="ftp"),
        pytest.param("https://127.0.0.1/a.ics", "", "cannot be used", id="this-machine"),
        pytest.param("https://169.254.169.254/latest", "", "cannot be used", id="metadata"),
        pytest.param("https://example.com/a.ics", "x" * 101, "at most 100", id="long-name"),
        pytest.param("https://example.com/a.ics", f"https://{SECRET}", "without an address", id="name"),
        pytest.param("https://example.com/a.ics", SECRET, "without an address", id="bare"),
        pytest.param(
            "https://example.com/a.ics",
            "b\u00fccher.de:8443?k=1",
            "without an address",
            id="query",
        ),
        pytest.param("https://example.com/a.ics", "8.8.8.8/s3cret", "without an address", id="number"),
    ],
)
def test_an_address_that_cannot_be_used(
    opened: Any, clock: MovedClock, address: str, name: str, words: str
) -> None:
    office = Office(opened(clock=clock, kind="bridge"))
    office.connect("alice")
    with pytest.raises(SettingsError, match=words) as caught:
        office.desk.own.add_feed(ALICE, "alice", address, name)
    assert "0123456789abcdef" not in str(caught.value)
    assert len(office.desk.own.sources("alice")) == 1


@pytest.mark.parametrize(
    "name", ["Club e.V. / Training", "and/or", "example.com", "1.5/2 h", "Dr. No/Dr. Who", "5.12./6.12."]
)
def test_a_name_that_is_no_address_is_kept(office: Office, name: str) -> None:
    office.connect("alice")
    assert office.desk.own.add_feed(ALICE, "alice", "https://example.com/a.ics", name).name == name


def test_so_many_addresses_and_each_once(office: Office) -> None:
    office.connect("alice")
    for number in range(MOST - 1):
        office.desk.own.add_feed(ALICE, "alice", f"https://example.com/{number}.ics")
    with pytest.raises(SettingsError, match="already"):
        office.desk.own.add_feed(ALICE, "alice", "https://example.com/1.ics")
    office.desk.own.add_schedule(ALICE, "alice", "bob@example.com")
    with pytest.raises(SettingsError, match=f"{MOST} addresses"):
        office.desk.own.add_feed(ALICE, "alice", "https://example.com/more.ics")


def test_who_adds_and_removes_makes_servers_be_asked_so_often_an_hour(
    office: Office, clock: MovedClock
) -> None:
    office.connect("alice")
    office.connect("ben")
    own = office.desk.own
    for number in range(MOST_AN_HOUR):
        line = own.add_feed(ALICE, "alice", f"https://example.com/{number % 2}.ics")
        own.remove(ALICE, "alice", line.id)
    with pytest.raises(SettingsError, match="within an hour"):
        own.add_feed(ALICE, "alice", "https://example.com/0.ics")
    assert own.add_feed(Actor("ben"), "ben", "https://example.com/0.ics")
    clock.move(HOUR + 1)
    assert own.add_feed(ALICE, "alice", "https://example.com/0.ics")


def test_a_new_address_waits_for_its_turn(office: Office, clock: MovedClock) -> None:
    office.connect("alice")
    office.connect("ben")
    waiting = office.desk.own.add_feed(Actor("ben"), "ben", "https://example.com/2.ics")
    office.store.feeds.answered(waiting.id, next_in=5, failures=0)
    clock.move(10)
    new = office.desk.own.add_feed(ALICE, "alice", "https://example.com/1.ics")
    office.desk.own.read_now("alice", new.id)
    assert [one.source.id for one in office.store.feeds.due(10)] == [waiting.id, new.id]
    office.desk.own.read_now("ben", waiting.id)
    assert [one.source.id for one in office.store.feeds.due(10)] == [waiting.id, new.id]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param("<Bob@Example.com>", "", id="an-address"),
        pytest.param("bob", "e-mail address", id="a-name"),
        pytest.param("", "e-mail address", id="nothing"),
        pytest.param("bob@example.com, carol@example.com", "e-mail address", id="two"),
        pytest.param("b@" + "x" * 300 + ".com", "e-mail address", id="endless"),
        pytest.param("Alice@example.com", "your own", id="own"),
    ],
)
def test_a_colleague_is_added_by_address(office: Office, typed: str, words: str) -> None:
    office.connect("alice")
    if words:
        with pytest.raises(SettingsError, match=words):
            office.desk.own.add_schedule(ALICE, "alice", typed)
        return
    line = office.desk.own.add_schedule(ALICE, "alice", typed)
    assert (line.kind, line.name, line.shown) == (SourceKind.SCHEDULE, "bob@example.com", "bob@example.com")
    assert [feed.address for feed in office.store.feeds.of("alice")] == ["bob@example.com"]
    assert _is_due(office)


@pytest.mark.parametrize(
    ("closed", "feed", "schedule"),
    [
        pytest.param(Feature.FEEDS, False, True, id="feeds"),
        pytest.param(Feature.CONFLICT_CALENDARS, False, False, id="conflict-calendars"),
        pytest.param(Feature.BOOKINGS, True, True, id="something-else"),
    ],
)
def test_a_feature_that_is_off_keeps_new_ones_out_and_old_ones_counting(
    office: Office, closed: Feature, feed: bool, schedule: bool
) -> None:
    office.connect("alice")
    known = office.desk.own.add_feed(ALICE, "alice", "https://example.com/known.ics")
    office.read(known.id, *blocks((MONDAY, MONDAY + HOUR)))
    office.store.gates.close(Gate(feature=closed.value, subject=EVERYBODY))
    own = office.desk.own
    ways: list[tuple[bool, Callable[[], object]]] = [
        (feed, lambda: own.add_feed(ALICE, "alice", "https://example.com/new.ics")),
        (schedule, lambda: own.add_schedule(ALICE, "alice", "bob@example.com")),
    ]
    for allowed, add in ways:
        if allowed:
            add()
        else:
            with pytest.raises(FeatureOff, match="contact the administrator"):
                add()
    if not feed:
        with pytest.raises(FeatureOff, match="switch them on again on the page Features"):
            office.desk.own.add_feed(ADMIN, "alice", "https://example.com/new.ics")
    assert office.desk.availability.of(["alice"], MONDAY, MONDAY + HOUR)[0].busy == ((MONDAY, MONDAY + HOUR),)
    office.desk.own.remove(ALICE, "alice", known.id)


@pytest.mark.parametrize("status", [None, AccountStatus.OFF], ids=["never-connected", "disconnected"])
def test_who_is_not_connected_adds_nothing(office: Office, status: AccountStatus | None) -> None:
    if status:
        office.connect("alice", status=status)
    with pytest.raises(UserError, match="Connect Outlook first"):
        office.desk.own.add_feed(ALICE, "alice", "https://example.com/a.ics")


def test_one_is_renamed_and_taken_off_with_effect_at_once(office: Office) -> None:
    office.connect("alice")
    line = office.desk.own.add_feed(ALICE, "alice", "https://example.com/a.ics", "Home")
    office.read(line.id, *blocks((MONDAY, MONDAY + HOUR)))
    office.desk.own.rename("alice", line.id, "Family")
    assert office.desk.own.sources("alice")[1].name == "Family"
    assert office.desk.own.sources("alice")[1].state == "is read"
    office.desk.own.remove(ALICE, "alice", line.id)
    assert office.desk.availability.of(["alice"], MONDAY, MONDAY + HOUR)[0].busy == ()
    assert "removed a calendar address" in _audit(office)


def test_a_calendar_of_the_mailbox_is_a_setting_and_anothers_is_unknown(office: Office) -> None:
    main = office.connect("alice")
    office.connect("bob")
    line = office.desk.own.add_feed(ALICE, "alice", "https://example.com/a.ics")
    with pytest.raises(UserError, match="chosen in the settings"):
        office.desk.own.remove(ALICE, "alice", main)
    bob = Actor("bob")
    attempts: list[Callable[[], object]] = [
        lambda: office.desk.own.remove(bob, "bob", line.id),
        lambda: office.desk.own.rename("bob", line.id, "mine"),
        lambda: office.desk.own.read_now("bob", line.id),
    ]
    for act in attempts:
        with pytest.raises(UserError, match="not among yours"):
            act()
    assert [one.name for one in office.desk.own.sources("alice")] == ["Calendar", "example.com"]


def test_one_is_read_again_when_its_owner_wants_it_but_not_at_each_click(
    office: Office, clock: MovedClock
) -> None:
    office.connect("alice")
    line = office.desk.own.add_feed(ALICE, "alice", "https://example.com/a.ics")
    office.read(line.id)
    office.store.feeds.answered(line.id, next_in=900, failures=0)
    office.desk.own.read_now("alice", line.id)
    assert office.store.feeds.due(10) == []
    clock.move(READ_AGAIN + 1)
    office.desk.own.read_now("alice", line.id)
    assert [feed.source.id for feed in office.store.feeds.due(10)] == [line.id]


def test_what_cannot_be_read_says_so(office: Office) -> None:
    office.connect("alice")
    line = office.desk.own.add_feed(ALICE, "alice", "https://example.com/a.ics")
    with office.store.save(None) as tx:
        tx.busy.failed(line.id, "example.com does not answer")
    found = office.desk.own.sources("alice")[1]
    assert (found.state, found.error) == ("cannot be read", "example.com does not answer")
