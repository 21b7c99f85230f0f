"""EspoCRM's webhook deliveries -> calls of our hooks.

Decides whose delivery is believed and what it says happened. Does not read bodies from the network, and does
not act: a delivery is a hint, the present record is read later. EspoCRM docs, webhooks, and EspoCRM 9.2.7,
measured: the event stands in no header and not in the body, hence one address per event.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

from calsync_plugin.crm.gateway import Record
from calsync_plugin.errors import BadDelivery, BadSignature


@dataclass(frozen=True, slots=True)
class Created:
    """For `calsync_entity_created`."""

    entity_type: str
    record: Record


@dataclass(frozen=True, slots=True)
class Updated:
    """For `calsync_entity_updated`."""

    entity_type: str
    record: Record
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reassigned:
    """For `calsync_entity_reassigned`; EspoCRM does not say who had it before."""

    entity_type: str
    record: Record
    previous_user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """For `calsync_entity_deleted`."""

    entity_type: str
    record_id: str


@dataclass(frozen=True, slots=True)
class AttendanceChanged:
    """For `calsync_attendance_changed`."""

    entity_type: str
    record_id: str


HookCall = Created | Updated | Reassigned | Deleted | AttendanceChanged


def verify(raw_body: bytes, signature_header: str, secret_of: Callable[[str], str | None]) -> str:
    """Return the id of the webhook that signed `raw_body`, or raise BadSignature.

    `signature_header` is `Signature` (base64 of id:hex HMAC-SHA256) or the legacy `X-Signature` (base64 of
    id:binary HMAC-SHA256). An unknown webhook takes as long as a known one.
    """
    try:
        webhook_id, _, mac = base64.b64decode(signature_header, validate=True).partition(b":")
        name = webhook_id.decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadSignature("the delivery carries no readable signature") from error
    secret = secret_of(name) if name else None
    wanted = hmac.new((secret or "").encode(), raw_body, hashlib.sha256)
    genuine = hmac.compare_digest(mac, wanted.hexdigest().encode()) | hmac.compare_digest(
        mac, wanted.digest()
    )
    if not (genuine and secret):
        raise BadSignature("the delivery is not signed by a webhook of ours")
    return name


def deliveries(event: str, body: bytes) -> list[HookCall]:
    """Read one delivery. `event` comes from the address: `Meeting.create`, `Meeting.fieldUpdate.users`, ...

    Raises BadDelivery for an event or a body that EspoCRM does not send.
    """
    entity_type, _, happened = event.partition(".")
    # A webhook on any other single field tells no more than an update does.
    read = _CALLS.get(happened) or (_updated if happened.startswith("fieldUpdate.") else None)
    if not entity_type or read is None:
        raise BadDelivery(f"there is no webhook event {event!r:.60}")
    try:
        elements = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadDelivery(f"the delivery of {event} is not JSON") from error
    if not isinstance(elements, list):
        raise BadDelivery(f"the delivery of {event} is no array")
    return [read(entity_type, _record(element, event)) for element in elements]


def _record(element: object, event: str) -> Record:
    record_id = element.get("id") if isinstance(element, dict) else None
    if not isinstance(element, dict) or not isinstance(record_id, str) or not record_id:
        raise BadDelivery(f"the delivery of {event} has an element without an id")
    return element


def _updated(entity_type: str, record: Record) -> HookCall:
    return Updated(entity_type, record, tuple(sorted(record.keys() - {"id"})))


def _attendance_changed(entity_type: str, record: Record) -> HookCall:
    return AttendanceChanged(entity_type, str(record["id"]))


_CALLS: dict[str, Callable[[str, Record], HookCall]] = {
    "create": Created,
    "update": _updated,
    "delete": lambda entity_type, record: Deleted(entity_type, str(record["id"])),
    "fieldUpdate.assignedUser": Reassigned,
    "fieldUpdate.users": _attendance_changed,
    "fieldUpdate.contacts": _attendance_changed,
    "fieldUpdate.leads": _attendance_changed,
}
