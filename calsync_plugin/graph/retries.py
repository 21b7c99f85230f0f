"""When a request is sent again, and after how long. Pure.

Decides for one request and one error; the client waits and sends. Source: Graph docs, "Microsoft Graph
throttling guidance" (wait as Retry-After says, else back off exponentially).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from calsync_plugin.errors import CalsyncError, Transient, UnknownOutcome

if TYPE_CHECKING:
    from calsync_plugin.graph.protocol import Request

ATTEMPTS = 4
"""How often one request is sent at most within one call of the client."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
LONGEST_RETRY_AFTER = 86_400.0
"""Seconds. A service that says more has a broken clock; ask again tomorrow."""


class Random(Protocol):
    """Where jitter comes from; `random.Random` is one."""

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...


def retry_after(headers: Mapping[str, str], now: float = 0.0) -> float | None:
    """Return the seconds that Retry-After asks for, None if it is absent or unreadable.

    Header names are in lower case. A date is measured against the answer's own Date, so that clocks which
    differ do no harm, else against `now` (epoch seconds).
    """
    said = headers.get("retry-after", "").strip()
    if not said:
        return None
    try:
        seconds = float(said)
    except ValueError:
        until, since = _epoch(said), _epoch(headers.get("date", ""))
        if until is None:
            return None
        seconds = until - (now if since is None else since)
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if seconds == seconds else None  # noqa: PLR0124 - NaN


def backoff(attempt: int, random: Random) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 1): doubling, capped, half jitter."""
    full = min(FIRST_WAIT * 2.0 ** (min(attempt, 20) - 1), LONGEST_WAIT)
    return full * (0.5 + 0.5 * random.random())


def should_retry(error: CalsyncError, request: Request, attempt: int) -> bool:
    """Tell whether `request` may be sent again after `error` ended attempt number `attempt` (from 1).

    A request whose outcome is unknown is sent again only if it is repeatable: a create might stand there
    already, and a change might mail its attendees twice.
    """
    if attempt >= ATTEMPTS or not isinstance(error, Transient):
        return False
    return request.repeatable or not isinstance(error, UnknownOutcome)


def _epoch(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
