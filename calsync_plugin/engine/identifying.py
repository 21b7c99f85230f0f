"""Which meeting an arrived event is, as far as links tell (R3, R21), and whether it says anything new.

Decides over values alone; the store is asked by `arrivals`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.links import Copy, CopyPurpose, CopyState, Link, LinkState, Role
from calsync_plugin.domain.meeting import Field, JsonValue, Response
from calsync_plugin.domain.policy import Mode
from calsync_plugin.domain.timespan import Timed
from calsync_plugin.engine.arriving import MASTER, Arrival, Found, Sorted
from calsync_plugin.engine.claims import plain_uid
from calsync_plugin.engine.roster import Member
from calsync_plugin.graph.attendees import read_response
from calsync_plugin.graph.protocol import JsonObject


def same_meeting(links: Iterable[Link], event: Found) -> Link | None:
    """The link of the same meeting among those that its iCalUId names."""
    place, view = event.arrival.place, event.view
    if place is not None:
        return next((link for link in links if link.original_start == place.original_start), None)
    candidates = list(links)
    single = next((link for link in candidates if link.original_start is None), None)
    if single is not None:
        return single
    # An invitation to one occurrence alone: its own uid tells which one it is, or the slot, or the time.
    span = view.meeting.span
    starts = {view.original_start, span.start if isinstance(span, Timed) else None} - {None}
    telling: tuple[Callable[[Link], bool], ...] = (
        lambda link: plain_uid(link.series_ical_uid) != view.ical_uid,
        lambda link: link.original_start in starts,
        lambda link: _known_span(link) == span.normal(),
    )
    return next((link for tells in telling for link in candidates if tells(link)), None)


def _known_span(link: Link) -> JsonValue:
    return link.outlook_base.values.get(Field.SPAN) if link.outlook_base else None


def vacant(link: Link | None, mailbox_id: int) -> Link | None:
    """The link that a marker names, unless it has an event here: then the marked one is a user's copy."""
    if link is None or link.state is LinkState.DETACHED or link.copy_in(mailbox_id) is not None:
        return None
    return link


def uid_of(event: Found) -> str:
    """The iCalendar id by which the meeting is known: the series', of an occurrence."""
    return event.arrival.place.series_uid if event.arrival.place else event.view.ical_uid


def is_echo(arrival: Arrival, link: Link | None, mailbox_id: int) -> bool:
    """Whether the event is as it was when its link was saved: the etag tells (a cheap filter)."""
    if link is None or arrival.raw is None or arrival.link is not None:
        return False
    if link.state is LinkState.DETACHED:
        return True
    copy = next((c for c in link.copies if c.event_id == arrival.event_id), None)
    if copy is None or copy.mailbox_id != mailbox_id or copy.state is not CopyState.LIVE:
        return False
    known = link.outlook_base is not None or copy.purpose is not CopyPurpose.HOME
    return (
        known
        and bool(copy.etag)
        and copy.etag == arrival.raw.get("@odata.etag")
        and link.state is LinkState.ACTIVE
        and bool(link.record_id)
        and not _answered(link, copy, arrival.raw)
    )


def _answered(link: Link, copy: Copy, raw: JsonObject) -> bool:
    """Whether somebody answered since: whether that moves the etag is not documented."""
    if "attendees" not in raw:
        return False
    if copy.purpose is CopyPurpose.ATTENDEE or link.role is Role.ATTENDEE:
        return read_response(raw.get("responseStatus")) is not copy.response
    known = link.outlook_base.values.get(Field.RESPONSES) if link.outlook_base else None
    people = raw["attendees"]
    if not isinstance(known, dict) or not isinstance(people, list):
        return False
    said = (read_response(a.get("status")).value for a in people if isinstance(a, dict))
    none = Response.NONE.value
    return Counter(r for r in said if r != none) != Counter(r for r in known.values() if r != none)


def of_series(arrival: Arrival, raw: JsonObject, result: Sorted) -> bool:
    """Delta tells little of occurrences: a series is read as a whole, for any of its events."""
    series = raw.get("seriesMasterId")
    if raw.get("type") == MASTER:
        result.masters.add(arrival.event_id)
        return True
    if not isinstance(series, str) or not series:
        return False
    strays = result.strays.setdefault(series, [])
    if not strays or "subject" in raw:
        strays.append(arrival.event_id)
    return True


def series_of(arrival: Arrival, link: Link | None, mailbox_id: int) -> str:
    """The series to read because Outlook says that a date of it was removed; empty if it is no such word.

    The date may only have moved, and what it goes on as is not known before the series was read as a whole.
    """
    if link is None or arrival.mark_ids or arrival.link is not None or link.state is LinkState.DETACHED:
        return ""
    copies = (c for c in link.copies if c.event_id == arrival.event_id and c.mailbox_id == mailbox_id)
    return next((c.series_id for c in copies), "")


def at_once(
    unread: Sequence[tuple[Arrival, Link]], found: Sequence[Found], result: Sorted
) -> list[tuple[Arrival, Link]]:
    """Of events of which only the id is known those that are looked at now.

    Others wait: for a series that takes the place of an invitation to one date, or because their link was
    found again as another event. Who deleted an invitation and was invited anew since has not declined.
    """
    again = {event.link.id for event in found if event.link}
    now = []
    for arrival, link in unread:
        if link.id in again or (result.masters and not arrival.mark_ids and arrival.link is None):
            result.later.append(arrival.event_id)
            result.settled += arrival.mark_ids
        else:
            now.append((arrival, link))
    return now


def stays_out(member: Member, event: Found, result: Sorted) -> bool:
    """Whether an organizer's own event may not take the place of an invited user's copy of it.

    A mode that lets nothing in would end what that copy brings: it stands for the meeting as if its
    organizer were not connected.
    """
    link, gives = event.link, Flow.IN in MODE_FLOW[Mode(member.settings.mode)]
    if link is None or link.role is not Role.ATTENDEE or not event.view.is_organizer or gives:
        return False
    if any(c.event_id == event.view.id for c in link.copies):
        return False
    result.settled += event.arrival.mark_ids
    return True
