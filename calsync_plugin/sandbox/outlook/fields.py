"""From the JSON of a create or update to an item's fields: validation, defaults, Graph's spelling.

It decides what a single value may be; rules between values (midnight, order of start and end) lie in
`writes`. Source: Graph docs, event resource type, event: update (what is writable).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.content import html_to_text, preview, wrap_html
from calsync_plugin.sandbox.outlook.identities import display_name
from calsync_plugin.sandbox.outlook.odata_types import (
    boolean,
    choice,
    integer,
    invalid,
    mapping,
    parse_datetime,
    sequence,
    text,
)
from calsync_plugin.sandbox.outlook.wire import GraphError, Json
from calsync_plugin.sandbox.outlook.zones import to_local, zone

MOST_ATTENDEES = 500
NO_STATUS: Json = {"response": "none", "time": "0001-01-01T00:00:00Z"}
_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\Z")
_IMPORTANCE = ("low", "normal", "high")
_SENSITIVITY = ("normal", "personal", "private", "confidential")
_SHOW_AS = ("free", "tentative", "busy", "oof", "workingElsewhere", "unknown")
_KINDS = ("required", "optional", "resource")
_RESPONSES = ("none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded")
_PROVIDERS = ("unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer")
_PROPERTY_ID = re.compile(
    r"(?:String|Integer|Boolean|Double|Float|Long|Short|Currency|SystemTime|CLSID|Binary)"
    r"(?: \{[0-9a-fA-F-]{36}\} (?:Name .+|Id 0x[0-9a-fA-F]{1,8})| 0x[0-9a-fA-F]{1,8})\Z"
)
READ_ONLY = frozenset((
    "id", "changeKey", "iCalUId", "createdDateTime", "lastModifiedDateTime", "bodyPreview",
    "hasAttachments", "isCancelled", "isDraft", "isOrganizer", "onlineMeeting", "onlineMeetingUrl",
    "organizer", "originalStart", "originalStartTimeZone", "originalEndTimeZone", "responseStatus",
    "seriesMasterId", "type", "webLink", "cancelledOccurrences", "calendar", "attachments",
    "instances", "exceptionOccurrences", "multiValueExtendedProperties", "extensions",
))  # fmt: skip


def read(body: Any) -> dict[str, Any]:
    """Return the item fields that a request's body sets; read-only properties are ignored, unknown ones
    refused.
    """
    fields: dict[str, Any] = {}
    for name, value in mapping(body, "body").items():
        reader = _READERS.get(name)
        if reader is not None:
            reader(value, fields)
        elif name not in READ_ONLY and "@" not in name:
            raise GraphError(
                400,
                "RequestBodyRead",
                f"The property '{name}' does not exist on type 'microsoft.graph.event'. "
                "Make sure to only use property names that are defined by the type.",
            )
    # After all others, because a range is held against the start, whichever came first.
    if "recurrence" in fields and "start" in fields:
        fields["recurrence"] = recurrence.read(fields["recurrence"], fields["start"])
    return fields


def _moment(prefix: str) -> Callable[[Any, dict[str, Any]], None]:
    def reader(value: Any, fields: dict[str, Any]) -> None:
        body = mapping(value, prefix)
        name = text(body.get("timeZone"), "timeZone") or "UTC"
        zone(name)
        when = parse_datetime(body.get("dateTime"))
        fields[prefix] = when if when.tzinfo is None else to_local(when, name)
        fields[prefix + "_zone"] = name

    return reader


def _body(value: Any, fields: dict[str, Any]) -> None:
    body = {} if value is None else mapping(value, "body")
    content = text(body.get("content"), "content")
    kind = choice(body.get("contentType") or "text", ("text", "html"), "contentType")
    fields["content_type"] = kind
    fields["content"] = content if kind == "text" else wrap_html(content)
    fields["preview"] = preview(content if kind == "text" else html_to_text(fields["content"]))


def location(value: Any) -> Json:
    """Return a location in Graph's shape with what Outlook fills in."""
    body = {} if value is None else mapping(value, "location")
    name = text(body.get("displayName"), "displayName")
    kept = {key: part for key, part in body.items() if part is not None and not key.startswith("@odata")}
    unknown = kept.keys() - _LOCATION_PARTS
    if unknown:
        raise invalid(
            f"The property '{min(unknown)}' does not exist on type 'microsoft.graph.location'.",
            "RequestBodyRead",
        )
    return {
        "displayName": name,
        "locationType": "default",
        "uniqueId": name,
        "uniqueIdType": "private",
        **kept,
    }


_LOCATION_PARTS = frozenset((
    "address", "coordinates", "displayName", "locationEmailAddress", "locationType", "locationUri",
    "uniqueId", "uniqueIdType",
))  # fmt: skip


