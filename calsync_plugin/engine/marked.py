"""Events that carry a marker of this installation and have lost their link (R21).

Decides that markers are read by one listing for each full read of a mailbox, never event by event.
"""

from __future__ import annotations

from collections.abc import Mapping

from calsync_plugin.domain.links import link_of_marker
from calsync_plugin.errors import ItemError
from calsync_plugin.graph.calendar import follow, list_marked
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import read_event
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.state import Store


class Marked:
    """The markers of mailboxes that are being read in full."""

    def __init__(self, store: Store, installation_id: str) -> None:
        """Markers of other installations are nobody's."""
        self._store = store
        self._installation_id = installation_id
        self._rounds: dict[int, Mapping[str, str]] = {}

    def of(self, mailbox_id: int, client: MailboxClient) -> Mapping[str, str]:
        """Link ids by event id, of links that have no event in this mailbox; listed once for each round."""
        if mailbox_id not in self._rounds:
            self._rounds[mailbox_id] = self._list(mailbox_id, client)
        return self._rounds[mailbox_id]

    def end(self, mailbox_id: int) -> None:
        """The round is over."""
        self._rounds.pop(mailbox_id, None)

    def _list(self, mailbox_id: int, client: MailboxClient) -> Mapping[str, str]:
        found: dict[str, str] = {}
        request = list_marked(self._installation_id)
        while True:
            page = client.send(request) or {}
            values = page.get("value")
            named = self._named(
                [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
            )
            links = self._store.links.by_ids(named.values())
            found |= {
                event_id: link_id
                for event_id, link_id in named.items()
                if link_id in links and links[link_id].copy_in(mailbox_id) is None
            }
            link = page.get("@odata.nextLink")
            if not isinstance(link, str):
                return found
            request = follow(link)

    def _named(self, values: list[JsonObject]) -> dict[str, str]:
        named = {}
        for value in values:
            try:
                event = read_event(value)
            except ItemError:
                continue
            link_id = link_of_marker(event.marker, self._installation_id)
            if link_id:
                named[event.id] = link_id
        return named
