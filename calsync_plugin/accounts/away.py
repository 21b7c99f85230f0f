"""How long an account was away, and what that means for what lay still meanwhile (R8).

Decides after how long people no longer expect old changes to go out by themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calsync_plugin.state import Account, AccountStatus

LONG_AWAY = timedelta(days=7)
"""After so long without a sync an account that comes back waits for the confirmed back-fill."""


def was_long_away(before: Account, now: float) -> bool:
    """Whether an account, as it was before it came back, was away for long; `now` in epoch seconds."""
    if before.push_from is None:
        return True
    away = before.status in (AccountStatus.RECONNECT, AccountStatus.OFF)
    last = before.last_success_at or before.connected_at
    return away and last is not None and datetime.fromtimestamp(now, UTC) - last > LONG_AWAY
