"""Microsoft Graph without I/O: requests as values, and what an answer means.

Decides which error an answer is; branches on the error's code, never on its message. Does not decide whether
to try again (`retries`) and sends nothing (`client`). Sources: Graph docs, "Microsoft Graph error responses
and resource types"; codes without a page there were seen in the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import (
    CalsyncError,
    CursorExpired,
    DuplicateTransaction,
    Forbidden,
    MailboxUnusable,
    NotFound,
    PreconditionFailed,
    Refused,
    RemoteError,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.retries import retry_after
from calsync_plugin.http import Answer

JsonObject = dict[str, JsonValue]

# All codes in lower case: Graph's own pages disagree about theirs.
_CURSOR_CODES = frozenset(
    {"syncstatenotfound", "syncstateinvalid", "resyncrequired", "resyncchangesapplydifferences"}
    | {"resyncchangesuploaddifferences"}
)
# ResourceNotFound ("Resource could not be discovered") is about the mailbox, not about an item in it.
_MAILBOX_CODES = frozenset(
    {"mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "resourcenotfound"}
    | {"errornonexistentmailbox", "mailboxnothostedinexchangeonline"}
)
_GONE_CODES = frozenset(
    {"erroritemnotfound", "itemnotfound", "errorfoldernotfound", "request_resourcenotfound"}
)
_DUPLICATE = "errorduplicatetransactionid"
_CHANGED_MEANWHILE = frozenset({"errorirresolvableconflict", "concurrentitemsave"})
_MAIL_QUOTA = "errorexceededmessagelimit"
_MAIL_QUOTA_WAIT = 3600.0
# Exchange counts the mails of a day; an hour is a compromise between waiting and asking in vain.
_REASONS = {"erroroccurrencecrossingboundary": "occurrence_crosses_neighbour"}
# Nothing was done: the request was turned away before it was processed.
_TURNED_AWAY = frozenset({423, 424, 503, 509})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of Graph. `path` follows the service root (`/me/events`), or is a link that Graph gave.

    `repeatable`: sending it twice is the same as once, also for the mails that Outlook sends. `item` names in
    words what it is about, for messages (`Meeting 6b0...`).
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = None
    repeatable: bool = False
    item: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A parsed answer: of a call of its own or of one member of a batch. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonValue = None

    @classmethod
    def of(cls, answer: Answer) -> Reply:
        """Parse an answer; UnknownOutcome if a success cannot be read. An unreadable refusal has no body."""
        headers = {name.lower(): value for name, value in answer.headers.items()}
        try:
            body: JsonValue = answer.json()
        except UnknownOutcome:
            if answer.status < 300:
                raise
            body = None
        return cls(answer.status, headers, body)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: its JSON value (None for an empty answer) or its error."""

    request: Request
    value: JsonObject | None = None
    error: CalsyncError | None = None

    def unwrap(self) -> JsonObject | None:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


def decipher(reply: Reply, item: str = "", *, now: float = 0.0) -> JsonObject | None:
    """Return the JSON object of a successful reply (None for an empty one), or raise what it means.

    `now` (epoch seconds) is needed for a Retry-After given as a date in an answer without a Date header.
    """
    if 200 <= reply.status < 300:
        if reply.body is None or isinstance(reply.body, dict):
            return reply.body
        raise UnknownOutcome(
            _said(item, reply.status, "", "an answer that is no object"), status=reply.status
        )
    raise failure(reply, item, now=now)


def failure(reply: Reply, item: str = "", *, now: float = 0.0) -> CalsyncError:
    """Return the error that an unsuccessful reply means (errors.py)."""
    details = _details(reply.body)
    codes = [code.lower() for code in _codes(details)]
    code = next(_codes(details), "")
    request_id = _request_id(reply, details)
    text = _said(item, reply.status, code, request_id)
    wait = retry_after(reply.headers, now)
    if reply.status < 500:
        special = _by_code(reply.status, frozenset(codes), text, item, details)
        if special is not None:
            return special
    if reply.status == 429:
        return Throttled(text, retry_after=wait, status=429, code=code, request_id=request_id)
    if reply.status in _TURNED_AWAY or 300 <= reply.status < 400:
        return Unavailable(text, retry_after=wait, status=reply.status, code=code, request_id=request_id)
    if reply.status >= 500 or reply.status == 408:
        return UnknownOutcome(text, retry_after=wait, status=reply.status, code=code, request_id=request_id)
    if reply.status == 404 and not _GONE_CODES.intersection(codes):
        # A gateway's 404 says nothing of the item, and a NotFound may end in a deletion.
        return Unavailable(text, retry_after=wait, status=404, code=code, request_id=request_id)
    kind = _BY_STATUS.get(reply.status)
    if kind is not None:
        return kind(text, status=reply.status, code=code, request_id=request_id)
    return _refused(f"{text}; correct the item", item)


_BY_STATUS: Mapping[int, Callable[..., RemoteError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: PreconditionFailed,
    410: CursorExpired,
    412: PreconditionFailed,
}


def _by_code(
    status: int, codes: frozenset[str], text: str, item: str, details: Mapping[str, JsonValue]
) -> CalsyncError | None:
    """Return the error that the code alone decides, whatever 4xx carries it."""
    if codes & _CURSOR_CODES:
        return CursorExpired(text, status=status, code="SyncStateNotFound")
    if codes & _MAILBOX_CODES:
        return MailboxUnusable(text, status=status, code="MailboxNotEnabledForRESTAPI")
    if _DUPLICATE in codes:
        existing = details.get("@event.existingEventId")
        return DuplicateTransaction(
            text, status=status, existing_event_id=existing if isinstance(existing, str) else ""
        )
    if codes & _CHANGED_MEANWHILE:
        return PreconditionFailed(text, status=status, code="ErrorIrresolvableConflict")
    if _MAIL_QUOTA in codes:
        return Throttled(text, retry_after=_MAIL_QUOTA_WAIT, status=status, code="ErrorExceededMessageLimit")
    reason = next((_REASONS[code] for code in sorted(codes) if code in _REASONS), "")
    return _refused(text, item, reason) if reason else None


def _refused(text: str, item: str, reason: str = "") -> Refused:
    """Return a refusal, which names its item itself."""
    return Refused(text.removeprefix(f"{item}: "), item=item, reason=reason)


def _details(body: JsonValue) -> Mapping[str, JsonValue]:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _codes(details: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the code of an error and of the errors within it, outermost first."""
    level: JsonValue = dict(details)
    for _ in range(10):
        if not isinstance(level, dict):
            return
        code = level.get("code")
        if isinstance(code, str) and code:
            yield code
        # The pages spell it both ways.
        level = level.get("innerError", level.get("innererror"))


def _request_id(reply: Reply, details: Mapping[str, JsonValue]) -> str:
    inner = details.get("innerError", details.get("innererror"))
    named = inner.get("request-id") if isinstance(inner, dict) else None
    return named if isinstance(named, str) else reply.headers.get("request-id", "")


def _said(item: str, status: int, code: str, request_id: str) -> str:
    what = f"Outlook answered {status} {code}".rstrip()
    return "".join([f"{item}: " if item else "", what, f" (request {request_id})" if request_id else ""])
