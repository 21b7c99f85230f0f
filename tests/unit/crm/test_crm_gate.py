"""The gate before the CRM: a blocked address and a silent CRM are waited out once, by everybody."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from calsync_plugin.crm.gate import AT_ONCE, SILENCES, SILENT_SECONDS, Gate, Lane
from calsync_plugin.crm.protocol import blocked
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    NotFound,
    Refused,
    Throttled,
    Transient,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)

LONG = 30.0
"""Seconds after which a test that hangs fails."""


class Hand:
    """A clock that the test turns, a gate, and what was let through."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.gate = Gate(lambda: self.time)
        self.lane = Lane(self.gate, patience=0.0)
        self.sent = 0

    def ask(self, error: CalsyncError | None = None, *, lane: Lane | None = None) -> None:
        """One request, and what comes of it."""
        with (lane or self.lane).passing():
            self.sent += 1
            if error is not None:
                raise error

    def fail(self, *errors: CalsyncError) -> None:
        for error in errors:
            with pytest.raises(type(error)):
                self.ask(error)

    def refused(self) -> Transient:
        """The refusal of a request that is not sent."""
        before = self.sent
        with pytest.raises((Throttled, Unavailable)) as caught:
            self.ask()
        assert self.sent == before
        assert isinstance(caught.value, Transient)
        return caught.value


def silence() -> UnknownOutcome:
    return UnknownOutcome("it did not answer in time")


def test_a_blocked_address_is_waited_out_by_everybody() -> None:
    hand = Hand()
    pages = Lane(hand.gate, most=3, patience=0.0)
    hand.fail(blocked(60.0))

    for passed in (0.0, 20.0, 39.0):
        hand.time += passed
        for lane in (hand.lane, pages):
            with pytest.raises(Throttled, match="asked again in") as caught:
                hand.ask(lane=lane)
            assert caught.value.code == "address_blocked"
            assert caught.value.retry_after == 1_060.0 - hand.time
    assert hand.sent == 1

    hand.time += 1.0
    hand.ask(lane=pages)
    hand.ask()
    assert hand.sent == 3


def test_a_block_that_lasts_is_met_by_one_request_a_minute() -> None:
    hand = Hand()
    hand.fail(blocked(60.0))

    for _ in range(3):
        hand.time += 60.0
        hand.fail(blocked(60.0))
        hand.refused()

    assert hand.sent == 4


def test_after_a_pause_one_request_alone_finds_out() -> None:
    hand = Hand()
    hand.fail(blocked(60.0))
    hand.time += 60.0
    with hand.lane.passing():
        assert "finds out" in str(hand.refused())
    hand.ask()
    with hand.lane.passing():
        hand.ask()


def test_a_probe_that_ended_without_an_answer_of_any_kind_is_followed_by_another() -> None:
    hand = Hand()
    hand.fail(blocked(60.0))
    hand.time += 60.0
    with pytest.raises(KeyboardInterrupt), hand.lane.passing():
        raise KeyboardInterrupt
    hand.ask()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(silence(), id="no answer"),
        pytest.param(Unavailable("refused"), id="no connection"),
        pytest.param(Unavailable("maintenance", status=503), id="503"),
        pytest.param(UnknownOutcome("bad gateway", status=502), id="502"),
        pytest.param(UnknownOutcome("gateway time-out", status=504), id="504"),
    ],
)
def test_a_silent_crm_is_left_alone(error: CalsyncError) -> None:
    hand = Hand()
    hand.fail(*[error] * SILENCES)

    assert hand.refused().retry_after == SILENT_SECONDS
    hand.time += SILENT_SECONDS
    hand.fail(error)
    assert hand.refused().retry_after == SILENT_SECONDS
    hand.time += SILENT_SECONDS
    hand.ask()
    hand.fail(*[error] * (SILENCES - 1))
    hand.ask()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="an answer"),
        pytest.param(Refused("no", item="Meeting 1"), id="refused content"),
        pytest.param(NotFound("gone", status=404), id="gone"),
        pytest.param(Forbidden("no", status=403), id="not ours"),
        pytest.param(UnknownOutcome("broken", status=500), id="500"),
        pytest.param(UnknownOutcome("HTML", status=200), id="HTML"),
    ],
)
def test_silence_is_counted_only_in_a_row(answer: CalsyncError | None) -> None:
    hand = Hand()
    for _ in range(3):
        hand.fail(*[silence()] * (SILENCES - 1))
        if answer is None:
            hand.ask()
        else:
            hand.fail(answer)
    hand.ask()


def test_late_answers_do_not_end_a_pause() -> None:
    hand = Hand()
    with hand.lane.passing():
        hand.fail(blocked(60.0))
    assert hand.refused().retry_after == 60.0
    with pytest.raises(UnknownOutcome):
        _late(hand, silence)
    assert hand.refused().retry_after == 60.0


def _late(hand: Hand, error: Callable[[], CalsyncError]) -> None:
    """A request that was sent before the gate closed fails afterwards, several times over."""
    for _ in range(SILENCES):
        hand.gate._learn(error())
    raise error()


def test_a_clock_that_is_put_back_keeps_nobody_out() -> None:
    hand = Hand()
    hand.fail(blocked(60.0))
    hand.time -= 3_600.0
    hand.ask()


def test_a_key_that_is_not_accepted_is_shown_once_a_minute_and_keeps_nobody_from_signing_in() -> None:
    hand = Hand()
    pages = Lane(hand.gate, most=3, patience=0.0)
    hand.fail(Unauthorized("check the key", status=401))

    for _ in range(5):
        with pytest.raises(Unauthorized, match="check the key"):
            hand.ask()
        hand.time += 10.0
    hand.ask(lane=pages)
    assert hand.sent == 2
    hand.time += 10.0
    hand.ask()
    hand.ask()
    assert hand.sent == 4


def test_no_more_than_some_are_underway_and_the_next_goes_when_one_is_back() -> None:
    lane = Lane(Gate(), patience=LONG)
    inside, go_on, most = threading.Semaphore(0), threading.Event(), []

    def ask() -> None:
        with lane.passing():
            most.append(lane.underway)
            inside.release()
            assert go_on.wait(LONG)

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE + 4)]
    for thread in threads:
        thread.start()
    for _ in range(AT_ONCE):
        assert inside.acquire(timeout=LONG)
    assert lane.underway == AT_ONCE
    go_on.set()
    for thread in threads:
        thread.join(LONG)

    assert len(most) == AT_ONCE + 4
    assert max(most) == AT_ONCE
    assert lane.underway == 0


def test_a_slow_crm_keeps_neither_threads_nor_sign_ins() -> None:
    gate = Gate()
    sync, pages = Lane(gate, most=1, patience=0.0), Lane(gate, most=1, patience=0.0)
    with sync.passing():
        with pytest.raises(Unavailable, match="slow"), sync.passing():
            pass
        with pages.passing():
            pass
    with sync.passing():
        pass
