"""Which time an event takes up, from Graph's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.errors import InvalidEvent, UnknownOutcome
from calsync_plugin.graph.busy import read_block, read_blocks, read_busy


def at(text: str, zone: str = "UTC") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def event(**more: Any) -> dict[str, Any]:
    """An hour on 2 December, unless told otherwise."""
    hour = {"start": at("2026-12-02T10:00:00.0000000"), "end": at("2026-12-02T11:00:00.0000000")}
    return {"id": "E", "type": "singleInstance", "showAs": "busy", **hour, **more}


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


TEN, ELEVEN = second("2026-12-02T10:00"), second("2026-12-02T11:00")

TIMES = [
    pytest.param({}, "2026-12-02T10:00", "2026-12-02T11:00", False, id="utc"),
    pytest.param(
        {
            "start": at("2026-12-02T10:00:00", "W. Europe Standard Time"),
            "end": at("2026-12-02T11:00:00", "Europe/Vienna"),
        },
        "2026-12-02T09:00",
        "2026-12-02T10:00",
        False,
        id="windows-and-iana-zones",
    ),
    pytest.param(
        {"start": at("2026-12-02T10:00:00-05:00"), "end": at("2026-12-02T10:30:00-05:00")},
        "2026-12-02T15:00",
        "2026-12-02T15:30",
        False,
        id="offsets",
    ),
    pytest.param(
        {"isAllDay": True, "start": at("2026-12-02T00:00:00"), "end": at("2026-12-04T00:00:00")},
        "2026-12-02T00:00",
        "2026-12-04T00:00",
        True,
        id="two-days",
    ),
    pytest.param(
        {"isAllDay": True, "start": at("2026-12-02T00:00:00"), "end": at("2026-12-02T00:00:00")},
        "2026-12-02T00:00",
        "2026-12-03T00:00",
        True,
        id="a-client-that-says-the-last-day",
    ),
    pytest.param(
        {
            "isAllDay": True,
            "originalStartTimeZone": "W. Europe Standard Time",
            "start": at("2026-12-01T23:00:00"),
            "end": at("2026-12-02T23:00:00"),
        },
        "2026-12-02T00:00",
        "2026-12-03T00:00",
        True,
        id="days-that-went-through-utc",
    ),
    pytest.param(
        {"start": at("2026-12-02T22:00:00"), "end": at("2026-12-05T06:00:00")},
        "2026-12-02T22:00",
        "2026-12-05T06:00",
        False,
        id="several-days-with-times",
    ),
    pytest.param(
        {"end": at("2026-12-02T10:00:00")}, "2026-12-02T10:00", "2026-12-02T10:00", False, id="no-length"
    ),
]


@pytest.mark.parametrize(("more", "start", "end", "whole_days"), TIMES)
def test_when_it_is(more: dict[str, Any], start: str, end: str, whole_days: bool) -> None:
    found = read_block(event(**more))
    assert found == Block(id="E", start=second(start), end=second(end), whole_days=whole_days)


COUNTS = [
    pytest.param({}, ShowAs.BUSY, id="busy"),
    pytest.param({"showAs": "oof"}, ShowAs.OOF, id="out-of-office"),
    pytest.param({"showAs": "tentative"}, ShowAs.TENTATIVE, id="tentative"),
    pytest.param({"showAs": "free"}, ShowAs.FREE, id="free"),
    pytest.param({"showAs": "workingElsewhere"}, ShowAs.WORKING_ELSEWHERE, id="working-elsewhere"),
    pytest.param({"showAs": "WorkingElsewhere"}, ShowAs.WORKING_ELSEWHERE, id="in-another-case"),
    pytest.param({"showAs": "unknown"}, ShowAs.BUSY, id="unknown"),
    pytest.param({"showAs": None}, ShowAs.BUSY, id="null"),
    pytest.param({"isCancelled": True}, ShowAs.FREE, id="called-off"),
    pytest.param({"responseStatus": {"response": "declined"}}, ShowAs.FREE, id="declined"),
    pytest.param({"responseStatus": {"response": "accepted"}}, ShowAs.BUSY, id="accepted"),
    pytest.param(
        {"showAs": "tentative", "responseStatus": {"response": "notResponded"}},
        ShowAs.TENTATIVE,
        id="an-invitation-without-an-answer",
    ),
    pytest.param({"sensitivity": "private", "subject": "secret"}, ShowAs.BUSY, id="private"),
]


@pytest.mark.parametrize(("more", "show_as"), COUNTS)
def test_how_it_counts(more: dict[str, Any], show_as: ShowAs) -> None:
    found = read_block(event(**more))
    assert found == Block(id="E", start=TEN, end=ELEVEN, show_as=show_as)


def test_a_date_of_a_series_names_it_and_a_master_is_no_block() -> None:
    date = read_block(event(type="occurrence", seriesMasterId="M"))
    assert date is not None
    assert date.series_id == "M"
    assert read_block(event(type="seriesMaster")) is None


UNREADABLE = [
    pytest.param({"id": ""}, id="no-id"),
    pytest.param({"start": None}, id="no-start"),
    pytest.param({"end": {"dateTime": "soon", "timeZone": "UTC"}}, id="nonsense"),
    pytest.param({"start": at("2026-12-02T10:00:00", "tzone://Microsoft/Custom")}, id="custom-zone"),
    pytest.param({"end": at("2026-12-02T09:00:00")}, id="ends-before-it-starts"),
    pytest.param({"start": at("0001-01-01T00:00:00")}, id="placeholder"),
    pytest.param({"start": at("9999-12-31T23:59:59-12:00")}, id="out-of-range"),
]


@pytest.mark.parametrize("more", UNREADABLE)
def test_what_cannot_be_read_is_passed_over_and_counted(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        read_block(event(**more))
    blocks, passed_over = read_blocks([event(**more), event(id="other")])
    assert ([block.id for block in blocks], passed_over) == (["other"], 1)


def test_a_page_is_read_with_its_link_and_without_what_is_no_event() -> None:
    page = read_busy({"value": [event(), 7, event(id="m", type="seriesMaster")], "@odata.nextLink": "next"})
    assert ([block.id for block in page.blocks], page.passed_over, page.next_link) == (["E"], 0, "next")


@pytest.mark.parametrize("value", [pytest.param(None, id="empty"), pytest.param({"value": None}, id="null")])
def test_an_answer_without_a_list_says_nothing(value: Any) -> None:
    with pytest.raises(UnknownOutcome):
        read_busy(value)
