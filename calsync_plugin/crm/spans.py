"""Dates of a record <-> the time span of a meeting (R15).

Decides which attributes count and what is unreadable. EspoCRM 9.2.7, measured: times are UTC without saying
so; of an all-day record only `dateStartDate` and `dateEndDate` are stable, its times move with the server's
zone; the last day is counted in, ours is counted out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from calsync_plugin.domain.timespan import AllDay, Timed, TimeSpan
from calsync_plugin.errors import InvalidEvent, InvalidRecord, ItemError

T = TypeVar("T", date, datetime)


def read_span(record: Mapping[str, object], *, all_day: bool, item: str) -> TimeSpan:
    """Read when a record takes place; raise InvalidRecord with a reason that a person can act on.

    `all_day` says whether the entity has all-day records at all; if not, its dates are not looked at.
    """
    try:
        # `isAllDay` alone does not decide: a record with days but without the flag is all-day as well.
        days = any(record.get(name) for name in ("isAllDay", "dateStartDate"))
        return _read_days(record, item) if all_day and days else _read_times(record, item)
    except OverflowError as error:
        raise InvalidRecord(
            "a date lies at the edge of the calendar; correct it", item=item, reason="date_out_of_range"
        ) from error
    except ItemError as error:
        if error.item:
            raise
        raise InvalidRecord(str(error), item=item, reason=error.reason) from error


def _read_days(record: Mapping[str, object], item: str) -> AllDay:
    first = _read(record, "dateStartDate", _day, item, missing="no_start")
    last = _read(record, "dateEndDate", _day, item, missing="no_end")
    return AllDay(first, last + timedelta(days=1))


def _read_times(record: Mapping[str, object], item: str) -> Timed:
    start = _read(record, "dateStart", _instant, item, missing="no_start")
    return Timed(start, _read(record, "dateEnd", _instant, item, missing="no_end"))


def _read(
    record: Mapping[str, object], name: str, read: Callable[[object], T], item: str, *, missing: str
) -> T:
    value = record.get(name)
    if value is None or value == "":
        words = "start" if missing == "no_start" else "end"
        raise InvalidRecord(f"it has no {words} ({name}); enter one", item=item, reason=missing)
    try:
        return read(value)
    except ValueError as error:
        raise InvalidRecord(
            f"{name} cannot be read as a date: {value!r:.60}", item=item, reason="unreadable_date"
        ) from error


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and len(value) > len("2026-12-01"):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None and "T" not in value:
            moment = moment.replace(tzinfo=UTC)
    else:
        raise ValueError("no time")
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return date.fromisoformat(value)
    raise ValueError("no date")


def parse_instant(value: object) -> datetime | None:
    """Read a time of the record dialect; None if there is none or nobody could read it."""
    try:
        return _instant(value)
    except (ValueError, OverflowError):
        return None


def wire_instant(moment: datetime) -> str:
    """Write an aware time as EspoCRM takes it: UTC, no fraction of a second, no `T`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def span_attributes(span: TimeSpan, *, all_day: bool, item: str = "") -> dict[str, object]:
    """Attributes that set a record's time span, whatever it was before.

    Both ends always together: EspoCRM moves the end along when only the start is written. Days that are left
    in place would override the times, so that a timed span clears them.
    """
    match span:
        case Timed():
            times: dict[str, object] = {
                "dateStart": wire_instant(span.start),
                "dateEnd": wire_instant(span.end),
            }
            return (
                {**times, "isAllDay": False, "dateStartDate": None, "dateEndDate": None} if all_day else times
            )
        case AllDay():
            if not all_day:
                raise InvalidEvent(
                    "an all-day event cannot become a record of this entity, which has times only",
                    item=item,
                    reason="all_day_unsupported",
                )
            return {
                "isAllDay": True,
                "dateStartDate": span.first.isoformat(),
                "dateEndDate": span.last.isoformat(),
            }
