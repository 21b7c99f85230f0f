"""EspoCRM's REST interface without I/O: what a request carries, and what an answer means.

Decides the one place where a status becomes an error. Does not send, retry or know what a meeting is. Behind
each rule stands EspoCRM 9.2.7 as measured; its documentation names few of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

from calsync_plugin.errors import (
    CalsyncError,
    ConfigurationError,
    Forbidden,
    NotFound,
    Refused,
    RemoteError,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)

# More than 10 failed logins in 60 s from one address: EspoCRM then refuses everything from there, keys too.
# Both clocks count in whole seconds, hence one more.
BLOCKED_SECONDS = 61.0
ADDRESS_BLOCKED = "address_blocked"

# Labels of `messageTranslation` with which EspoCRM refuses the content of a record under status 403; the last
# two stand in its source (LinkCheck.php).
_CONTENT_LABELS = {
    "cannotRelateNonExisting",
    "cannotRelateForbidden",
    "noAccessToForeignRecord",
    "noLinkAccess",
    "cannotRelateForbiddenLink",
}
_LINK = re.compile(r"link: (\w+)\.|\(\w+:(\w+)\)|to link (\w+)\.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request was about, to tell one 404 from another and to name the item in messages."""

    method: str
    path: str
    """Below /api/v1, without a slash at its start, the record's id and the query."""
    record_id: str = ""
    """Empty for a list or an action."""

    @property
    def item(self) -> str:
        """The words for messages: `Meeting 6b0...`, `Meeting`."""
        return f"{self.path} {self.record_id}".rstrip()


