"""Times as programs write them: what they mean, and what is refused in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from werkzeug.exceptions import BadRequest

from calsync_plugin.web import api_times

VIENNA = "Europe/Vienna"


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        pytest.param("2026-12-01T09:00:00Z", "", "2026-12-01T09:00:00+00:00", id="utc"),
        pytest.param("2026-12-01T09:00Z", "", "2026-12-01T09:00:00+00:00", id="without-seconds"),
        pytest.param("2026-12-01t09:00z".upper(), "", "2026-12-01T09:00:00+00:00", id="letters"),
        pytest.param("2026-12-01T09:00:00.999Z", "", "2026-12-01T09:00:00+00:00", id="fraction"),
        pytest.param("2026-12-01T09:00:00.123456789Z", "", "2026-12-01T09:00:00+00:00", id="nanoseconds"),
        pytest.param("2026-12-01T09:00+01:00", "", "2026-12-01T08:00:00+00:00", id="offset"),
        pytest.param("2026-12-01T09:00+0100", "", "2026-12-01T08:00:00+00:00", id="offset-without-colon"),
        pytest.param("2026-12-01T09:00 01:00", "", "2026-12-01T08:00:00+00:00", id="plus-not-encoded"),
        pytest.param("2026-12-01T09:00:00-05:00", "", "2026-12-01T14:00:00+00:00", id="west"),
        pytest.param("2026-12-01T09:00:00-05:00", VIENNA, "2026-12-01T14:00:00+00:00", id="own-offset"),
        pytest.param("2026-12-01T09:00", VIENNA, "2026-12-01T08:00:00+00:00", id="wall-time"),
        pytest.param("2026-12-01 09:00", VIENNA, "2026-12-01T08:00:00+00:00", id="blank-for-T"),
        pytest.param("2026-12-01", VIENNA, "2026-11-30T23:00:00+00:00", id="day"),
        pytest.param("2026-12-01", "UTC", "2026-12-01T00:00:00+00:00", id="day-in-utc"),
        pytest.param("2026-07-01", VIENNA, "2026-06-30T22:00:00+00:00", id="day-in-summer"),
        pytest.param("2027-03-28T02:30", VIENNA, "2027-03-28T01:30:00+00:00", id="hour-that-is-skipped"),
        pytest.param("2026-10-25T02:30", VIENNA, "2026-10-25T00:30:00+00:00", id="hour-that-comes-twice"),
        pytest.param("2028-02-29", "UTC", "2028-02-29T00:00:00+00:00", id="leap-day"),
    ],
)
def test_a_time_means_one_second(text: str, zone: str, meant: str) -> None:
    assert datetime.fromtimestamp(api_times.instant("from", text, zone), UTC).isoformat() == meant


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        pytest.param("2026-12-01T09:00", "", "has no zone", id="no-zone"),
        pytest.param("2026-12-01", "", "has no zone", id="day-without-zone"),
        pytest.param("2026-12-01Z", "", "must be a time such as", id="day-with-offset"),
        pytest.param("tomorrow", VIENNA, "must be a time such as", id="words"),
        pytest.param("", VIENNA, "must be a time such as", id="empty"),
        pytest.param("1796115600", "", "must be a time such as", id="epoch-seconds"),
        pytest.param("2026-W49-2", VIENNA, "must be a time such as", id="week"),
        pytest.param("2026-12-01T09:00:00Z; DROP", "", "must be a time such as", id="more-behind-it"),
        pytest.param("\u0662\u0660\u0662\u0666-12-01", VIENNA, "must be a time such as", id="other-digits"),
        pytest.param("2026-13-01", VIENNA, "month must be in 1..12", id="month-13"),
        pytest.param("2026-02-29", VIENNA, "day is out of range", id="no-leap-day"),
        pytest.param("2026-12-01T25:00Z", "", "hour must be in 0..23", id="hour-25"),
        pytest.param("2026-12-01T09:00+99:00", "", "offset", id="offset-of-days"),
        pytest.param("0000-12-01", VIENNA, "year", id="year-0"),
        pytest.param("0001-01-01", VIENNA, "years 1970 to 2199", id="year-1"),
        pytest.param("9999-12-31T23:59:59-23:00", "", "years 1970 to 2199", id="year-9999"),
    ],
)
def test_what_is_no_time_is_refused_in_words(text: str, zone: str, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        api_times.instant("from", text, zone)
    assert (refused.value.description or "").startswith("from: ")
    assert words in (refused.value.description or "")


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        pytest.param("", "2026-12-02", "from: is missing", id="no-start"),
        pytest.param("2026-12-01", "", "to: is missing", id="no-end"),
        pytest.param("2026-12-02", "2026-12-01", "to: must lie after from", id="backwards"),
        pytest.param("2026-12-01", "2026-12-01", "to: must lie after from", id="nothing"),
    ],
)
def test_a_window_has_two_ends_in_order(start: str, end: str, words: str) -> None:
    with pytest.raises(BadRequest) as refused:
        api_times.window(start, end, VIENNA)
    assert words in (refused.value.description or "")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("", "", id="none"),
        pytest.param(VIENNA, VIENNA, id="iana"),
        pytest.param("W. Europe Standard Time", "Europe/Berlin", id="windows"),
        pytest.param("utc", "UTC", id="utc"),
    ],
)
def test_a_zone_has_its_iana_name(name: str, found: str) -> None:
    assert api_times.zone(name) == found


@pytest.mark.parametrize(
    "name",
    ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "\0", "x" * 5000, " ", "Vienna\nX"],
    ids=["mars", "path", "absolute", "folder", "null", "long", "blank", "lines"],
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        api_times.zone(name)
    assert len(refused.value.description or "") < 300


def test_times_are_written_in_utc_or_in_the_zone_that_was_asked_for() -> None:
    second = int(datetime(2026, 12, 1, 9, tzinfo=UTC).timestamp())
    assert api_times.written(second, "") == "2026-12-01T09:00:00Z"
    assert api_times.written(second, VIENNA) == "2026-12-01T10:00:00+01:00"
    assert api_times.written(second, "UTC") == "2026-12-01T09:00:00Z"
