"""Events of Outlook as blocks: when they are and how they count, and nothing of what they say. Pure.

Decides what blocks at all: a master does not, its dates do; what was called off, and what the mailbox's owner
declined, counts as free. An event whose time cannot be read is passed over, for one calendar entry must not
keep a person's availability from being known. Source: Graph docs, event resource type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import JsonValue, Response, ShowAs
from calsync_plugin.domain.timespan import AllDay
from calsync_plugin.errors import InvalidEvent, UnknownOutcome
from calsync_plugin.graph.attendees import read_response
from calsync_plugin.graph.events import read_span
from calsync_plugin.graph.protocol import JsonObject

MASTER = "seriesMaster"
_SHOWN = {shown.value.lower(): shown for shown in ShowAs}


@dataclass(frozen=True, slots=True)
class BusyPage:
    """What a page of a listing says."""

    blocks: tuple[Block, ...]
    passed_over: int = 0
    """Events whose time could not be read."""
    next_link: str = ""


def read_busy(value: JsonObject | None) -> BusyPage:
    """Read the answer to `calendar.busy_view`, `busy_instances` or one of their links.

    UnknownOutcome for an answer without a list: whoever took it for an empty one would call people free.
    """
    items = value.get("value") if value else None
    if value is None or not isinstance(items, list):
        raise UnknownOutcome("a list of events that cannot be read", status=200)
    blocks, passed_over = read_blocks(item for item in items if isinstance(item, dict))
    link = value.get("@odata.nextLink")
    return BusyPage(blocks, passed_over, link if isinstance(link, str) else "")


def read_blocks(events: Iterable[Mapping[str, JsonValue]]) -> tuple[tuple[Block, ...], int]:
    """Return the blocks of some events, each id once, and how many could not be read."""
    found: dict[str, Block] = {}
    passed_over = 0
    for event in events:
        try:
            block = read_block(event)
        except InvalidEvent:
            passed_over += 1
            continue
        if block is not None:
            found[block.id] = block
    return tuple(found.values()), passed_over


def read_block(event: Mapping[str, JsonValue]) -> Block | None:
    """Return the block of an event, None for a master; InvalidEvent if nobody can tell when it is."""
    event_id = _text(event, "id")
    if not event_id:
        raise InvalidEvent("an event without an id", item="event", reason="no_id")
    if _text(event, "type") == MASTER:
        return None
    span = read_span(event)
    if isinstance(span, AllDay):
        edges = [datetime.combine(day, time(0), UTC) for day in (span.first, span.until)]
    else:
        edges = [span.start, span.end]
    start, end = (int(edge.timestamp()) for edge in edges)
    return Block(
        id=event_id,
        start=start,
        end=end,
        whole_days=isinstance(span, AllDay),
        show_as=_show_as(event),
        series_id=_text(event, "seriesMasterId"),
    )


def shown(word: str) -> ShowAs:
    """Return how time counts that Outlook calls so; what it does not know counts as busy."""
    return _SHOWN.get(word.lower(), ShowAs.BUSY)


def _show_as(event: Mapping[str, JsonValue]) -> ShowAs:
    if event.get("isCancelled") is True or read_response(event.get("responseStatus")) is Response.DECLINED:
        return ShowAs.FREE
    return shown(_text(event, "showAs"))


def _text(event: Mapping[str, JsonValue], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
