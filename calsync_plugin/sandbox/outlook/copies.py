"""The copies of a meeting in its attendees' mailboxes: an own id, the same iCalUId, tentative until answered.

A copy lists the organizer among its attendees and is overwritten by the organizer's next update. People
without a mailbox here have none. Each function expects the state's lock. Source: Graph docs, eventMessage
resource type; "Create events in shared or delegated calendars" for a copy's JSON.
"""

from __future__ import annotations

from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.fields import NO_STATUS
from calsync_plugin.sandbox.outlook.items import uid_of
from calsync_plugin.sandbox.outlook.series import follow_master, moves, shape_of
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import EPOCH, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Json

CANCELLED_PREFIX = "Canceled: "
_COPIED = (
    "subject", "content", "content_type", "preview", "importance", "sensitivity", "all_day",
    "locations", "start", "start_zone", "end", "end_zone", "starts", "ends", "online",
    "online_provider", "join_url", "response_requested", "allow_new_time_proposals",
    "hide_attendees", "organizer", "kind", "recurrence", "original_start", "modified",
)  # fmt: skip


def address_of(person: Json) -> str:
    """Return an attendee's or organizer's address as an index knows it."""
    return str(person["emailAddress"]["address"]).lower()


def copy_in(mailbox: Mailbox, item: Item) -> Item | None:
    """Return a mailbox's own copy of a meeting, an occurrence included; None if it holds none."""
    if item.day:
        single = mailbox.live(uid_of(item))
        if single is not None:
            return single
    found = mailbox.live(item.uid)
    if found is None or not item.day:
        return found
    if found.recurrence is None or (
        item.day not in found.exceptions and not recurrence.exists(found, item.day)
    ):
        return None
    return recurrence.occurrence(found, item.day)


def materialise(mailbox: Mailbox, item: Item) -> None:
    """Make an occurrence an exception that its master keeps."""
    if item.kind == "occurrence":
        master = mailbox.items[item.number]
        master.exceptions[item.day] = item
        item.kind = "exception"


def deliver(
    sim: Simulator, organizer: Mailbox, item: Item, address: str, *, moved: bool, invited: bool = True
) -> None:
    """Bring the copy in one attendee's mailbox up to date, creating it if it is not there."""
    target = sim.state.mailboxes.get(address)
    if target is None or target is organizer:
        return
    known = copy_in(target, item)
    if known is None:
        if invited:
            _new_copy(sim, organizer, target, item)
        return
    materialise(target, known)
    kind, day, shape = known.kind, known.day, shape_of(known)
    again = known.cancelled and not item.cancelled
    _refresh(known, item, target)
    if again:
        # Invited once more: what was called off for this person is on again, and asks for an answer anew.
        known.cancelled, known.reminder_on, moved = False, item.reminder_on, True
        off = set(item.cancelled_days)
        known.exceptions = {at: one for at, one in known.exceptions.items() if at in off}
    if not day:
        known.kind = "singleInstance" if item.day else item.kind
        _keep_series(known, item, was_series=shape.recurrence is not None)
        follow_master(sim, known, shape, {"recurrence"} if moves(known, shape) else set())
    else:
        known.kind, known.day = kind, day
    if moved:
        known.response, known.responded, known.show_as = "notResponded", EPOCH, "tentative"
    known.planted = {}
    sim.state.touch(target, known)
    for exception in known.exceptions.values():
        exception.key = known.key
    sim.changed(target, known, "updated")
    if again:
        _deliver_exceptions(sim, organizer, target, item)


def _keep_series(known: Item, item: Item, *, was_series: bool) -> None:
    """The days that the organizer took out are out; those that the attendee removed stay so."""
    if item.day:
        known.recurrence, known.original_start = None, known.original_start if known.lone_master else None
    elif was_series:
        known.cancelled_days = sorted({*known.cancelled_days, *item.cancelled_days} - known.exceptions.keys())
    else:
        known.cancelled_days = list(item.cancelled_days)


def _new_copy(sim: Simulator, organizer: Mailbox, target: Mailbox, item: Item) -> None:
    now = sim.now()
    made = Item(
        number=sim.state.next_number(),
        uid=uid_of(item),
        created=now,
        modified=now,
        start=item.start,
        start_zone=item.start_zone,
        end=item.end,
        end_zone=item.end_zone,
        starts=item.starts,
        ends=item.ends,
        is_organizer=False,
        response="none",
        show_as="tentative",
        reminder_on=item.reminder_on,
        reminder_minutes=item.reminder_minutes,
        foreign_uid=item.foreign_uid,
        cancelled_days=[] if item.day else list(item.cancelled_days),
    )
    _refresh(made, item, target)
    if item.day:
        made.kind = "singleInstance"
        if sim.switches.lone_occurrence_names_master:
            made.lone_master = sim.state.next_number()
        else:
            made.original_start = None
    sim.state.add_item(target, made, target.primary())
    sim.changed(target, made, "created")
    _deliver_exceptions(sim, organizer, target, item)


def _deliver_exceptions(sim: Simulator, organizer: Mailbox, target: Mailbox, master: Item) -> None:
    for exception in master.exceptions.values():
        if target.address in {address_of(person) for person in exception.attendees}:
            _deliver_exception(sim, organizer, target, exception)


def _deliver_exception(sim: Simulator, organizer: Mailbox, target: Mailbox, exception: Item) -> None:
    """Tell a mailbox that just got a series what differs on one day; it may know that day already."""
    lone = target.live(uid_of(exception))
    if lone is not None:
        if not sim.switches.series_absorbs_lone_occurrence:
            return
        sim.changed(target, lone, "deleted")
        sim.state.move(target, lone, None)
    deliver(sim, organizer, exception, target.address, moved=False)


def _refresh(copy: Item, source: Item, target: Mailbox) -> None:
    for name in _COPIED:
        setattr(copy, name, getattr(source, name))
    copy.intended_show_as = source.show_as
    lead: Json = {"type": "required", "status": NO_STATUS, "emailAddress": source.organizer["emailAddress"]}
    others = [{**person, "status": NO_STATUS} for person in source.attendees]
    if source.hide_attendees:
        others = [person for person in others if address_of(person) == target.address]
    copy.attendees = [lead, *others]


def cancel_copy(sim: Simulator, item: Item, address: str) -> None:
    """Mark an attendee's copy as cancelled; it stays until the attendee removes it."""
    target = sim.state.mailboxes.get(address)
    known = None if target is None else copy_in(target, item)
    if target is None or known is None or known.is_organizer:
        return
    materialise(target, known)
    known.cancelled, known.show_as, known.reminder_on = True, "free", False
    if sim.switches.cancelled_subject_prefix and not known.subject.startswith(CANCELLED_PREFIX):
        known.subject = CANCELLED_PREFIX + known.subject
    known.modified = sim.now()
    sim.state.touch(target, known)
    for exception in known.exceptions.values():
        exception.cancelled, exception.show_as, exception.key = True, "free", known.key
    sim.changed(target, known, "updated")
