"""The settings that are in force in this process, with what the admin page saved.

Decides when a process looks whether the admin page saved something: whoever asks for the settings makes it
look, so that web processes and workers need no thread for it. What concerns the CRM comes into force at the
next start: the CRM's webhooks are made then.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Protocol

from calsync_plugin.admin_layer import with_admin
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import ConfigurationError, StoreBusy, StoreError
from calsync_plugin.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0
"""Seconds: what is saved in one process is to be in force in all within a minute."""


class Saved(Protocol):
    """What the admin page saved (`Store.integration`)."""

    def version(self) -> int:
        """Grow with each save."""
        ...

    def values(self) -> dict[str, JsonValue]:
        """The saved values by name."""
        ...


class Clock(Protocol):
    """Epoch seconds."""

    def now(self) -> float:
        """Epoch seconds."""
        ...


class InForce:
    """Settings that follow the admin page. For any thread."""

    def __init__(self, given: Settings, saved: Saved, clock: Clock) -> None:
        """Lay what is saved under `given`, what file and environment say; ConfigurationError if it is bad."""
        self.given = given
        self._saved = saved
        self._clock = clock
        self._lock = threading.Lock()
        self._version = saved.version()
        self._looked_at = clock.now()
        self._settings = with_admin(given, saved.values())

    @property
    def settings(self) -> Settings:
        """The settings; looks at most `LOOK_EVERY` seconds after the last look whether they changed."""
        # A clock that was set back must not stop the looks.
        if not 0.0 <= self._clock.now() - self._looked_at < LOOK_EVERY and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._settings

    def refresh(self) -> None:
        """Take over at once what was saved."""
        with self._lock:
            self._look()

    def _look(self) -> None:
        self._looked_at = self._clock.now()
        try:
            version = self._saved.version()
            if version == self._version:
                return
            settings = with_admin(self.given, self._saved.values())
        except (StoreBusy, StoreError, ConfigurationError) as error:
            # Saved by a newer version, or the store is away: what is in force stays.
            log.warning("what the admin page saved cannot be read now: %s", error)
            return
        self._settings = replace(settings, crm=self._settings.crm)
        self._version = version
        log.info("what the admin page saved is in force")
