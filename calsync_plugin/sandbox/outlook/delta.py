"""calendarView/delta: one round through a window, then only what changed, with the traps that the service
has.

Occurrences that follow their master are skeletal. @removed says no more than an id, for what was deleted
and for anything that changed outside the window. Items may repeat, pages may be empty, a cursor may expire.
Source: Graph docs, event: delta, and "Use delta query to track changes".
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from calsync_plugin.sandbox.outlook import ids, odata, recurrence
from calsync_plugin.sandbox.outlook.events import applied, place_of
from calsync_plugin.sandbox.outlook.items import render, skeleton
from calsync_plugin.sandbox.outlook.lookup import Place
from calsync_plugin.sandbox.outlook.odata_types import instant, parse_instant
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Key
from calsync_plugin.sandbox.outlook.views import in_window, window
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError, Json

_UNSUPPORTED = ("$select", "$expand", "$filter", "$orderby", "$search", "$top")
_FIRST, _LAST = datetime(1601, 1, 1, tzinfo=UTC), datetime(4500, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a token carries: calendar and window, the last change already told, and where in the round it
    stands.
    """

    calendar: int
    starts: str
    ends: str
    since: int
    until: int = 0
    after: tuple[int, int] = (0, 0)
    full: bool = False
    blank: bool = False
    issued: int = 0

    def token(self) -> str:
        """Return the opaque text of this cursor."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")


def _parse(text: str) -> Cursor:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        values["after"] = tuple(values["after"])
        return Cursor(**values)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise GraphError(400, "SyncStateInvalid", "The sync state is invalid.") from None


def calendar_view(sim: Simulator, call: Call) -> Answer:
    """Answer one page of a round of calendarView/delta."""
    return _delta(sim, call, windowed=True)


def events(sim: Simulator, call: Call) -> Answer:
    """Answer one page of events/delta: all of the primary calendar, occurrences not expanded."""
    return _delta(sim, call, windowed=False)


def _delta(sim: Simulator, call: Call, *, windowed: bool) -> Answer:
    for name in _UNSUPPORTED:
        if name in call.query:
            raise GraphError(
                400, "ErrorInvalidUrlQuery", f"The following parameters are not supported: {name}."
            )
    where = place_of(sim, call)
    text = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    if text and text.lower() != "latest":
        cursor = _parse(text)
        if cursor.calendar != where.calendar.number:
            raise GraphError(400, "SyncStateInvalid", "The sync state belongs to another calendar.")
        if cursor.issued < sim.cursors_valid_from:
            raise _expired(sim, call)
        if not cursor.until:
            cursor = replace(cursor, until=sim.state.sequence)
    else:
        starts, ends = window(call) if windowed else (_FIRST, _LAST)
        first, last = (instant(starts), instant(ends)) if windowed else ("", "")
        now = sim.state.sequence
        cursor = Cursor(where.calendar.number, first, last, 0, until=now, full=not text, issued=now)
        if text:
            cursor = replace(cursor, since=now)
    return _page(sim, call, where, cursor)


def _expired(sim: Simulator, call: Call) -> GraphError:
    status = sim.switches.expired_cursor_status
    code = "SyncStateNotFound" if status == 410 else "syncStateNotFound"
    headers = {"Location": f"{call.base_url}{call.path}?$deltatoken="} if status == 410 else {}
    return GraphError(
        status,
        code,
        "The sync state generation is not found; restart with a full synchronization.",
        headers=headers,
    )


def _page(sim: Simulator, call: Call, where: Place, cursor: Cursor) -> Answer:
    size = where.view.page_size or sim.switches.delta_page_size
    if sim.switches.delta_empty_pages and not cursor.blank:
        return _linked(call, where, [], replace(cursor, blank=True), done=False)
    keys = _full_keys(sim, where, cursor) if cursor.full else _changed_keys(sim, where, cursor)
    start = bisect_right(keys, cursor.after, key=lambda entry: entry[0])
    chosen = keys[start : start + size]
    values = [
        value
        for _, item, gone in chosen
        for value in [_removed(where, item) if gone else _shown(where, item)]
    ]
    done = start + size >= len(keys)
    if sim.switches.delta_repeats_items and values:
        values.append(values[0])
    after = chosen[-1][0] if chosen else cursor.after
    return _linked(call, where, values, replace(cursor, after=after, blank=False), done=done)


_Entry = tuple[Key, Item, bool]


def _bounds(cursor: Cursor) -> tuple[datetime, datetime]:
    if not cursor.starts:
        return _FIRST, _LAST
    return parse_instant(cursor.starts), parse_instant(cursor.ends)


def _full_keys(sim: Simulator, where: Place, cursor: Cursor) -> list[_Entry]:
    """Return what a first round tells, by number and day, so that a page can begin after any of it."""
    if not cursor.starts:
        return [((number, 0), where.mailbox.items[number], False) for number in where.calendar.order]
    starts, ends = _bounds(cursor)
    found = in_window(sim, where.mailbox, where.calendar, starts, ends)
    if sim.last_round is not None and sim.last_round[0] is found:
        return sim.last_round[1]
    entries: list[_Entry] = []
    series = 0
    for item in found:
        if item.day and item.number != series:
            series = item.number
            entries.append(((series, 0), where.mailbox.items[series], False))
        entries.append(((item.number, item.day), item, False))
    sim.last_round = (found, entries)
    return entries


def _changed_keys(sim: Simulator, where: Place, cursor: Cursor) -> list[_Entry]:
    """Return what changed after the cursor's last word, up to where this round stands."""
    touched: dict[int, set[int]] = {}
    changes = where.calendar.changes
    for key in reversed(changes):
        if changes[key] <= cursor.since:
            break
        if changes[key] <= cursor.until:
            touched.setdefault(key[0], set()).add(key[1])
    entries: list[_Entry] = []
    for number in sorted(touched):
        item = where.mailbox.items[number]
        gone = item.folder != where.calendar.number
        if item.recurrence is None or not cursor.starts:
            inside = recurrence.touches(item, *_bounds(cursor))
            entries.append(((number, 0), item, gone or not inside))
        else:
            entries += _series_entries(sim, item, touched[number], cursor, gone=gone)
    return entries


