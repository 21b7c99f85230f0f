"""What a meeting means to other mailboxes: copies with the same iCalUId, mails, responses that travel back.

A copy has an own id, is tentative until answered, lists the organizer among its attendees, and is
overwritten by the organizer's next update. People without a mailbox here only get mails. Each function
expects the state's lock. Source: Graph docs, event: update ("who is mailed"), eventMessage resource type,
event: decline.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.fields import NO_STATUS
from calsync_plugin.sandbox.outlook.items import uid_of
from calsync_plugin.sandbox.outlook.odata_types import instant
from calsync_plugin.sandbox.outlook.series import days_of, keep_days_true
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import EPOCH, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Json

_COPIED = (
    "subject", "content", "content_type", "preview", "importance", "sensitivity", "all_day",
    "locations", "start", "start_zone", "end", "end_zone", "starts", "ends", "online",
    "online_provider", "join_url", "response_requested", "allow_new_time_proposals",
    "hide_attendees", "organizer", "kind", "recurrence", "cancelled_days", "original_start",
    "modified",
)  # fmt: skip
COSMETIC = frozenset((
    "categories", "reminder_on", "reminder_minutes", "show_as", "intended_show_as", "sensitivity",
))  # fmt: skip
_NEVER_MAILED = frozenset(("properties", "extensions", "transaction_id"))
_SHOWN = {"all_day": "isAllDay", "content": "body", "locations": "location", "online": "isOnlineMeeting"}
_HIDDEN = frozenset((
    "preview", "content_type", "start_zone", "end_zone", "online_provider", "join_url",
))  # fmt: skip
CANCELLED_PREFIX = "Canceled: "


def address_of(person: Json) -> str:
    """Return an attendee's or organizer's address as an index knows it."""
    return str(person["emailAddress"]["address"]).lower()


def created(sim: Simulator, mailbox: Mailbox, item: Item) -> None:
    """Invite everybody whom a new event names."""
    _invite(sim, mailbox, item, item.attendees, "created with attendees")


def _invite(sim: Simulator, mailbox: Mailbox, item: Item, people: Iterable[Json], reason: str) -> None:
    for person in people:
        if address_of(person) != mailbox.address:
            sim.mail("invitation", mailbox.address, address_of(person), item, reason, uid=uid_of(item))
            _deliver(sim, mailbox, item, address_of(person), moved=False)


def updated(
    sim: Simulator, mailbox: Mailbox, item: Item, changed: set[str], before: list[Json], *, moved: bool
) -> None:
    """Mail what an organizer changed: only touched attendees if only attendees changed, otherwise all of
    them.
    """
    content = changed - _NEVER_MAILED - {"attendees"}
    if not sim.switches.cosmetic_changes_mail:
        content -= COSMETIC
    if moved:
        item.attendees = [{**person, "status": NO_STATUS} for person in item.attendees]
    old = {address_of(person): person for person in before}
    new = {address_of(person): person for person in item.attendees}
    words = _words(content)
    for address in old:
        if address not in new and address != mailbox.address:
            sim.mail("cancellation", mailbox.address, address, item, "attendee removed", uid=uid_of(item))
            _cancel_copy(sim, item, address)
    _invite(sim, mailbox, item, (new[name] for name in new if name not in old), "attendee added")
    staying = [name for name in new if name in old and name != mailbox.address]
    for address in staying:
        if content:
            sim.mail("update", mailbox.address, address, item, f"changed: {words}", uid=uid_of(item))
        elif "attendees" in changed and new[address]["type"] != old[address]["type"]:
            sim.mail("update", mailbox.address, address, item, "changed: attendee type", uid=uid_of(item))
        if content or "attendees" in changed:
            _deliver(sim, mailbox, item, address, moved=moved, invited=bool(content))
    if content and item.exceptions:
        _update_exceptions(sim, mailbox, item, words)


def _words(content: set[str]) -> str:
    names = {_SHOWN.get(name, name) for name in content - _HIDDEN} or content
    return ", ".join(sorted(names))


def _update_exceptions(sim: Simulator, mailbox: Mailbox, master: Item, words: str) -> None:
    """One mail for the master and one for each instance that was changed on its own (Graph docs, event:
    update).
    """
    for exception in master.exceptions.values():
        for person in exception.attendees:
            if address_of(person) != mailbox.address:
                reason = f"modified instance of a series whose master changed: {words}"
                sim.mail(
                    "update", mailbox.address, address_of(person), exception, reason, uid=uid_of(exception)
                )
                _deliver(sim, mailbox, exception, address_of(person), moved=False)


def cancelled(sim: Simulator, mailbox: Mailbox, item: Item, reason: str) -> None:
    """Tell everybody whom an event named that it is off."""
    for person in item.attendees:
        if address_of(person) != mailbox.address:
            sim.mail("cancellation", mailbox.address, address_of(person), item, reason, uid=uid_of(item))
            _cancel_copy(sim, item, address_of(person))


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


def _materialise(mailbox: Mailbox, item: Item) -> None:
    if item.kind == "occurrence":
        master = mailbox.items[item.number]
        master.exceptions[item.day] = item
        item.kind = "exception"


def _deliver(
    sim: Simulator, organizer: Mailbox, item: Item, address: str, *, moved: bool, invited: bool = True
) -> None:
    """Bring the copy in one attendee's mailbox up to date, creating it if it is not there."""
    target = sim.state.mailboxes.get(address)
    if target is None or target is organizer:
        return
    known = copy_in(target, item)
    if known is None:
        if invited:
            _new_copy(sim, target, item)
        return
    _materialise(target, known)
    kind, day = known.kind, known.day
    old_days, pattern = (days_of(known), known.recurrence) if known.recurrence else (set(), None)
    _refresh(known, item, target)
    if known.recurrence != pattern and not day:
        keep_days_true(sim, known, old_days, {"recurrence"})
        known.cancelled_days = list(item.cancelled_days)
    known.kind, known.day = (
        ("singleInstance", 0) if not day and item.day else (kind if day else item.kind, day)
    )
    if moved:
        known.response, known.responded, known.show_as = "notResponded", EPOCH, "tentative"
    sim.state.touch(target, known)
    sim.changed(target, known, "updated")


