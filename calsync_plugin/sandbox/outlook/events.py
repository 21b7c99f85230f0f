"""Graph's requests about events: list, create, get, update, delete."""

from __future__ import annotations

import hashlib
import json

from calsync_plugin.sandbox.outlook import filters, odata, writes
from calsync_plugin.sandbox.outlook.calendars import render_calendar
from calsync_plugin.sandbox.outlook.items import View, change_key, render
from calsync_plugin.sandbox.outlook.lookup import Found, Place, find, not_found, place
from calsync_plugin.sandbox.outlook.odata_types import mapping, text
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError, Json


def applied(view: View) -> dict[str, str]:
    """Return the header that confirms the preferences a request expressed."""
    return {"Preference-Applied": ", ".join(view.applied)} if view.applied else {}


def context_of(call: Call) -> str:
    """Return the metadata fragment of an event collection."""
    return f"users('{call.owner.object_id}')/events"


def place_of(sim: Simulator, call: Call, *, write: bool = False) -> Place:
    """Return the calendar that the path names: by id, or the default one."""
    named = call.segments[0].lower() == "calendars"
    return place(sim, call, call.ids[0] if named else None, write=write)


def found_of(sim: Simulator, call: Call, *, write: bool = False) -> Found:
    """Return the event that the path names; under a calendar it has to lie in that calendar."""
    if call.segments[0].lower() != "calendars":
        return find(sim, call, call.ids[0], write=write)
    where = place(sim, call, call.ids[0], write=write)
    found = find(sim, call, call.ids[1], write=write)
    if found.item.folder != where.calendar.number:
        raise not_found()
    return found


def listing(sim: Simulator, call: Call) -> Answer:
    """List single events and series masters of a calendar."""
    where = place_of(sim, call)
    clause = call.query.get("$filter")
    parsed = filters.parse(clause, one_uid=call.one_uid) if clause else None
    items: list[Item]
    stored = where.mailbox.items
    if parsed is not None and (parsed.uid or parsed.extended):
        # Both indexes span the mailbox, as such filters do at the service.
        numbers = (
            where.mailbox.by_uid.get(parsed.uid, ())
            if parsed.uid
            else where.mailbox.by_property.get(parsed.extended or ("", ""), ())
        )
        items = [stored[number] for number in numbers if _listed(call, where, stored[number])]
    else:
        items = [stored[number] for number in where.calendar.order]
    if parsed is not None:
        items = [item for item in items if parsed.matches(item)]
    body = odata.page(call, where.view, odata.ordered(call, items), context_of(call))
    return Answer(200, body, applied(where.view))


def _listed(call: Call, where: Place, item: Item) -> bool:
    if call.segments[0].lower() == "events":
        return item.folder != 0
    return item.folder == where.calendar.number


def create(sim: Simulator, call: Call) -> Answer:
    """Create an event; the same transactionId and content again give the same event."""
    where = place_of(sim, call, write=True)
    body = mapping(call.body, "body")
    transaction = text(body.get("transactionId"), "transactionId")
    digest = ""
    if transaction:
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        known = where.mailbox.transactions.get(transaction)
        if known is not None:
            return _created(call, where.view, _replayed(sim, where, known, digest))
    item = writes.create(sim, where.mailbox, where.calendar, body)
    if transaction:
        where.mailbox.transactions[transaction] = (digest, item.number)
    return _created(call, where.view, item)


def _replayed(sim: Simulator, where: Place, known: tuple[str, int], digest: str) -> Item:
    item = where.mailbox.items[known[1]]
    if known[0] == digest and item.folder:
        return item
    extra: Json = {"@event.existingEventId": render(where.view, item)["id"]} if item.folder else {}
    raise GraphError(
        sim.switches.duplicate_transaction_status,
        "ErrorDuplicateTransactionId",
        "Your request can't be completed. The TransactionId specified in the request has already been used "
        "to create a different event.",
        extra=extra,
    )


def _created(call: Call, view: View, item: Item) -> Answer:
    event = render(view, item)
    body = {"@odata.context": f"{call.root()}/$metadata#{context_of(call)}/$entity", **event}
    return Answer(
        201,
        body,
        {"Location": f"{call.root()}/users/{call.owner.object_id}/events/{event['id']}", **applied(view)},
    )


def _one(call: Call, view: View, item: Item) -> Answer:
    event = odata.shape(view, item, odata.select_of(call), odata.expands_of(call))
    return Answer(
        200, {"@odata.context": f"{call.root()}/$metadata#{context_of(call)}/$entity", **event}, applied(view)
    )


def get(sim: Simulator, call: Call) -> Answer:
    """Get one event."""
    found = found_of(sim, call)
    return _one(call, found.view, found.item)


def check_match(sim: Simulator, call: Call, found: Found) -> None:
    """Refuse a write whose If-Match names another version: 412 ErrorIrresolvableConflict, as Exchange
    answers.
    """
    wanted = call.headers.get("if-match")
    if not wanted or wanted.strip() == "*" or not sim.switches.enforce_if_match:
        return
    key = change_key(found.view.mailbox.number, found.item.key)
    if key not in {part.strip().removeprefix("W/").strip('"') for part in wanted.split(",")}:
        raise GraphError(
            412,
            "ErrorIrresolvableConflict",
            "The send or update operation could not be performed because the change key passed in the "
            "request does not match the current change key for the item.",
        )


def update(sim: Simulator, call: Call) -> Answer:
    """Change an event."""
    found = found_of(sim, call, write=True)
    check_match(sim, call, found)
    item = writes.update(sim, found.mailbox, found.item, found.master, mapping(call.body, "body"))
    return _one(call, found.view, item)


def delete(sim: Simulator, call: Call) -> Answer:
    """Move an event to Deleted Items."""
    found = found_of(sim, call, write=True)
    check_match(sim, call, found)
    writes.delete(sim, found.mailbox, found.item, found.master)
    return Answer(204)


def calendar_of(sim: Simulator, call: Call) -> Answer:
    """Get the calendar that holds an event."""
    found = found_of(sim, call)
    calendar = found.mailbox.calendars.get(found.item.folder)
    if calendar is None:
        raise not_found()
    alias = found.view.alias
    return Answer(
        200, render_calendar(found.mailbox, calendar, call.caller, identity=alias.id if alias else None)
    )


def attachments(sim: Simulator, call: Call) -> Answer:
    """List an event's attachments: the simulator keeps none."""
    found_of(sim, call)
    return Answer(200, {"@odata.context": f"{call.root()}/$metadata#{context_of(call)}", "value": []})
