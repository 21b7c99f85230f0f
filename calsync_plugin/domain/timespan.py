"""When a meeting takes place: instants in UTC, or whole days (R15).

Decides what a valid span is. Does not know zones: a zone is a hint that the translators keep beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from calsync_plugin.errors import ItemError

# Graph stores and answers any date of the Gregorian calendar, Exchange does not: FILETIME begins in 1601,
# and "never" is written as year 1 or 9999. Outside these bounds a date is a placeholder, not a meeting.
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True, slots=True)
class Timed:
    """From one instant to another, both in UTC with a resolution of one second."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse naive times, a span that ends before it starts, and placeholder years."""
        for moment in (self.start, self.end):
            if moment.utcoffset() is None:
                raise ItemError("a time without a zone is ambiguous; give it an offset", reason="naive_time")
        # Before the conversion, which overflows in the first and the last year.
        _refuse_placeholder(self.start.date(), self.end.date())
        object.__setattr__(self, "start", self.start.astimezone(UTC).replace(microsecond=0))
        object.__setattr__(self, "end", self.end.astimezone(UTC).replace(microsecond=0))
        _refuse_placeholder(self.start.date(), self.end.date())
        if self.end < self.start:
            raise ItemError("the end lies before the start; correct one of them", reason="end_before_start")

    def normal(self) -> list[str]:
        """The JSON form that fingerprints are made of."""
        start, end = (moment.replace(tzinfo=None).isoformat() for moment in (self.start, self.end))
        return ["timed", f"{start}Z", f"{end}Z"]

    def over_at(self, now: datetime) -> bool:
        """Whether the meeting has ended at `now` (aware)."""
        return self.end <= now


@dataclass(frozen=True, slots=True)
class AllDay:
    """Whole days: `first` is the first day, `until` the day after the last one."""

    first: date
    until: date

    def __post_init__(self) -> None:
        """Refuse a span without a day, and placeholder years."""
        _refuse_placeholder(self.first, self.until)
        if self.until <= self.first:
            raise ItemError(
                "the last day lies before the first; correct one of them", reason="end_before_start"
            )

    @property
    def last(self) -> date:
        """The last day itself, as EspoCRM counts (inclusive)."""
        return self.until - timedelta(days=1)

    def normal(self) -> list[str]:
        """The JSON form that fingerprints are made of."""
        return ["all-day", self.first.isoformat(), self.until.isoformat()]

    def over_at(self, now: datetime) -> bool:
        """Whether the last day is over everywhere on earth at `now` (aware)."""
        end = datetime(self.until.year, self.until.month, self.until.day, tzinfo=UTC)
        return end + timedelta(hours=12) <= now


TimeSpan = Timed | AllDay


def over_in_normal_form(value: object, now: datetime) -> bool:
    """Whether the span that a base remembers had ended at `now`; False if it remembers none."""
    match value:
        case ["timed", str(start), str(end)]:
            return Timed(datetime.fromisoformat(start), datetime.fromisoformat(end)).over_at(now)
        case ["all-day", str(first), str(until)]:
            return AllDay(date.fromisoformat(first), date.fromisoformat(until)).over_at(now)
    return False


def _refuse_placeholder(first: date, last: date) -> None:
    for day in (first, last):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ItemError(
                f"the year {day.year} is outside {FIRST_YEAR}-{LAST_YEAR}; correct the date",
                reason="date_out_of_range",
            )
