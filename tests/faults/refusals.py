"""The refusals that last: what they leave for a person, and how a person mends it.

Decides for which calls and faults the end state may differ from a run without them, and in what. All other
faults must leave nothing to see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from tests.faults.course import Call
from tests.faults.strikes import LOGIN_SAYS, Fault, faults_of
from tests.faults.yard import Yard

DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal leaves behind: reasons of parked items, the account's status, a person's way out."""

    name: str
    parked: frozenset[str] = frozenset()
    status: str = "connected"
    mails_more: bool = False
    """Whether mending it mails more than a run without the fault would have."""
    cured: bool = True
    """Whether everything is as it should be once a person acted."""


FORBIDDEN = Refusal("the item is parked", parked=frozenset({"forbidden"}))
OUT_OF_SCOPE = Refusal("a record that we may not read is left alone")
UNLISTED = Refusal("records that we may not list match no event", cured=False)
OUT_OF_REACH = Refusal("an event whose calendar we may not see waits")
STRANGERS = Refusal("whom we may not look for is a stranger, also later", cured=False)
UNKNOWN_PEOPLE = Refusal("whom we may not read is not invited", mails_more=True)
RECONNECT = Refusal("the user has to log in again", status="reconnect")
OF_ALL = ("/calendarView/delta", "startswith(ep/value", "cancelledOccurrences")
"""Reads of a whole mailbox: its changes, the markers in it, and which dates of its series were taken out."""
UNREADABLE = Refusal("the main calendar cannot be read", status="needs_attention")
ATTENTION = Refusal("somebody has to look after the account", status="needs_attention")
UNANSWERED = Refusal("an invitation that is not there is not answered")
BELIEVED = Refusal("an event that Outlook says is not there is not there", cured=False)


def refusal_of(call: Call, fault: Fault, before: Sequence[Call], *, lasts: bool = False) -> Refusal | None:
    """The refusal that this fault is for this call, None for what must leave no trace.

    A token that Graph refuses is refreshed; it matters only if the refreshed one is refused as well.
    """
    refreshed = lasts or (bool(before) and before[-1].service == "login" and before[-1].method == "POST")
    if fault not in set(faults_of(call)):
        return None
    method, path = call.members[fault.member or 0] if call.members else (call.method, unquote(call.path))
    match call.service, fault.name:
        # Without subscriptions a mailbox is polled, and they are asked for again.
        case "graph", name if "/subscriptions" in path and name != "401":
            return None
        case "graph", "404 item" if "cancelledOccurrences" in path:
            return BELIEVED
        case "graph", "403" | "404 item" if any(part in path for part in OF_ALL):
            return UNREADABLE
        case "graph", "403" if "/me/calendars/" in path:
            return OUT_OF_REACH
        case "graph", "403":
            return FORBIDDEN
        case "graph", "404 item" if path.endswith("/accept"):
            return UNANSWERED
        case "graph", "404 item" if method == "POST":
            return ATTENTION
        case "graph", "404 item" if method in {"GET", "DELETE"} and "/events?" not in path:
            return BELIEVED
        case "graph", "401" if refreshed:
            return RECONNECT
        case "login", name if name in LOGIN_SAYS:
            return RECONNECT
        case "login", "401" if method == "POST":
            return ATTENTION
        case "crm", "403" if method in {"POST", "PUT", "DELETE"}:
            return FORBIDDEN
        case "crm", "403" if "/Meeting" in path and any(map(_lists_records, (*before, call))):
            return UNLISTED
        case "crm", "403" if "/Meeting" in path:
            return OUT_OF_SCOPE
        case "crm", "403" if "emailAddress" in path:
            return STRANGERS
        case "crm", "403" if any(f"/{kind}" in path for kind in ("User", "Contact", "Lead")):
            return UNKNOWN_PEOPLE
    return None


def _lists_records(call: Call) -> bool:
    """Whether it lists the records that may match events of a first reading (R21)."""
    return '"attribute":"assignedUserId"' in unquote(call.path)


def mend(yard: Yard, records: Sequence[str]) -> None:
    """What a person does: log in again, or say that the account is looked after; save the items again."""
    for user_id in yard.connected():
        status = str(yard.account(user_id).status)
        if status == "reconnect":
            yard.connect(user_id)
        elif status == "needs_attention":
            yard.app.connections.resume(user_id)
    # By then the people that were read are forgotten and read anew.
    yard.clock.advance(301)
    every = yard.app.store.parked.all()
    # Also what came into the CRM meanwhile.
    those = {*records, *(str(row["id"]) for row in yard.records())}
    yard.touch(those)
    yard.settle()
    # What was out of reach is compared by the first save; the second one is about what it found.
    yard.touch(those)
    for parked in every:
        if parked.event_id and yard.event_json(parked.user_id, parked.event_id):
            # A change that says nothing to anybody.
            yard.outlook_patch(parked.user_id, parked.event_id, categories=["Looked after"])
    yard.pull()
    if every:
        # What is gone cannot be saved again: a part of all events is looked at every day.
        yard.clock.advance(1.1 * DAY)
        yard.pull()