def credentials(api_key: str, secret_key: str, method: str, path: str) -> dict[str, str]:
    """Make the header that says who we are: the API key, or its HMAC form if there is a secret.

    The signature covers method and path only, neither query nor body (EspoCRM docs, API, HMAC).
    """
    if not secret_key:
        return {"X-Api-Key": api_key}
    signed = hmac.new(secret_key.encode(), f"{method} /{path}".encode(), hashlib.sha256).hexdigest()
    return {"X-Hmac-Authorization": base64.b64encode(f"{api_key}:{signed}".encode()).decode()}


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Read the `Date` of an answer, in UTC; None if it has none that is readable."""
    try:
        return parsedate_to_datetime(_header(headers, "Date")).astimezone(UTC)
    except ValueError:
        return None


def decode(asked: Asked, status: int, headers: Mapping[str, str], body: bytes) -> object:
    """Turn an answer into its JSON value, or raise what it means."""
    if 200 <= status < 300:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise UnknownOutcome(
                f"the CRM's answer about {asked.item} is no JSON; a proxy may have answered in its place",
                status=status,
            ) from error
    raise error_of(asked, status, headers, body)


def error_of(asked: Asked, status: int, headers: Mapping[str, str], body: bytes) -> CalsyncError:
    """Name the error that an answer means.

    The reason stands in `X-Status-Reason`, which may be empty; most bodies are empty.
    """
    reason = _header(headers, "X-Status-Reason")
    detail = _json(body)
    said = f"the CRM answered {status} for {asked.item}" + (f": {reason}" if reason else "")
    match status:
        case 400:
            return _bad_request(asked, reason, detail)
        case 401:
            return _unauthorized(reason)
        case 403:
            named = any(name.lower() == "x-status-reason" for name in headers)
            return _forbidden(asked, said, reason, detail) if named else blocked(BLOCKED_SECONDS)
        case 404:
            return _not_found(asked, said, reason)
        case 409:
            return _conflict(asked, said, reason, detail)
        case 413:
            return Refused("the CRM finds the record too large", item=asked.item, reason="too_large")
        case 429:
            return Throttled(said, status=status, retry_after=_retry_after(headers))
    if status >= 500:
        return _failed(said, status, headers)
    if 300 <= status < 400:
        return RemoteError(f"{said}; it redirects: set crm.url to its final address", status=status)
    return RemoteError(said, status=status)


def _bad_request(asked: Asked, reason: str, detail: object) -> CalsyncError:
    if reason.startswith("Auth:"):
        return Unauthorized(f"the CRM cannot read our credentials: {reason}", status=400)
    if reason.endswith(" in where.") or reason.startswith("Order by non-existing"):
        return ConfigurationError(
            f"the CRM does not have an attribute that {asked.item} is searched by: {reason}",
            path="crm.entities",
            expected="names of attributes that exist and are readable for the bridge's user",
        )
    translation = _translation(detail)
    data = translation.get("data")
    if translation.get("label") == "validationFailure" and isinstance(data, Mapping):
        field, kind = str(data.get("field")), str(data.get("type"))
        words = _VALIDATION.get(kind, f"is not accepted ({kind})")
        return Refused(f"the CRM: {field} {words}", item=asked.item, reason=f"{kind}:{field}")
    return Refused(f"the CRM refuses it: {reason or 'no reason given'}", item=asked.item)


_VALIDATION = {
    "required": "is missing",
    "valid": "has a value that it cannot take",
    "pattern": "has characters that it cannot take",
    "maxLength": "is too long",
}


def _unauthorized(reason: str) -> Unauthorized:
    if reason == "second-step-required":
        return Unauthorized("the CRM asks this user for a second factor; use an API user", status=401)
    return Unauthorized(
        "the CRM does not accept our API key; check crm.api_key and crm.secret_key", status=401
    )


def blocked(seconds: float) -> Throttled:
    """Refusal of a whole address, of which `seconds` are left.

    A refusal of a record always carries the header with the reason, even if empty; this one never does.
    """
    return Throttled(
        "the CRM refuses every request from this address for a minute, after too many failed logins; "
        f"it is asked again in {ceil(seconds)} s",
        status=403,
        code=ADDRESS_BLOCKED,
        retry_after=seconds,
    )


def _forbidden(asked: Asked, said: str, reason: str, detail: object) -> CalsyncError:
    if _translation(detail).get("label") in _CONTENT_LABELS:
        found = _LINK.search(reason)
        link = f":{found[found.lastindex or 0]}" if found else ""
        return Refused(f"the CRM: {reason}", item=asked.item, reason=f"cannot_relate{link}")
    if reason.startswith("Assignment failure"):
        return Refused(f"the CRM: {reason}", item=asked.item, reason="assignment")
    code = "no_access" if "access" in reason else ""
    return Forbidden(said, status=403, code=code)


def _not_found(asked: Asked, said: str, reason: str) -> CalsyncError:
    record = f"Record {asked.record_id} "
    if asked.record_id and reason in {f"{record}does not exist.", f"{record}not found."}:
        return NotFound(said, status=404, code="record")
    # While its caches are rebuilt EspoCRM can answer 404 for everything: that says nothing of the record.
    return Unavailable(
        f"{said}; check crm.url, and that crm.entities names entities of this CRM",
        status=404,
        code="not_a_record",
    )


def _conflict(asked: Asked, said: str, reason: str, detail: object) -> CalsyncError:
    if reason == "modified" and isinstance(detail, Mapping):
        values, version = detail.get("values"), detail.get("versionNumber")
        return VersionConflict(
            f"{said}: the record was saved meanwhile",
            values=values if isinstance(values, Mapping) else {},
            version=version if isinstance(version, int) else None,
        )
    if reason == "duplicate":
        return Refused("the CRM has one like it already", item=asked.item, reason="duplicate")
    return RemoteError(said, status=409)


def _failed(said: str, status: int, headers: Mapping[str, str]) -> CalsyncError:
    wait = _retry_after(headers)
    if status == 503:
        return Unavailable(said, status=status, retry_after=wait)
    # Code that runs after a save can fail as well, and so can a proxy on the answer's way back.
    return UnknownOutcome(said, status=status, retry_after=wait)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = _header(headers, "Retry-After")
    return float(value) if value.isdigit() else None


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "").strip()


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _translation(detail: object) -> Mapping[str, object]:
    found = detail.get("messageTranslation") if isinstance(detail, Mapping) else None
    return found if isinstance(found, Mapping) else {}
