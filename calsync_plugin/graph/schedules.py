"""Outlook's word on when people are free who are not connected here: getSchedule. Pure.

Decides how a question is split, because the service takes 20 people and 62 days at once, what each answer
says in words, and that an answer whose busy times cannot be told calls nobody free. It tells times and how
they count; subjects and places that it may tell are not read. Source: Graph docs, "calendar: getSchedule".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.domain.timespan import AllDay
from calsync_plugin.errors import CalsyncError, Forbidden, InvalidEvent, NotFound, Refused, UnknownOutcome
from calsync_plugin.graph.busy import shown
from calsync_plugin.graph.events import read_span
from calsync_plugin.graph.protocol import JsonObject, Request
from calsync_plugin.graph.working_hours import StoredHours, read_working_hours

MOST = 20
"""People in one request."""
LONGEST = timedelta(days=62)
"""Time in one request."""
_INTERVAL = 60
"""Minutes of a digit in the view that comes along; it is too coarse to be read for times."""
_FREE = frozenset("04")
"""The digits of that view for free and working elsewhere."""

NOT_FOUND = "Outlook knows no mailbox of this address"
NOT_SHOWN = "this calendar does not show you when its owner is free"
TOO_MANY = "this calendar holds more entries than Outlook tells at once"
NO_TIMES = "Outlook says that there are busy times in this calendar, but not which"
NOT_HERE = "Outlook does not tell this account when others are free; personal accounts cannot ask"
_CODES = {
    "errormailrecipientnotfound": NOT_FOUND,
    "errorinvalidsmtpaddress": NOT_FOUND,
    "errornonexistentmailbox": NOT_FOUND,
    "errornofreebusyaccess": NOT_SHOWN,
    "erroraccessdenied": NOT_SHOWN,
    "errorfreebusydlnotexpandable": NOT_SHOWN,
    "5006": TOO_MANY,
    "errorresultsettoobig": TOO_MANY,
    "errorresultsetoverflow": TOO_MANY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What Outlook says of one person in the asked-for time."""

    address: str
    """In lower case."""
    blocks: tuple[Block, ...] = ()
    """Their ids are made of their times: the service tells none."""
    hours: StoredHours | None = None
    problem: str = ""
    """In words, why nothing is known; empty if it is."""


def schedule_requests(addresses: Iterable[str], start: datetime, end: datetime) -> list[Request]:
    """Return what to ask about some people between two aware times, each answer to be read by
    `read_schedules`.
    """
    asked = list(dict.fromkeys(address.lower() for address in addresses))
    groups = [asked[first : first + MOST] for first in range(0, len(asked), MOST)]
    spans = _spans(start, end)
    return [_request(group, *span) for group in groups for span in spans]


def read_schedules(value: JsonObject | None) -> list[Schedule]:
    """Read the answer to one of the requests; UnknownOutcome for one without a list."""
    found = value.get("value") if value else None
    if not isinstance(found, list):
        raise UnknownOutcome("schedules that cannot be read", status=200)
    return [_schedule(one) for one in found if isinstance(one, dict) and _text(one, "scheduleId")]


def together(schedules: Iterable[Schedule]) -> dict[str, Schedule]:
    """Return each person once, out of the answers to all requests. Half an answer is none."""
    found: dict[str, Schedule] = {}
    for one in schedules:
        known = found.get(one.address)
        if known is None or one.problem:
            found[one.address] = one
        elif not known.problem:
            blocks = {block.id: block for block in (*known.blocks, *one.blocks)}
            found[one.address] = Schedule(
                address=one.address, blocks=tuple(blocks.values()), hours=known.hours or one.hours
            )
    return found


def refusal(error: CalsyncError) -> str:
    """Return in words why a whole request was refused; empty if it may be answered another time."""
    return NOT_HERE if isinstance(error, Forbidden | NotFound | Refused) else ""


def _spans(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    spans = []
    while start < end:
        until = min(start + LONGEST, end)
        spans.append((start, until))
        start = until
    return spans


def _request(addresses: Sequence[str], start: datetime, end: datetime) -> Request:
    body: JsonObject = {
        "schedules": list(addresses),
        "startTime": _time(start),
        "endTime": _time(end),
        "availabilityViewInterval": _INTERVAL,
    }
    # It only asks, whatever its method.
    return Request(method="POST", path="/me/calendar/getSchedule", body=body, repeatable=True)


def _time(moment: datetime) -> JsonObject:
    if moment.tzinfo is None:
        raise ValueError("a schedule needs aware times")
    return {"dateTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}


def _schedule(json: Mapping[str, JsonValue]) -> Schedule:
    address = _text(json, "scheduleId").lower()
    problem = _problem(json.get("error"))
    if problem:
        return Schedule(address=address, problem=problem)
    items = json.get("scheduleItems")
    told = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    blocks = {block.id: block for item in told if (block := _block(item))}
    view = _text(json, "availabilityView")
    if not blocks and (set(view) - _FREE or not (view or isinstance(items, list))):
        return Schedule(address=address, problem=NO_TIMES)
    return Schedule(
        address=address,
        blocks=tuple(blocks.values()),
        hours=read_working_hours(json.get("workingHours")),
    )


def _block(item: Mapping[str, JsonValue]) -> Block | None:
    try:
        span = read_span({"start": item.get("start"), "end": item.get("end")})
    except InvalidEvent:
        return None
    if isinstance(span, AllDay):
        return None
    start, end = int(span.start.timestamp()), int(span.end.timestamp())
    show_as = shown(_text(item, "status"))
    return Block(id=f"{start}-{end}-{show_as.value}", start=start, end=end, show_as=show_as)


def _problem(error: JsonValue) -> str:
    if not isinstance(error, dict):
        return ""
    code = _text(error, "responseCode")
    return _CODES.get(code.lower(), f"Outlook could not tell ({code or 'no reason given'})"[:200])


def _text(json: Mapping[str, JsonValue], name: str) -> str:
    value = json.get(name)
    return value if isinstance(value, str) else ""
