"""From an item to Graph's JSON: ids in the asked-for format, times in the asked-for zone, the defaults of
an event.

Source: Graph docs, event resource type and event: get; the shape of answers from the samples there.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from calsync_plugin.sandbox.outlook import ids
from calsync_plugin.sandbox.outlook.content import html_to_text, text_to_html
from calsync_plugin.sandbox.outlook.odata_types import instant, offset_free, short_instant
from calsync_plugin.sandbox.outlook.recurrence import occurrence_uid, series_uid
from calsync_plugin.sandbox.outlook.state import Alias, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Call, Json
from calsync_plugin.sandbox.outlook.zones import to_local, zone

_PREFERENCE = re.compile(r'([\w.-]+)\s*=\s*(?:"([^"]*)"|([^",;\s]+))')
_PAGE_SIZE = re.compile(r"[0-9]{1,9}")
NO_LOCATION: Json = {
    "displayName": "",
    "locationType": "default",
    "uniqueIdType": "unknown",
    "address": {},
    "coordinates": {},
}


@dataclass(frozen=True, slots=True)
class View:
    """How one caller wants to see items: whose ids, which id format, zone and body type."""

    mailbox: Mailbox
    zone: str = "UTC"
    body_type: str = "html"
    immutable: bool = False
    page_size: int | None = None
    alias: Alias | None = None
    masks_private: bool = False
    one_uid: bool = False
    root: str = ""
    applied: tuple[str, ...] = ()


def view_of(call: Call) -> View:
    """Return what a call's Prefer header asks for; an unknown zone is refused, other values are ignored."""
    asked = {}
    prefer = call.headers.get("prefer")
    if prefer:
        asked = {name.lower(): quoted or bare for name, quoted, bare in _PREFERENCE.findall(prefer)}
    applied = []
    named = asked.get("outlook.timezone", "UTC")
    if "outlook.timezone" in asked:
        zone(named)
        applied.append(f'outlook.timezone="{named}"')
    body_type = asked.get("outlook.body-content-type", "html").lower()
    if "outlook.body-content-type" in asked and body_type in {"text", "html"}:
        applied.append(f'outlook.body-content-type="{body_type}"')
    immutable = asked.get("idtype", "").lower() == "immutableid"
    if immutable:
        applied.append('IdType="ImmutableId"')
    size = asked.get("odata.maxpagesize", "")
    size = size if _PAGE_SIZE.fullmatch(size) else ""
    if size:
        applied.append(f"odata.maxpagesize={size}")
    return View(
        mailbox=call.owner,
        zone=named,
        body_type=body_type if body_type == "text" else "html",
        immutable=immutable,
        page_size=int(size) if size and 1 <= int(size) <= 1000 else None,
        one_uid=call.one_uid,
        root=call.root(),
        applied=tuple(applied),
    )


@lru_cache(maxsize=4096)
def _key_fill(mailbox: int) -> bytes:
    return hashlib.sha256(f"key{mailbox}".encode()).digest()[:10]


def change_key(mailbox: int, key: int) -> str:
    """Return a change key as Exchange writes one."""
    return base64.b64encode(_key_fill(mailbox) + key.to_bytes(8, "big")).decode()


def item_id(view: View, item: Item) -> str:
    """Return an item's id in the format and for the folder in which this caller sees it."""
    if view.immutable:
        return ids.immutable_id(view.mailbox.number, item.day, item.number)
    folder = item.folder if view.alias is None else view.alias.number
    return ids.default_id(view.mailbox.number, folder, item.day, item.number)


def master_id(view: View, item: Item) -> str | None:
    """Return the id of the series that an occurrence or exception belongs to, whether it is here or not."""
    number = item.number if item.day else item.lone_master
    if not number:
        return None
    if view.immutable:
        return ids.immutable_id(view.mailbox.number, 0, number)
    folder = item.folder if view.alias is None else view.alias.number
    return ids.default_id(view.mailbox.number, folder, 0, number)


def moment(view: View, item: Item, local: datetime, utc: datetime) -> Json:
    """Return a dateTimeTimeZone; an all-day item's date is never converted."""
    if item.all_day:
        return {"dateTime": offset_free(local), "timeZone": view.zone}
    if view.zone == "UTC":
        return {"dateTime": offset_free(utc), "timeZone": "UTC"}
    return {"dateTime": offset_free(to_local(utc, view.zone)), "timeZone": view.zone}


