"""When a request is sent again and after how long; how fast a mailbox is asked."""

from __future__ import annotations

import random

import pytest

from calsync_plugin.errors import (
    CalsyncError,
    CursorExpired,
    Forbidden,
    NotFound,
    PreconditionFailed,
    ReconnectNeeded,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.protocol import Request
from calsync_plugin.graph.retries import ATTEMPTS, LONGEST_WAIT, backoff, retry_after, should_retry

GET = Request(method="GET", path="/me", repeatable=True)
POST = Request(method="POST", path="/me/events")

DECISIONS = [
    pytest.param(Throttled("x"), POST, 1, True, id="throttled"),
    pytest.param(Unavailable("x"), POST, 1, True, id="turned-away"),
    pytest.param(UnknownOutcome("x"), POST, 1, False, id="unknown-create"),
    pytest.param(UnknownOutcome("x"), GET, 1, True, id="unknown-read"),
    pytest.param(UnknownOutcome("x"), GET, ATTEMPTS - 1, True, id="last-attempt"),
    pytest.param(UnknownOutcome("x"), GET, ATTEMPTS, False, id="enough"),
    pytest.param(Throttled("x"), GET, ATTEMPTS, False, id="throttled-enough"),
    pytest.param(NotFound("x"), GET, 1, False, id="gone"),
    pytest.param(Forbidden("x"), GET, 1, False, id="forbidden"),
    pytest.param(PreconditionFailed("x"), GET, 1, False, id="changed-meanwhile"),
    pytest.param(CursorExpired("x"), GET, 1, False, id="cursor"),
    pytest.param(Unauthorized("x"), GET, 1, False, id="token"),
    pytest.param(ReconnectNeeded("x"), GET, 1, False, id="reconnect"),
    pytest.param(Refused("x"), GET, 1, False, id="refused"),
]


@pytest.mark.parametrize(("error", "request_", "attempt", "again"), DECISIONS)
def test_a_request_is_sent_again_only_if_that_can_do_no_harm(
    error: CalsyncError, request_: Request, attempt: int, again: bool
) -> None:
    assert should_retry(error, request_, attempt) is again


NOW = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20 GMT
WAITS = [
    pytest.param({}, None, id="none"),
    pytest.param({"retry-after": ""}, None, id="empty"),
    pytest.param({"retry-after": "120"}, 120.0, id="seconds"),
    pytest.param({"retry-after": " 1.5 "}, 1.5, id="fraction"),
    pytest.param({"retry-after": "-3"}, 0.0, id="negative"),
    pytest.param({"retry-after": "1e9"}, 86_400.0, id="endless"),
    pytest.param({"retry-after": "inf"}, 86_400.0, id="infinite"),
    pytest.param({"retry-after": "nan"}, None, id="no-number"),
    pytest.param({"retry-after": "soon"}, None, id="words"),
    pytest.param({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30.0, id="date"),
    pytest.param(
        {"retry-after": "Mon, 21 Sep 2026 09:00:10 GMT", "date": "Mon, 21 Sep 2026 09:00:00 GMT"},
        10.0,
        id="date-by-its-own-clock",
    ),
    pytest.param({"retry-after": "Mon, 21 Sep 2026 14:00:00 GMT", "date": "x"}, 0.0, id="past"),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_waits_double_with_jitter_up_to_a_limit() -> None:
    chance = random.Random(1)
    for attempt in range(1, 40):
        full = min(2.0 ** (attempt - 1), LONGEST_WAIT)
        waits = [backoff(attempt, chance) for _ in range(20)]
        assert all(full / 2 <= wait <= full for wait in waits)
        assert len(set(waits)) > 1


def test_the_pace_refuses_before_the_service_has_to() -> None:
    pace = Pace(limit=50, window=600)
    pace.take(20, NOW)
    pace.take(20, NOW + 100)
    with pytest.raises(Throttled) as caught:
        pace.take(20, NOW + 200)
    assert caught.value.retry_after == 400
    pace.take(10, NOW + 300)
    assert (pace.start, pace.count) == (NOW, 50)
    pace.take(20, NOW + 600)
    assert (pace.start, pace.count) == (NOW + 600, 20)


def test_the_pace_goes_on_where_the_store_left_it() -> None:
    pace = Pace(start=NOW, count=49, limit=50)
    with pytest.raises(Throttled):
        pace.take(2, NOW + 1)
    assert pace.count == 49


def test_a_clock_that_was_set_back_does_not_stop_a_mailbox() -> None:
    pace = Pace(start=NOW + 10_000, count=50, limit=50)
    pace.take(1, NOW)
    assert (pace.start, pace.count) == (NOW, 1)
