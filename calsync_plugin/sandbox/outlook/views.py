"""Events between two instants: calendarView of a calendar, instances of a series.

Source: Graph docs, calendar: list calendarView (offset of the values themselves, UTC without one), event:
list instances.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from calsync_plugin.sandbox.outlook import odata, recurrence
from calsync_plugin.sandbox.outlook.events import applied, context_of, found_of, place_of
from calsync_plugin.sandbox.outlook.odata_types import invalid, parse_instant
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Calendar, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError

LONGEST = timedelta(days=1825)
_KEPT = 64


def window(call: Call) -> tuple[datetime, datetime]:
    """Return the asked-for span; GraphError 400 if it is missing, reversed or longer than 1,825 days."""
    first, last = call.query.get("startdatetime"), call.query.get("enddatetime")
    if not first or not last:
        raise GraphError(
            400,
            "ErrorInvalidParameter",
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime.",
        )
    starts, ends = parse_instant(first), parse_instant(last)
    if ends < starts:
        raise invalid("The window ends before it starts.", "ErrorInvalidParameter")
    if ends - starts > LONGEST:
        raise invalid("The requested time window is longer than 1825 days.", "ErrorInvalidParameter")
    return starts, ends


def in_window(
    sim: Simulator, mailbox: Mailbox, calendar: Calendar, starts: datetime, ends: datetime
) -> list[Item]:
    """Return everything of a calendar that touches a span: single events, occurrences and exceptions, no
    masters.
    """
    key = (calendar.number, sim.state.sequence, starts, ends)
    known = sim.views.get(key)
    if known is not None:
        return known
    found: list[Item] = []
    for number in calendar.order:
        item = mailbox.items[number]
        if item.recurrence is not None:
            found.extend(recurrence.occurrences(item, starts, ends))
        elif item.starts < ends and (item.ends > starts or item.starts == item.ends >= starts):
            found.append(item)
    sim.views[key] = found
    while len(sim.views) > _KEPT:
        sim.views.popitem(last=False)
    return found


def calendar_view(sim: Simulator, call: Call) -> Answer:
    """List what lies in a span, series as their occurrences, by start unless $orderby says otherwise."""
    starts, ends = window(call)
    where = place_of(sim, call)
    items = sorted(in_window(sim, where.mailbox, where.calendar, starts, ends), key=lambda item: item.starts)
    chosen = odata.ordered(call, odata.filtered(call, items))
    return Answer(200, odata.page(call, where.view, chosen, context_of(call)), applied(where.view))


def instances(sim: Simulator, call: Call) -> Answer:
    """List the occurrences and exceptions of a series in a span; cancelled ones are left out."""
    starts, ends = window(call)
    found = found_of(sim, call)
    if found.item.recurrence is None:
        raise invalid("Instances can only be listed for a series master.", "ErrorInvalidRequest")
    items = sorted(recurrence.occurrences(found.item, starts, ends), key=lambda item: item.starts)
    chosen = odata.ordered(call, odata.filtered(call, items))
    return Answer(200, odata.page(call, found.view, chosen, context_of(call)), applied(found.view))