def body_of(view: View, item: Item) -> Json:
    """Return the body in the asked-for type: HTML unless text is preferred."""
    if view.body_type == "text":
        text = item.content if item.content_type == "text" else html_to_text(item.content)
        return {"contentType": "text", "content": text}
    content = item.content if item.content_type == "html" else text_to_html(item.content)
    return {"contentType": "html", "content": content}


def uid_of(item: Item) -> str:
    """Return the iCalUId that Exchange makes, which differs for each occurrence of a series."""
    return occurrence_uid(item.uid, item.day) if item.day else item.uid


def told_uid(item: Item, *, one: bool) -> str:
    """Return the iCalUId that a client gets: another system's as it is, which has one for a whole series.

    `one`: occurrences share their master's.
    """
    if item.foreign_uid:
        return item.foreign_uid
    return series_uid(item.uid) if one else uid_of(item)


def etag(view: View, item: Item) -> str:
    """Return the entity tag: the change key, wrapped."""
    return f'W/"{change_key(view.mailbox.number, item.key)}"'


def skeleton(view: View, item: Item) -> Json:
    """Return the little that delta says of an occurrence that follows its master."""
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": etag(view, item),
        "id": item_id(view, item),
        "seriesMasterId": master_id(view, item),
        "type": item.kind,
        "start": moment(view, item, item.start, item.starts),
        "end": moment(view, item, item.end, item.ends),
    }


def render(view: View, item: Item) -> Json:
    """Return an item as a whole event."""
    key = change_key(view.mailbox.number, item.key)
    identity = item_id(view, item)
    event: Json = {
        "@odata.etag": f'W/"{key}"',
        "id": identity,
        "changeKey": key,
        "webLink": f"https://outlook.office365.com/owa/?itemid={identity}&exvsurl=1&path=/calendar/item",
        "seriesMasterId": master_id(view, item),
        **_plain(view, item),
        **_told(view, item, masked=view.masks_private and item.sensitivity == "private"),
        "start": moment(view, item, item.start, item.starts),
        "end": moment(view, item, item.end, item.ends),
    }
    if item.original_start is not None:
        event["originalStart"] = short_instant(item.original_start)
    return {**event, **item.planted} if item.planted else event


def _plain(view: View, item: Item) -> Json:
    """Return the properties that look alike to every caller."""
    return {
        "createdDateTime": instant(item.created),
        "lastModifiedDateTime": instant(item.modified),
        "categories": item.categories,
        "transactionId": item.transaction_id,
        "originalStartTimeZone": item.start_zone,
        "originalEndTimeZone": item.end_zone,
        "iCalUId": told_uid(item, one=view.one_uid),
        "reminderMinutesBeforeStart": item.reminder_minutes,
        "isReminderOn": item.reminder_on,
        "hasAttachments": False,
        "importance": item.importance,
        "sensitivity": item.sensitivity,
        "isAllDay": item.all_day,
        "isCancelled": item.cancelled,
        "isOrganizer": item.is_organizer,
        "responseRequested": item.response_requested,
        "showAs": item.show_as,
        "type": "exception" if item.lone_master else item.kind,
        "onlineMeetingUrl": None,
        "isOnlineMeeting": item.online,
        "onlineMeetingProvider": item.online_provider,
        "allowNewTimeProposals": item.allow_new_time_proposals,
        "isDraft": False,
        "hideAttendees": item.hide_attendees,
        "responseStatus": {"response": item.response, "time": short_instant(item.responded)},
        "recurrence": _recurrence(item),
        "organizer": item.organizer,
    }


def _told(view: View, item: Item, *, masked: bool) -> Json:
    """Return what a private event keeps from those who may only see that it is there."""
    if masked:
        return {
            "subject": "Private Appointment",
            "bodyPreview": "",
            "body": {"contentType": view.body_type, "content": ""},
            "location": NO_LOCATION,
            "locations": [],
            "attendees": [],
            "onlineMeeting": None,
        }
    return {
        "subject": item.subject,
        "bodyPreview": item.preview,
        "body": body_of(view, item),
        "location": item.locations[0] if item.locations else NO_LOCATION,
        "locations": item.locations,
        "attendees": item.attendees,
        "onlineMeeting": {"joinUrl": item.join_url} if item.join_url else None,
    }


def _recurrence(item: Item) -> Json | None:
    if item.recurrence is None:
        return None
    limits = item.recurrence["range"]
    return {
        "pattern": item.recurrence["pattern"],
        "range": {**limits, "recurrenceTimeZone": limits["recurrenceTimeZone"] or item.start_zone},
    }
