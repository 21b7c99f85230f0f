"""A deleted event as the body of a new one.

Decides what of an event comes back: all that its owner wrote, and its people only if they are wanted and the
meeting is ahead. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from calsync_plugin.domain.meeting import Field, JsonValue
from calsync_plugin.errors import InvalidEvent
from calsync_plugin.graph.event_body import event_body
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.online import split_meeting_blob
from calsync_plugin.graph.protocol import JsonObject

WRITTEN = frozenset(
    {Field.SUBJECT, Field.SPAN, Field.LOCATION, Field.REMINDER, Field.SENSITIVITY, Field.SHOW_AS}
)
AS_IT_WAS = ("categories", "importance", "hideAttendees", "responseRequested")


def event_again(content: JsonObject, *, zone: str, now: float, with_attendees: bool) -> JsonObject:
    """The body of the event's create; `zone` is for an event that names none, `now` in epoch seconds.

    An online meeting is over with its event: what is left of it is taken out of the body. Raises InvalidEvent
    for what cannot be read.
    """
    view = read_event(content)
    body = {
        **event_body(view.meeting, WRITTEN, zone=view.zone or zone or "UTC").json,
        **{name: content[name] for name in AS_IT_WAS if content.get(name) is not None},
    }
    if view.body:
        text = split_meeting_blob(view.body, view.join_url)[0] if view.online else view.body
        body["body"] = {"contentType": _type_of_body(content), "content": text}
    over = view.meeting.span.over_at(datetime.fromtimestamp(now, UTC))
    if with_attendees and not over:
        body["attendees"] = list(_attendees(view))
    return body


def invited(content: JsonObject) -> frozenset[str]:
    """Addresses that Outlook would invite; nobody for an event that cannot be read."""
    try:
        view = read_event(content)
    except InvalidEvent:
        return frozenset()
    return frozenset(
        str(email.get("address")).lower()
        for attendee in _attendees(view)
        if isinstance(email := attendee["emailAddress"], Mapping)
    )


def _attendees(view: EventView) -> Iterator[dict[str, JsonValue]]:
    """Nobody for somebody else's meeting: whoever restores it would become its organizer."""
    for attendee in view.attendees if view.is_organizer else ():
        if isinstance(attendee, Mapping) and isinstance(attendee.get("emailAddress"), Mapping):
            yield {
                "emailAddress": attendee["emailAddress"],
                "type": attendee.get("type") or "required",
            }


def _type_of_body(content: JsonObject) -> str:
    body = content.get("body")
    kind = body.get("contentType") if isinstance(body, Mapping) else None
    return "text" if str(kind).lower() == "text" else "html"