def _location(value: Any, fields: dict[str, Any]) -> None:
    made = location(value)
    fields["locations"] = [made] if made["displayName"] or made.get("locationUri") else []


def _locations(value: Any, fields: dict[str, Any]) -> None:
    fields["locations"] = [location(part) for part in sequence(value, "locations")]


def attendee(value: Any) -> Json:
    """Return an attendee in Graph's shape; without a status the answer is still open."""
    body = mapping(value, "attendee")
    address = mapping(body.get("emailAddress") or {}, "emailAddress")
    mail = text(address.get("address"), "address").strip()
    if not _ADDRESS.match(mail) and not mail.lower().startswith("/o="):
        raise invalid(
            f"At least one recipient isn't valid: '{mail}' is no e-mail address.", "ErrorInvalidRecipients"
        )
    made: Json = {
        "type": choice(body.get("type") or "required", _KINDS, "type"),
        "status": NO_STATUS,
        "emailAddress": {"name": text(address.get("name"), "name") or display_name(mail), "address": mail},
    }
    status = body.get("status")
    if isinstance(status, dict) and status.get("response"):
        made["status"] = {
            "response": choice(status["response"], _RESPONSES, "response"),
            "time": status.get("time") or NO_STATUS["time"],
        }
    return made


def _attendees(value: Any, fields: dict[str, Any]) -> None:
    people = sequence(value, "attendees")
    if len(people) > MOST_ATTENDEES:
        raise invalid(
            f"An event takes at most {MOST_ATTENDEES} attendees; this one has {len(people)}.",
            "ErrorInvalidRequest",
        )
    made: dict[str, Json] = {}
    for person in people:
        one = attendee(person)
        made.setdefault(one["emailAddress"]["address"].lower(), one)
    fields["attendees"] = list(made.values())


def _properties(value: Any, fields: dict[str, Any]) -> None:
    made: dict[str, str] = {}
    for part in sequence(value, "singleValueExtendedProperties"):
        name = mapping(part, "singleValueExtendedProperties").get("id")
        if not isinstance(name, str) or not _PROPERTY_ID.match(name):
            raise invalid(f"'{name}' is no valid id of an extended property.", "ErrorInvalidProperty")
        made[name] = text(part.get("value"), "value")
    fields["properties"] = made


def _categories(value: Any, fields: dict[str, Any]) -> None:
    fields["categories"] = [text(part, "categories") for part in sequence(value, "categories")]


def _recurrence(value: Any, fields: dict[str, Any]) -> None:
    fields["recurrence"] = value


def _reminder(value: Any, fields: dict[str, Any]) -> None:
    fields["reminder_minutes"] = integer(0 if value is None else value, "reminderMinutesBeforeStart")


def _transaction(value: Any, fields: dict[str, Any]) -> None:
    fields["transaction_id"] = text(value, "transactionId") or None


def _subject(value: Any, fields: dict[str, Any]) -> None:
    fields["subject"] = text(value, "subject")


def _flag(name: str, target: str) -> Callable[[Any, dict[str, Any]], None]:
    def reader(value: Any, fields: dict[str, Any]) -> None:
        fields[target] = boolean(False if value is None else value, name)

    return reader


def _choice(
    name: str, target: str, allowed: tuple[str, ...], default: str
) -> Callable[[Any, dict[str, Any]], None]:
    def reader(value: Any, fields: dict[str, Any]) -> None:
        fields[target] = choice(default if value is None else value, allowed, name)

    return reader


_READERS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "subject": _subject,
    "body": _body,
    "start": _moment("start"),
    "end": _moment("end"),
    "isAllDay": _flag("isAllDay", "all_day"),
    "location": _location,
    "locations": _locations,
    "attendees": _attendees,
    "importance": _choice("importance", "importance", _IMPORTANCE, "normal"),
    "sensitivity": _choice("sensitivity", "sensitivity", _SENSITIVITY, "normal"),
    "showAs": _choice("showAs", "show_as", _SHOW_AS, "busy"),
    "isReminderOn": _flag("isReminderOn", "reminder_on"),
    "reminderMinutesBeforeStart": _reminder,
    "responseRequested": _flag("responseRequested", "response_requested"),
    "allowNewTimeProposals": _flag("allowNewTimeProposals", "allow_new_time_proposals"),
    "hideAttendees": _flag("hideAttendees", "hide_attendees"),
    "categories": _categories,
    "recurrence": _recurrence,
    "isOnlineMeeting": _flag("isOnlineMeeting", "online"),
    "onlineMeetingProvider": _choice("onlineMeetingProvider", "online_provider", _PROVIDERS, "unknown"),
    "transactionId": _transaction,
    "singleValueExtendedProperties": _properties,
}
