"""The webhooks that EspoCRM is to have for us: found, made and repaired at start.

Decides which events we want and under which addresses. Does not store their secrets, and removes nothing: a
webhook of another address may belong to another installation of calsync.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from calsync_plugin.crm.client import EspoClient, Row
from calsync_plugin.errors import UnknownOutcome
from calsync_plugin.settings import EntitySettings

EVENTS = ("create", "update", "delete", "fieldUpdate.assignedUser")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of ours, to be stored: `secret` verifies its deliveries."""

    id: str
    event: str
    secret: str = field(repr=False)


def wanted_events(entities: Iterable[EntitySettings]) -> tuple[str, ...]:
    """Events by which EspoCRM reports what concerns a calendar."""
    return tuple(f"{entity.entity_type}.{event}" for entity in entities for event in EVENTS)


def ensure_webhooks(
    client: EspoClient, public_url: str, events: Iterable[str], known: Mapping[str, str]
) -> tuple[Webhook, ...]:
    """Make the missing webhooks and return all of ours.

    `public_url` is where deliveries arrive, without the event: `https://calsync.example.com/webhooks/crm`.
    `known` are the stored secrets by id: of two webhooks for one event, which EspoCRM allows, the known one
    is taken. An event that EspoCRM refuses raises Forbidden: its entity does not exist or is not readable.
    """
    mine: dict[str, Row] = {}
    for row in client.rows("Webhook", where=[], select=_ATTRIBUTES, order_by="createdAt"):
        event = str(row.get("event"))
        better = event not in mine or (row.get("id") in known and mine[event].get("id") not in known)
        if row.get("url") == f"{public_url}/{event}" and better:
            mine[event] = row
    return tuple(_ensured(client, event, f"{public_url}/{event}", mine.get(event)) for event in events)


_ATTRIBUTES = ("id", "event", "url", "isActive", "skipOwn", "secretKey")


def _ensured(client: EspoClient, event: str, url: str, present: Row | None) -> Webhook:
    # skipOwn: what our own key writes is not reported back; it needs EspoCRM 9.2.
    if present is None:
        created = client.call("POST", "Webhook", payload={"event": event, "url": url, "skipOwn": True})
        return _webhook(event, created)
    webhook_id = str(present.get("id"))
    if present.get("isActive") is not True or present.get("skipOwn") is not True:
        wanted = {"isActive": True, "skipOwn": True}
        client.call("PUT", "Webhook", record_id=webhook_id, payload=wanted)
    if not present.get("secretKey"):
        present = client.get("Webhook", record_id=webhook_id)
    return _webhook(event, present)


def _webhook(event: str, row: object) -> Webhook:
    webhook_id = row.get("id") if isinstance(row, Mapping) else None
    secret = row.get("secretKey") if isinstance(row, Mapping) else None
    if not isinstance(webhook_id, str) or not isinstance(secret, str) or not secret:
        raise UnknownOutcome(f"the CRM's answer about the webhook for {event} has no id or secret")
    return Webhook(webhook_id, event, secret)