def _series_entries(
    sim: Simulator, master: Item, days: set[int], cursor: Cursor, *, gone: bool
) -> list[_Entry]:
    starts, ends = _bounds(cursor)
    present = {item.day: item for item in recurrence.occurrences(master, starts, ends)}
    if gone:
        known = [recurrence.occurrence(master, day) for day in sorted(present)]
        return [
            ((master.number, 0), master, True),
            *(((master.number, item.day), item, True) for item in known),
        ]
    entries: list[_Entry] = []
    if 0 in days:
        entries.append(((master.number, 0), master, not present))
        vanished = {day for day, sequence in master.vanished.items() if sequence > cursor.since}
        told = set(present) | {day for day in vanished if _near(day, starts, ends)}
    else:
        told = set()
    for day in sorted(told | days - {0}):
        item = present.get(day)
        removed = item is None
        if removed and day in master.cancelled_days and not sim.switches.removed_for_deleted_occurrence:
            continue
        entries.append(((master.number, day), item or recurrence.occurrence(master, day), removed))
    return entries


def _near(day: int, starts: datetime, ends: datetime) -> bool:
    return (starts - timedelta(days=1)).date().toordinal() <= day <= ends.date().toordinal()


def _removed(where: Place, item: Item) -> Json:
    number, view = where.view.mailbox.number, where.view
    folder = where.calendar.number if view.alias is None else view.alias.number
    identity = (
        ids.immutable_id(number, item.day, item.number)
        if view.immutable
        else ids.default_id(number, folder, item.day, item.number)
    )
    return {"@odata.type": "#microsoft.graph.event", "id": identity, "@removed": {"reason": "deleted"}}


def _shown(where: Place, item: Item) -> Json:
    if item.kind == "occurrence":
        return skeleton(where.view, item)
    return {"@odata.type": "#microsoft.graph.event", **render(where.view, item)}


def _linked(call: Call, where: Place, values: list[Json], cursor: Cursor, *, done: bool) -> Answer:
    body: Json = {"@odata.context": f"{call.root()}/$metadata#Collection(event)", "value": values}
    if done:
        rest = Cursor(cursor.calendar, cursor.starts, cursor.ends, since=cursor.until, issued=cursor.until)
        body["@odata.deltaLink"] = _link(call, "$deltatoken", rest.token())
    else:
        body["@odata.nextLink"] = _link(call, "$skiptoken", cursor.token())
    return Answer(200, body, applied(where.view))


def _link(call: Call, name: str, token: str) -> str:
    # Tokens carry the parameters of the first request.
    return odata.next_link(replace(call, query={}), {name: token})
