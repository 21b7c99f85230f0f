"""Answers to invitations: what they change in the attendee's own copy, and what travels to the organizer.

Each function expects the state's lock. Source: Graph docs, event: accept, decline, tentativelyAccept;
calendar resource type (isTallyingResponses).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.copies import address_of, copy_in, materialise
from calsync_plugin.sandbox.outlook.items import uid_of
from calsync_plugin.sandbox.outlook.odata_types import instant
from calsync_plugin.sandbox.outlook.recurrence import series_uid
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Json


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
    """Answer an invitation in the attendee's own copy, and tell the organizer if a response is to be sent.

    An answer to a series is one to each of its exceptions too.
    """
    own = {"response": response, "time": instant(sim.now())}
    for part in (item, *item.exceptions.values()):
        part.response, part.responded, part.modified = response, sim.now(), sim.now()
        part.show_as = part.intended_show_as if response == "accepted" else "tentative"
        _note(part, mailbox, own)
    if not send:
        return
    organizer = address_of(item.organizer)
    reason = response + (f": {comment}" if comment else "") + (" (proposes a new time)" if proposed else "")
    sim.mail("response", mailbox.address, organizer, item, reason, uid=uid_of(item))
    for host in sim.state.hosts(organizer):
        known = of_organizer(host, item)
        # Only the primary calendar tallies responses.
        if known is not None and known.is_organizer and known.folder == host.default_calendar:
            _receive(sim, host, known, mailbox, {"status": own, **_proposal(proposed)})


def _proposal(proposed: Any) -> Json:
    return {"proposedNewTime": proposed} if proposed else {}


def _note(item: Item, mailbox: Mailbox, own: Json, **more: Any) -> None:
    item.attendees = [
        {**person, "status": own, **more} if address_of(person) == mailbox.address else person
        for person in item.attendees
    ]


def _receive(sim: Simulator, host: Mailbox, known: Item, mailbox: Mailbox, answer: Json) -> None:
    """Note a response on the organizer's item: delta tells it whether the change key moves or not."""
    materialise(host, known)
    for part in (known, *known.exceptions.values()):
        _note(part, mailbox, answer["status"], **{k: v for k, v in answer.items() if k != "status"})
        part.modified = sim.now()
    if sim.switches.response_new_key:
        sim.state.touch(host, known)
        for exception in known.exceptions.values():
            exception.key = known.key
    else:
        sim.state.sequence += 1
        sim.state.note(host.calendars.get(known.folder), (known.number, known.day))
    sim.changed(host, known, "updated")


def of_organizer(host: Mailbox, item: Item) -> Item | None:
    """Return the organizer's own item of a meeting, an occurrence if the invitation was to that one alone."""
    found = copy_in(host, item)
    if found is not None or item.uid == series_uid(item.uid):
        return found
    # An invitation to one occurrence only: its iCalUId names the day, the organizer's series has none.
    series = host.live(series_uid(item.uid))
    if series is None:
        return None
    year, month, day = int(item.uid[32:36], 16), int(item.uid[36:38], 16), int(item.uid[38:40], 16)
    return recurrence.occurrence(series, date(year, month, day).toordinal())
