"""`POST /webhooks/crm/<event>`: EspoCRM's deliveries become hook calls.

Decides whose deliveries are taken. The signature is checked over the raw bytes before anything is read;
what the delivery says is only a mark, the record is read later. EspoCRM tries again after 503, but drops an
event for good after 400, 409, 422, 429, 502 or 504 (EspoCRM 9.2.7, measured), so none of these is ever
answered.
"""

from __future__ import annotations

from time import monotonic

from flask import Blueprint, Response, request

from calsync_plugin.crm.webhooks import (
    AttendanceChanged,
    Created,
    Deleted,
    HookCall,
    Reassigned,
    Updated,
    deliveries,
    verify,
)
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import BadSignature
from calsync_plugin.state import Webhook

BELIEVED = 10.0
"""Seconds for which a webhook that was removed may still deliver."""


def crm_webhooks(calsync: Calsync) -> Blueprint:
    """The receiver for one bridge."""
    pages = Blueprint("crm_webhooks", __name__)
    known = _Known(calsync)

    @pages.post(f"{calsync.settings.crm.webhook_path}/<event>")
    def deliver(event: str) -> Response:
        raw = request.get_data(cache=False)
        if known.signer(raw, _signature()).event != event:
            raise BadSignature("the delivery is signed by the webhook of another event")
        # The bridge is its own host: it may wait for its store where a CRM's save may not. StoreBusy comes
        # through, so that the CRM sends the whole delivery again.
        with calsync.marks.strict():
            for call in deliveries(event, raw):
                announce(calsync, call)
        return Response(status=202)

    return pages


class _Known:
    """The webhooks of the last deliveries: a burst asks the store for each of them once."""

    def __init__(self, calsync: Calsync) -> None:
        self._store = calsync.store.webhooks
        self._webhooks: dict[str, tuple[float, Webhook]] = {}

    def signer(self, raw: bytes, signature: str) -> Webhook:
        """Whose delivery it is, or BadSignature. A secret may have been changed since it was read."""
        try:
            name = verify(raw, signature, self._secret)
        except BadSignature:
            self._webhooks.clear()
            name = verify(raw, signature, self._secret)
        found = self._webhook(name)
        if found is None:
            raise BadSignature("the delivery is not signed by a webhook of ours")
        return found

    def _secret(self, webhook_id: str) -> str | None:
        found = self._webhook(webhook_id)
        return found.secret if found else None

    def _webhook(self, webhook_id: str) -> Webhook | None:
        until, known = self._webhooks.get(webhook_id, (0.0, None))
        if known is not None and monotonic() < until:
            return known
        found = self._store.get(webhook_id)
        if found is not None:
            self._webhooks[webhook_id] = (monotonic() + BELIEVED, found)
        return found


def _signature() -> str:
    return request.headers.get("Signature") or request.headers.get("X-Signature") or ""


def announce(calsync: Calsync, call: HookCall) -> None:
    """Call the hook, as any host does."""
    hook = calsync.plugins.hook
    match call:
        case Created():
            hook.calsync_entity_created(entity_type=call.entity_type, record=call.record)
        case Updated():
            hook.calsync_entity_updated(
                entity_type=call.entity_type, record=call.record, changed=call.changed
            )
        case Reassigned():
            hook.calsync_entity_reassigned(
                entity_type=call.entity_type,
                record=call.record,
                previous_user_id=call.previous_user_id,
            )
        case Deleted():
            hook.calsync_entity_deleted(entity_type=call.entity_type, record_id=call.record_id)
        case AttendanceChanged():
            hook.calsync_attendance_changed(entity_type=call.entity_type, record_id=call.record_id)
