"""The webhooks that EspoCRM is to have for us: found, compared, made and repaired.

Decides which events we want and under which addresses, and what is wrong with those that are there. Does not
store their secrets. `ensure_webhooks`, called at starts and hourly, removes and moves nothing: a webhook of
another address may belong to another installation, and this one may be a copy.
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


def list_webhooks(client: EspoClient) -> list[Row]:
    """All that the asking user may see, oldest first: an API user its own, an administrator everybody's."""
    select = (*_ATTRIBUTES, "createdById")
    return list(client.rows("Webhook", where=[], select=select, order_by="createdAt"))


@dataclass(frozen=True, slots=True)
class Compared:
    """One event that is to be reported: the webhook that is there for it, and what is wrong with it."""

    event: str
    url: str
    present: Row | None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stray:
    """A webhook at our address that should not be, and why."""

    row: Row = field(repr=False)
    reason: str


def compare_webhooks(
    rows: Iterable[Row], address: str, events: Iterable[str], known: Mapping[str, str], owner_id: str
) -> tuple[tuple[Compared, ...], tuple[Stray, ...]]:
    """Compare what is there with what should be.

    `rows` are those of `list_webhooks`, `address` is the one without the event, `known` are the stored
    secrets by id, `owner_id` is our API user: EspoCRM leaves out the changes of a webhook's owner only. A
    webhook at another address is ours if its id is known.
    """
    wanted = tuple(events)
    best: dict[str, Row] = {}
    strays: list[Stray] = []
    here = [row for row in rows if str(row.get("url")).startswith(f"{address}/") or row.get("id") in known]
    for row in sorted(here, key=lambda row: _preference(row, address, known)):
        event = str(row.get("event"))
        if row.get("createdById") != owner_id:
            strays.append(Stray(row, "belongs to another user, so it would report what calsync writes"))
        elif event not in wanted:
            strays.append(Stray(row, "reports what is not synced"))
        elif event in best:
            strays.append(Stray(row, "is there twice"))
        else:
            best[event] = row
    return tuple(_compared(event, address, best.get(event), known) for event in wanted), tuple(strays)


def _preference(row: Row, address: str, known: Mapping[str, str]) -> tuple[bool, bool]:
    return row.get("url") != f"{address}/{row.get('event')}", row.get("id") not in known


def _compared(event: str, address: str, row: Row | None, known: Mapping[str, str]) -> Compared:
    url = f"{address}/{event}"
    if row is None:
        return Compared(event, url, None)
    troubles = []
    if row.get("url") != url:
        troubles.append(f"goes to {row.get('url')}")
    if row.get("isActive") is not True:
        troubles.append("is switched off")
    if row.get("skipOwn") is not True:
        troubles.append("reports what calsync itself writes (Skip Own is off)")
    stored = known.get(str(row.get("id")))
    if stored is None:
        troubles.append("its secret is not known here")
    elif row.get("secretKey") and row.get("secretKey") != stored:
        troubles.append("its secret is another one than the stored")
    return Compared(event, url, row, tuple(troubles))


def mend_webhook(client: EspoClient, found: Compared) -> Webhook:
    """Make or repair one with the API user's own key, and return what is to be stored."""
    if found.present is None:
        return _created(client, found.event, found.url)
    webhook_id = str(found.present.get("id"))
    wanted = {"url": found.url, "isActive": True, "skipOwn": True}
    if any(found.present.get(name) != value for name, value in wanted.items()):
        client.call("PUT", "Webhook", record_id=webhook_id, payload=wanted)
    return _webhook(found.event, client.get("Webhook", record_id=webhook_id))


def _created(client: EspoClient, event: str, url: str) -> Webhook:
    # skipOwn: what our own key writes is not reported back; it needs EspoCRM 9.2.
    payload = {"event": event, "url": url, "skipOwn": True}
    return _webhook(event, client.call("POST", "Webhook", payload=payload))


def _ensured(client: EspoClient, event: str, url: str, present: Row | None) -> Webhook:
    if present is None:
        return _created(client, event, url)
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
