"""Which span of a calendar is read (R17).

Decides where the window begins and ends and when it moves: its edges move once a month, so that a cursor
lives that long. Does not decide what becomes of a meeting outside of it: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

LONGEST = timedelta(days=1825)
"""Graph refuses a longer calendar view (five years)."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to before `end`; aware, UTC."""

    start: datetime
    end: datetime

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether something from `start` to `end` lies in it, at least partly."""
        return start < self.end and end >= self.start


def window(sync_since: date, months_ahead: int, now: datetime) -> Window:
    """The window at `now`: from the first chosen day to the end of the month that is `months_ahead` away.

    A day of slack at its beginning stands for the zones that are ahead of UTC.
    """
    start = datetime.combine(sync_since, time(0), UTC) - timedelta(days=1)
    end = _first_of_month(now, months_ahead + 1)
    return Window(start, max(end, start + timedelta(days=31)))


def parts(whole: Window) -> tuple[Window, ...]:
    """The window in parts that Graph takes."""
    found, start = [], whole.start
    while whole.end - start > LONGEST:
        found.append(Window(start, start + LONGEST))
        start += LONGEST
    return (*found, Window(start, whole.end))


def _first_of_month(now: datetime, months: int) -> datetime:
    years, month = divmod(now.month - 1 + months, 12)
    return datetime(now.year + years, month + 1, 1, tzinfo=UTC)
