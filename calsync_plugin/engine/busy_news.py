"""When a mailbox's user is busy by what calsync just wrote there, before any look tells of it.

Decides that the answer to a write counts as much as a page of changes: whoever books the next minute must
not be offered the time of a meeting that was saved this minute. An event that lies in no calendar of
interest is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calsync_plugin.domain.availability import Block
from calsync_plugin.errors import InvalidEvent
from calsync_plugin.graph.busy import read_block
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.state import BusySource, BusyWrites


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyNews:
    """What a write did to one event of a mailbox."""

    mailbox_id: int
    event_id: str
    calendar_id: str = ""
    block: Block | None = None
    """None: the event was deleted."""


def news_of(mailbox_id: int, calendar_id: str, answer: JsonObject) -> list[BusyNews]:
    """What the answer to a create or an update says; nothing if it cannot be told when the event is."""
    try:
        block = read_block(answer)
    except InvalidEvent:
        return []
    if block is None:
        return []
    return [BusyNews(mailbox_id=mailbox_id, event_id=block.id, calendar_id=calendar_id, block=block)]


def save_news(busy: BusyWrites, news: Sequence[BusyNews], sources: Iterable[BusySource]) -> None:
    """Write it to the sources concerned, within the transaction of the run's save."""
    for source in sources:
        here = [one for one in news if one.mailbox_id == source.mailbox_id]
        # An event that was created and deleted in one run: what came last counts.
        last = {one.event_id: one for one in here if one.block is None or one.calendar_id == source.place}
        gone = [event_id for event_id, one in last.items() if one.block is None]
        if gone:
            busy.remove(source.id, gone)
        busy.put(source.id, [one.block for one in last.values() if one.block is not None])
