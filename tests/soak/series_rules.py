"""A weekly series that its owner keeps in Outlook (R13): each of its dates is a record.

Decides by a plain set of dates what records there must be. A change of the whole series undoes what was
changed of single dates, as the simulator has it (`recurrence_change_drops_exceptions`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests import outlook_side
from tests.soak.drawn import PICK, SYNCED, WORDS
from tests.soak.sides import USERS
from tests.soak.stage import Stage

WEEK, HOUR = timedelta(days=7), timedelta(hours=1)


@dataclass(slots=True)
class Weekly:
    """A series of dates of one hour."""

    tag: str
    owner: str
    first: datetime
    count: int
    series_id: str = ""
    moved: dict[int, datetime] = field(default_factory=dict)
    """Dates that begin at another time, by number."""
    cancelled: set[int] = field(default_factory=set)

    @property
    def starts(self) -> dict[int, datetime]:
        """When its dates begin, by number."""
        numbers = [number for number in range(self.count) if number not in self.cancelled]
        return {number: self.moved.get(number, self.first + number * WEEK) for number in numbers}

    def changed(self, first: datetime, count: int) -> None:
        """The whole series is another one."""
        self.first, self.count, self.moved, self.cancelled = first, count, {}, set()


class SeriesRules(Stage):
    """One series in each history, changed by its owner."""

    series: Weekly | None = None

    def ahead(self) -> bool:
        """Whether there is a series of which nothing is over."""
        return self.series is not None and min(self.series.starts.values()) > self.now() + HOUR

    def several(self) -> bool:
        """Whether one of its dates may go."""
        return self.series is not None and self.ahead() and len(self.series.starts) > 1

    @precondition(lambda self: self.series is None)
    @rule(owner=SYNCED, word=WORDS, days=st.integers(1, 9), hour=st.integers(8, 17), count=st.integers(2, 5))
    def create_series(self, owner: str, word: str, days: int, hour: int, count: int) -> None:
        today = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        series = self.series = Weekly("S1", owner, today + timedelta(days=days, hours=hour), count)
        self.apart = {series.tag}
        series.series_id = self.in_outlook(
            lambda: self.yard.series(
                USERS[owner], count=count, subject=f"{series.tag} {word}", **_times(series.first)
            )
        )
        self._changed("a series of", owner)

    @precondition(ahead)
    @rule(pick=PICK, hours=st.sampled_from([-2, 1, 5, 24]))
    def move_date(self, pick: int, hours: int) -> None:
        series = self.series
        assert series is not None
        number, event = self._date(pick)
        start = series.first + number * WEEK + hours * HOUR
        self.in_outlook(lambda: self.yard.outlook_patch(USERS[series.owner], event.id, **_times(start)))
        series.moved[number] = start
        self._changed("date", number, "is moved")

    @precondition(several)
    @rule(pick=PICK)
    def cancel_date(self, pick: int) -> None:
        assert self.series is not None
        owner, (number, event) = USERS[self.series.owner], self._date(pick)
        self.in_outlook(lambda: self.yard.outlook_delete(owner, event.id))
        self.series.cancelled.add(number)
        self.model.deletions += 1
        self._changed("date", number, "is cancelled")

    @precondition(ahead)
    @rule(hours=st.sampled_from([-1, 1]))
    def move_series(self, hours: int) -> None:
        series = self.series
        assert series is not None
        start = series.first + hours * HOUR
        if start.date() != series.first.date() or start <= self.now():
            return
        self.in_outlook(
            lambda: self.yard.outlook_patch(USERS[series.owner], series.series_id, **_times(start))
        )
        series.changed(start, series.count)
        self._changed("moves by", hours)

    @precondition(several)
    @rule(pick=PICK)
    def end_earlier(self, pick: int) -> None:
        series = self.series
        assert series is not None
        count = 1 + pick % max(series.count - 1, 1)
        last = (series.first + (count - 1) * WEEK).date().isoformat()
        self.in_outlook(lambda: self.yard.end_series(USERS[series.owner], series.series_id, last))
        series.changed(series.first, count)
        self.model.deletions += 1
        self._changed("ends after", count)

    def rested(self) -> None:
        """The dates are so on both sides."""
        super().rested()
        series = self.series
        if series is None:
            return
        expected = sorted(f"{start}-{start + HOUR}" for start in series.starts.values())
        rows = [row for row in self.yard.records("Meeting") if series.tag in row["name"].split()]
        in_crm = sorted(f"{row['dateStart']}-{row['dateEnd']}" for row in rows)
        occurrences = self.yard.occurrences(USERS[series.owner], series.series_id)
        in_outlook = sorted(f"{_time(one.start)}-{_time(one.end)}" for one in occurrences)
        told = [*self.story, *self._told()]
        assert in_outlook == expected, "\n".join([*told, f"in Outlook {in_outlook}", f"not {expected}"])
        assert in_crm == expected, "\n".join([*told, f"in the CRM {in_crm}", f"not {expected}"])

    def _date(self, pick: int) -> tuple[int, outlook_side.Event]:
        """One of its dates: its number and its event."""
        series = self.series
        assert series is not None
        starts = series.starts
        number = sorted(starts)[pick % len(starts)]
        found = self.yard.occurrences(USERS[series.owner], series.series_id)
        return number, next(one for one in found if _time(one.start) == starts[number])

    def _changed(self, *what: object) -> None:
        assert self.series is not None
        self.did(self.series, "in Outlook:", *what, *map(str, self.series.starts.values()))


def _times(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + HOUR).isoformat()}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
