"""A calendar as its owner publishes it: an .ics file at an address, without any login (RFC 5545).

GET /published/<address>/calendar.ics   the primary calendar, a year back and two ahead, series as their dates

It is known again by ETag and Last-Modified. Of private events only the time is told, as Outlook does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

from flask import Blueprint, Response, current_app, request

from calsync_plugin.sandbox.outlook.items import uid_of
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Mailbox
from calsync_plugin.sandbox.outlook.views import in_window

published = Blueprint("published", __name__, url_prefix="/published")

BACK, AHEAD = timedelta(days=365), timedelta(days=730)
_SHOWN = {"free": "FREE", "tentative": "TENTATIVE", "oof": "OOF", "workingElsewhere": "WORKINGELSEWHERE"}
_OCTETS = 75


@published.get("/<address>/calendar.ics")
def calendar(address: str) -> Response:
    """Tell what lies in the calendar, or that it is what the caller has."""
    sim = current_app.extensions["outlook"]
    assert isinstance(sim, Simulator)
    with sim.state.lock:
        mailbox = sim.state.mailboxes.get(address.lower())
        if mailbox is None:
            return Response("No calendar is published at this address.", 404, content_type="text/plain")
        now = sim.now()
        items = in_window(sim, mailbox, mailbox.primary(), now - BACK, now + AHEAD)
        text = "".join(_folded(line) for line in _lines(mailbox, items))
        changed = max((item.modified for item in items), default=datetime(2020, 1, 1, tzinfo=UTC))
    answer = Response(text, content_type="text/calendar; charset=utf-8")
    answer.set_etag(sha256(text.encode()).hexdigest()[:32])
    answer.headers["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    return answer.make_conditional(request)  # type: ignore[return-value]


def _lines(mailbox: Mailbox, items: list[Item]) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//sandbox//Outlook//EN"
    yield f"X-WR-CALNAME:{_text(mailbox.name)}"
    for item in sorted(items, key=lambda one: (one.starts, one.number, one.day)):
        yield from _event(item)
    yield "END:VCALENDAR"


def _event(item: Item) -> Iterator[str]:
    private = item.sensitivity == "private"
    yield "BEGIN:VEVENT"
    yield f"UID:{uid_of(item)}"
    yield f"DTSTAMP:{_instant(item.modified)}"
    if item.all_day:
        yield f"DTSTART;VALUE=DATE:{item.start:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{item.end:%Y%m%d}"
    else:
        yield f"DTSTART:{_instant(item.starts)}"
        yield f"DTEND:{_instant(item.ends)}"
    yield f"SUMMARY:{'Private appointment' if private else _text(item.subject)}"
    yield f"CLASS:{'PRIVATE' if private else 'PUBLIC'}"
    yield f"TRANSP:{'TRANSPARENT' if item.show_as == 'free' else 'OPAQUE'}"
    yield f"X-MICROSOFT-CDO-BUSYSTATUS:{_SHOWN.get(item.show_as, 'BUSY')}"
    if item.cancelled:
        yield "STATUS:CANCELLED"
    yield "END:VEVENT"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """Escape a text (RFC 5545, 3.3.11)."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        value = value.replace(plain, written)
    return value


def _folded(line: str) -> str:
    """Return a line in pieces of at most 75 octets, none of which cuts a character (RFC 5545, 3.1)."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > _OCTETS:
            pieces.append(piece)
            piece = " "
        piece += character
    return "\r\n".join([*pieces, piece]) + "\r\n"
