"""The REST API of records: `/api/v1/<EntityType>` and what lies below it. EspoCRM 9.2.7, measured."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, request

from calsync_plugin.sandbox.crm import attending
from calsync_plugin.sandbox.crm.answers import API, Call, endpoint, refusal
from calsync_plugin.sandbox.crm.errors import ApiError, AuthError
from calsync_plugin.sandbox.crm.listing import Query, query_of

api = Blueprint("crm_api", __name__, url_prefix=API)
api.register_error_handler(ApiError, refusal)


@endpoint(api, "/", "GET")
def root(_call: Call) -> object:
    """What the API calls itself."""
    return "EspoCRM REST API"


@endpoint(api, "/EmailAddress/search", "GET")
def email_search(_call: Call) -> object:
    """Needs the Email scope, which no role of the sandbox has; refused before any controller runs."""
    raise AuthError(403, "")


@endpoint(api, "/<entity_type>", "GET")
def list_records(call: Call, entity_type: str) -> object:
    """A list; for webhooks the caller's own."""
    call.crm.access.check_scope(call.caller, entity_type)
    if entity_type != "Webhook" and call.crm.access.level(call.caller, entity_type, "read") == "no":
        raise ApiError(403, "No read access.")
    return call.crm.listing.answer(call.caller, entity_type, _query(call))


def _query(call: Call) -> Query:
    search: Any = None
    if "searchParams" in call.params:
        try:
            search = json.loads(str(call.params["searchParams"]))
        except json.JSONDecodeError:
            raise ApiError(400, "Bad searchParams.") from None
    return query_of(call.params, search, count=request.headers.get("X-No-Total") != "true")


def _create(call: Call, entity_type: str) -> object:
    call.crm.access.check_scope(call.caller, entity_type)
    if entity_type == "Webhook":
        return call.crm.webhooks.create(call.caller, call.body)
    skip = request.headers.get("X-Skip-Duplicate-Check") == "true"
    return call.crm.records.create(call.caller, entity_type, call.body, skip_duplicate_check=skip)


@endpoint(api, "/Webhook", "POST", status=201)
def create_webhook(call: Call) -> object:
    """Subscribe: the one create that answers 201."""
    return _create(call, "Webhook")


@endpoint(api, "/<entity_type>", "POST")
def create_record(call: Call, entity_type: str) -> object:
    """Create a record."""
    return _create(call, entity_type)


@endpoint(api, "/<entity_type>/<record_id>", "GET")
def read_record(call: Call, entity_type: str, record_id: str) -> object:
    """One record, what is unset as null."""
    call.crm.access.check_scope(call.caller, entity_type)
    if entity_type == "Webhook":
        return call.crm.webhooks.get(call.caller, record_id)
    row = call.crm.records.readable(call.caller, entity_type, record_id)
    return call.crm.presenter.detail(call.caller, call.crm.store.entity(entity_type), row)


@endpoint(api, "/<entity_type>/<record_id>", "PUT", "PATCH")
def update_record(call: Call, entity_type: str, record_id: str) -> object:
    """Change a record: a partial one is enough, the answer is whole."""
    call.crm.access.check_scope(call.caller, entity_type)
    if entity_type == "Webhook":
        return call.crm.webhooks.update(call.caller, record_id, call.body)
    version = request.headers.get("X-Version-Number")
    return call.crm.records.update(call.caller, entity_type, record_id, call.body, version)


@endpoint(api, "/<entity_type>/<record_id>", "DELETE")
def delete_record(call: Call, entity_type: str, record_id: str) -> object:
    """Remove a record."""
    call.crm.access.check_scope(call.caller, entity_type)
    if entity_type == "Webhook":
        call.crm.webhooks.delete(call.caller, record_id)
    else:
        call.crm.records.delete(call.caller, entity_type, record_id)
    return True


@endpoint(api, "/<entity_type>/<record_id>/attendees", "GET")
def list_attendees(call: Call, entity_type: str, record_id: str) -> object:
    """All attendees at once, some with a dummy address."""
    return attending.attendees(call, entity_type, record_id)


@endpoint(api, "/<entity_type>/<record_id>/<link>", "GET")
def list_linked(call: Call, entity_type: str, record_id: str, link: str) -> object:
    """The attendees of one kind with their acceptance."""
    return attending.linked(call, entity_type, record_id, link)


@endpoint(api, "/<entity_type>/<record_id>/<link>", "POST", "DELETE")
def change_link(call: Call, entity_type: str, record_id: str, link: str) -> object:
    """Link or unlink people: no webhook, no new modifiedAt."""
    return attending.change_link(call, entity_type, record_id, link, add=request.method == "POST")


@endpoint(api, "/<entity_type>/action/setAcceptanceStatus", "POST")
def set_acceptance(call: Call, entity_type: str) -> object:
    """The attendee's own answer: no webhook, no new modifiedAt."""
    return attending.set_acceptance(call, entity_type)


@endpoint(api, "/<entity_type>/action/restoreDeleted", "POST")
def restore_deleted(call: Call, entity_type: str) -> object:
    """Bring a removed record back: admins only, no webhook."""
    call.crm.access.check_scope(call.caller, entity_type)
    call.crm.records.restore(call.caller, entity_type, str(call.body.get("id")))
    return True


@endpoint(api, "/MassAction", "POST")
def mass_action(call: Call) -> object:
    """Update or delete many records, named by ids or by a where."""
    entity_type, params = str(call.body.get("entityType")), call.body.get("params")
    call.crm.access.check_scope(call.caller, entity_type)
    if not isinstance(params, dict):
        raise ApiError(400, "")
    ids = params.get("ids")
    if not isinstance(ids, list):
        query = query_of({"where": params.get("where") or []}, None, count=True)
        found: Any = call.crm.listing.answer(call.caller, entity_type, query)
        ids = [line["id"] for line in found["list"]]
    done = _mass(call, entity_type, ids)
    return {"count": len(done), "ids": done}


def _mass(call: Call, entity_type: str, ids: list[str]) -> list[str]:
    action = call.body.get("action")
    if action == "delete":
        return call.crm.records.mass_delete(call.caller, entity_type, ids)
    if action == "update":
        data = call.body.get("data")
        values = data.get("values") if isinstance(data, dict) else None
        if not isinstance(values, dict):
            raise ApiError(400, "")
        return call.crm.records.mass_update(call.caller, entity_type, ids, values)
    raise ApiError(404, f"Mass action '{action}' does not exist.")
