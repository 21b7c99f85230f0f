"""When a mailbox's owner works and in which zone: asked at the connection and daily."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.engine.hours_told import SOON
from calsync_plugin.state import AccountStatus
from tests.world import ALICE, World

DAY = 24 * 3600.0
SETTINGS = {"method": "GET", "path": "/mailboxSettings"}
SUNDAY = {
    "daysOfWeek": ["sunday"],
    "startTime": "10:00:00.0000000",
    "endTime": "12:00:00.0000000",
    "timeZone": {"name": "UTC"},
}
SUNDAY_STORED = {"days": [6], "start": "10:00", "end": "12:00", "zone": "UTC"}


def asked(world: World) -> int:
    """How often the mailboxes were asked for their settings."""
    return sum(one["path"].endswith("/mailboxSettings") for one in world.outlook.log.as_json()["requests"])


def test_working_hours_are_known_from_the_connection_on_and_asked_for_daily(world: World) -> None:
    assert world.account(ALICE).working_hours == {
        "days": [0, 1, 2, 3, 4],
        "start": "08:00",
        "end": "17:00",
        "zone": "Europe/Berlin",
    }
    world.control("PATCH", "mailboxes/alice@example.com", workingHours=SUNDAY)
    world.pull(ALICE)
    assert world.account(ALICE).working_hours != SUNDAY_STORED
    world.clock.advance(DAY)
    world.pull(ALICE)
    assert world.account(ALICE).working_hours == SUNDAY_STORED


def test_a_mailbox_that_does_not_tell_has_none_and_syncs(world: World) -> None:
    world.fail(match=SETTINGS, status=403, times=9)
    world.clock.advance(DAY)
    world.pull(ALICE)
    assert world.account(ALICE).working_hours is None
    record = world.save()
    world.settle()
    assert world.link(record).home is not None


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 503}, id="unavailable"),
        pytest.param({"status": 500}, id="broken"),
        pytest.param({"drop_before": True}, id="no-answer"),
    ],
)
def test_settings_that_are_away_keep_no_pull_from_its_end(world: World, fault: dict[str, Any]) -> None:
    world.clock.advance(DAY)
    world.fail(match=SETTINGS, times=1000, **fault)
    before = world.account(ALICE)
    world.outlook_create(ALICE)
    world.pull(ALICE)
    after = world.account(ALICE)
    assert before.pulled_at is not None
    assert after.pulled_at is not None
    assert after.pulled_at > before.pulled_at
    assert after.working_hours == before.working_hours is not None
    assert (after.status, after.last_error_at) == (AccountStatus.CONNECTED, before.last_error_at)


def test_settings_that_were_away_are_asked_for_within_the_day(world: World) -> None:
    world.clock.advance(DAY)
    world.fail(match=SETTINGS, status=503, times=1000)
    world.pull(ALICE)
    before = asked(world)
    world.pull(ALICE)
    assert asked(world) == before > 0
    world.outlook.faults.replace([])
    world.control("PATCH", "mailboxes/alice@example.com", workingHours=SUNDAY)
    world.clock.advance(SOON)
    world.pull(ALICE)
    assert world.account(ALICE).working_hours == SUNDAY_STORED


def test_the_zone_is_the_one_that_the_mailbox_has_now(world: World) -> None:
    world.graph("PATCH", ALICE, "mailboxSettings", json={"timeZone": "Tokyo Standard Time"})
    world.clock.advance(DAY)
    world.pull(ALICE)
    assert world.account(ALICE).zone == "Tokyo Standard Time"


def test_a_hiccup_at_the_reconnection_takes_no_hours_away(world: World) -> None:
    before = world.account(ALICE).working_hours
    world.app.connections.disconnect(ALICE)
    world.fail(match=SETTINGS, status=503, times=10)
    world.connect(ALICE)
    assert world.account(ALICE).working_hours == before is not None
    world.outlook.faults.replace([])
    world.control("PATCH", "mailboxes/alice@example.com", workingHours=SUNDAY)
    world.clock.advance(SOON)
    world.pull(ALICE)
    assert world.account(ALICE).working_hours == SUNDAY_STORED
