"""The refusals that last: what they leave for a person, and how a person mends it.

Decides for which calls and faults the end state may differ from a run without them, and in what. All other
faults must leave nothing to see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults.course import Call
from tests.faults.strikes import LOGIN_SAYS, Fault, faults_of
from tests.faults.yard import Yard
from tests.world import ALICE, BOB

Cure = Callable[[Yard], None]


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
UNKNOWN_PEOPLE = Refusal("whom we may not read is not invited", mails_more=True)
RECONNECT = Refusal("the user has to log in again", status="reconnect")
ATTENTION = Refusal("somebody has to look after the account", status="needs_attention")
BELIEVED = Refusal("an event that Outlook says is not there is not there", cured=False)


def refusal_of(call: Call, fault: Fault, before: Sequence[Call], *, lasts: bool = False) -> Refusal | None:
    """The refusal that this fault is for this call, None for what must leave no trace.

    A token that Graph refuses is refreshed; it matters only if the refreshed one is refused as well.
    """
    refreshed = lasts or (bool(before) and before[-1].service == "login" and before[-1].method == "POST")
    if fault not in set(faults_of(call)):
        return None
    method, path = call.members[fault.member or 0] if call.members else (call.method, call.path)
    match call.service, fault.name:
        case "graph", "403":
            return FORBIDDEN
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
        case "crm", "403" if method == "PUT":
            return FORBIDDEN
        case "crm", "403" if "/Meeting" in path:
            return OUT_OF_SCOPE
        case "crm", "403":
            return UNKNOWN_PEOPLE
    return None


def mend(yard: Yard, records: Sequence[str]) -> None:
    """What a person does: log in again, or say that the account is looked after; save the records again."""
    for user_id in (ALICE, BOB):
        status = str(yard.account(user_id).status)
        if status == "reconnect":
            yard.connect(user_id)
        elif status == "needs_attention":
            yard.app.connections.resume(user_id)
    # By then the people that were read are forgotten and read anew.
    yard.clock.advance(301)
    yard.touch(records)
    yard.settle()
