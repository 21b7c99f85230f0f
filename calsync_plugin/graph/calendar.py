"""The calendar operations of Microsoft Graph as request values. Pure.

Decides paths, queries and which requests may be repeated; each function names its page of the Graph docs.
What a body holds is `events`'. Ids are opaque and case-sensitive and are percent-encoded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from calsync_plugin.domain.meeting import JsonValue, Response
from calsync_plugin.graph.protocol import JsonObject, Request

MARKER = "String {b7a4f3c2-6c1d-4e0b-9d35-0f4c5a1e8d27} Name calsync"
"""The single-value extended property that holds an event's marker (R21). Never change it."""

_EXPAND_MARKER = f"singleValueExtendedProperties($filter=id eq '{MARKER}')"
_PAGE = 100
_ANSWERS = {
    Response.ACCEPTED: "accept",
    Response.DECLINED: "decline",
    Response.TENTATIVE: "tentativelyAccept",
}
# Graph docs, event resource type: told only if asked for by name, and then all else must be named, too.
_MASTER = (
    "id,iCalUId,type,subject,body,start,end,isAllDay,location,attendees,organizer,isOrganizer,isCancelled"
    ",sensitivity,showAs,isReminderOn,reminderMinutesBeforeStart,isOnlineMeeting,onlineMeeting"
    ",originalStartTimeZone,originalEndTimeZone,responseStatus,transactionId,recurrence,cancelledOccurrences"
)
_SHOWN = (
    "id,iCalUId,type,seriesMasterId,subject,start,end,isAllDay,location,organizer"
    ",isCancelled,sensitivity,showAs"
)
_LOOK = "id,type,subject,start,end,isAllDay,attendees,organizer,isOrganizer"
"""By which two events look alike."""
# Nothing of what an event says: only when it is, and how it counts.
_BUSY = "id,type,seriesMasterId,start,end,isAllDay,originalStartTimeZone,showAs,isCancelled,responseStatus"
_BUSY_PAGE = "500"


def create_event(
    body: JsonObject, *, transaction: str, marker: str, calendar_id: str = "", item: str = ""
) -> Request:
    """Create an event with its idempotency key and marker (Graph docs, "Create event").

    Not repeatable: for how long the service remembers a key is not documented, so look the event up instead.
    """
    properties: list[JsonValue] = [{"id": MARKER, "value": marker}]
    whole: JsonObject = {**body, "transactionId": transaction, "singleValueExtendedProperties": properties}
    return Request(method="POST", path=f"{_calendar(calendar_id)}/events", body=whole, item=item)


def update_event(event_id: str, body: JsonObject, *, etag: str = "", item: str = "") -> Request:
    """Change the given properties of an event (Graph docs, "Update event"); PreconditionFailed if it changed.

    Not repeatable: every change of a meeting may mail its attendees.
    """
    return Request(method="PATCH", path=_event(event_id), headers=_if_match(etag), body=body, item=item)


def delete_event(event_id: str, *, etag: str = "", item: str = "") -> Request:
    """Delete an event (Graph docs, "Delete event"): the organizer's delete cancels the meeting by mail.

    Not repeatable: a deleted item keeps its immutable id, and a second delete might reach it.
    """
    return Request(method="DELETE", path=_event(event_id), headers=_if_match(etag), item=item)


def get_event(event_id: str, *, item: str = "") -> Request:
    """Read an event with its marker (Graph docs, "Get event", "Get singleValueLegacyExtendedProperty")."""
    return _get(_event(event_id), {"$expand": _EXPAND_MARKER}, item=item)


def get_master(series_id: str, *, item: str = "") -> Request:
    """Read a series' master with its marker and its cancelled occurrences (Graph docs, "Get event")."""
    return _get(_event(series_id), {"$select": _MASTER, "$expand": _EXPAND_MARKER}, item=item)


def respond(event_id: str, response: Response, *, item: str = "") -> Request:
    """Answer an invitation and tell its organizer (Graph docs, "event: accept", "decline", ...).

    `event_id` is that of the attendee's own copy. Not repeatable: every answer is a mail. ValueError for
    `Response.NONE`, which Outlook cannot be told.
    """
    action = _ANSWERS.get(response)
    if action is None:
        raise ValueError("an answer to an invitation cannot be taken back")
    return Request(method="POST", path=f"{_event(event_id)}/{action}", body={"sendResponse": True}, item=item)


def calendar_of(event_id: str, *, item: str = "") -> Request:
    """Read the calendar in which an event lies; NotFound for one that lies in none, as a deleted item."""
    return _get(f"{_event(event_id)}/calendar", item=item)


def find_by_marker(marker: str, *, calendar_id: str = "", item: str = "") -> Request:
    """List the events that carry a marker (Graph docs, "Get singleValueLegacyExtendedProperty").

    The value is compared in any case by the service: compare again. More markers are more requests of a
    batch.
    """
    clause = f"ep/id eq {_quoted(MARKER)} and ep/value eq {_quoted(marker)}"
    return _marked(clause, calendar_id, item)


