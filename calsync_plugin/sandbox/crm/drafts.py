"""From the body of a request to values that may be saved: what is writable, trimmed, converted and checked.

It looks at one record's own fields only; whether ids name anything is `relations`' matter. The first field
that does not pass ends it, in the order of the fields (EspoCRM 9.2.7, measured).
"""

from __future__ import annotations

import re
from typing import Any

from calsync_plugin.sandbox.crm.dates import accept_day, accept_instant
from calsync_plugin.sandbox.crm.entities import ATTENDEES, EVENT_STATUSES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.errors import invalid
from calsync_plugin.sandbox.crm.tables import Record

NAME_LENGTH = 255
_BAD_NAME = re.compile(r"[<>=]")
_ADDRESS = re.compile(r"[^@\s<>\"(),:;\\\[\]]+@[^@\s<>\"(),:;\\\[\]]+")
_OPTIONS = {"status": EVENT_STATUSES, "direction": ("Outbound", "Inbound")}
_INSTANTS = ("dateStart", "dateEnd")
_LINES = frozenset({"name", "firstName", "lastName", "location", "userName"})


def draft(entity: EntityType, body: Record, before: Record | None) -> Record:
    """The writable part of a request, converted; unknown and read-only attributes are ignored without a word.

    `before` is the stored record for an update, None for a create. Raises `ApiError` 400.
    """
    values = {key: _tidied(key, value) for key, value in body.items() if key in entity.writable}
    present = {**(before or {}), **values}
    for name in ("name", "lastName", "userName"):
        # A program has no last name: the form of API users does not even ask for one.
        needed = name in entity.required and not (name == "lastName" and present.get("type") == "api")
        if needed and not present.get(name):
            raise invalid(entity.name, name, "required")
    for key in _in_order(entity, values):
        values[key] = _checked(entity, key, values[key])
    if entity.is_event:
        _require_event(entity, present)
    return values


def _tidied(key: str, value: object) -> Any:
    if isinstance(value, str) and key in _LINES:
        return value.strip()
    return None if key in (*_INSTANTS, "dateStartDate", "dateEndDate") and value == "" else value


def _in_order(entity: EntityType, values: Record) -> list[str]:
    order = {name: place for place, name in enumerate(entity.attributes)}
    return sorted(values, key=lambda key: order.get(key, len(order)))


def _require_event(entity: EntityType, present: Record) -> None:
    starts = present.get("dateStart") or (entity.has_all_day and present.get("dateStartDate"))
    if "dateStart" in entity.required and not starts:
        raise invalid(entity.name, "dateStart", "required")
    if "assignedUser" in entity.required and not present.get("assignedUserId"):
        raise invalid(entity.name, "assignedUser", "required")


def _checked(entity: EntityType, key: str, value: Any) -> Any:
    if value is None:
        return [] if key.endswith("Ids") else None
    if key in _INSTANTS or key in ("dateStartDate", "dateEndDate"):
        accepted = accept_instant(value) if key in _INSTANTS else accept_day(value)
        if accepted is None:
            raise invalid(entity.name, key.removesuffix("Date") if key not in _INSTANTS else key, "valid")
        return accepted
    if entity.is_event and key in _OPTIONS and value not in _OPTIONS[key]:
        raise invalid(entity.name, key, "valid")
    if key in _LINES or key in entity.custom_fields:
        _check_line(entity, key, value)
    if key.endswith("Ids") or key in ("emailAddressData", "reminders"):
        _check_list(entity, key, value)
    if key.endswith("Columns") and not isinstance(value, dict):
        raise invalid(entity.name, key.removesuffix("Columns"), "valid")
    if key == "emailAddress" and value != "" and not (isinstance(value, str) and _ADDRESS.fullmatch(value)):
        raise invalid(entity.name, key, "emailAddress")
    return value


def _check_line(entity: EntityType, key: str, value: object) -> None:
    if not isinstance(value, str):
        raise invalid(entity.name, key, "valid")
    if len(value) > entity.longest(key, NAME_LENGTH):
        raise invalid(entity.name, key, "maxLength")
    if key == "name" and entity.is_event and _BAD_NAME.search(value):
        raise invalid(entity.name, key, "pattern")


def _check_list(entity: EntityType, key: str, value: object) -> None:
    kind = dict if key in ("emailAddressData", "reminders") else str
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise invalid(entity.name, key.removesuffix("Ids"), "valid")
    if key == "emailAddressData" and not all(isinstance(item.get("emailAddress"), str) for item in value):
        raise invalid(entity.name, "emailAddress", "valid")


def attendee_values(values: Record) -> dict[str, tuple[list[str] | None, dict[str, str]]]:
    """Per link: the ids (None if the request leaves the set alone) and the statuses that the request"
    " names."""
    found = {}
    for link in ATTENDEES:
        ids = values.get(f"{link}Ids")
        columns = values.get(f"{link}Columns") or {}
        statuses = {
            person: str(column["status"]) for person, column in columns.items() if _has_status(column)
        }
        if ids is not None or statuses:
            found[link] = (ids, statuses)
    return found


def _has_status(column: object) -> bool:
    return isinstance(column, dict) and column.get("status") is not None
