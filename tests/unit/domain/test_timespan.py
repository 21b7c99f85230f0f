"""When a meeting takes place: what is refused, and when it is over (R15)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from calsync_plugin.domain.meeting import (
    Field,
)
from calsync_plugin.domain.timespan import AllDay, Timed, over_in_normal_form
from calsync_plugin.errors import ItemError
from tests.unit.domain.cases import (
    HOUR,
    NOW,
    meeting,
)


def in_zone(hours: float) -> tzinfo:
    """A zone so many hours east."""
    return timezone(timedelta(hours=hours))


REFUSED: list[Any] = [
    pytest.param(Timed, datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC), "naive_time", id="naive"),  # noqa: DTZ001
    pytest.param(Timed, NOW, NOW - HOUR, "end_before_start", id="end before start"),
    pytest.param(Timed, datetime(1, 1, 1, tzinfo=in_zone(2)), NOW, "date_out_of_range", id="year 1, east"),
    pytest.param(
        Timed, NOW, datetime(9999, 12, 31, 23, tzinfo=in_zone(-2)), "date_out_of_range", id="year 9999"
    ),
    pytest.param(Timed, datetime(1601, 1, 1, tzinfo=UTC), NOW, "date_out_of_range", id="year 1601"),
    pytest.param(Timed, datetime(1900, 1, 1, tzinfo=in_zone(2)), NOW, "date_out_of_range", id="1899 in UTC"),
    pytest.param(AllDay, date(2026, 1, 1), date(2026, 1, 1), "end_before_start", id="no day"),
    pytest.param(AllDay, date(2026, 1, 2), date(2026, 1, 1), "end_before_start", id="days backwards"),
    pytest.param(AllDay, date(1, 1, 1), date(2026, 1, 1), "date_out_of_range", id="day in year 1"),
    pytest.param(AllDay, date(2026, 1, 1), date(9999, 12, 31), "date_out_of_range", id="day in year 9999"),
]


@pytest.mark.parametrize(("kind", "start", "end", "reason"), REFUSED)
def test_spans_that_are_refused(kind: Any, start: Any, end: Any, reason: str) -> None:
    """With a reason that parks the item."""
    with pytest.raises(ItemError) as refused:
        kind(start, end)
    assert refused.value.reason == reason


def test_a_timed_span_is_instants_of_one_second() -> None:
    """Zone and fraction take no part."""
    east = Timed(NOW.astimezone(in_zone(9)).replace(microsecond=999_999), NOW + HOUR)
    assert east == Timed(NOW, NOW + HOUR)
    assert east.normal() == ["timed", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"]
    assert Timed(NOW, NOW).normal()[1:] == ["2026-11-20T12:00:00Z"] * 2


def test_whole_days_are_dates() -> None:
    """Exclusive as in Graph, inclusive as in EspoCRM; never the same as midnights."""
    days = AllDay(date(2026, 3, 1), date(2026, 3, 3))
    assert days.last == date(2026, 3, 2)
    assert days.normal() == ["all-day", "2026-03-01", "2026-03-03"]
    midnights = Timed(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
    assert meeting(span=days).fingerprint([Field.SPAN]) != meeting(span=midnights).fingerprint([Field.SPAN])


LAST_DAY = AllDay(date(2026, 11, 19), date(2026, 11, 20))


ENDS = [
    pytest.param(Timed(NOW - HOUR, NOW), NOW, True, id="just now"),
    pytest.param(Timed(NOW - HOUR, NOW), NOW - timedelta(seconds=1), False, id="in a second"),
    pytest.param(LAST_DAY, datetime(2026, 11, 20, 11, 59, tzinfo=UTC), False, id="still the day somewhere"),
    pytest.param(LAST_DAY, datetime(2026, 11, 20, 12, tzinfo=UTC), True, id="over everywhere"),
]


@pytest.mark.parametrize(("span", "now", "over"), ENDS)
def test_when_a_meeting_is_over(span: Timed | AllDay, now: datetime, over: bool) -> None:
    """The same from the span and from what a base remembers of it."""
    assert span.over_at(now) is over
    assert over_in_normal_form(json.loads(json.dumps(span.normal())), now) is over
    assert over_in_normal_form(None, now) is False
