"""Online meetings: a join URL, and the blob in the body that must be kept (Graph docs, event: update)."""

from __future__ import annotations

import hashlib
from typing import Any

from calsync_plugin.sandbox.outlook.content import has_blob, with_blob, wrap_html
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item


def make_online(item: Item) -> None:
    """Give an item that is to be online its provider, its join URL and the blob in its body."""
    if not item.online:
        item.online_provider = "unknown"
        return
    if item.online_provider == "unknown":
        item.online_provider = "teamsForBusiness"
    thread = hashlib.sha256(item.uid.encode()).hexdigest()[:32]
    item.join_url = (
        f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{thread}%40thread.v2/0?context=%7b%7d"
    )
    if item.content_type == "text":
        item.content, item.content_type = wrap_html(item.content), "html"
    item.content = with_blob(item.content, item.join_url)


def settle_online(sim: Simulator, item: Item, given: dict[str, Any]) -> None:
    """An online meeting is switched on once; afterwards only a body without its blob ends it."""
    wants = given.pop("online", False)
    provider = given.pop("online_provider", "unknown")
    if item.online:
        ends = sim.switches.body_without_blob_ends_online_meeting
        if ends and "content" in given and item.join_url and not has_blob(given["content"], item.join_url):
            given.update(online=False, online_provider="unknown", join_url=None)
    elif wants and item.is_organizer:
        item.online, item.online_provider = True, provider
        for name in ("content", "content_type"):
            setattr(item, name, given.get(name, getattr(item, name)))
        make_online(item)
        given.update(
            content=item.content, content_type=item.content_type, preview=given.get("preview", item.preview)
        )
        given.update(online=True, online_provider=item.online_provider, join_url=item.join_url)
        # `online` has to count as changed, so that attendees learn of it.
        item.online = False
