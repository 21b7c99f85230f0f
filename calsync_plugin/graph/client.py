"""Sends requests to Microsoft Graph for one mailbox: batches, pace, tokens, retries.

Decides what is sent when: failed members only, short waits here and long ones with the caller. What an
answer means is `protocol`'s, whether to try again `retries`'. One call at a time for a mailbox: the service
runs four at once and counts each member of a batch.
"""

from __future__ import annotations

import itertools
import random
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from calsync_plugin.errors import (
    CalsyncError,
    MailboxUnusable,
    ReconnectNeeded,
    Refused,
    RemoteError,
    Throttled,
    Transient,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.batch import LARGEST, decode_batch, encode_batch, statuses
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.protocol import JsonObject, Outcome, Reply, Request, decipher
from calsync_plugin.graph.retries import backoff, should_retry
from calsync_plugin.http import Http, checked_address, json_bytes

# Graph docs, "Obtain immutable identifiers": ids survive moves only if every call asks for them. Times in one
# zone make answers comparable whatever the zone of the mailbox.
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'


Answered = Callable[[int | None, int], None]
"""Told the status of an answer (None: there was none) and how many requests it was for."""


def _uncounted(status: int | None, requests: int) -> None:
    """Nobody wants to know."""


class Clock(Protocol):
    """The time, so that tests can move it."""

    def now(self) -> float:
        """Return epoch seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class TokenSource(Protocol):
    """Where a mailbox's access token comes from (`tokens.MailboxToken`)."""

    def token(self, *, force_refresh: bool = False) -> str:
        """Return an access token; ReconnectNeeded or Transient."""
        ...


class GraphClient:
    """Microsoft Graph at one address, shared by all mailboxes of a process."""

    def __init__(
        self,
        http: Http,
        base_url: str,
        clock: Clock,
        random: random.Random,
        *,
        patience: float = 5.0,
        batch_size: int = LARGEST,
        timeout: float | None = None,
        answered: Answered = _uncounted,
    ) -> None:
        """`patience`: the longest wait in seconds that is spent here; longer ones are the caller's.

        `timeout`: seconds until an answer counts as lost; None leaves it to `http`. `answered` is told of
        every answer.
        """
        self.http = http
        self.base_url = checked_address(base_url, path="graph.url")
        self.clock = clock
        self.random = random
        self.patience = patience
        self.batch_size = min(batch_size, LARGEST)
        self.timeout = timeout
        self.answered = answered

    def mailbox(self, token: TokenSource, pace: Pace) -> MailboxClient:
        """Return a client for one mailbox, on which one thread at a time can send."""
        return MailboxClient(self, token, pace)


class MailboxClient:
    """Graph as one mailbox sees it. `pace` is to be saved by the caller after use."""

    def __init__(self, graph: GraphClient, token: TokenSource, pace: Pace) -> None:
        """Keep what the calls need; nothing is sent."""
        self._graph = graph
        self._token = token
        self.pace = pace
        self._one_at_a_time = threading.Lock()

    def send(self, request: Request) -> JsonObject | None:
        """Send one request; return its JSON object, None for an empty answer, or raise its error."""
        return self.batch([request])[0].unwrap()

    def batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Send any number of requests, 20 at a time; return one outcome for each, in their order.

        Raises nothing that concerns a request: its outcome holds the error. What was not sent because the
        mailbox cannot be used now (throttled for longer than the patience, or all of a batch failed) has the
        error that stopped it.
        """
        outcomes: list[Outcome] = []
        halt: CalsyncError | None = None
        with self._one_at_a_time:
            for first in range(0, len(requests), self._graph.batch_size):
                chunk = requests[first : first + self._graph.batch_size]
                done = [Outcome(r, error=halt) for r in chunk] if halt else self._retried(chunk)
                halt = halt or self._stopped_by(done)
                outcomes += done
        return outcomes

    def _retried(self, requests: Sequence[Request]) -> list[Outcome]:
        """Send up to one batch of requests until each has succeeded or must not be sent again now."""
        outcomes = self._attempt(requests)
        refreshed = False
        for attempt in itertools.count(1):
            waits = {i: w for i, o in enumerate(outcomes) if (w := self._wait(o, attempt)) is not None}
            rejected = [] if refreshed else [i for i, o in enumerate(outcomes) if _is_rejected(o.error)]
            if rejected:
                refreshed = True
                error = self._refresh()
                if error is not None:
                    return [replace(o, error=error) if i in rejected else o for i, o in enumerate(outcomes)]
            again = sorted({*waits, *rejected})
            if not again:
                break
            if wait := max(waits.values(), default=0.0):
                self._graph.clock.sleep(wait)
            for position, outcome in zip(again, self._attempt([requests[i] for i in again]), strict=True):
                outcomes[position] = outcome
        return outcomes

    def _wait(self, outcome: Outcome, attempt: int) -> float | None:
        """Return the seconds after which this request is sent again; None if it is not, or not here."""
        error = outcome.error
        if not isinstance(error, Transient) or not should_retry(error, outcome.request, attempt):
            return None
        wait = backoff(attempt, self._graph.random) if error.retry_after is None else error.retry_after
        return wait if wait <= self._graph.patience else None

    def _stopped_by(self, outcomes: Sequence[Outcome]) -> CalsyncError | None:
        """Return the error that keeps the rest of a call from being sent, if there is one."""
        errors = [o.error for o in outcomes]
        for error in errors:
            if isinstance(error, Throttled) and (error.retry_after or 0.0) > self._graph.patience:
                return error
        if not all(isinstance(error, Transient | Unauthorized | MailboxUnusable) for error in errors):
            return None
        first = errors[0]
        if isinstance(first, UnknownOutcome):
            return Unavailable(f"not sent, because before it: {first}", retry_after=first.retry_after)
        return first

    def _refresh(self) -> CalsyncError | None:
        try:
            self._token.token(force_refresh=True)
        except RemoteError as error:
            return error
        return None

    def _attempt(self, requests: Sequence[Request]) -> list[Outcome]:
        """Send the requests once, as one call; an error of the whole call is each request's error."""
        try:
            self.pace.take(len(requests), self._graph.clock.now())
            if len(requests) == 1:
                return [Outcome(requests[0], self._single(requests[0]))]
            return self._batched(requests)
        except Refused as error:
            # The envelope is refused, or cannot be made, for one of its members: find it, spare the others.
            if len(requests) == 1:
                return [Outcome(requests[0], error=error)]
            middle = len(requests) // 2
            return [*self._attempt(requests[:middle]), *self._attempt(requests[middle:])]
        except CalsyncError as error:
            return [Outcome(request, error=error) for request in requests]

    def _single(self, request: Request) -> JsonObject | None:
        body = None if request.body is None else json_bytes(request.body)
        reply = self._call(request, body, self._url(request.path))
        self._graph.answered(reply.status, 1)
        return decipher(reply, request.item, now=self._now())

    def _batched(self, requests: Sequence[Request]) -> list[Outcome]:
        members = [
            Request(
                method=r.method,
                path=self._relative(r.path),
                headers={"Prefer": _prefer(r), **_without_prefer(r)},
                body=r.body,
                item=r.item,
            )
            for r in requests
        ]
        outer = Request(method="POST", path="/$batch")
        reply = self._call(outer, json_bytes(encode_batch(members)), self._url("/$batch"), len(members))
        for status in statuses(reply, len(members)):
            self._graph.answered(status, 1)
        outcomes = decode_batch(decipher(reply, now=self._now()), members, now=self._now())
        return [Outcome(r, o.value, o.error) for o, r in zip(outcomes, requests, strict=True)]

    def _call(self, request: Request, body: bytes | None, url: str, requests: int = 1) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._token.token()}",
            "Accept": "application/json",
            "Prefer": _prefer(request),
            "client-request-id": str(uuid.UUID(int=self._graph.random.getrandbits(128), version=4)),
            **_without_prefer(request),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        graph = self._graph
        try:
            answer = graph.http.send(request.method, url, headers=headers, body=body, timeout=graph.timeout)
            return Reply.of(answer)
        except RemoteError:
            graph.answered(None, requests)
            raise

    def _url(self, path: str) -> str:
        return self._graph.base_url + self._relative(path)

    def _relative(self, path: str) -> str:
        """Return a path after the service root; Refused for a link that would give our token to others."""
        if path.startswith("/"):
            return path
        if path.startswith(self._graph.base_url + "/"):
            return path.removeprefix(self._graph.base_url)
        raise Refused("a link of Outlook's answer leads to another server; it is not followed")

    def _now(self) -> float:
        return self._graph.clock.now()


def _is_rejected(error: CalsyncError | None) -> bool:
    return isinstance(error, Unauthorized) and not isinstance(error, ReconnectNeeded)


def _prefer(request: Request) -> str:
    own = request.headers.get("Prefer", "")
    return f"{PREFER}, {own}" if own else PREFER


def _without_prefer(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name != "Prefer"}
