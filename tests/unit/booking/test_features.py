"""Feature gates: for whom something is off, what is told, and what counts while the CRM does not answer."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.features import ASK_AGAIN, EVERYBODY, NOT_FOR_YOU, REMEMBERED, Feature
from calsync_plugin.errors import FeatureOff, UserError
from calsync_plugin.state import Subject
from tests.state.samples import MovedClock
from tests.unit.booking.office import Office

BOSS = Actor("boss", "Boss")
SALES, GUEST = Subject("team", "sales"), Subject("role", "guest")


@pytest.fixture
def office(office: Office) -> Office:
    """Alice is in Sales, Bob is a guest; of Carol the CRM tells nothing, and Dora it does not know."""
    office.people.teams = {"alice": frozenset({"sales"}), "bob": frozenset({"other"}), "carol": None}
    office.people.roles = {"bob": frozenset({"guest"})}
    return office


def _off_for(office: Office, feature: Feature) -> list[str]:
    closed = office.desk.features.closed_for(["alice", "bob", "carol", "dora"])
    return [user_id for user_id, gates in closed.items() if feature in gates]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        pytest.param(EVERYBODY, ["alice", "bob", "carol", "dora"], id="everybody"),
        pytest.param(SALES, ["alice", "carol", "dora"], id="a-team-and-who-may-be-in-it"),
        pytest.param(GUEST, ["bob", "dora"], id="a-role"),
    ],
)
def test_for_whom_a_feature_is_off(office: Office, subject: Subject, expected: list[str]) -> None:
    office.desk.features.close(BOSS, Feature.BOOKINGS, subject)
    assert _off_for(office, Feature.BOOKINGS) == expected
    assert _off_for(office, Feature.FEEDS) == []
    office.desk.features.open(BOSS, Feature.BOOKINGS, subject)
    assert _off_for(office, Feature.BOOKINGS) == []


@pytest.mark.parametrize(
    ("subject", "name", "words"),
    [
        pytest.param(SALES, "", "off for the team Sales; switch", id="a-team-by-the-crms-name"),
        pytest.param(SALES, "Sellers", "off for the team Sellers; switch", id="a-team-by-the-given-name"),
        pytest.param(EVERYBODY, "", "off for everybody; switch", id="everybody"),
    ],
)
def test_each_reader_gets_the_message_that_helps(
    office: Office, subject: Subject, name: str, words: str
) -> None:
    office.desk.features.close(BOSS, Feature.BOOKINGS, subject, name)
    with pytest.raises(FeatureOff) as told:
        office.desk.features.check(Feature.BOOKINGS, "alice")
    assert str(told.value) == NOT_FOR_YOU
    with pytest.raises(FeatureOff) as told:
        office.desk.features.check(Feature.BOOKINGS, "alice", admin=True)
    assert f"Bookings are switched {words} them on again on the page Features." in str(told.value)
    office.desk.features.check(Feature.AVAILABILITY, "alice")


def test_the_crm_is_asked_only_while_a_team_or_role_must_do_without(
    office: Office, clock: MovedClock
) -> None:
    _off_for(office, Feature.BOOKINGS)
    office.desk.features.close(BOSS, Feature.BOOKINGS, EVERYBODY)
    _off_for(office, Feature.BOOKINGS)
    assert office.people.asked == 0
    office.desk.features.close(BOSS, Feature.FEEDS, SALES)
    _off_for(office, Feature.FEEDS)
    _off_for(office, Feature.FEEDS)
    assert office.people.asked == 1
    clock.move(REMEMBERED + 1)
    _off_for(office, Feature.FEEDS)
    assert office.people.asked == 2


def test_while_the_crm_is_away_what_it_said_last_counts(office: Office, clock: MovedClock) -> None:
    office.desk.features.close(BOSS, Feature.BOOKINGS, SALES)
    office.desk.features.closed_for(["alice", "bob"])
    office.people.away = True
    clock.move(10 * REMEMBERED)
    assert _off_for(office, Feature.BOOKINGS) == ["alice", "carol", "dora"]
    office.people.away = False
    clock.move(ASK_AGAIN + 1)
    office.people.teams["alice"] = frozenset()
    assert _off_for(office, Feature.BOOKINGS) == ["carol", "dora"]


def test_nobody_waits_for_a_crm_that_just_did_not_answer(office: Office, clock: MovedClock) -> None:
    office.desk.features.close(BOSS, Feature.BOOKINGS, SALES)
    office.people.away = True
    for _ in range(3):
        _off_for(office, Feature.BOOKINGS)
    assert office.people.asked == 1
    clock.move(ASK_AGAIN + 1)
    _off_for(office, Feature.BOOKINGS)
    assert office.people.asked == 2


def test_who_was_never_told_of_does_without_until_the_crm_answers(office: Office) -> None:
    """An administrator's "off" must not be undone by an outage."""
    office.desk.features.close(BOSS, Feature.BOOKINGS, SALES)
    office.people.away = True
    assert _off_for(office, Feature.BOOKINGS) == ["alice", "bob", "carol", "dora"]


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        pytest.param(Subject("user", "alice"), "not for a user alone", id="a-user"),
        pytest.param(Subject("installation", "x"), "not for a user alone", id="a-part-of-everybody"),
        pytest.param(Subject("team", "unknown"), "names no team or role", id="an-unknown-team"),
    ],
)
def test_for_whom_nothing_can_be_switched_off(office: Office, subject: Subject, words: str) -> None:
    with pytest.raises(UserError, match=words):
        office.desk.features.close(BOSS, Feature.BOOKINGS, subject)
    assert office.desk.features.all() == []


def test_the_audit_log_says_who_switched_what_once(office: Office) -> None:
    for _ in range(2):
        office.desk.features.close(BOSS, Feature.FEEDS, SALES)
    for _ in range(2):
        office.desk.features.open(BOSS, Feature.FEEDS, SALES)
    entries = [(one.actor_name, one.text, one.subject) for one in office.store.audit.entries()]
    assert entries == [
        ("Boss", "switched on calendar addresses again", "the team Sales"),
        ("Boss", "switched off calendar addresses", "the team Sales"),
    ]
