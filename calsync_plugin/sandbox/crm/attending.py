"""Attendees by themselves: their lists, link and unlink calls, and the answer to an invitation.

None of these raises `modifiedAt` or fires a webhook (EspoCRM 9.2.7, measured), which is why a bridge has to
look at the attendees again from time to time.
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.answers import Call
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.errors import ApiError, missing, no_foreign_access
from calsync_plugin.sandbox.crm.tables import Record

DUMMY_ADDRESS = "dummy@dummy.dummy"
ANSWERS = ("Accepted", "Tentative", "Declined")


def _event_row(call: Call, entity_type: str, record_id: str) -> Record:
    call.crm.access.check_scope(call.caller, entity_type)
    if not call.crm.store.entity(entity_type).is_event:
        raise ApiError(404, "Link does not exist.")
    return call.crm.records.readable(call.caller, entity_type, record_id)


def linked(call: Call, entity_type: str, record_id: str, link: str) -> object:
    """The people of one link as list lines with `acceptanceStatus`."""
    row = _event_row(call, entity_type, record_id)
    if link not in ATTENDEES:
        raise ApiError(404, f"Link '{link}' does not exist.")
    foreign = call.crm.store.entity(ATTENDEES[link])
    table = call.crm.store.tables[foreign.name]
    lines = []
    for person, status in call.crm.store.members(entity_type, row["id"], link).items():
        line = call.crm.presenter.listed(call.caller, foreign, table.rows[person])
        lines.append({**line, "acceptanceStatus": status})
    return {"total": len(lines), "list": lines}


def attendees(call: Call, entity_type: str, record_id: str) -> object:
    """All people of a record. Users come with a dummy address for everybody but admins."""
    row = _event_row(call, entity_type, record_id)
    found = []
    for link, scope in ATTENDEES.items():
        for person, status in call.crm.store.members(entity_type, row["id"], link).items():
            other = call.crm.store.tables[scope].rows[person]
            masked = scope == "User" and not call.caller.is_admin
            found.append(
                {
                    "id": person,
                    "name": other["name"],
                    "emailAddress": DUMMY_ADDRESS if masked else other.get("emailAddress"),
                    "acceptanceStatus": status,
                    "_scope": scope,
                }
            )
    return {"list": found}


def change_link(call: Call, entity_type: str, record_id: str, link: str, *, add: bool) -> object:
    """Link or unlink `id` or `ids`. Needs edit access at both ends."""
    call.crm.access.check_scope(call.caller, entity_type)
    row = call.crm.store.tables[entity_type].get(record_id)
    if row is None or entity_type not in call.crm.store.attendance or link not in ATTENDEES:
        raise missing(record_id, reading=False)
    if not call.crm.access.may(call.caller, entity_type, "edit", row):
        raise ApiError(403, "No edit access.")
    scope = ATTENDEES[link]
    ids = call.body.get("ids")
    people = [str(person) for person in (ids if isinstance(ids, list) else [call.body.get("id")])]
    for person in people:
        other = call.crm.store.tables[scope].get(person)
        if other is None:
            raise missing(person, reading=False)
        if not call.crm.access.may(call.caller, scope, "edit", other):
            raise no_foreign_access(entity_type, link)
    attendance = call.crm.store.attendance[entity_type]
    for person in people:
        (attendance.add if add else attendance.remove)(record_id, link, person)
        if link != "users":
            call.crm.store.change(scope, person, {"streamUpdatedAt": call.crm.now()})
    if add and link == "users":
        call.crm.store.follow(record_id, people)
    call.crm.store.revision += 1
    return True


def set_acceptance(call: Call, entity_type: str) -> object:
    """Store the caller's own answer; anybody who does not attend gets 403."""
    record_id, status = str(call.body.get("id")), call.body.get("status")
    row = _event_row(call, entity_type, record_id)
    if call.caller.id not in call.crm.store.members(entity_type, row["id"], "users"):
        raise ApiError(403, "")
    if status not in ANSWERS:
        raise ApiError(400, "")
    call.crm.store.attendance[entity_type].add(record_id, "users", call.caller.id, str(status))
    call.crm.store.revision += 1
    return True
