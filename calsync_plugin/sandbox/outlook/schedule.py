"""getSchedule: who is free when, from what lies in the simulated mailboxes (Graph docs, calendar:
getSchedule).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from calsync_plugin.sandbox.outlook.items import view_of
from calsync_plugin.sandbox.outlook.lookup import denied
from calsync_plugin.sandbox.outlook.mailbox_api import working_hours
from calsync_plugin.sandbox.outlook.odata_types import (
    integer,
    invalid,
    mapping,
    offset_free,
    parse_datetime,
    sequence,
    text,
)
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Mailbox
from calsync_plugin.sandbox.outlook.views import in_window
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError, Json, parameter
from calsync_plugin.sandbox.outlook.zones import to_local, to_utc

_DIGITS = {"free": "0", "tentative": "1", "busy": "2", "oof": "3", "workingElsewhere": "4", "unknown": "0"}
_WEIGHT = {"0": 0, "4": 1, "1": 2, "2": 3, "3": 4}
_MOST_SCHEDULES = 20
_LONGEST = timedelta(days=62)


def _instant(value: Any, name: str) -> datetime:
    body = mapping(value, name)
    when = parse_datetime(body.get("dateTime"))
    return to_utc(when.replace(tzinfo=None), text(body.get("timeZone"), "timeZone") or "UTC")


def get_schedule(sim: Simulator, call: Call) -> Answer:
    """Tell for each address what is busy in a span, as items and as one digit per interval."""
    if call.caller.personal:
        # Graph docs, calendar: getSchedule: not supported for personal Microsoft accounts.
        raise denied()
    wanted = sequence(parameter(call.body, "schedules"), "schedules")
    starts = _instant(parameter(call.body, "startTime"), "startTime")
    ends = _instant(parameter(call.body, "endTime"), "endTime")
    minutes = integer(parameter(call.body, "availabilityViewInterval", 30), "availabilityViewInterval")
    if not 5 <= minutes <= 1440:
        raise invalid("The interval has to lie between 5 and 1440 minutes.", "ErrorInvalidParameter")
    if ends <= starts or ends - starts > _LONGEST or not 1 <= len(wanted) <= _MOST_SCHEDULES:
        raise invalid("The time window or the number of schedules is out of range.", "ErrorInvalidParameter")
    zone = view_of(call).zone
    values = [
        _one(sim, call.caller, text(name, "schedules"), starts, ends, timedelta(minutes=minutes), zone)
        for name in wanted
    ]
    context = f"{call.root()}/$metadata#Collection(microsoft.graph.scheduleInformation)"
    return Answer(200, {"@odata.context": context, "value": values})


def _one(
    sim: Simulator, caller: Mailbox, name: str, starts: datetime, ends: datetime, step: timedelta, zone: str
) -> Json:
    mailbox = sim.state.mailboxes.get(name.lower())
    if mailbox is None:
        return _refused(name, "ErrorMailRecipientNotFound", "The mailbox was not found.")
    if mailbox is not caller and not mailbox.shows_free_busy:
        return _refused(name, "ErrorNoFreeBusyAccess", "The caller may not read the free/busy information.")
    items = _busy(sim, mailbox, starts, ends)
    spans = [(item, *_edges(item, mailbox)) for item in items]
    digits = []
    at = starts
    while at < ends:
        here = [_DIGITS[item.show_as] for item, first, last in spans if first < at + step and last > at]
        digits.append(max(here, key=_WEIGHT.__getitem__, default="0"))
        at += step
    return {
        "scheduleId": name,
        "availabilityView": "".join(digits),
        "scheduleItems": [_item(item, mailbox, zone) for item in items],
        "workingHours": working_hours(mailbox),
    }


def _refused(name: str, code: str, message: str) -> Json:
    problem = {"message": message, "responseCode": code}
    return {"scheduleId": name, "availabilityView": "", "scheduleItems": [], "error": problem}


def _edges(item: Item, mailbox: Mailbox) -> tuple[datetime, datetime]:
    """Return the instants of an item; whole days are those of its mailbox."""
    if not item.all_day:
        return item.starts, item.ends
    return to_utc(item.start, mailbox.zone), to_utc(item.end, mailbox.zone)


def _busy(sim: Simulator, mailbox: Mailbox, starts: datetime, ends: datetime) -> list[Item]:
    found = in_window(sim, mailbox, mailbox.primary(), starts, ends)
    return sorted((item for item in found if item.show_as != "free"), key=lambda item: item.starts)


def _item(item: Item, mailbox: Mailbox, zone: str) -> Json:
    first, last = _edges(item, mailbox)
    private = item.sensitivity == "private"
    return {
        "isPrivate": private,
        "status": item.show_as,
        "subject": "" if private else item.subject,
        "location": item.locations[0]["displayName"] if item.locations and not private else "",
        "start": {"dateTime": offset_free(to_local(first, zone)), "timeZone": zone},
        "end": {"dateTime": offset_free(to_local(last, zone)), "timeZone": zone},
    }


def find_meeting_times(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001 - one signature for all handlers
    """Refuse: the service's suggestions follow no rule that could be simulated."""
    raise GraphError(501, "NotImplemented", "The simulator makes no suggestions of meeting times.")
