"""Working hours: told by Outlook, kept as JSON, reckoned with."""

from __future__ import annotations

from datetime import UTC, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.domain.availability import WorkingHours
from calsync_plugin.graph.working_hours import read_working_hours, working_hours


def told(**more: Any) -> dict[str, Any]:
    return {
        "daysOfWeek": ["monday", "Tuesday", "friday"],
        "startTime": "08:30:00.0000000",
        "endTime": "17:00:00.0000000",
        "timeZone": {"name": "W. Europe Standard Time"},
        **more,
    }


KEPT = {"days": [0, 1, 4], "start": "08:30", "end": "17:00", "zone": "Europe/Berlin"}

BELIEVED = [
    pytest.param({}, KEPT, id="windows-zone"),
    pytest.param({"timeZone": {"name": "Asia/Tokyo"}}, {**KEPT, "zone": "Asia/Tokyo"}, id="iana-zone"),
    pytest.param({"timeZone": {"name": "UTC"}}, {**KEPT, "zone": "UTC"}, id="utc"),
    pytest.param(
        {"timeZone": {"@odata.type": "#microsoft.graph.customTimeZone", "name": "Customized Time Zone"}},
        {**KEPT, "zone": "Europe/Paris"},
        id="custom-zone-is-the-mailboxs",
    ),
    pytest.param(
        {"startTime": "22:00:00", "endTime": "06:00:00"},
        {**KEPT, "start": "22:00", "end": "06:00"},
        id="night",
    ),
    pytest.param({"daysOfWeek": ["someday", "sunday"]}, {**KEPT, "days": [6]}, id="unknown-day"),
]


@pytest.mark.parametrize(("more", "kept"), BELIEVED)
def test_what_is_believed(more: dict[str, Any], kept: dict[str, Any]) -> None:
    assert read_working_hours(told(**more), zone="Romance Standard Time") == kept


NONSENSE = [
    pytest.param(None, id="null"),
    pytest.param("nine to five", id="text"),
    pytest.param(told(daysOfWeek=[]), id="no-day"),
    pytest.param(told(daysOfWeek=None), id="null-days"),
    pytest.param(told(startTime="morning"), id="no-start"),
    pytest.param(told(endTime=None), id="no-end"),
    pytest.param(told(timeZone={"name": "Customized Time Zone"}), id="unknown-zone"),
    pytest.param(told(timeZone=None), id="no-zone"),
]


@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_is_none(value: Any) -> None:
    assert read_working_hours(value) is None


def test_what_is_kept_comes_back() -> None:
    assert working_hours(KEPT) == WorkingHours(
        zone=ZoneInfo("Europe/Berlin"), weekdays=frozenset({0, 1, 4}), start=time(8, 30), end=time(17)
    )
    in_utc = working_hours({**KEPT, "zone": "UTC"})
    assert in_utc is not None
    assert in_utc.zone == UTC


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="none"),
        pytest.param({**KEPT, "days": [7]}, id="no-such-day"),
        pytest.param({**KEPT, "days": []}, id="no-day"),
        pytest.param({**KEPT, "zone": "Mars/Olympus"}, id="unknown-zone"),
        pytest.param({**KEPT, "start": 8}, id="no-time"),
    ],
)
def test_what_is_stored_and_unreadable_is_none(stored: Any) -> None:
    assert working_hours(stored) is None
