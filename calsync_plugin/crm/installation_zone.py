"""The time zone of an EspoCRM installation, for events that have no better one (R15).

Decides when the CRM is asked for it: once, and again after a while as long as it does not answer. A bridge
that starts while its CRM is away must not show times in another zone until it is started anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.errors import RemoteError

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 300.0
UNKNOWN = "UTC"


class InstallationZone:
    """Callable: the zone's IANA name, UTC while the CRM does not tell. Safe between threads."""

    def __init__(self, client: EspoClient, now: Callable[[], float]) -> None:
        """Ask through `client`, nothing yet; `now` tells epoch seconds."""
        self._client = client
        self._now = now
        self._known = ""
        self._asked_at = float("-inf")
        self._lock = Lock()

    def __call__(self) -> str:
        """The zone as far as it is known now."""
        if not self._known:
            # Who comes while it is asked waits: an event made with UTC meanwhile would keep it.
            with self._lock:
                self._ask_if_due()
        return self._known or UNKNOWN

    def _ask_if_due(self) -> None:
        if self._known or 0 <= self._now() - self._asked_at < ASK_AGAIN_SECONDS:
            return
        self._asked_at = self._now()
        try:
            self._known = read_access(self._client).time_zone or UNKNOWN
        except RemoteError as error:
            log.warning("the CRM does not tell its time zone, UTC is taken until it does: %s", error)
