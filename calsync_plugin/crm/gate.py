"""The gate before a CRM: one for all requests of a process, whoever makes them.

Decides who may ask now. After too many failed logins EspoCRM refuses a whole address for a minute, API keys
too (EspoCRM 9.2.7, measured): nobody asks until that is over. A CRM that gave no answer several times in a
row is left alone for some seconds, so that it does not take every thread of ours along. After either, one
request goes ahead alone and finds out. Reads no answer beyond that, and nobody sleeps here through a pause.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from math import ceil
from time import monotonic

from calsync_plugin.crm.protocol import ADDRESS_BLOCKED, blocked
from calsync_plugin.errors import CalsyncError, Throttled, Unauthorized, Unavailable, UnknownOutcome

AT_ONCE = 8
"""Requests of the sync on their way at the same time: half of the threads that work on mailboxes by default.
A slow CRM leaves the others to Outlook, and its own people find a process of it that is free."""
SIGN_INS_AT_ONCE = 3
"""The same for sign-ins: less than half of the web server's threads by default, which take webhooks, too."""
PATIENCE = 5.0
"""Seconds that a request of the sync waits for its turn before its mailbox rests."""
SILENCES = 3
"""So many requests in a row without an answer mean that it is the CRM, and not one of its records."""
SILENT_SECONDS = 10.0
REFUSED_SECONDS = 60.0

_GATEWAY_STATUSES = frozenset({502, 503, 504})
"""What a proxy says in place of a CRM that is away, and EspoCRM while it is maintained."""


class Gate:
    """One CRM as all threads of this process see it. Safe between threads."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        """Be open; `now` tells seconds of any epoch."""
        self.now = now
        self._changed = threading.Condition()
        self._closed_at, self._closed_for = float("-inf"), 0.0
        self._blocked = False
        self._silences = 0
        self._unsure = False
        """Closed a moment ago: nobody knows yet whether it is over."""
        self._probing = False

    @contextmanager
    def passing(self, lane: Lane) -> Generator[None]:
        """Be on the way to the CRM within it. Raises Throttled or Unavailable if nobody may be now.

        What is raised within it tells how the CRM is.
        """
        probes = self._enter(lane)
        try:
            yield
        except CalsyncError as error:
            self._learn(error)
            raise
        else:
            self._learn(None)
        finally:
            with self._changed:
                lane.underway -= 1
                self._probing = self._probing and not probes
                self._changed.notify_all()

    def _enter(self, lane: Lane) -> bool:
        with self._changed:
            self._refuse_if_closed()
            if not self._changed.wait_for(lambda: lane.underway < lane.most, lane.patience):
                raise Unavailable(
                    "the CRM is slow: too many requests wait for its answers; this one was not sent"
                )
            # What came back while we waited may have closed it.
            self._refuse_if_closed()
            lane.underway += 1
            probes, self._probing = self._unsure, self._unsure
            return probes

    def _left(self) -> float:
        """Seconds that it stays closed; 0 as well if somebody put the clock back meanwhile."""
        passed = self.now() - self._closed_at
        return max(self._closed_for - passed, 0.0) if passed >= 0 else 0.0

    def _refuse_if_closed(self) -> None:
        left = self._left()
        if left > 0 and self._blocked:
            raise blocked(left)
        if left > 0:
            raise Unavailable(
                f"the CRM does not answer; it is asked again in {ceil(left)} s", retry_after=left
            )
        if self._probing:
            raise Unavailable("the CRM did not answer; one request finds out whether it does now")

    def _learn(self, error: CalsyncError | None) -> None:
        with self._changed:
            if isinstance(error, Throttled) and error.code == ADDRESS_BLOCKED:
                self._close(error.retry_after or 0.0, by_block=True)
            elif error is None or not _is_silence(error):
                # Answers of requests that were on their way when it closed say nothing of what is to come.
                self._silences, self._unsure = 0, self._unsure and self._left() > 0
            else:
                self._silences += 1
                if self._silences >= SILENCES or self._unsure:
                    self._close(SILENT_SECONDS, by_block=False)

    def _close(self, seconds: float, *, by_block: bool) -> None:
        if seconds >= self._left():
            self._closed_at, self._closed_for, self._blocked = self.now(), seconds, by_block
        self._unsure = True


class Lane:
    """Who passes a gate beside whom: the sync must not keep users from signing in, nor they it.

    Where all of a lane show the same key, and the CRM does not accept it, nobody of it asks for a minute.
    """

    def __init__(
        self, gate: Gate, *, most: int = AT_ONCE, patience: float = PATIENCE, one_key: bool = True
    ) -> None:
        """Let `most` be underway at once; the next one waits up to `patience` seconds.

        `one_key`: all show the same credentials. People who sign in do not.
        """
        self._gate = gate
        self.most = most
        self.patience = patience
        self.underway = 0
        self._one_key = one_key
        self._refused: tuple[float, Unauthorized] | None = None

    @contextmanager
    def passing(self) -> Generator[None]:
        """Be on the way to the CRM within it, as `Gate.passing`. Raises Unauthorized while that is known."""
        refused = self._refused
        if refused is not None and 0 <= self._gate.now() - refused[0] < REFUSED_SECONDS:
            raise Unauthorized(str(refused[1]), status=refused[1].status)
        try:
            with self._gate.passing(self):
                yield
        except Unauthorized as error:
            if self._one_key:
                self._refused = self._gate.now(), error
            raise
        else:
            self._refused = None


def _is_silence(error: CalsyncError) -> bool:
    """Whether nothing of the CRM itself answered. A cut-off answer or HTML has its status: something did."""
    if isinstance(error, Unavailable | UnknownOutcome):
        return error.status is None or error.status in _GATEWAY_STATUSES
    return False
