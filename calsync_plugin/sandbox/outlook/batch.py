"""JSON batching: up to 20 members, dependencies, and Outlook's limit of four of a mailbox at once.

Source: Graph docs, "Combine multiple HTTP requests using JSON batching" and Outlook service limits. Members
are dispatched as values; the simulated latency of a batch is one sleep, as long as its slots of four take
together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from calsync_plugin.sandbox.outlook.dispatch import Inquiry, answer_error, owner_of, run
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Mailbox
from calsync_plugin.sandbox.outlook.wire import Answer, GraphError, Json

MOST = 20
_METHODS = frozenset(("GET", "POST", "PATCH", "PUT", "DELETE"))


@dataclass(slots=True)
class Member:
    """One request of a batch, with what it has to wait for."""

    id: str
    inquiry: Inquiry
    depends_on: list[str]


def parse(body: Any, outer: Inquiry) -> list[Member]:
    """Return a batch's members; GraphError 400 if the batch as a whole is malformed."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise _malformed("The batch has no requests.")
    if len(requests) > MOST:
        raise _malformed(f"The number of batch requests exceeds the maximum of {MOST}.")
    members: list[Member] = []
    seen: set[str] = set()
    for request in requests:
        member = _member(request, outer)
        if member.id in seen:
            raise _malformed(f"The batch uses the request id '{member.id}' more than once.")
        if any(name not in seen for name in member.depends_on):
            raise _malformed(f"Request '{member.id}' depends on a request that does not come before it.")
        seen.add(member.id)
        members.append(member)
    return members


def _malformed(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def _member(request: Any, outer: Inquiry) -> Member:
    if not isinstance(request, dict):
        raise _malformed("A batch request has to be an object.")
    identity, method, url = request.get("id"), request.get("method"), request.get("url")
    if not isinstance(identity, str) or not identity or not isinstance(url, str):
        raise _malformed("Each batch request needs an id and a relative url.")
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise _malformed(f"Request '{identity}' has no valid method.")
    given, depends_on = request.get("headers") or {}, request.get("dependsOn") or []
    if not isinstance(given, dict) or not isinstance(depends_on, list):
        raise _malformed(f"Request '{identity}' has malformed headers or dependsOn.")
    headers = {str(name).lower(): str(value) for name, value in given.items()}
    body = request.get("body")
    if body is not None and "content-type" not in headers:
        raise _malformed(f"Request '{identity}' has a body but no Content-Type header.")
    path, _, query = url.partition("?")
    path = "/v1.0/" + path.lstrip("/").removeprefix("v1.0/")
    inner = Inquiry(method.upper(), path, query, headers, body, outer.caller, outer.base_url, encoded=True)
    return Member(identity, inner, [str(name) for name in depends_on])


def answer(sim: Simulator, outer: Inquiry) -> Answer:
    """Run a batch; its own answer is 200 whatever became of its members."""
    members = parse(outer.body, outer)
    granted, refused = _places(sim, members)
    try:
        _wait(sim, members, granted)
        outcomes: dict[str, Answer] = {}
        for member in members:
            outcomes[member.id] = _one(sim, member, outcomes, refused)
    finally:
        for number, places in granted.items():
            sim.throttle.leave(number, places)
    return Answer(200, {"responses": [_rendered(member.id, outcomes[member.id]) for member in members]})


def _places(sim: Simulator, members: list[Member]) -> tuple[dict[int, int], dict[int, GraphError]]:
    """Take places for every mailbox that the batch touches; a mailbox without a free one refuses its
    members.
    """
    wanted: dict[int, int] = {}
    ordered = any(member.depends_on for member in members)
    for member in members:
        number = _mailbox(sim, member).number
        wanted[number] = 1 if ordered else min(sim.switches.concurrent_requests, wanted.get(number, 0) + 1)
    granted: dict[int, int] = {}
    refused: dict[int, GraphError] = {}
    for number, places in wanted.items():
        try:
            granted[number] = sim.throttle.enter(number, sim.switches, wanted=places)
        except GraphError as error:
            refused[number] = error
    return granted, refused


def _mailbox(sim: Simulator, member: Member) -> Mailbox:
    try:
        return owner_of(sim, member.inquiry)[0]
    except GraphError:
        return member.inquiry.caller


def _wait(sim: Simulator, members: list[Member], granted: dict[int, int]) -> None:
    if not sim.delay_ms or not granted:
        return
    at_once = 1 if any(member.depends_on for member in members) else max(1, *granted.values())
    if not sim.switches.throttle:
        at_once = sim.switches.concurrent_requests
    sim.sleep(math.ceil(len(members) / at_once) * sim.delay_ms / 1000)


def _one(
    sim: Simulator, member: Member, outcomes: dict[str, Answer], refused: dict[int, GraphError]
) -> Answer:
    inquiry = member.inquiry
    if any(outcomes[name].status >= 400 for name in member.depends_on):
        error = GraphError(424, "FailedDependency", "A request that this one depends on failed.")
        return answer_error(sim, inquiry, error)
    throttled = refused.get(_mailbox(sim, member).number) if refused else None
    result = run(sim, inquiry) if throttled is None else answer_error(sim, inquiry, throttled)
    sim.log.add(inquiry.caller.address, inquiry.method, inquiry.path, result.status, member=True)
    return result


def _rendered(identity: str, result: Answer) -> Json:
    made: Json = {"id": identity, "status": result.status, "headers": dict(result.headers)}
    if result.body is not None:
        made["headers"]["Content-Type"] = "application/json; odata.metadata=minimal; odata.streaming=true"
        made["body"] = result.body
    return made
