"""Events of Outlook as meetings: the only place that reads Graph's event JSON.

Decides what each property means, and which events cannot be synced, with a reason. What differs between the
sides by nature (label, wrapped HTML, the meeting block) is evened out here, before any fingerprint. Writing
is `event_body`. Source: Graph docs, event resource type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from calsync_plugin.domain.meeting import JsonValue, Meeting, Response, Sensitivity, ShowAs, fold_text
from calsync_plugin.domain.timespan import FIRST_YEAR, AllDay, Timed, TimeSpan
from calsync_plugin.errors import InvalidEvent, ItemError
from calsync_plugin.graph import zones
from calsync_plugin.graph.attendees import attendee_set, read_attendee, read_response
from calsync_plugin.graph.calendar import MARKER
from calsync_plugin.graph.online import split_meeting_blob
from calsync_plugin.graph.plain_body import plain_text
from calsync_plugin.markup import html_to_text

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """An event as the engine needs it: the meeting, and what is Outlook's alone."""

    id: str
    etag: str = ""
    ical_uid: str = ""
    meeting: Meeting
    is_organizer: bool = True
    cancelled: bool = False
    type: str = "singleInstance"
    series_master_id: str = ""
    original_start: datetime | None = None
    """UTC; only of an occurrence or exception."""
    transaction_id: str = ""
    marker: str = ""
    """Only if the request expanded it (`calendar.get_event`)."""
    online: bool = False
    join_url: str = ""
    zone: str = ""
    """The zone in which the event was made, if its rules are known; Windows or IANA."""
    response: Response = Response.NONE
    """The mailbox owner's own answer."""
    attendees: tuple[JsonValue, ...] = ()
    """The list as Graph gave it, to be written back whole."""
    body: str = ""
    """The HTML as Graph gave it, with the block of an online meeting."""
    label: str = ""
    """The label that was taken off its subject."""
    skeletal: bool = False
    """An occurrence of which delta told little more than its times."""
    cancelled_occurrences: tuple[str, ...] = ()
    """Of a master, if the request asked for them (`calendar.get_master`): ids that end with the day."""

    @property
    def organizer_address(self) -> str:
        """In lower case; empty if the event names no organizer. An X.500 name stays one."""
        return self.meeting.organizer.address if self.meeting.organizer else ""

    @property
    def mails(self) -> bool:
        """Whether changing it makes Outlook write to anybody."""
        return self.is_organizer and bool(self.attendees)


def read_event(json: Mapping[str, JsonValue], *, label: str = "", former_label: str = "") -> EventView:
    """Read an event, or raise InvalidEvent with a short stable `reason`.

    Expects `Prefer: outlook.timezone="UTC"`, stands other zones. A `label` at the start of the subject is
    taken off, or else the `former_label` under which it was written (R4).
    """
    item = _name(json)
    event_id = _text(json, "id")
    if not event_id:
        raise InvalidEvent("an event without an id", item=item, reason="no_id")
    written = _text(json, "subject")
    taken_off = next((one for one in (label, former_label) if without_label(written, one) != written), "")
    meeting = _meeting(json, without_label(written, taken_off), item)
    return EventView(
        id=event_id,
        etag=_text(json, "@odata.etag"),
        ical_uid=_text(json, "iCalUId"),
        meeting=meeting,
        is_organizer=json.get("isOrganizer") is not False,
        cancelled=meeting.cancelled,
        type=_text(json, "type") or "singleInstance",
        series_master_id=_text(json, "seriesMasterId"),
        original_start=_slot(json, item),
        transaction_id=_text(json, "transactionId"),
        marker=_marker(json),
        online=meeting.online,
        join_url=meeting.join_url,
        zone=meeting.zone,
        response=read_response(json.get("responseStatus")),
        attendees=tuple(_list(json, "attendees")),
        body=_text(_object(json, "body"), "content"),
        label=taken_off,
        skeletal="subject" not in json and "body" not in json,
        cancelled_occurrences=tuple(
            named for named in _list(json, "cancelledOccurrences") if isinstance(named, str)
        ),
    )


def _meeting(json: Mapping[str, JsonValue], subject: str, item: str) -> Meeting:
    online = json.get("isOnlineMeeting") is True or bool(_object(json, "onlineMeeting"))
    join_url = _text(_object(json, "onlineMeeting"), "joinUrl")
    organizer = read_attendee(json.get("organizer"))
    zone = _text(json, "originalStartTimeZone")
    zone = zone if zones.known(zone) else ""
    return Meeting(
        subject=subject,
        span=_span(json, zone, item),
        location=_text(_object(json, "location"), "displayName"),
        description=_description(json, online, join_url),
        attendees=attendee_set(_list(json, "attendees"), organizer),
        reminder=_reminder(json),
        sensitivity=_choice(json, "sensitivity", Sensitivity.NORMAL),
        show_as=_choice(json, "showAs", ShowAs.BUSY),
        online=online,
        zone=zone,
        organizer=organizer,
        join_url=join_url,
        cancelled=json.get("isCancelled") is True,
    )


