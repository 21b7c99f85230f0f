"""Carries out what was planned: first the events, then the records and the links themselves.

Decides this order. How events are written is `event_writes`', what follows for records and bases is
`record_writes`'; the saver stores both last.
"""

from __future__ import annotations

from collections.abc import Sequence

from calsync_plugin.engine.event_writes import Draft, EventWriter
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.record_creates import RecordCreator
from calsync_plugin.engine.record_writes import RecordWriter
from calsync_plugin.graph.protocol import Outcome


class Writer:
    """Writes the planned operations of items."""

    def __init__(
        self,
        events: EventWriter,
        records: RecordWriter,
        creator: RecordCreator,
        *,
        installation_id: str,
    ) -> None:
        """Write with these hands."""
        self._events = events
        self._records = records
        self._creator = creator
        self.installation_id = installation_id

    def draft(self, items: Sequence[Item]) -> Draft:
        """Write what goes before the events, and turn the plans into requests."""
        for item in items:
            item.again = False
        for item in items:
            self._records.write_first(item)
        return Draft(items, self._events.draft([i for i in items if i.state is ItemState.OPEN]))

    def conclude(self, draft: Draft, outcomes: Sequence[Outcome]) -> None:
        """Take the answers in and write the records; items that need another look stay open."""
        self._events.conclude(draft, outcomes)
        self._creator.create([i for i in draft.items if i.state is ItemState.OPEN and not i.again])
        for item in draft.items:
            if item.state is ItemState.OPEN and not item.again:
                self._records.finish(item)
            elif item.state is ItemState.PARKED:
                self._records.take_in(item)
