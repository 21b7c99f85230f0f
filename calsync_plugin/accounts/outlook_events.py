"""What lies in a user's chosen Outlook calendars between two times, as it is now: to show or count it.

Decides nothing and writes nothing. Syncing reads by delta and lies in the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from calsync_plugin.errors import ItemError, NotFound
from calsync_plugin.graph.calendar import calendar_view, follow
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.settings import UserSettings


def events_between(
    client: MailboxClient, settings: UserSettings, start: datetime, end: datetime
) -> Iterator[EventView]:
    """Events by calendar, series as their dates; unreadable ones and calendars that are gone are left out."""
    main = (settings.main_calendar,) if settings.has_main else ()
    for calendar_id in dict.fromkeys((*main, *settings.other_calendars)):
        request = calendar_view(start, end, calendar_id=calendar_id)
        while True:
            try:
                page = client.send(request) or {}
            except NotFound:
                break
            found = page.get("value")
            yield from _readable(found if isinstance(found, list) else [])
            following = page.get("@odata.nextLink")
            if not isinstance(following, str):
                break
            request = follow(following)


def _readable(events: Iterable[object]) -> Iterator[EventView]:
    for event in events:
        try:
            if isinstance(event, dict):
                yield read_event(event)
        except ItemError:
            continue
