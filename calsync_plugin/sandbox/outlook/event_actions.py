"""Graph's actions on an event: answer an invitation, cancel, forward, reminders, permanentDelete.

Source: Graph docs, event: accept, decline, tentativelyAccept, cancel, forward, permanentDelete.
"""

from __future__ import annotations

from calsync_plugin.sandbox.outlook import copies, meetings, responses, writes
from calsync_plugin.sandbox.outlook import fields as event_fields
from calsync_plugin.sandbox.outlook.events import found_of
from calsync_plugin.sandbox.outlook.lookup import Found
from calsync_plugin.sandbox.outlook.odata_types import (
    boolean,
    invalid,
    mapping,
    parse_datetime,
    sequence,
    text,
)
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.wire import Answer, Call, Json, parameter


def answer_invitation(
    sim: Simulator, found: Found, response: str, comment: str, *, send: bool, proposed: Json | None = None
) -> None:
    """Give a response to an invitation; a declined meeting leaves the calendar. GraphError 400 for the
    organizer.
    """
    item = found.item
    if item.is_organizer:
        raise invalid(
            "Your request can't be completed. "
            "You can't respond to this meeting because you're the meeting organizer."
        )
    if item.kind == "occurrence" and found.master is not None:
        found.master.exceptions[item.day] = item
        item.kind = "exception"
    responses.respond(sim, found.mailbox, item, response, comment, send=send, proposed=proposed)
    if response == "declined" and sim.switches.decline_removes_copy:
        writes.remove(sim, found.mailbox, item, found.master)
        return
    sim.state.touch(found.mailbox, item)
    sim.changed(found.mailbox, item, "updated")


def _respond(sim: Simulator, call: Call, response: str) -> Answer:
    found = found_of(sim, call, write=True)
    send = boolean(parameter(call.body, "sendResponse", default=True), "sendResponse")
    comment = text(parameter(call.body, "comment"), "comment")
    proposed = parameter(call.body, "proposedNewTime")
    if proposed is not None:
        if response == "accepted":
            raise invalid("An acceptance takes no proposedNewTime.")
        if not send or not found.item.allow_new_time_proposals:
            raise invalid(
                "A new time can be proposed only with a response, and if the organizer allows proposals."
            )
        for name in ("start", "end"):
            parse_datetime(mapping(mapping(proposed, "proposedNewTime").get(name), name).get("dateTime"))
    answer_invitation(sim, found, response, comment, send=send, proposed=proposed)
    return Answer(202)


def accept(sim: Simulator, call: Call) -> Answer:
    """Accept an invitation."""
    return _respond(sim, call, "accepted")


def decline(sim: Simulator, call: Call) -> Answer:
    """Decline an invitation."""
    return _respond(sim, call, "declined")


def tentatively_accept(sim: Simulator, call: Call) -> Answer:
    """Accept an invitation tentatively."""
    return _respond(sim, call, "tentativelyAccepted")


def cancel(sim: Simulator, call: Call) -> Answer:
    """Cancel a meeting: the organizer's right alone."""
    found = found_of(sim, call, write=True)
    if not found.item.is_organizer:
        raise invalid("Your request can't be completed. You need to be an organizer to cancel a meeting.")
    comment = text(parameter(call.body, "comment"), "comment")
    meetings.cancelled(sim, found.mailbox, found.item, f"cancelled{': ' + comment if comment else ''}")
    writes.remove(sim, found.mailbox, found.item, found.master)
    return Answer(202)


def forward(sim: Simulator, call: Call) -> Answer:
    """Forward a meeting: those named are invited too, and the organizer lists them."""
    found = found_of(sim, call, write=True)
    recipients = sequence(parameter(call.body, "toRecipients"), "toRecipients")
    if not recipients:
        raise invalid("A forward needs at least one recipient.", "ErrorInvalidRecipients")
    people = [event_fields.attendee(person) for person in recipients]
    for person in people:
        sim.mail("forward", found.mailbox.address, copies.address_of(person), found.item, "forwarded")
    for host in sim.state.hosts(copies.address_of(found.item.organizer)):
        known = copies.copy_in(host, found.item)
        if known is not None and known.is_organizer and known.kind != "occurrence":
            have = {copies.address_of(person) for person in known.attendees}
            added = [person for person in people if copies.address_of(person) not in have]
            before, known.attendees = known.attendees, [*known.attendees, *added]
            sim.state.touch(host, known)
            meetings.updated(sim, host, known, {"attendees"}, before, moved=False)
    return Answer(202)


def dismiss_reminder(sim: Simulator, call: Call) -> Answer:
    """Dismiss a reminder: nothing that an event shows changes."""
    found_of(sim, call, write=True)
    return Answer(200)


def snooze_reminder(sim: Simulator, call: Call) -> Answer:
    """Postpone a reminder: the time is checked, nothing that an event shows changes."""
    found_of(sim, call, write=True)
    parse_datetime(mapping(parameter(call.body, "newReminderTime"), "newReminderTime").get("dateTime"))
    return Answer(200)


def permanent_delete(sim: Simulator, call: Call) -> Answer:
    """Remove an event beyond recovery."""
    found = found_of(sim, call, write=True)
    writes.delete(sim, found.mailbox, found.item, found.master, purge=True)
    return Answer(204)
