"""What Microsoft's notifications lead to: the mailbox is read soon, nothing else is believed.

Decides which notifications are genuine: those that bring the secret of a subscription of ours. What changed
is not taken from them; the next reading tells. A linked event that is said to be deleted is looked at: of a
date that is taken out of its series the next reading may not tell.

Source: Graph docs, "Receive change notifications through webhooks" (clientState), "Reduce missing change
notifications" (lifecycle).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from calsync_plugin.graph.subscriptions import Notification, read_notifications
from calsync_plugin.state import Store, Subscription

log = logging.getLogger(__name__)

REMOVED = "subscriptionRemoved"
REAUTHORIZE = "reauthorizationRequired"


def client_state_hash(client_state: str) -> str:
    """What is kept of a subscription's secret: it has 256 random bits, so a plain digest tells nothing."""
    return hashlib.sha256(client_state.encode("utf-8", "replace")).hexdigest()


class Notified:
    """The notifications' side of the engine: one read for a delivery, one short commit for each mailbox."""

    def __init__(self, store: Store) -> None:
        """Note in `store` what is reported."""
        self._store = store

    def deliver(self, raw: bytes) -> None:
        """Take what was posted to an address of ours; it may be forged, late or repeated.

        BadDelivery if it is no delivery; StoreBusy if it could not be noted: then it has to come again.
        """
        said = frozenset(read_notifications(raw))
        known = self._store.subscriptions.many({one.subscription_id for one in said})
        genuine = [one for one in said if _is_genuine(one, known.get(one.subscription_id))]
        if len(genuine) < len(said):
            log.info("%d notifications of unknown origin were ignored", len(said) - len(genuine))
        self._follow(genuine, known)
        self._mark(genuine, known)
        for mailbox_id in sorted({known[one.subscription_id].mailbox_id for one in genuine}):
            self._store.queue.hint(mailbox_id)

    def _mark(self, genuine: Sequence[Notification], known: Mapping[str, Subscription]) -> None:
        """Let linked events be looked at that are said to be deleted."""
        named: dict[int, set[str]] = defaultdict(set)
        for one in genuine:
            if one.removed:
                named[known[one.subscription_id].mailbox_id].add(one.removed)
        for mailbox_id, event_ids in sorted(named.items()):
            linked = sorted(self._store.links.by_events(mailbox_id, event_ids))
            if linked:
                with self._store.save(None) as tx:
                    tx.mark_events(mailbox_id, linked)

    def _follow(self, genuine: Sequence[Notification], known: Mapping[str, Subscription]) -> None:
        """Note what became of subscriptions; the upkeep of their mailboxes acts on it."""
        now = datetime.fromtimestamp(self._store.clock.now(), UTC)
        removed = {one.subscription_id for one in genuine if one.lifecycle == REMOVED}
        for subscription_id in removed:
            self._store.subscriptions.delete(subscription_id)
        for subscription_id in {one.subscription_id for one in genuine if one.lifecycle == REAUTHORIZE}:
            row = known[subscription_id]
            if subscription_id not in removed and row.expires_at > now:
                self._store.subscriptions.save(replace(row, expires_at=now))


def _is_genuine(one: Notification, known: Subscription | None) -> bool:
    if known is None or not one.client_state:
        return False
    return hmac.compare_digest(client_state_hash(one.client_state), known.client_state_hash)
