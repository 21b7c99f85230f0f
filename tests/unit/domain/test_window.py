"""The window that is read: its edges, and its parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from calsync_plugin.domain.window import LONGEST, Window, parts, window


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "months", "now", "start", "end"),
    [
        pytest.param("2026-11-23", 12, "2026-11-23", "2026-11-22", "2027-12-01", id="a-year-ahead"),
        pytest.param("2026-11-23", 12, "2026-11-30", "2026-11-22", "2027-12-01", id="same-in-one-month"),
        pytest.param("2026-11-23", 12, "2026-12-01", "2026-11-22", "2028-01-01", id="moves-next-month"),
        pytest.param("2026-11-23", 1, "2026-12-31", "2026-11-22", "2027-02-01", id="over-new-year"),
        pytest.param("2030-01-01", 1, "2026-11-23", "2029-12-31", "2030-01-31", id="begins-in-the-future"),
    ],
)
def test_the_window(since: str, months: int, now: str, start: str, end: str) -> None:
    assert window(date.fromisoformat(since), months, _at(now)) == Window(_at(start), _at(end))


def test_a_long_window_is_read_in_parts_without_a_gap() -> None:
    whole = Window(_at("2010-01-01"), _at("2027-01-01"))
    pieces = parts(whole)
    assert all(piece.end - piece.start <= LONGEST for piece in pieces)
    assert pieces[0].start == whole.start
    assert pieces[-1].end == whole.end
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert len(pieces) == 4


def test_five_years_are_one_part() -> None:
    whole = Window(_at("2022-01-01"), _at("2022-01-01") + LONGEST)
    assert parts(whole) == (whole,)


@pytest.mark.parametrize(
    ("start", "end", "touches"),
    [
        pytest.param(-2, -1, False, id="before"),
        pytest.param(-1, 0, True, id="ends-at-its-beginning"),
        pytest.param(-1, 1, True, id="over-the-edge"),
        pytest.param(9, 11, True, id="over-the-end"),
        pytest.param(10, 11, False, id="begins-at-its-end"),
    ],
)
def test_what_lies_in_it(start: int, end: int, touches: bool) -> None:
    begin = _at("2026-01-01")
    whole = Window(begin, begin + timedelta(days=10))
    assert whole.touches(begin + timedelta(days=start), begin + timedelta(days=end)) is touches
