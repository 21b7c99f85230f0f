"""What the store of a world says of people's busy times, in short: what a test compares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.state import BusySource, SourceKind
from tests.world import World

EVER = (0, 2**40)
Shown = tuple[str, str, str]
"""Start, end, and how it is shown; whole days without a time."""


def source(world: World, user_id: str, calendar_id: str = "") -> BusySource:
    """The source of a calendar, of the linked one unless named."""
    found = [
        one
        for one in world.app.store.busy.sources([user_id])
        if (one.place == calendar_id if calendar_id else one.kind is SourceKind.LINKED)
    ]
    assert len(found) == 1, found
    return found[0]


def kinds(world: World, user_id: str) -> dict[str, str]:
    """The sources of a user: kind by place."""
    return {one.place: one.kind.value for one in world.app.store.busy.sources([user_id])}


def busy(world: World, user_id: str, calendar_id: str = "") -> list[Shown]:
    """The blocks of a source, in order."""
    return shown_of(world, source(world, user_id, calendar_id).id)


def shown_of(world: World, source_id: int) -> list[Shown]:
    """The same by the source's id."""
    return [
        (_told(block.start, block.whole_days), _told(block.end, block.whole_days), block.show_as.value)
        for _, block in world.app.store.busy.blocks([source_id], *EVER)
    ]


def days(world: World, user_id: str, calendar_id: str = "") -> list[str]:
    """The days on which a source's blocks start, in order, without those that are free."""
    return [start[:10] for start, _, shown in busy(world, user_id, calendar_id) if shown != ShowAs.FREE.value]


def _told(second: int, whole_days: bool) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d" if whole_days else "%Y-%m-%dT%H:%M")


def hour(start: str, end: str = "", **more: Any) -> dict[str, Any]:
    """An event's times: an hour on 2 December unless it is told otherwise."""
    return {"start": f"2026-12-02T{start}:00", "end": f"2026-12-02T{end}:00", **more}
