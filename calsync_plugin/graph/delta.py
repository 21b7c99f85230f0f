"""One page of a round of changes: what it tells of events, what it calls removed, where it goes on. Pure.

Decides that the last word on an id counts, because the service may repeat items within a round. What
*removed* means is not decided here: it is a hint, also given for any event that was touched outside the
window. Source: Graph docs, "event: delta", "Use delta query to track changes in Microsoft Graph data".
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import UnknownOutcome
from calsync_plugin.graph.protocol import JsonObject


@dataclass(frozen=True, slots=True)
class DeltaPage:
    """What one page says. Exactly one of the links is there; a page may hold nothing and still go on."""

    events: tuple[JsonObject, ...]
    """As Graph gave them, each id once. Of an occurrence that follows its master there is little more than
    the times (`EventView.skeletal`)."""
    removed: tuple[str, ...]
    """Ids, each once: deleted, moved out of the window, or never in it."""
    next_link: str = ""
    delta_link: str = ""


def read_page(value: JsonObject | None) -> DeltaPage:
    """Read the answer to `calendar.calendar_view_delta` or to one of its links.

    Items without an id are passed over: nothing can be asked about them. UnknownOutcome for a page without a
    list or without a link: whoever took it for the end would lose the place.
    """
    items = value.get("value") if value else None
    if value is None or not isinstance(items, list):
        raise UnknownOutcome("a page of changes without its list", status=200)
    # A next link means that the round goes on, whatever stands beside it.
    next_link = _link(value, "@odata.nextLink")
    delta_link = "" if next_link else _link(value, "@odata.deltaLink")
    if not next_link and not delta_link:
        raise UnknownOutcome("a page of changes that says neither next nor end", status=200)
    last: dict[str, JsonObject] = {}
    for item in items:
        if not isinstance(item, dict):
            continue
        identity = item.get("id")
        if isinstance(identity, str) and identity:
            last.pop(identity, None)
            last[identity] = item
    return DeltaPage(
        events=tuple(item for item in last.values() if not _is_removed(item)),
        removed=tuple(identity for identity, item in last.items() if _is_removed(item)),
        next_link=next_link,
        delta_link=delta_link,
    )


def _is_removed(item: JsonObject) -> bool:
    return item.get("@removed") is not None


def _link(value: JsonObject, name: str) -> str:
    link: JsonValue = value.get(name)
    return link if isinstance(link, str) else ""
