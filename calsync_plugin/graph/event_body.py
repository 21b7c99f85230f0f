"""Meetings as events of Outlook: the only place that makes Graph's event JSON.

Decides which properties say a changed field, and nothing else, so that no change mails anybody needlessly
(R8). What Outlook cannot hold is evened out with a note, or refused with a reason. Source: Graph docs,
"Create event", "Update event".
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time

from calsync_plugin.domain.meeting import Field, JsonValue, Meeting, fold_line
from calsync_plugin.domain.timespan import AllDay
from calsync_plugin.errors import InvalidRecord
from calsync_plugin.graph import zones
from calsync_plugin.graph.attendees import merge_attendees
from calsync_plugin.graph.events import EventView, with_label
from calsync_plugin.graph.online import split_meeting_blob
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.markup import text_to_html

LONGEST_LINE = 255
"""Characters (UTF-16) of a subject or location: Exchange is said to refuse more."""

# Exchange keeps items as XML 1.0, which has no place for these.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class EventBody:
    """What to send, and what was left out or shortened, in words for the owner."""

    json: JsonObject
    notes: tuple[str, ...] = ()


def event_body(
    meeting: Meeting,
    fields: Collection[Field],
    *,
    zone: str,
    label: str = "",
    present: EventView | None = None,
    removed: Collection[str] = (),
    item: str = "",
) -> EventBody:
    """Return the properties that say `fields` of a meeting.

    `zone` (Windows or IANA) is for times of an event that has none of its own. `present` is the event as it
    is now, None for a new one; with attendees, a description or an online meeting among `fields` it must be
    fresh. `removed`: addresses to be uninvited. `label` goes before the subject. RESPONSES cannot be written
    and are passed over. InvalidRecord: an unknown zone, too many attendees.
    """
    json: JsonObject = {}
    notes: list[str] = []
    if Field.SUBJECT in fields:
        json["subject"] = _line(with_label(_writable(meeting.subject), label), "the subject", notes)
    if Field.SPAN in fields:
        json |= _times(meeting, (present.zone if present else "") or zone or "UTC", item)
    if Field.LOCATION in fields:
        json["location"] = {"displayName": _line(_writable(meeting.location), "the location", notes)}
    if Field.DESCRIPTION in fields:
        json |= _body(meeting.description, present, notes)
    if Field.ATTENDEES in fields:
        there = present.attendees if present else ()
        json["attendees"], skipped = merge_attendees(there, meeting.attendees, removed, item=item)
        notes += skipped
    if Field.REMINDER in fields:
        json |= _reminder(meeting.reminder)
    if Field.SENSITIVITY in fields:
        json["sensitivity"] = meeting.sensitivity.value
    if Field.SHOW_AS in fields:
        json["showAs"] = meeting.show_as.value
    if Field.ONLINE in fields:
        json |= _online(meeting.online, present, notes)
    return EventBody(json, tuple(notes))


def _times(meeting: Meeting, zone: str, item: str) -> JsonObject:
    """Return start and end as wall times of one zone, all-day ones as midnights, never through UTC (R15)."""
    name = zones.outlook_name(zone)
    if not name:
        raise InvalidRecord(f"the time zone {zone!r:.60} is unknown", item=item, reason="unknown_zone")
    span = meeting.span
    if isinstance(span, AllDay):
        first, until = (datetime.combine(day, time(0)) for day in (span.first, span.until))
        return {"isAllDay": True, "start": _time(first, name), "end": _time(until, name)}
    if not all(zones.unambiguous(moment, name) for moment in (span.start, span.end)):
        # The clocks show this time twice, and Graph takes no offset.
        name = "UTC"
    start, end = (zones.wall(moment, name) for moment in (span.start, span.end))
    return {"isAllDay": False, "start": _time(start, name), "end": _time(end, name)}


def _time(wall: datetime, zone: str) -> JsonValue:
    return {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": zone}


def _body(description: str, present: EventView | None, notes: list[str]) -> JsonObject:
    """Return the body; an online meeting's keeps the meeting's block (R16), or is not written at all."""
    html = text_to_html(_UNWRITABLE.sub("", description))
    if present is not None and present.online:
        blob = split_meeting_blob(present.body, present.join_url)[1]
        if not blob and present.join_url:
            notes.append("the description is not written: the online meeting in it could not be told apart")
            return {}
        html += blob
    return {"body": {"contentType": "html", "content": html}}


def _reminder(minutes: int | None) -> JsonObject:
    if minutes is None:
        return {"isReminderOn": False}
    return {"isReminderOn": True, "reminderMinutesBeforeStart": max(minutes, 0)}


def _online(wanted: bool, present: EventView | None, notes: list[str]) -> JsonObject:
    """Return what makes a Teams meeting; it cannot be undone (Graph docs, event resource type)."""
    if present is not None and present.online:
        if not wanted:
            notes.append("it stays an online meeting: Outlook does not take that back")
        return {}
    return {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"} if wanted else {}


def _writable(line: str) -> str:
    return fold_line(_UNWRITABLE.sub("", fold_line(line)))


def _line(text: str, what: str, notes: list[str]) -> str:
    """Return one line that fits, shortened the same way every time."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST_LINE:
        return text
    notes.append(f"{what} is longer than {LONGEST_LINE} characters and is shortened in Outlook")
    return units[: 2 * (LONGEST_LINE - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
