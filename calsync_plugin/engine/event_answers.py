"""What Outlook's answers to our writes mean for an item.

Decides what the link, the item's view of the event and its notes become. Sending is `event_writes`'.
"""

from __future__ import annotations

from calsync_plugin.domain.links import Copy, CopyPurpose
from calsync_plugin.domain.operations import (
    CreateEvent,
    DeleteEvent,
    UpdateEvent,
)
from calsync_plugin.engine import progress
from calsync_plugin.engine.brake import DELETION, MAIL
from calsync_plugin.engine.busy_news import BusyNews, news_of
from calsync_plugin.engine.inward import view_of
from calsync_plugin.engine.item import Item
from calsync_plugin.engine.roster import OFF
from calsync_plugin.graph.protocol import JsonObject


def deleted(item: Item, operation: DeleteEvent, copy: Copy) -> None:
    """A copy was deleted."""
    assert item.link is not None
    item.wrote = item.changed_link = True
    item.link = progress.copy_removed(item.link, copy)
    item.busy.append(BusyNews(mailbox_id=item.mailbox_id, event_id=copy.event_id))
    if copy.purpose is CopyPurpose.HOME:
        item.counted |= item.counting & {DELETION}
    else:
        # Whoever holds the new home may have waited for this.
        item.elsewhere |= {c.mailbox_id for c in item.link.copies if c.purpose is CopyPurpose.HOME}
    item.dropped = operation.drops_link and progress.nothing_left(item.link)
    item.notes.append(f"the event was deleted: {operation.reason}")


def written(item: Item, operation: CreateEvent | UpdateEvent, copy: Copy, value: JsonObject) -> None:
    """An event was created or updated, and this is what it is now."""
    assert item.link is not None
    item.wrote = item.changed_link = True
    event = view_of(value, item.member, item.entity, item.link)
    item.busy += news_of(item.mailbox_id, copy.calendar_id or item.runner_main, value)
    if isinstance(operation, CreateEvent):
        item.link = progress.copy_confirmed(
            item.link, copy, event_id=event.id, ical_uid=event.ical_uid, etag=event.etag
        )
        item.created = operation
        item.notes.append("the event was created")
        if operation.moves and item.former and item.former.account.status in OFF:
            where = item.former.account.address
            item.notes.append(f"the former event is left behind in the calendar of {where}, which is off")
    else:
        item.link = progress.etag_seen(item.link, copy, event.etag)
        item.counted |= item.counting & {MAIL} if event.mails else set()
    item.settled |= operation.fields
    item.seen[event.id] = event
    item.join_url = event.join_url or item.join_url


def look_again(item: Item, copy: Copy) -> None:
    """Read what is really there, and plan again from that."""
    item.again = True
    item.looked_up = False
    if copy.event_id:
        item.seen.pop(copy.event_id, None)
        item.must_see.add(copy.event_id)