def read_span(json: Mapping[str, JsonValue]) -> TimeSpan:
    """Return when an event takes place, or raise InvalidEvent; nothing else of it is looked at."""
    zone = _text(json, "originalStartTimeZone")
    return _span(json, zone if zones.known(zone) else "", _name(json))


def without_label(subject: str, label: str) -> str:
    """Return a subject without its label (`C: Call Dave` -> `Call Dave`), whatever its case."""
    found = re.match(rf"\s*{re.escape(label)}\s*:\s*", subject, re.IGNORECASE) if label else None
    return subject[found.end() :] if found else subject


def with_label(subject: str, label: str) -> str:
    """Return a subject as Outlook shows it: with the label of its entity type, if that has one."""
    return f"{label}: {subject}".rstrip() if label else subject


def _span(json: Mapping[str, JsonValue], zone: str, item: str) -> TimeSpan:
    start, end = _object(json, "start"), _object(json, "end")
    try:
        if json.get("isAllDay") is True:
            # Graph docs: the end of an all-day event is the midnight after its last day. Some clients say the
            # last day itself.
            first, until = _day(start, zone, item), _day(end, zone, item)
            return AllDay(first, first + timedelta(days=1) if until == first else until)
        return Timed(_moment_of(start, item), _moment_of(end, item))
    except InvalidEvent:
        raise
    except ItemError as error:
        raise InvalidEvent(str(error), item=item, reason=error.reason) from error
    except OverflowError as error:
        raise InvalidEvent("its date is out of range", item=item, reason="date_out_of_range") from error


def _day(value: Mapping[str, JsonValue], zone: str, item: str) -> date:
    """Return the day of an all-day event's edge: the date as it stands, never through UTC (R15)."""
    wall = _wall(_text(value, "dateTime"), item)
    if wall.time() == time(0):
        return wall.date()
    # Converted after all: back to the zone where it was midnight, or to the nearest one.
    named = _text(value, "timeZone") or "UTC"
    if zone and zones.known(named):
        wall = zones.wall(zones.instant(wall, named), zone)
    return (wall + timedelta(hours=12)).date()


def _moment_of(value: Mapping[str, JsonValue], item: str) -> datetime:
    return _moment(_text(value, "dateTime"), _text(value, "timeZone") or "UTC", item)


def _moment(text: str, zone: str, item: str) -> datetime:
    wall = _wall(text, item, keep_offset=True)
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    if not zones.known(zone):
        raise InvalidEvent(f"the time zone {zone!r:.60} is unknown", item=item, reason="unknown_zone")
    return zones.instant(wall, zone)


def _slot(json: Mapping[str, JsonValue], item: str) -> datetime | None:
    """Return when an occurrence would start by its series' rule; None if that is not told."""
    try:
        start = _moment(_text(json, "originalStart"), "UTC", item).replace(microsecond=0)
    except (InvalidEvent, OverflowError):
        return None
    # Exchange writes "none" as a date of year 1.
    return start if start.year >= FIRST_YEAR else None


def _wall(text: str, item: str, *, keep_offset: bool = False) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidEvent("it has no readable start or end", item=item, reason="no_time") from error
    return moment if keep_offset else moment.replace(tzinfo=None)


def _description(json: Mapping[str, JsonValue], online: bool, join_url: str) -> str:
    body = _text(_object(json, "body"), "content")
    if _text(_object(json, "body"), "contentType").lower() == "text":
        return fold_text(body)
    if online:
        return html_to_text(split_meeting_blob(body, join_url)[0])
    plain = plain_text(body)
    return html_to_text(body) if plain is None else plain


def _reminder(json: Mapping[str, JsonValue]) -> int | None:
    minutes = json.get("reminderMinutesBeforeStart")
    return minutes if json.get("isReminderOn") is True and type(minutes) is int else None


def _marker(json: Mapping[str, JsonValue]) -> str:
    for found in _list(json, "singleValueExtendedProperties"):
        if isinstance(found, Mapping) and _text(found, "id").lower() == MARKER.lower():
            return _text(found, "value")
    return ""


def _choice(json: Mapping[str, JsonValue], name: str, usual: Choice) -> Choice:
    said = _text(json, name).lower()
    return next((choice for choice in type(usual) if choice.value.lower() == said), usual)


def _text(json: Mapping[str, JsonValue], name: str) -> str:
    value = json.get(name)
    return value if isinstance(value, str) else ""


def _object(json: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    value = json.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(json: Mapping[str, JsonValue], name: str) -> Sequence[JsonValue]:
    value = json.get(name)
    return value if isinstance(value, list) else []


def _name(json: Mapping[str, JsonValue]) -> str:
    """Return how messages name an event: logs and administrators read them, so not by its subject."""
    return f"event {_text(json, 'id')[-12:]}".rstrip()
