"""Events that no client could have made: copies, moves between calendars, and whatever a test wants to plant.

Nobody is mailed and nobody else's copy changes. Each function expects the state's lock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from calsync_plugin.sandbox.outlook import fields as event_fields
from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.content import wrap_html
from calsync_plugin.sandbox.outlook.lookup import Found
from calsync_plugin.sandbox.outlook.odata_types import mapping, parse_datetime
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import EPOCH, Calendar, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import GraphError, Json
from calsync_plugin.sandbox.outlook.writes import new_uid

_LETTERS = 64
# Where an id's last letter stands in its alphabet: A beside a, - beside _.
_TWINS = {"case": (0, 26), "dash": (62, 63)}


def move(sim: Simulator, mailbox: Mailbox, item: Item, calendar: Calendar) -> None:
    """File an event in another calendar: its default id changes, its immutable id stays."""
    sim.state.move(mailbox, item, calendar)
    sim.changed(mailbox, item, "updated")


def copy(sim: Simulator, found: Found, calendar: Calendar, *, attendees: bool = False) -> Item:
    """Copy an event as a user does in Outlook: an id and an iCalUId of its own, all else is taken along.

    Extended properties too, and the attendees if so asked; nobody is invited by a copy.
    """
    source, mailbox, now = found.item, found.mailbox, sim.now()
    number = sim.state.next_number()
    people = [{**person, "status": event_fields.NO_STATUS} for person in source.attendees]
    made = replace(
        source,
        number=number,
        uid=new_uid(now, number),
        created=now,
        modified=now,
        day=0,
        kind="seriesMaster" if source.recurrence else "singleInstance",
        organizer={"emailAddress": {"name": mailbox.name, "address": mailbox.address}},
        is_organizer=True,
        response="organizer",
        responded=EPOCH,
        attendees=people if attendees else [],
        original_start=None,
        shapes=[],
        transaction_id=None,
        foreign_uid=None,
        lone_master=0,
        exceptions={},
        cancelled_days=list(source.cancelled_days),
    )
    sim.state.add_item(mailbox, made, calendar)
    made.exceptions = {
        day: replace(one, number=number, uid=made.uid, folder=made.folder, key=made.key)
        for day, one in source.exceptions.items()
    }
    sim.changed(mailbox, made, "created")
    return made


def plant(
    sim: Simulator, mailbox: Mailbox, event: Any, calendar: Calendar, *, number: int | None = None
) -> Item:
    """Put an event into a calendar as it is given: what an event cannot hold is told as it stands.

    Null, a zone that nobody knows, an attendee without an address, any property: nothing is refused.
    """
    given = mapping(event, "event")
    now = sim.now()
    number = number or sim.state.next_number()
    known, planted = _readable(given)
    start = known.pop("start", None) or _about(given.get("start"), now)
    organizer = given.get("organizer")
    uid = given.get("iCalUId")
    item = Item(
        number=number,
        uid=new_uid(now, number),
        created=now,
        modified=now,
        start=start,
        start_zone=known.pop("start_zone", "UTC"),
        end=known.pop("end", start + timedelta(hours=1)),
        end_zone=known.pop("end_zone", "UTC"),
        starts=now,
        ends=now,
        content=wrap_html(""),
        organizer=organizer
        if isinstance(organizer, dict) and "emailAddress" in organizer
        else {"emailAddress": {"name": mailbox.name, "address": mailbox.address}},
        is_organizer=given.get("isOrganizer") is not False,
        response="organizer" if given.get("isOrganizer") is not False else "none",
        cancelled=given.get("isCancelled") is True,
        foreign_uid=uid if isinstance(uid, str) and uid else None,
    )
    for name, value in known.items():
        setattr(item, name, value)
    item.kind = "seriesMaster" if item.recurrence else "singleInstance"
    item.starts, item.ends = recurrence.instants(item)
    item.planted = planted
    sim.state.add_item(mailbox, item, calendar)
    sim.changed(mailbox, item, "created")
    return item


def _about(value: Any, now: datetime) -> datetime:
    """Return where an event is filed whose start cannot be read for certain: its words as UTC, or now."""
    try:
        return parse_datetime(value["dateTime"]).replace(tzinfo=None)
    except (GraphError, TypeError, KeyError):
        return now.replace(tzinfo=None, microsecond=0)


_HELD = frozenset(("isOrganizer", "isCancelled"))


def _readable(given: Json) -> tuple[dict[str, Any], Json]:
    """Return the fields that an event can hold, and the properties that it cannot."""
    known: dict[str, Any] = {}
    planted: Json = {}
    for name, value in given.items():
        body = {name: value, "start": given.get("start")} if name == "recurrence" else {name: value}
        try:
            fields = event_fields.read(body)
        except GraphError:
            fields = {}
        if fields and value is not None:
            known.update(fields)
        elif not (name in _HELD and isinstance(value, bool)):
            planted[name] = value
    return known, planted


def twins(sim: Simulator, mailbox: Mailbox, event: Any, calendar: Calendar, differ: str) -> tuple[Item, Item]:
    """Plant an event twice, with ids that differ in the case of one letter, or in a dash; ValueError."""
    if differ not in _TWINS:
        raise ValueError(f"ids differ in {' or '.join(_TWINS)}")
    block = (sim.state.next_number() // _LETTERS + 1) * _LETTERS
    sim.state.restore_numbers(block + _LETTERS)
    one, other = (plant(sim, mailbox, event, calendar, number=block + offset) for offset in _TWINS[differ])
    return one, other
