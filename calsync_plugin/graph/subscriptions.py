"""Change notifications of Outlook: the requests that ask for them, and what arrives. Pure.

Decides what of a delivery can be read at all. Whether a delivery is genuine, and what follows from it, is not
decided here. Sources: Graph docs, "subscription resource type", "Receive change notifications through
webhooks", "Reduce missing change notifications"; for Outlook, "Outlook change notifications overview".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from calsync_plugin.errors import BadDelivery, UnknownOutcome
from calsync_plugin.graph.protocol import JsonObject, Request

EVENTS = "me/events"
"""All events of the signed-in user's own mailbox; of shared calendars Graph tells nothing."""
LONGEST_LIFE = timedelta(minutes=10_080)
"""How long a subscription to Outlook without its data lives at most."""
_CHANGES = "created,updated,deleted"


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription as Graph has it. `expires_at` is None if the answer does not say when it ends."""

    id: str
    notification_url: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of a delivery: who sends it, and of what kind it is."""

    subscription_id: str
    client_state: str = field(repr=False)
    lifecycle: str = ""
    """`missed`, `subscriptionRemoved` or `reauthorizationRequired`; empty for a change in the mailbox."""
    removed: str = ""
    """The immutable id of the event that is said to be deleted; empty for anything else."""


def create(notification_url: str, lifecycle_url: str, client_state: str, expires: datetime) -> Request:
    """Ask for notifications of the mailbox's events (Graph docs, "Create subscription").

    Before it answers, Graph calls both addresses; each has 10 seconds to echo a token. `expires` is aware and
    lies at most `LONGEST_LIFE` ahead. Not repeatable: a second one for the mailbox is refused (409).
    """
    body: JsonObject = {
        "changeType": _CHANGES,
        "notificationUrl": notification_url,
        "lifecycleNotificationUrl": lifecycle_url,
        "resource": EVENTS,
        "expirationDateTime": _instant(expires),
        "clientState": client_state,
    }
    return Request(method="POST", path="/subscriptions", body=body)


def renew(subscription_id: str, expires: datetime) -> Request:
    """Move a subscription's end; this reauthorizes it, too (Graph docs, "Update subscription")."""
    body: JsonObject = {"expirationDateTime": _instant(expires)}
    return Request(method="PATCH", path=_one(subscription_id), body=body, repeatable=True)


def reauthorize(subscription_id: str) -> Request:
    """Say that the user's token is still good (Graph docs, "subscription: reauthorize")."""
    return Request(method="POST", path=f"{_one(subscription_id)}/reauthorize", repeatable=True)


def delete(subscription_id: str) -> Request:
    """End a subscription (Graph docs, "Delete subscription")."""
    return Request(method="DELETE", path=_one(subscription_id), repeatable=True)


def list_subscriptions() -> Request:
    """List the subscriptions of this app and the signed-in user (Graph docs, "List subscriptions")."""
    return Request(method="GET", path="/subscriptions", repeatable=True)


def read_subscription(value: JsonObject | None) -> RemoteSubscription:
    """Read a subscription of an answer; UnknownOutcome if it has no id."""
    found = _subscription(value)
    if found is None:
        raise UnknownOutcome("a subscription without an id", status=200)
    return found


def read_subscriptions(value: JsonObject | None) -> tuple[RemoteSubscription, ...]:
    """Read the answer to `list_subscriptions`, as far as it can be read."""
    return tuple(found for json_ in _values(value) if (found := _subscription(json_)) is not None)


def read_notifications(raw: bytes) -> list[Notification]:
    """Read a delivery, basic or of the lifecycle address. BadDelivery if it is no collection at all.

    What names no subscription is passed over; several notifications may share a delivery.
    """
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadDelivery("the delivery is no JSON") from error
    if not isinstance(value, dict) or not isinstance(value.get("value"), list):
        raise BadDelivery("the delivery holds no list of notifications")
    return [
        Notification(identity, _text(one, "clientState"), _text(one, "lifecycleEvent"), _removed(one))
        for one in _values(value)
        if (identity := _text(one, "subscriptionId"))
    ]


def _removed(notification: JsonObject) -> str:
    data = notification.get("resourceData")
    if _text(notification, "changeType") != "deleted" or not isinstance(data, dict):
        return ""
    return _text(data, "id")


def _subscription(value: JsonObject | None) -> RemoteSubscription | None:
    identity = _text(value, "id") if value else ""
    if value is None or not identity:
        return None
    return RemoteSubscription(
        identity, _text(value, "notificationUrl"), _moment(_text(value, "expirationDateTime"))
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _values(value: JsonObject | None) -> Iterator[JsonObject]:
    items = value.get("value") if value else None
    yield from (item for item in (items if isinstance(items, list) else []) if isinstance(item, dict))


def _text(value: JsonObject, name: str) -> str:
    said = value.get(name)
    return said if isinstance(said, str) else ""


def _one(subscription_id: str) -> str:
    if not subscription_id:
        raise ValueError("an empty id would address the whole collection")
    return f"/subscriptions/{quote(subscription_id, safe='')}"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
