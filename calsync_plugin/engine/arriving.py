"""Events that Outlook told of, on their way to items.

Decides nothing: these are the values that reading, sorting and series hand on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from calsync_plugin.domain.links import Link
from calsync_plugin.engine.item import Item
from calsync_plugin.errors import ItemError
from calsync_plugin.graph.events import EventView
from calsync_plugin.graph.protocol import JsonObject

MASTER = "seriesMaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An occurrence's place in its series (R13)."""

    series_uid: str
    series_id: str
    original_start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event that Outlook told of."""

    event_id: str
    raw: JsonObject | None = None
    """As Graph gave it; None: only the id is known, the event has to be looked at."""
    mark_ids: tuple[int, ...] = ()
    attempts: int = 0
    place: Place | None = None
    calendar_id: str = ""
    """Where it lies, if that is known."""
    link: Link | None = None
    """Its link, if that is known already: a slot that was found again under another id."""
    alone: bool = False
    """An occurrence without its series: an invitation to it alone, a single event here (R13)."""
    problem: ItemError | None = None
    """Why Outlook does not let it be read."""


@dataclass(slots=True)
class Sorted:
    """What became of some arrivals."""

    items: list[Item] = field(default_factory=list)
    masters: set[str] = field(default_factory=set)
    """Series that have to be read."""
    strays: dict[str, list[str]] = field(default_factory=dict)
    """Occurrences by series, of which delta told no more than that they are part of it."""
    later: list[str] = field(default_factory=list)
    """Events that may go on as part of a series that is read first."""
    settled: list[int] = field(default_factory=list)
    """Marks of events that need nothing."""
    removed: list[str] = field(default_factory=list)
    """Events that are no more and that nothing links."""
    changes: int = 0
    """How many of the arrivals were no echo."""

    @property
    def to_mark(self) -> list[str]:
        """Events to look at next: series, and occurrences whose series was not told of."""
        found = dict.fromkeys([*sorted(self.masters), *self.later])
        for series_id, event_ids in self.strays.items():
            if series_id not in self.masters:
                found |= dict.fromkeys(event_ids)
        return list(found)


@dataclass(slots=True)
class Found:
    """An event on its way to an item."""

    arrival: Arrival
    view: EventView
    raw: JsonObject
    link: Link | None = None
    meeting_uid: str = ""
    """The id under which a new link of it is kept: its iCalUId, unless that names another's meeting."""
    calendar_id: str = ""
