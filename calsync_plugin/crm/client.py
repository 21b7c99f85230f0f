"""Requests to EspoCRM's REST interface: addresses, credentials, paging, the server's clock.

Decides how a question is put on the wire. Does not know meetings, and leaves waiting and retrying to its
callers; while nobody may ask (`gate`) it sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from calsync_plugin.crm.gate import Gate, Lane
from calsync_plugin.crm.protocol import Asked, credentials, decode, server_time
from calsync_plugin.errors import RemoteError, UnknownOutcome
from calsync_plugin.http import Answer, Http
from calsync_plugin.settings import CrmSettings

# EspoCRM's recordListMaxSizeLimit; a larger maxSize is refused.
PAGE_SIZE = 200
# Apache and nginx take 8 kB for the whole request line; this is for the ids alone.
IDS_LENGTH = 5_500

Row = Mapping[str, object]
Where = Mapping[str, object]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _uncounted(status: int | None) -> None:
    """Nobody wants to know."""


class EspoClient:
    """One EspoCRM, as one user of it. Safe to use from several threads."""

    def __init__(
        self,
        settings: CrmSettings,
        http: Http,
        *,
        clock: Callable[[], datetime] = _utc_now,
        answered: Callable[[int | None], None] = _uncounted,
        lane: Lane | None = None,
    ) -> None:
        """Keep the address and who we are; nothing is sent yet.

        `answered` is told the status of every answer, None if there was none. All that ask one CRM give a
        `lane` through the same gate.
        """
        self._answered = answered
        self._lane = lane or Lane(Gate())
        self._settings = settings
        self._base = settings.url.rstrip("/") + "/api/v1"
        self._http = http
        self._clock = clock
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The server's time: this machine's, corrected by the `Date` of the latest answer."""
        return self._clock() + self._ahead

    def get(self, path: str, *, record_id: str = "") -> Row:
        """GET one object: `get("Meeting", record_id=...)`, `get("App/user")`."""
        return _mapping(self.call("GET", path, record_id=record_id), path)

    def call(
        self,
        method: str,
        path: str,
        *,
        record_id: str = "",
        query: str = "",
        payload: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        """Send one request and return the JSON value of its answer, or raise what it means.

        `path` lies below /api/v1; a `record_id` is its last part. `query` is quoted already.
        """
        quoted = quote(path) + (f"/{quote(record_id, safe='')}" if record_id else "")
        sent = {
            "Accept": "application/json",
            **credentials(self._settings.api_key, self._settings.secret_key, method, quoted),
            **(headers or {}),
        }
        body = None
        if payload is not None:
            sent["Content-Type"] = "application/json"
            body = _json_bytes(payload)
        url = f"{self._base}/{quoted}" + (f"?{query}" if query else "")
        with self._lane.passing():
            answer = self._send(method, url, sent, body)
            told = server_time(answer.headers)
            if told is not None:
                self._ahead = told - self._clock()
            return decode(Asked(method, path, record_id), answer.status, answer.headers, answer.body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        timeout = self._settings.timeout_seconds
        try:
            answer = self._http.send(method, url, headers=headers, body=body, timeout=timeout)
        except RemoteError:
            self._answered(None)
            raise
        self._answered(answer.status)
        return answer

    def page(
        self,
        entity_type: str,
        *,
        where: Sequence[Where],
        select: Collection[str],
        order_by: str,
        size: int = PAGE_SIZE,
        offset: int = 0,
    ) -> tuple[list[Row], bool]:
        """List one page in ascending order of `order_by`; the flag says that more rows follow.

        `searchParams` takes half the length of the same question in brackets, and its `select` is an array.
        """
        search = {
            "where": list(where),
            "select": list(select),
            "orderBy": order_by,
            "order": "asc",
            "maxSize": min(size, PAGE_SIZE),
            "offset": offset,
        }
        query = "searchParams=" + quote(_json_bytes(search), safe=",:")
        # Without a count EspoCRM says -1 for "more follow" and -2 for "no more", and saves itself the COUNT.
        answer = _mapping(
            self.call("GET", entity_type, query=query, headers={"X-No-Total": "true"}), entity_type
        )
        rows = answer.get("list")
        if not isinstance(rows, list):
            raise UnknownOutcome(f"the CRM's answer for a list of {entity_type} has no list")
        total = answer.get("total")
        more = total == -1 or (isinstance(total, int) and total > offset + len(rows))
        return [row for row in rows if isinstance(row, Mapping)], more

    def rows(
        self, entity_type: str, *, where: Sequence[Where], select: Collection[str], order_by: str = "id"
    ) -> Iterator[Row]:
        """List everything that matches, page by page."""
        offset, more = 0, True
        while more:
            page, more = self.page(entity_type, where=where, select=select, order_by=order_by, offset=offset)
            more = more and bool(page)
            offset += len(page)
            yield from page

    def walk(
        self, entity_type: str, *, where: Sequence[Where], select: Collection[str], along: str
    ) -> Iterator[Row]:
        """List everything that matches in the order of the date-time `along`, each row once.

        A page begins at the last value seen, not at an offset: a row that is removed during the walk moves
        those behind it up, and by offset one of them would be skipped. `select` must name `id` and `along`.
        """
        start, offset, more = "", 0, True
        seen: set[object] = set()
        while more:
            since = [{"type": "greaterThanOrEquals", "attribute": along, "value": start}] if start else []
            page, more = self.page(
                entity_type, where=[*where, *since], select=select, order_by=along, offset=offset
            )
            more = more and bool(page)
            fresh = [row for row in page if row.get("id") not in seen]
            seen.update(row.get("id") for row in fresh)
            yield from fresh
            last = str(page[-1].get(along) or "") if page else ""
            # Within one value only the offset leads on.
            start, offset = (last, 0) if last > start else (start, offset + len(page))

    def rows_in(
        self,
        entity_type: str,
        attribute: str,
        values: Collection[str],
        *,
        select: Collection[str],
        order_by: str = "id",
    ) -> Iterator[Row]:
        """List the rows whose `attribute` is one of `values`, in as few requests as addresses allow."""
        for chunk in chunks(values):
            where = {"type": "in", "attribute": attribute, "value": chunk}
            yield from self.rows(entity_type, where=[where], select=select, order_by=order_by)


def chunks(values: Collection[str]) -> Iterator[list[str]]:
    """Cut `values`, without repeats, into lists that fit one page and one address."""
    chunk: list[str] = []
    length = 0
    for value in dict.fromkeys(values):
        cost = len(quote(_json_bytes(value))) + len(",")
        if chunk and (len(chunk) == PAGE_SIZE or length + cost > IDS_LENGTH):
            yield chunk
            chunk, length = [], 0
        chunk.append(value)
        length += cost
    if chunk:
        yield chunk


def _json_bytes(value: object) -> bytes:
    # PHP reads no lone surrogate, escaped or not, and EspoCRM answers 500 for JSON that it cannot read.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _mapping(value: object, what: str) -> Row:
    if not isinstance(value, Mapping):
        raise UnknownOutcome(f"the CRM's answer for {what} is no object")
    return value
