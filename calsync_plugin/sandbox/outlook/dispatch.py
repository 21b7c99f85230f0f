"""From an inquiry to an answer: whose mailbox, which handler, which fault; one path for requests and batch
members.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from calsync_plugin.sandbox.outlook.odata_types import offset_free
from calsync_plugin.sandbox.outlook.routes import resolve, segments
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Mailbox
from calsync_plugin.sandbox.outlook.wire import Answer, Call, DroppedConnection, GraphError, Json

VERSION = "/v1.0"
_MAILBOX_FREE = frozenset(("subscriptions",))


@dataclass(slots=True)
class Inquiry:
    """A request before it is resolved: path with version, raw query, lower-case headers, parsed body."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    caller: Mailbox
    base_url: str
    encoded: bool = False

    def target(self) -> str:
        """Return path and query, as faults and logs see them."""
        return f"{self.path}?{self.query}" if self.query else self.path


def new_request_id() -> str:
    """Return a random id in the form of a UUID, cheaper than uuid4."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def owner_of(sim: Simulator, inquiry: Inquiry) -> tuple[Mailbox, list[str]]:
    """Return the mailbox that a path is about and the rest of the path; GraphError 404 for an unknown
    user.
    """
    parts = segments(inquiry.path.removeprefix(VERSION), encoded=inquiry.encoded)
    first = parts[0].lower() if parts else ""
    if first == "me":
        return inquiry.caller, parts[1:]
    if first == "users" and len(parts) > 1:
        found = sim.state.find_mailbox(parts[1])
        if found is None:
            raise GraphError(404, "Request_ResourceNotFound", f"Resource '{parts[1]}' does not exist.")
        return found, parts[2:]
    if first in _MAILBOX_FREE:
        return inquiry.caller, ["/", *parts]
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{parts[0] if parts else ''}'.")


def query_of(text: str) -> dict[str, str]:
    """Return query options by lower-case name: Graph takes startdatetime and startDateTime alike."""
    return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)} if text else {}


def answer_error(sim: Simulator, inquiry: Inquiry, error: GraphError) -> Answer:
    """Return a refusal in Graph's envelope, with the request id and the client's own id echoed."""
    request_id = new_request_id()
    inner: Json = {
        "date": offset_free(sim.now())[:19],
        "request-id": request_id,
        "client-request-id": inquiry.headers.get("client-request-id", request_id),
    }
    body: Json = {"error": {"code": error.code, "message": error.message, **error.extra, "innerError": inner}}
    return Answer(error.status, body, {"request-id": request_id, **error.headers})


def run(sim: Simulator, inquiry: Inquiry, *, delay_ms: float = 0.0) -> Answer:
    """Answer one inquiry: count it, bend it by a fault rule, let its handler work under the state's lock.

    DroppedConnection leaves if a rule breaks the connection.
    """
    rule = sim.faults.match(inquiry.method, inquiry.target(), inquiry.caller.address)
    if rule is not None:
        delay_ms += rule.delay_ms
    if delay_ms:
        sim.sleep(delay_ms / 1000)
    if rule is None:
        return handle(sim, inquiry)
    if rule.drop_before:
        raise DroppedConnection(committed=False)
    if rule.status is not None and not rule.after_commit:
        return answer_error(sim, inquiry, rule.error())
    result = handle(sim, inquiry)
    if rule.delay_after_ms:
        sim.sleep(rule.delay_after_ms / 1000)
    if rule.drop_after_commit:
        raise DroppedConnection(committed=True)
    if rule.status is not None:
        return answer_error(sim, inquiry, rule.error())
    if rule.truncate_body:
        result.headers["x-sandbox-truncate"] = "1"
    return result


def handle(sim: Simulator, inquiry: Inquiry) -> Answer:
    """Answer one inquiry as no fault bends it."""
    try:
        owner, parts = owner_of(sim, inquiry)
        sim.throttle.count(owner.number, sim.now(), sim.switches)
        handler, ids = resolve(inquiry.method, parts)
        call = Call(
            inquiry.method,
            parts,
            query_of(inquiry.query),
            inquiry.headers,
            inquiry.body,
            inquiry.caller,
            owner,
            inquiry.base_url,
            inquiry.path,
            ids,
            sim.switches.occurrences_share_icaluid,
        )
        if parts[:1] == ["/"]:
            # Subscriptions call their receivers back, and keep their own lock.
            return handler(sim, call)
        with sim.state.lock:
            return handler(sim, call)
    except GraphError as error:
        return answer_error(sim, inquiry, error)
