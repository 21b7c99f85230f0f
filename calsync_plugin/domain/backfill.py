"""What may be pushed without asking (R8).

Decides whether a record's change may go out by itself. Does not know how a person confirms.
"""

from __future__ import annotations

from datetime import datetime

from calsync_plugin.domain.policy import Policy


def may_push(modified_at: datetime | None, policy: Policy) -> bool:
    """Whether a record last changed at `modified_at` may be pushed.

    Both instants are the CRM's: `push_from` is taken from its clock at connect, so two clocks are never
    compared. A host that does not tell when a record changed reports changes as they happen; they may go.
    """
    if policy.backfill_confirmed or policy.push_from is None or modified_at is None:
        return True
    return modified_at >= policy.push_from
