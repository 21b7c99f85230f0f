"""Several requests in one: the `$batch` envelope and what its answer says of each member. Pure.

Decides which reply belongs to which request. Source: Graph docs, "Combine multiple HTTP requests using JSON
batching": at most 20 members, answers in any order, the outer status is 200 whatever became of the members.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import CalsyncError, UnknownOutcome
from calsync_plugin.graph.protocol import JsonObject, Outcome, Reply, Request, decipher

LARGEST = 20
"""Members of one batch."""


def encode_batch(requests: Sequence[Request]) -> JsonObject:
    """Return the envelope of up to 20 requests; member ids are their positions."""
    return {"requests": [_member(str(position), request) for position, request in enumerate(requests)]}


def decode_batch(body: JsonValue, requests: Sequence[Request], *, now: float = 0.0) -> list[Outcome]:
    """Return one outcome for each request, in their order, from the body of a batch's answer.

    A member that the answer does not name, or names without a status, has an unknown outcome.
    """
    responses = body.get("responses") if isinstance(body, dict) else None
    by_id: dict[str, dict[str, JsonValue]] = {}
    for response in responses if isinstance(responses, list) else []:
        if isinstance(response, dict):
            by_id[str(response.get("id"))] = response
    return [_outcome(by_id.get(str(position)), request, now) for position, request in enumerate(requests)]


def statuses(reply: Reply, members: int) -> list[int]:
    """Return the statuses that members were answered with; those of a refused envelope all have its own."""
    if not 200 <= reply.status < 300:
        return [reply.status] * members
    responses = reply.body.get("responses") if isinstance(reply.body, dict) else None
    told = [r.get("status") for r in responses if isinstance(r, dict)] if isinstance(responses, list) else []
    return [status for status in told if isinstance(status, int)]


def _member(number: str, request: Request) -> JsonObject:
    member: JsonObject = {"id": number, "method": request.method, "url": request.path}
    headers: dict[str, JsonValue] = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        member["body"] = request.body
    if headers:
        member["headers"] = headers
    return member


def _outcome(response: Mapping[str, JsonValue] | None, request: Request, now: float) -> Outcome:
    status = response.get("status") if response else None
    if response is None or isinstance(status, bool) or not isinstance(status, int):
        return Outcome(
            request, error=UnknownOutcome(f"{request.item}: the batch's answer says nothing of it")
        )
    given = response.get("headers")
    headers = {name.lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    try:
        return Outcome(
            request, decipher(Reply(status, headers, _body(response.get("body"))), request.item, now=now)
        )
    except CalsyncError as error:
        return Outcome(request, error=error)


def _body(body: JsonValue) -> JsonValue:
    """Return a member's body: JSON as it stands, anything else comes as base64 text."""
    if not isinstance(body, str):
        return body
    try:
        value: JsonValue = json.loads(base64.b64decode(body, validate=True))
    except (ValueError, binascii.Error):
        return body
    return value
