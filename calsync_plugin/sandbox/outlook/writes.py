"""Create, change and delete an item: the rules between its values, and what follows for its meeting.

These functions know mailboxes and items, not HTTP: the Graph handlers and the calendar page share them.
Each expects the state's lock to be held. Source: Graph docs, event resource type and event: update.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from calsync_plugin.sandbox.outlook import fields as event_fields
from calsync_plugin.sandbox.outlook import meetings, recurrence, responses
from calsync_plugin.sandbox.outlook.content import wrap_html
from calsync_plugin.sandbox.outlook.odata_types import invalid, text
from calsync_plugin.sandbox.outlook.online import make_online, settle_online
from calsync_plugin.sandbox.outlook.series import (
    check_range,
    follow_master,
    pass_on_to_exceptions,
    shape_of,
)
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Calendar, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import GraphError, Json
from calsync_plugin.sandbox.outlook.zones import zone

_TIMES = ("start", "start_zone", "end", "end_zone", "all_day")
_LONG_SUBJECT = 255


def new_uid(created: datetime, number: int) -> str:
    """Return an iCalUId as Exchange makes one: a fixed class id, no occurrence date, the time and a random
    part.
    """
    ticks = int(created.timestamp() * 10_000_000) + 116_444_736_000_000_000
    tail = ticks.to_bytes(8, "little").hex().upper()
    unique = f"{number:08X}{uuid.uuid4().hex[:24].upper()}"
    return f"040000008200E00074C5B7101A82E00800000000{tail}{0:016X}10000000{unique}"


def create(sim: Simulator, mailbox: Mailbox, calendar: Calendar, body: Json) -> Item:
    """Create an event in a calendar and invite its attendees; GraphError 400 if a rule is broken."""
    given = event_fields.read(body)
    for name in ("start", "end"):
        if name not in given:
            raise invalid(f"The event needs a property '{name}'.", "ErrorPropertyValidationFailure")
    check_times(given)
    _check_subject(sim, given)
    now = sim.now()
    number = sim.state.next_number()
    item = Item(
        number=number,
        uid=new_uid(now, number),
        created=now,
        modified=now,
        start=given["start"],
        start_zone=given["start_zone"],
        end=given["end"],
        end_zone=given["end_zone"],
        starts=now,
        ends=now,
        organizer={"emailAddress": {"name": mailbox.name, "address": mailbox.address}},
        content=_EMPTY,
        foreign_uid=text(body.get("iCalUId"), "iCalUId") or None if mailbox.outside else None,
    )
    for name, value in given.items():
        setattr(item, name, value)
    if item.recurrence is not None:
        item.kind = "seriesMaster"
    item.attendees = [_open(person) for person in item.attendees]
    item.starts, item.ends = recurrence.instants(item)
    if item.all_day and "isReminderOn" not in body:
        item.reminder_on = "reminderMinutesBeforeStart" in body
    make_online(item)
    sim.state.add_item(mailbox, item, calendar)
    meetings.created(sim, mailbox, item)
    sim.changed(mailbox, item, "created")
    return item


_EMPTY = wrap_html("")


def _open(person: Json) -> Json:
    return (
        person if person["status"] is event_fields.NO_STATUS else {**person, "status": event_fields.NO_STATUS}
    )


def check_times(given: dict[str, Any]) -> None:
    """Refuse an event that ends before it starts, or lasts whole days but does not begin and end at
    midnight.
    """
    start, end = given["start"], given["end"]
    if given.get("all_day"):
        midnight = datetime.min.time()
        if start.time() != midnight or end.time() != midnight:
            raise invalid(
                "The Event.Start and Event.End properties of an all-day event need to be set to midnight.",
                "ErrorPropertyValidationFailure",
            )
        if zone(given["start_zone"]) != zone(given["end_zone"]):
            raise invalid(
                "The start and end of an all-day event have to be in the same time zone.",
                "ErrorPropertyValidationFailure",
            )
        if end <= start:
            raise invalid("An all-day event lasts at least one day.", "ErrorPropertyValidationFailure")
        return
    first = start.replace(tzinfo=zone(given["start_zone"]))
    last = end.replace(tzinfo=zone(given["end_zone"]))
    if last - first < timedelta():
        raise invalid("The event's end lies before its start.", "ErrorPropertyValidationFailure")


def _check_subject(sim: Simulator, given: dict[str, Any]) -> None:
    if sim.switches.refuse_long_subject and len(given.get("subject", "")) > _LONG_SUBJECT:
        raise invalid("The subject is longer than 255 characters.", "ErrorPropertyValidationFailure")


def update(
    sim: Simulator,
    mailbox: Mailbox,
    item: Item,
    master: Item | None,
    body: Json,
    *,
    keep_responses: bool = False,
) -> Item:
    """Change an item; an occurrence becomes an exception. Returns the item as it now is; GraphError 400.

    `keep_responses`: attendees who stay keep their responses, as in Outlook itself; through Graph the rules
    of `Switches` decide.
    """
    given = event_fields.read(body)
    given.pop("transaction_id", None)
    if "recurrence" in given:
        if item.day:
            raise invalid("An occurrence has no recurrence of its own.", "ErrorPropertyValidationFailure")
        if "start" not in given:
            given["recurrence"] = recurrence.read(given["recurrence"], item.start)
    check_range(item, given)
    times = {name: given.get(name, getattr(item, name)) for name in _TIMES}
    if any(name in given for name in _TIMES):
        check_times(times)
    _check_subject(sim, given)
    if master is not None:
        _check_crossing(master, item, times)
        if item.kind == "occurrence":
            master.exceptions[item.day] = item
            item.kind = "exception"
    _settle_attendees(sim, item, given, keep=keep_responses)
    settle_online(sim, item, given)
    item.planted = {name: value for name, value in item.planted.items() if name not in body}
    return _apply(sim, mailbox, item, given)


def _apply(sim: Simulator, mailbox: Mailbox, item: Item, given: dict[str, Any]) -> Item:
    before = {name: getattr(item, name) for name in given}
    people, moved_from = item.attendees, (item.starts, item.ends)
    properties = item.properties
    if "properties" in given:
        given["properties"] = {**properties, **given["properties"]}
    changed = {name for name, value in given.items() if before[name] != value}
    shape, exceptions = shape_of(item), item.exceptions
    for name in changed:
        setattr(item, name, given[name])
    if "show_as" in changed:
        item.intended_show_as = item.show_as
    item.starts, item.ends = recurrence.instants(item)
    if item.kind == "seriesMaster" or (item.recurrence is not None and not item.day):
        item.kind = "seriesMaster" if item.recurrence is not None else "singleInstance"
        follow_master(sim, item, shape, changed)
        pass_on_to_exceptions(item, before, changed)
    if changed or sim.switches.unchanged_patch_new_key:
        item.modified = sim.now()
        sim.state.touch(mailbox, item)
        for exception in item.exceptions.values():
            exception.key = item.key
    if "properties" in changed:
        sim.state.index_properties(mailbox, item, properties)
    if changed and item.is_organizer:
        meetings.updated(sim, mailbox, item, changed, people, moved=moved_from != (item.starts, item.ends))
        gone = [one for day, one in exceptions.items() if day not in item.exceptions]
        meetings.uninvite_from_days(sim, mailbox, item, gone, "the series was changed")
    if changed:
        sim.changed(mailbox, item, "updated")
    return item


def _settle_attendees(sim: Simulator, item: Item, given: dict[str, Any], *, keep: bool) -> None:
    """Give each attendee written back the status that the service would keep (Graph issue 16158 in its
    docs).
    """
    if "attendees" not in given:
        return
    known = {person["emailAddress"]["address"].lower(): person for person in item.attendees}
    settled = []
    for person in given["attendees"]:
        old = known.get(person["emailAddress"]["address"].lower())
        if person["status"] is event_fields.NO_STATUS:
            keep = keep or sim.switches.attendee_without_status_keeps_response
            settled.append({**person, "status": old["status"]} if keep and old is not None else person)
        elif old is None:
            settled.append(_open(person))
        elif person["status"]["response"] == "declined":
            settled.append({**person, "status": {"response": "notResponded", "time": "4501-01-01T00:00:00Z"}})
        else:
            settled.append(person)
    given["attendees"] = settled


def _check_crossing(master: Item, item: Item, times: dict[str, Any]) -> None:
    previous, following = recurrence.neighbours(master, item.day)
    day = times["start"].date()
    if times["start"] == item.start:
        return
    if (previous is not None and day <= previous) or (following is not None and day >= following):
        raise GraphError(
            400,
            "ErrorOccurrenceCrossingBoundary",
            "Modified occurrence is crossing or overlapping adjacent occurrence.",
        )


def delete(
    sim: Simulator,
    mailbox: Mailbox,
    item: Item,
    master: Item | None,
    *,
    purge: bool = False,
    comment: str = "",
) -> None:
    """Move an item to Deleted Items, or out of the mailbox; an organizer's meeting is cancelled with it."""
    reason = f"deleted{': ' + comment if comment else ''}"
    if item.is_organizer:
        meetings.cancelled(sim, mailbox, item, reason)
    elif sim.switches.attendee_delete_declines:
        responses.respond(sim, mailbox, item, "declined", comment, send=True)
    remove(sim, mailbox, item, master, purge=purge)


def remove(sim: Simulator, mailbox: Mailbox, item: Item, master: Item | None, *, purge: bool = False) -> None:
    """Take an item out of its calendar without telling anybody."""
    if master is not None:
        master.exceptions.pop(item.day, None)
        master.cancelled_days = sorted({*master.cancelled_days, item.day})
        sim.state.sequence += 1
        master.key, master.modified = sim.state.sequence, sim.now()
        calendar = mailbox.calendars.get(master.folder)
        sim.state.note(calendar, (item.number, item.day))
        sim.changed(mailbox, item, "deleted")
        return
    item.modified = sim.now()
    if item.folder:
        sim.changed(mailbox, item, "deleted")
        sim.state.move(mailbox, item, None)
    if purge:
        item.purged = True
        item.content = item.preview = ""
        sim.state.index_properties(mailbox, Item(**_blank(item)), item.properties)


def _blank(item: Item) -> dict[str, Any]:
    names = (
        "number",
        "uid",
        "created",
        "modified",
        "start",
        "start_zone",
        "end",
        "end_zone",
        "starts",
        "ends",
    )
    return {name: getattr(item, name) for name in names}