def list_marked(installation_id: str, *, calendar_id: str = "") -> Request:
    """List all events that carry a marker of this installation, with their markers (R21)."""
    start = _quoted(f"{installation_id}:")
    return _marked(f"ep/id eq {_quoted(MARKER)} and startswith(ep/value,{start})", calendar_id, "")


def find_by_ical_uid(ical_uid: str, *, item: str = "") -> Request:
    """List the events of a mailbox that belong to one meeting (Graph docs, "List events")."""
    query = {"$filter": f"iCalUId eq {_quoted(ical_uid)}", "$expand": _EXPAND_MARKER}
    return _get("/me/events", query, item=item)


def get_calendar(calendar_id: str = "") -> Request:
    """Read a calendar, the default one if no id is given (Graph docs, "Get calendar")."""
    return _get(_calendar(calendar_id))


def list_calendars() -> Request:
    """List the mailbox's own calendars and those shared with it (Graph docs, "List calendars")."""
    return _get("/me/calendars", {"$top": str(_PAGE)})


def mailbox_settings() -> Request:
    """Read the mailbox's time zone and working hours (Graph docs, "Get user mailbox settings")."""
    return _get("/me/mailboxSettings")


def me() -> Request:
    """Read who the token's user is (Graph docs, "Get a user")."""
    return _get("/me", {"$select": "id,displayName,mail,userPrincipalName"})


def instances(series_id: str, start: datetime, end: datetime, *, item: str = "") -> Request:
    """List a series' occurrences and exceptions between two aware times (Graph docs, "List instances")."""
    return _get(f"{_event(series_id)}/instances", {**_window(start, end), "$top": str(_PAGE)}, item=item)


def calendar_view_delta(start: datetime, end: datetime, *, calendar_id: str = "", page: int = 200) -> Request:
    """Begin a round of changes between two aware times (Graph docs, "event: delta")."""
    prefix = f"/me/calendars/{_id(calendar_id)}" if calendar_id else "/me"
    path = f"{prefix}/calendarView/delta"
    return _get(path, _window(start, end), prefer=f"odata.maxpagesize={page}")


def calendar_view(start: datetime, end: datetime, *, calendar_id: str = "") -> Request:
    """List what lies between two aware times, series as their dates (Graph docs, "List calendarView")."""
    prefix = f"/me/calendars/{_id(calendar_id)}" if calendar_id else "/me"
    query = {**_window(start, end), "$select": _SHOWN, "$orderby": "start/dateTime", "$top": str(_PAGE)}
    return _get(f"{prefix}/calendarView", query)


def busy_view(start: datetime, end: datetime, calendar_id: str) -> Request:
    """List what takes up time between two aware times, series as their dates (Graph docs, "List
    calendarView").
    """
    query = {**_window(start, end), "$select": _BUSY, "$top": _BUSY_PAGE}
    return _get(f"{_calendar(calendar_id)}/calendarView", query)


def busy_instances(series_id: str, start: datetime, end: datetime) -> Request:
    """List when the dates of a series take up time (Graph docs, "List instances")."""
    query = {**_window(start, end), "$select": _BUSY, "$top": _BUSY_PAGE}
    return _get(f"{_event(series_id)}/instances", query)


def list_looks(start: datetime, end: datetime, calendar_id: str) -> Request:
    """List how the events between two aware times look in a calendar (Graph docs, "List calendarView")."""
    query = {**_window(start, end), "$select": _LOOK, "$top": str(_PAGE)}
    return _get(f"{_calendar(calendar_id)}/calendarView", query)


def follow(link: str, *, page: int | None = None, item: str = "") -> Request:
    """Follow a next or delta link verbatim; the client refuses one that leads to another server."""
    return _get(link, prefer="" if page is None else f"odata.maxpagesize={page}", item=item)


def _get(path: str, query: Mapping[str, str] | None = None, *, prefer: str = "", item: str = "") -> Request:
    # Graph wants %20, not +, and takes $, ' and parentheses as they are.
    tail = "?" + urlencode(query, quote_via=quote, safe="$(),'") if query else ""
    headers = {"Prefer": prefer} if prefer else {}
    return Request(method="GET", path=path + tail, headers=headers, repeatable=True, item=item)


def _marked(clause: str, calendar_id: str, item: str) -> Request:
    path = f"{_calendar(calendar_id)}/events" if calendar_id else "/me/events"
    query = {
        "$filter": f"singleValueExtendedProperties/Any(ep: {clause})",
        "$expand": _EXPAND_MARKER,
        "$top": str(_PAGE),
    }
    return _get(path, query, item=item)


def _calendar(calendar_id: str) -> str:
    return f"/me/calendars/{_id(calendar_id)}" if calendar_id else "/me/calendar"


def _event(event_id: str) -> str:
    return f"/me/events/{_id(event_id)}"


def _id(value: str) -> str:
    if not value:
        raise ValueError("an empty id would address the whole collection")
    return quote(value, safe="")


def _quoted(value: str) -> str:
    """Return a string literal of OData: a quote within it is doubled."""
    return "'" + value.replace("'", "''") + "'"


def _if_match(etag: str) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _window(start: datetime, end: datetime) -> dict[str, str]:
    return {"startDateTime": _instant(start), "endDateTime": _instant(end)}


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a window needs aware times")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
