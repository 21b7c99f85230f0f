"""Events that lie at the same time as others, whichever page of a reading tells of them (R21).

Decides what is asked for: the moments at which those events begin, in each calendar that is read. What looks
alike is `domain.matching`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta

from calsync_plugin.domain.timespan import AllDay, TimeSpan
from calsync_plugin.domain.window import Window
from calsync_plugin.errors import InvalidEvent, NotFound
from calsync_plugin.graph.calendar import follow, list_looks
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView, read_event

DATE_OF_A_SERIES = frozenset({"occurrence", "exception"})
MOMENT = timedelta(seconds=1)
DAY = timedelta(days=1)


def beginning(span: TimeSpan) -> Window:
    """About when whatever begins with this time span begins; a whole day is meant in any zone."""
    if isinstance(span, AllDay):
        first = datetime.combine(span.first, time(0), UTC)
        return Window(first - DAY, first + DAY)
    return Window(span.start - MOMENT, span.start + MOMENT)


def events_at(
    client: MailboxClient, calendars: Collection[str], times: Collection[Window]
) -> list[EventView]:
    """The single events of some calendars that touch some times, in as few batches as possible."""
    requests = [
        list_looks(about.start, about.end, calendar_id)
        for calendar_id in sorted(calendars)
        for about in sorted(times, key=lambda one: one.start)
    ]
    found: dict[str, EventView] = {}
    while requests:
        following = []
        for outcome in client.batch(requests):
            if isinstance(outcome.error, NotFound):
                continue
            page = outcome.unwrap() or {}
            values = page.get("value")
            for value in values if isinstance(values, list) else ():
                if not isinstance(value, dict) or value.get("type") in DATE_OF_A_SERIES:
                    continue
                try:
                    view = read_event(value)
                except InvalidEvent:
                    continue
                found[view.id] = view
            link = page.get("@odata.nextLink")
            if isinstance(link, str):
                following.append(follow(link))
        requests = following
    return list(found.values())
