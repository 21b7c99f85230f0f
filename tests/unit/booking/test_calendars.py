"""Booking calendars and their rules: what is complete, who sees it, what the audit log says."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin import bundle
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.rules import Rules, rules_of
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import BookingCalendar, CalendarKind
from tests.unit.booking.office import Office

BOSS = Actor("boss", "Boss")
TEAM = BookingCalendar(
    id="", name=" Team ", kind=CalendarKind.ROUND_ROBIN, members={"alice": 0, "bob": 5}, rules={"step": 15}
)


@pytest.fixture
def office(office: Office) -> Office:
    """Alice and Bob have accounts, Carol is known to the CRM alone."""
    office.connect("alice")
    office.connect("bob")
    office.people.names = {"carol": "Carol", "dave": "Gone"}
    return office


def test_one_is_added_changed_and_removed(office: Office) -> None:
    calendars = office.desk.calendars
    added = calendars.save(BOSS, TEAM)
    assert (added.name, added.version, dict(added.members)) == ("Team", 1, {"alice": 0, "bob": 5})
    assert calendars.list() == [added] == [calendars.get(added.id)]
    changed = calendars.save(BOSS, replace(added, members={"alice": 0, "carol": 1}))
    assert calendars.save(BOSS, changed).version == 3
    assert calendars.remove(BOSS, added.id)
    assert not calendars.remove(BOSS, added.id)
    assert calendars.get(added.id) is None
    assert [entry.text for entry in office.store.audit.entries()] == [
        "removed the booking calendar",
        "changed the booking calendar; its members are alice, Carol",
        "added the booking calendar; its members are alice, bob",
    ]


def test_two_administrators_do_not_overwrite_each_other(office: Office) -> None:
    added = office.desk.calendars.save(BOSS, TEAM)
    office.desk.calendars.save(BOSS, replace(added, name="First"))
    with pytest.raises(SettingsError, match="Somebody else changed"):
        office.desk.calendars.save(BOSS, replace(added, name="Second"))
    office.desk.calendars.remove(BOSS, added.id)
    with pytest.raises(SettingsError, match="may have been removed"):
        office.desk.calendars.save(BOSS, replace(added, name="Third"))


def test_members_and_administrators_see_one(office: Office) -> None:
    added = office.desk.calendars.save(BOSS, TEAM)
    assert office.desk.calendars.visible_to("alice") == [added]
    assert office.desk.calendars.visible_to("carol") == []
    assert office.desk.calendars.visible_to("carol", admin=True) == [added]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"name": "  "}, "name", id="no-name"),
        pytest.param({"name": "x" * 101}, "name", id="long-name"),
        pytest.param({"name": "a\nb"}, "name", id="a-name-of-two-lines"),
        pytest.param({"members": {}}, "at least one", id="no-members"),
        pytest.param({"members": {"zoe": 0}}, "no user zoe who is active", id="unknown-member"),
        pytest.param({"members": {"dave": 0}}, "no user dave who is active", id="a-member-who-is-not-active"),
        pytest.param({"members": {"alice": -1}}, "priority", id="negative-priority"),
        pytest.param({"members": {"alice": 101}}, "priority", id="great-priority"),
        pytest.param({"members": dict.fromkeys(map(str, range(101)), 0)}, "at most 100", id="a-crowd"),
        pytest.param({"kind": CalendarKind.PERSONAL}, "exactly one", id="personal-for-two"),
        pytest.param({"kind": CalendarKind.EVENT}, "not connected to Outlook", id="event-with-members"),
        pytest.param({"rules": {"duration": 0}}, "duration", id="no-duration"),
        pytest.param({"rules": {"duration": "30"}}, "duration", id="duration-in-words"),
        pytest.param({"rules": {"daily": 3}}, "daily", id="an-unknown-rule"),
        pytest.param({"rules": {"start": "9:00"}}, "a time such as 09:00", id="start"),
        pytest.param({"rules": {"weekdays": []}}, "weekdays", id="no-weekdays"),
        pytest.param({"rules": {"weekdays": ["mon", "noday"]}}, "weekdays", id="an-unknown-weekday"),
        pytest.param({"rules": {"zone": "Mars/Olympus"}}, "zone", id="an-unknown-zone"),
        pytest.param({"rules": {"entity_type": "Task"}}, "entity_type", id="what-is-not-synced"),
    ],
)
def test_what_is_not_complete_is_refused_in_words(
    office: Office, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        office.desk.calendars.save(BOSS, replace(TEAM, **changes))
    assert office.desk.calendars.list() == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kind": CalendarKind.EVENT, "members": {}}, id="event"),
        pytest.param({"kind": CalendarKind.PERSONAL, "members": {"carol": 0}}, id="not-connected-yet"),
        pytest.param({"kind": CalendarKind.SERVICE}, id="service"),
        pytest.param({"kind": CalendarKind.COLLECTIVE, "rules": {"zone": "Europe/Vienna"}}, id="collective"),
    ],
)
def test_what_is_complete_is_kept(office: Office, changes: dict[str, Any]) -> None:
    office.desk.calendars.save(BOSS, replace(TEAM, **changes))


def test_who_left_the_crm_stays_a_member_until_taken_off(office: Office) -> None:
    added = office.desk.calendars.save(BOSS, replace(TEAM, members={"alice": 0, "carol": 0}))
    office.people.names = {}
    assert office.desk.calendars.save(BOSS, replace(added, name="Team B")).name == "Team B"


def test_while_the_crm_is_away_the_audit_log_has_members_by_id(office: Office) -> None:
    added = office.desk.calendars.save(BOSS, replace(TEAM, members={"alice": 0, "carol": 0}))
    office.people.away = True
    office.desk.calendars.save(BOSS, replace(added, members={"carol": 0}))
    assert office.store.audit.entries()[0].text == "changed the booking calendar; its members are carol"


def test_rules_and_schema_are_one() -> None:
    schema = bundle.schema("booking_calendar")["properties"]
    assert set(schema) == {part.name for part in dataclasses.fields(Rules)}
    assert rules_of({name: inner["default"] for name, inner in schema.items()}) == Rules() == rules_of({})
