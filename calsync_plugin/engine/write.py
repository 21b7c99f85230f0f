"""Carries out what was planned: first the events, then the records and the links themselves.

Decides this order. How events are written is `event_writes`', what follows for records and bases is
`record_writes`'; the saver stores both last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.engine.event_writes import Draft, EventWriter
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.record_writes import RecordWriter
from calsync_plugin.graph.protocol import Outcome


class Writer:
    """Writes the planned operations of items."""

    def __init__(
        self,
        *,
        gateway: CrmGateway,
        gatherer: Gatherer,
        installation_id: str,
        new_link_id: Callable[[], str],
    ) -> None:
        """Write to the CRM through `gateway`."""
        self._events = EventWriter(installation_id=installation_id, new_link_id=new_link_id)
        self._records = RecordWriter(gateway, gatherer)
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
        for item in draft.items:
            if item.state is ItemState.OPEN and not item.again:
                self._records.finish(item)
