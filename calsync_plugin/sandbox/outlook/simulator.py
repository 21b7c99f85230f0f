"""The simulator as one object: state, clock, switches, faults, limits, logins, subscriptions and logs.

Tests in the same process reach it as `app.extensions["outlook"]`; others use the control API over HTTP.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from calsync_plugin.sandbox.outlook import persistence
from calsync_plugin.sandbox.outlook.clock import Clock, MovableClock
from calsync_plugin.sandbox.outlook.faults import Faults
from calsync_plugin.sandbox.outlook.identities import PEOPLE
from calsync_plugin.sandbox.outlook.logins import Logins
from calsync_plugin.sandbox.outlook.odata_types import instant
from calsync_plugin.sandbox.outlook.request_log import RequestLog
from calsync_plugin.sandbox.outlook.state import Item, Key, Mail, Mailbox, State
from calsync_plugin.sandbox.outlook.subscriptions import Subscriptions
from calsync_plugin.sandbox.outlook.switches import Switches
from calsync_plugin.sandbox.outlook.throttle import Throttle

if TYPE_CHECKING:
    from calsync_plugin.sandbox.outlook.rounds import Round


class Simulator:
    """Everything that one simulated organisation consists of."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: bool = True,
        data_file: Path | None = None,
        base_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock: Clock = clock or MovableClock()
        self.base_url = base_url
        self.data_file = data_file
        self.sleep = sleep
        self.seeded = seed
        self.delay_ms = 0.0
        self.switches = Switches()
        self.faults = Faults()
        self.throttle = Throttle()
        self.log = RequestLog()
        self.state = State()
        self.logins = Logins(self.now, lambda: self.switches)
        self.subscriptions = Subscriptions(self.now)
        self.cursors_valid_from = 0
        self._closed = threading.Event()
        # Paging through a large view expands it once, not once per page; keyed by the state's
        # sequence number.
        self.views: OrderedDict[tuple[int, int, datetime, datetime], list[Item]] = OrderedDict()
        # What the rounds of delta that are under way tell.
        self.rounds: OrderedDict[Round, list[Key]] = OrderedDict()
        if data_file is not None and data_file.exists():
            self.load(data_file)
        elif seed:
            self._seed()

    def now(self) -> datetime:
        """Return the simulated instant."""
        return self.clock.now()

    def _seed(self) -> None:
        for address in PEOPLE:
            self.state.add_mailbox(address)

    def reset(self) -> None:
        """Return to a fresh sandbox: people without events, default switches, no faults, no subscriptions."""
        with self.state.lock:
            sequence = self.state.sequence
            lock = self.state.lock
            self.state = State()
            # Whoever waits for the old lock must not enter beside the new one's holder.
            self.state.lock = lock
            self.state.sequence = sequence + 1
            self.switches = Switches()
            self.delay_ms = 0.0
            self.faults.replace([])
            self.throttle.reset()
            self.log.clear()
            self.logins.clear()
            self.subscriptions.clear()
            self.views.clear()
            self.rounds.clear()
            self.cursors_valid_from = 0
            if self.seeded:
                self._seed()

    def mail(
        self, kind: str, sender: str, to: str, item: Item, reason: str, *, uid: str | None = None
    ) -> None:
        """Note a mail that Outlook would have sent."""
        self.state.mails.append(
            Mail(instant(self.now()), kind, sender, to, item.subject, reason, uid or item.uid)
        )

    def changed(self, mailbox: Mailbox, item: Item, change: str) -> None:
        """Tell the subscriptions of a mailbox that an event was created, updated or deleted."""
        self.subscriptions.event_changed(mailbox, item, change)

    def send_lifecycle(self, event: str, address: str | None = None) -> int:
        """Send a lifecycle notification to the subscriptions of one mailbox, or to all; return how many."""
        chosen = [one for one in self.subscriptions.alive() if address in {None, one.mailbox}]
        for one in chosen:
            self.subscriptions.send_lifecycle(one, event, silences=self.switches.silent_until_reauthorized)
        return len(chosen)

    def expire_cursors(self) -> None:
        """Let every delta token that exists expire."""
        with self.state.lock:
            self.state.sequence += 1
            self.cursors_valid_from = self.state.sequence

    def load(self, path: Path) -> None:
        """Take over what a dump holds."""
        with self.state.lock:
            persistence.load(self, path)

    def dump(self, path: Path | None = None) -> None:
        """Write state, logins and subscriptions to a file, atomically."""
        target = path or self.data_file
        if target is not None:
            with self.state.lock:
                persistence.dump(self, target)

    def autosave(self, seconds: float) -> None:
        """Keep the data file no older than so many seconds, in a thread that ends with `close`."""

        def work() -> None:
            saved = self.state.sequence
            while not self._closed.wait(seconds):
                if self.state.sequence != saved:
                    saved = self.state.sequence
                    self.dump()

        if self.data_file is not None:
            threading.Thread(target=work, name="outlook-autosave", daemon=True).start()

    def close(self) -> None:
        """Stop background work and keep the state if there is a data file."""
        self._closed.set()
        self.subscriptions.close()
        self.dump()
