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
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from calsync_plugin.sandbox.outlook import odata
from calsync_plugin.sandbox.outlook.events import applied, place_of
from calsync_plugin.sandbox.outlook.lookup import Place
from calsync_plugin.sandbox.outlook.odata_types import instant, parse_instant
from calsync_plugin.sandbox.outlook.rounds import Round, Teller, keys_of, position
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.views import window
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
    after: tuple[int, int] | None = None
    full: bool = False
    blank: bool = False
    issued: int = 0
    backwards: bool = False

    def token(self) -> str:
        """Return the opaque text of this cursor."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode().rstrip("=")


def _parse(text: str) -> Cursor:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        values["after"] = None if values["after"] is None else tuple(values["after"])
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
            raise _expired(sim, call, cursor)
        if not cursor.until:
            backwards = sim.switches.delta_newest_first
            cursor = replace(cursor, until=sim.state.sequence, backwards=backwards)
    else:
        cursor = _begin(sim, call, where, windowed=windowed, latest=bool(text))
    return _page(sim, call, where, cursor)


def _begin(sim: Simulator, call: Call, where: Place, *, windowed: bool, latest: bool) -> Cursor:
    starts, ends = window(call) if windowed else (_FIRST, _LAST)
    first, last = (instant(starts), instant(ends)) if windowed else ("", "")
    now = sim.state.sequence
    return Cursor(
        where.calendar.number,
        first,
        last,
        since=now if latest else 0,
        until=now,
        full=not latest,
        issued=now,
        backwards=sim.switches.delta_newest_first,
    )


def _expired(sim: Simulator, call: Call, cursor: Cursor) -> GraphError:
    status = sim.switches.expired_cursor_status
    code = sim.switches.expired_cursor_code or ("SyncStateNotFound" if status == 410 else "syncStateNotFound")
    headers = {}
    if status == 410:
        span = f"startDateTime={quote(cursor.starts)}&endDateTime={quote(cursor.ends)}&" * bool(cursor.starts)
        headers["Location"] = f"{call.base_url}{call.path}?{span}$deltatoken="
    return GraphError(
        status,
        code,
        "The sync state generation is not found; restart with a full synchronization.",
        headers=headers,
    )


def _page(sim: Simulator, call: Call, where: Place, cursor: Cursor) -> Answer:
    size = min(where.view.page_size or sim.switches.delta_page_size, sim.switches.delta_page_limit)
    if sim.switches.delta_empty_pages and not cursor.blank:
        return _linked(call, where, [], replace(cursor, blank=True), done=False)
    made = _round(cursor)
    keys, teller = keys_of(sim, where, made), Teller(where, made)
    start = position(keys, cursor.after, backwards=cursor.backwards)
    chosen = keys[start : start + size]
    values = [value for key in chosen if (value := teller.tell(key)) is not None]
    if sim.switches.delta_repeats_items and chosen:
        before = [teller.removed_or_shown(keys[start - 1])] if start else []
        values = [*before, *values, teller.removed_or_shown(chosen[0])]
    after = chosen[-1] if chosen else cursor.after
    done = start + size >= len(keys)
    return _linked(call, where, values, replace(cursor, after=after, blank=False), done=done)


def _round(cursor: Cursor) -> Round:
    windowed = bool(cursor.starts)
    return Round(
        calendar=cursor.calendar,
        starts=parse_instant(cursor.starts) if windowed else _FIRST,
        ends=parse_instant(cursor.ends) if windowed else _LAST,
        since=cursor.since,
        until=cursor.until,
        full=cursor.full,
        windowed=windowed,
        backwards=cursor.backwards,
    )


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
