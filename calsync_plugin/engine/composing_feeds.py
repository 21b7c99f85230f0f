"""The part of the composition root that puts the lane of feeds together.

Decides that the sandbox may read addresses of this machine, and nobody else.
"""

from __future__ import annotations

from calsync_plugin.engine.composing import Surroundings
from calsync_plugin.engine.feed_reading import FeedLane
from calsync_plugin.engine.schedule_reading import ScheduleReader
from calsync_plugin.http.pinned import Rules


def feed_rules(kind: str) -> Rules:
    """Which addresses an installation of this kind may call."""
    return Rules(allow_loopback=kind == "sandbox")


def feed_lane_of(around: Surroundings, kind: str) -> FeedLane:
    """What reads feeds in these surroundings."""
    return FeedLane(
        around.store,
        ScheduleReader(around.roster, around.open_mailbox),
        rules=feed_rules(kind),
        stopping=around.stopping,
    )
