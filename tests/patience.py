"""How long a hook may wait for the store, in tests that are about something else.

As delivered it gives up after 200 ms, and the sweep finds what it missed. A machine that is busy with other
tests may be away for longer than that, and no test waits for the sweep. Decides nothing else.
"""

from __future__ import annotations

import pytest

from calsync_plugin.booking import collisions
from calsync_plugin.state import lane_postgres, lane_sqlite

AS_DELIVERED = lane_sqlite.LANE_SECONDS
LONG = 20.0


def let_hooks_wait(patch: pytest.MonkeyPatch, seconds: float = LONG) -> None:
    """Let hooks of stores opened from now on give up after so many seconds."""
    patch.setattr(lane_sqlite, "LANE_SECONDS", seconds)
    patch.setattr(lane_postgres, "LANE_SECONDS", seconds)
    patch.setattr(lane_postgres, "_TIMEOUT_MS", int(seconds * 900))
    patch.setattr(collisions, "SECONDS", seconds)
