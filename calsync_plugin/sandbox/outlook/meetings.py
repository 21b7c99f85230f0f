"""What an organizer's writes mean to others: who is mailed, and why, and whose copy follows.

Each function expects the state's lock. Source: Graph docs, event: update ("who is mailed").
"""

from __future__ import annotations

from collections.abc import Iterable

from calsync_plugin.sandbox.outlook.copies import address_of, cancel_copy, deliver
from calsync_plugin.sandbox.outlook.fields import NO_STATUS
from calsync_plugin.sandbox.outlook.items import uid_of
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Json

COSMETIC = frozenset((
    "categories", "reminder_on", "reminder_minutes", "show_as", "intended_show_as", "sensitivity",
))  # fmt: skip
_NEVER_MAILED = frozenset(("properties", "extensions", "transaction_id"))
_SHOWN = {"all_day": "isAllDay", "content": "body", "locations": "location", "online": "isOnlineMeeting"}
_HIDDEN = frozenset((
    "preview", "content_type", "start_zone", "end_zone", "online_provider", "join_url",
))  # fmt: skip


def _mail(sim: Simulator, kind: str, mailbox: Mailbox, to: str, item: Item, reason: str) -> None:
    """Note a mail of this organization; what an organizer elsewhere sends is not Outlook's."""
    if not mailbox.outside:
        sim.mail(kind, mailbox.address, to, item, reason, uid=uid_of(item))


def created(sim: Simulator, mailbox: Mailbox, item: Item) -> None:
    """Invite everybody whom a new event names."""
    _invite(sim, mailbox, item, item.attendees, "created with attendees")


def _invite(sim: Simulator, mailbox: Mailbox, item: Item, people: Iterable[Json], reason: str) -> None:
    for person in people:
        if address_of(person) != mailbox.address:
            _mail(sim, "invitation", mailbox, address_of(person), item, reason)
            deliver(sim, mailbox, item, address_of(person), moved=False)


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
            _mail(sim, "cancellation", mailbox, address, item, "attendee removed")
            cancel_copy(sim, item, address)
    _invite(sim, mailbox, item, (new[name] for name in new if name not in old), "attendee added")
    staying = [name for name in new if name in old and name != mailbox.address]
    for address in staying:
        if content:
            _mail(sim, "update", mailbox, address, item, f"changed: {words}")
        elif "attendees" in changed and new[address]["type"] != old[address]["type"]:
            _mail(sim, "update", mailbox, address, item, "changed: attendee type")
        if content or "attendees" in changed:
            deliver(sim, mailbox, item, address, moved=moved, invited=bool(content))
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
                _mail(sim, "update", mailbox, address_of(person), exception, reason)
                deliver(sim, mailbox, exception, address_of(person), moved=False)


def cancelled(sim: Simulator, mailbox: Mailbox, item: Item, reason: str) -> None:
    """Tell everybody whom an event named that it is off."""
    for person in item.attendees:
        if address_of(person) != mailbox.address:
            _mail(sim, "cancellation", mailbox, address_of(person), item, reason)
            cancel_copy(sim, item, address_of(person))
    uninvite_from_days(sim, mailbox, item, item.exceptions.values(), reason)


def uninvite_from_days(
    sim: Simulator, mailbox: Mailbox, master: Item, days: Iterable[Item], reason: str
) -> None:
    """Tell those who were invited to single days of a series only that these are off."""
    known = {address_of(person) for person in master.attendees}
    for exception in days:
        for person in exception.attendees:
            if address_of(person) not in known | {mailbox.address}:
                _mail(sim, "cancellation", mailbox, address_of(person), exception, reason)
                cancel_copy(sim, exception, address_of(person))
