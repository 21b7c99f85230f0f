"""Windows and IANA zones, gaps and folds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tzlocal.windows_tz import tz_win, win_tz

from calsync_plugin.graph import zones

KNOWN = [
    pytest.param("W. Europe Standard Time", "Europe/Berlin", "W. Europe Standard Time", id="windows"),
    pytest.param("w. europe standard time", "Europe/Berlin", "W. Europe Standard Time", id="any-case"),
    pytest.param("Europe/Vienna", "Europe/Vienna", "W. Europe Standard Time", id="iana"),
    pytest.param("America/New_York", "America/New_York", "Eastern Standard Time", id="new-york"),
    pytest.param("Asia/Kolkata", "Asia/Kolkata", "India Standard Time", id="half-hour"),
    pytest.param("UTC", "UTC", "UTC", id="utc"),
    pytest.param("Etc/UTC", "UTC", "UTC", id="etc-utc"),
    pytest.param("tzone://Microsoft/Utc", "UTC", "UTC", id="tzone-utc"),
    pytest.param("Coordinated Universal Time", "UTC", "UTC", id="utc-in-words"),
]


@pytest.mark.parametrize(("name", "iana", "outlook"), KNOWN)
def test_known_zones(name: str, iana: str, outlook: str) -> None:
    assert (zones.known(name), zones.iana(name), zones.outlook_name(name)) == (True, iana, outlook)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "tzone://Microsoft/Custom",
        "Customized Time Zone",
        "Nowhere",
        "../../etc/passwd",
        "Europe",
        "/a",
        "a\0b",
    ],
)
def test_unknown_zones(name: str) -> None:
    assert (zones.known(name), zones.iana(name), zones.outlook_name(name)) == (False, "", "")
    with pytest.raises(ValueError, match="unknown time zone"):
        zones.wall(datetime.now(UTC), name)


def test_every_name_of_the_tables_is_known() -> None:
    assert [name for name in win_tz if not zones.known(name) or zones.outlook_name(name) == ""] == []
    # The zone database of this machine may be older than the table by a city or two.
    assert len([name for name in tz_win if not zones.known(name)]) < 10


PREFERRED = [
    pytest.param("Europe/Vienna", "W. Europe Standard Time", "Europe/Vienna", id="keeps-the-city"),
    pytest.param("Europe/London", "W. Europe Standard Time", "Europe/Berlin", id="another-zone"),
    pytest.param("", "W. Europe Standard Time", "Europe/Berlin", id="none"),
    pytest.param("Nowhere", "W. Europe Standard Time", "Europe/Berlin", id="unknown-own"),
    pytest.param("Europe/Vienna", "Europe/Berlin", "Europe/Vienna", id="iana-of-outlook"),
    pytest.param("Europe/Vienna", "tzone://Microsoft/Custom", "", id="custom"),
]


@pytest.mark.parametrize(("own", "outlook", "chosen"), PREFERRED)
def test_the_users_own_city_is_kept(own: str, outlook: str, chosen: str) -> None:
    assert zones.preferred(own, outlook) == chosen


WALLS = [
    pytest.param("2026-07-01T12:00", "2026-07-01T10:00", True, id="summer"),
    pytest.param("2026-01-01T12:00", "2026-01-01T11:00", True, id="winter"),
    pytest.param("2026-03-29T02:30", "2026-03-29T01:30", False, id="gap-lies-as-much-later"),
    pytest.param("2026-10-25T02:30", "2026-10-25T00:30", True, id="fold-is-the-first"),
]


@pytest.mark.parametrize(("wall", "utc", "same"), WALLS)
def test_wall_times_are_instants(wall: str, utc: str, same: bool) -> None:
    moment = zones.instant(datetime.fromisoformat(wall), "Europe/Berlin")
    assert moment == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert (zones.wall(moment, "Europe/Berlin") == datetime.fromisoformat(wall)) is same


def test_the_second_of_two_equal_wall_times_is_told_apart() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert zones.wall(first, "W. Europe Standard Time") == zones.wall(second, "W. Europe Standard Time")
    assert zones.unambiguous(first, "W. Europe Standard Time") is True
    assert zones.unambiguous(second, "W. Europe Standard Time") is False
    assert zones.unambiguous(second, "UTC") is True
