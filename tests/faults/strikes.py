"""What can go wrong with a remote call, as a table.

Decides how each fault looks on the wire of each service. What must become of it is `matrix`'s.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.sandbox.crm.simulator import Crm
from calsync_plugin.sandbox.outlook import faults as outlook_faults
from calsync_plugin.sandbox.outlook.simulator import Simulator
from tests.faults.course import Call, Carry, Strike, StrikeOf

STATUSES = (401, 403, 404, 409, 412, 423, 429, 500, 503, 504)
RETRY_AFTER = {"429": 30, "429 short": 2}
_STATUS = {
    **{str(status): status for status in STATUSES},
    "404 item": 404,
    "403 blocked": 403,
    "429 short": 429,
}
_GRAPH_CODES = {"404": "UnknownError", "403 blocked": "ErrorAccessDenied"}
_LOGIN_CODES = {401: "invalid_client"}
CRM_SAYS = ("403 blocked", "500 late", "HTML", "HTML late", "redirect", "wrong action")
"""What only the CRM's side does: it blocks our address, fails after it saved, or something else answers.

The last is EspoCRM's while its cache of routes is stale.
"""
LOGIN_SAYS = {
    "400 invalid_grant": (400, "invalid_grant"),
    "400 interaction_required": (400, "interaction_required"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong. `member`: within a batch it strikes this member alone."""

    name: str
    member: int | None = None

    def __str__(self) -> str:
        return self.name if self.member is None else f"{self.name} of member {self.member}"


def faults_of(call: Call) -> Iterator[Fault]:
    """Every fault that can befall this call."""
    names = ["refused", "reset", "timeout", "truncated", *(str(s) for s in STATUSES), "429 short"]
    if call.service == "graph":
        names.append("404 item")
    if call.service == "crm":
        names += CRM_SAYS
    if call.service == "crm" and call.method == "PUT":
        names.append("409 modified")
    if call.service == "login" and call.method == "POST":
        names += LOGIN_SAYS
    for name in names:
        yield Fault(name)
    for member in range(len(call.members)):
        for name in names:
            if name not in {"refused", "truncated"}:
                yield Fault(name, member)


def once(number: int, happens: Strike) -> StrikeOf:
    """It happens to the call of this number."""
    return lambda call: happens if call.number == number else None


def always(like: Call, happens: Strike) -> StrikeOf:
    """It happens to every call that is like this one."""
    kind = (like.service, like.method, like.path)
    return lambda call: happens if (call.service, call.method, call.path) == kind else None


def strike(fault: Fault, outlook: Simulator, crm: Crm) -> Strike:
    """The fault as something that happens to a call."""

    def struck(call: Call, request: requests.PreparedRequest, carry: Carry) -> requests.Response:
        if fault not in set(faults_of(call)):
            return carry()
        if fault.member is None and fault.name in _BREAKS:
            return _BREAKS[fault.name](request, carry)
        if fault.name in _ANSWERS:
            return _ANSWERS[fault.name](request, carry)
        if call.service == "crm":
            crm.faults.add(_crm_rule(fault, call))
        else:
            outlook.faults.replace([outlook_faults.parse(_outlook_rule(fault, call))])
        try:
            return carry()
        finally:
            crm.faults.clear()
            outlook.faults.replace([])

    return struck


def _refused(request: requests.PreparedRequest, _carry: Carry) -> requests.Response:
    reason = NewConnectionError(HTTPConnection("127.0.0.1", 1), "Connection refused")
    raise requests.ConnectionError(reason, request=request)


def _reset(request: requests.PreparedRequest, _carry: Carry) -> requests.Response:
    raise requests.ConnectionError("connection reset by peer", request=request)


def _timeout(request: requests.PreparedRequest, carry: Carry) -> requests.Response:
    carry()
    raise requests.ReadTimeout("read timed out", request=request)


def _truncated(_request: requests.PreparedRequest, carry: Carry) -> requests.Response:
    response = carry()
    response.raw = io.BytesIO(response.content[: len(response.content) // 2])
    return response


def _html(request: requests.PreparedRequest, _carry: Carry) -> requests.Response:
    return _answer(request, 200, b"<!doctype html><title>Log in</title>")


def _html_late(request: requests.PreparedRequest, carry: Carry) -> requests.Response:
    carry()
    return _answer(request, 200, b"<!doctype html><title>Log in</title>")


def _fails_late(request: requests.PreparedRequest, carry: Carry) -> requests.Response:
    carry()
    return _answer(request, 500, b"", **{"X-Status-Reason": ""})


def _redirects(request: requests.PreparedRequest, _carry: Carry) -> requests.Response:
    return _answer(request, 302, b"", Location="http://elsewhere.invalid/login")


def _wrong_action(request: requests.PreparedRequest, _carry: Carry) -> requests.Response:
    lists = "searchParams=" in (request.url or "")
    return _answer(request, 200, b'{"id":"other","name":"Other"}' if lists else b'{"total":0,"list":[]}')


def _modified(request: requests.PreparedRequest, _carry: Carry) -> requests.Response:
    body = b'{"values":{"name":"Other"},"versionNumber":7}'
    return _answer(request, 409, body, **{"X-Status-Reason": "modified"})


def _answer(request: requests.PreparedRequest, status: int, body: bytes, **headers: str) -> requests.Response:
    """What something else than the simulator answers."""
    answer = requests.Response()
    answer.status_code, answer.raw, answer.request = status, io.BytesIO(body), request
    answer.headers = CaseInsensitiveDict(headers)
    return answer


_ANSWERS = {
    "500 late": _fails_late,
    "HTML": _html,
    "HTML late": _html_late,
    "redirect": _redirects,
    "wrong action": _wrong_action,
    "409 modified": _modified,
}
_BREAKS = {"refused": _refused, "reset": _reset, "timeout": _timeout, "truncated": _truncated}


def _crm_rule(fault: Fault, call: Call) -> FaultRule:
    # EspoCRM says why in a header, which is missing only while it blocks an address.
    reason = {"403": "No access to entity.", "403 blocked": None}.get(fault.name, "")
    status = _STATUS[fault.name]
    return FaultRule(path=".", status=status, reason=reason, retry_after=RETRY_AFTER.get(fault.name))


def _outlook_rule(fault: Fault, call: Call) -> dict[str, Any]:
    rule: dict[str, Any] = {"times": 1}
    if fault.member is not None:
        method, path = call.members[fault.member]
        same = call.members[: fault.member].count((method, path))
        rule["match"] = {"method": f"^{method}$", "path": "^/v1.0" + re.escape(path) + "$"}
        rule["skip"] = same
    if fault.name == "reset":
        return {**rule, "drop_before": True}
    if fault.name == "timeout":
        return {**rule, "drop_after_commit": True}
    if fault.name in LOGIN_SAYS:
        status, code = LOGIN_SAYS[fault.name]
        return {**rule, "status": status, "code": code}
    status = _STATUS[fault.name]
    rule = {**rule, "status": status, "retry_after": RETRY_AFTER.get(fault.name)}
    if call.service == "login":
        return {**rule, "code": _LOGIN_CODES.get(status, "unknown_error")}
    return {**rule, "code": _GRAPH_CODES.get(fault.name)}