def _new_copy(sim: Simulator, target: Mailbox, item: Item) -> None:
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
    )
    _refresh(made, item, target)
    if item.day:
        made.kind, made.original_start = "singleInstance", None
    sim.state.add_item(target, made, target.primary())
    sim.changed(target, made, "created")


def _refresh(copy: Item, source: Item, target: Mailbox) -> None:
    for name in _COPIED:
        setattr(copy, name, getattr(source, name))
    copy.intended_show_as = source.show_as
    lead: Json = {"type": "required", "status": NO_STATUS, "emailAddress": source.organizer["emailAddress"]}
    others = [{**person, "status": NO_STATUS} for person in source.attendees]
    if source.hide_attendees:
        others = [person for person in others if address_of(person) == target.address]
    copy.attendees = [lead, *others]


def _cancel_copy(sim: Simulator, item: Item, address: str) -> None:
    target = sim.state.mailboxes.get(address)
    known = None if target is None else copy_in(target, item)
    if target is None or known is None or known.is_organizer:
        return
    _materialise(target, known)
    known.cancelled, known.show_as, known.reminder_on = True, "free", False
    if sim.switches.cancelled_subject_prefix and not known.subject.startswith(CANCELLED_PREFIX):
        known.subject = CANCELLED_PREFIX + known.subject
    known.modified = sim.now()
    for exception in known.exceptions.values():
        exception.cancelled, exception.show_as = True, "free"
    sim.state.touch(target, known)
    sim.changed(target, known, "updated")


def respond(
    sim: Simulator,
    mailbox: Mailbox,
    item: Item,
    response: str,
    comment: str,
    *,
    send: bool,
    proposed: Any = None,
) -> None:
    """Answer an invitation in the attendee's own copy, and tell the organizer if a response is to be sent."""
    now = sim.now()
    item.response, item.responded, item.modified = response, now, now
    item.show_as = item.intended_show_as if response == "accepted" else "tentative"
    own = {"response": response, "time": instant(now)}
    item.attendees = [
        {**person, "status": own} if address_of(person) == mailbox.address else person
        for person in item.attendees
    ]
    if not send:
        return
    organizer = address_of(item.organizer)
    reason = response + (f": {comment}" if comment else "") + (" (proposes a new time)" if proposed else "")
    sim.mail("response", mailbox.address, organizer, item, reason, uid=uid_of(item))
    host = sim.state.mailboxes.get(organizer)
    if host is not None:
        _receive(sim, host, mailbox, item, own, proposed)


def _receive(sim: Simulator, host: Mailbox, mailbox: Mailbox, item: Item, own: Json, proposed: Any) -> None:
    """Note a response on the organizer's item; only the primary calendar tallies responses."""
    known = _of_organizer(host, item)
    if known is None or not known.is_organizer or known.folder != host.default_calendar:
        return
    _materialise(host, known)
    extra = {"proposedNewTime": proposed} if proposed else {}
    known.attendees = [
        {**person, "status": own, **extra} if address_of(person) == mailbox.address else person
        for person in known.attendees
    ]
    known.modified = sim.now()
    if sim.switches.response_new_key:
        sim.state.touch(host, known)
    sim.changed(host, known, "updated")


def _of_organizer(host: Mailbox, item: Item) -> Item | None:
    found = copy_in(host, item)
    if found is not None or item.uid[32:40] == "00000000":
        return found
    # An invitation to one occurrence only: its iCalUId names the day, the organizer's series has none.
    series = host.live(item.uid[:32] + "00000000" + item.uid[40:])
    if series is None:
        return None
    year, month, day = int(item.uid[32:36], 16), int(item.uid[36:38], 16), int(item.uid[38:40], 16)
    return recurrence.occurrence(series, date(year, month, day).toordinal())
