"""Carries out what was planned: first the events, then the records and the links themselves.

Decides this order. How events are written is `event_writes`', what follows for records and bases is
`record_writes`'; the saver stores both last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.engine.event_writes import EventWriter
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, Stage
from calsync_plugin.engine.record_writes import RecordWriter
from calsync_plugin.engine.saver import Saver
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Lease


class Writer:
    """Writes the planned operations of items."""

    def __init__(
        self,
        *,
        gateway: CrmGateway,
        gatherer: Gatherer,
        saver: Saver,
        installation_id: str,
        new_link_id: Callable[[], str],
    ) -> None:
        """Write to the CRM through `gateway`; commit intents through `saver`."""
        self._events = EventWriter(saver, installation_id=installation_id, new_link_id=new_link_id)
        self._records = RecordWriter(gateway, gatherer)
        self.installation_id = installation_id

    def write(self, lease: Lease, client: MailboxClient, items: Sequence[Item]) -> None:
        """Carry out the plans; items that need another look stay open."""
        for item in items:
            item.again = False
        for item in items:
            self._records.write_first(item)
        self._events.write(lease, client, [i for i in items if i.stage is Stage.OPEN])
        for item in items:
            if item.stage is Stage.OPEN and not item.again:
                self._records.finish(item)
