"""OData's query options over a list of items: $filter, $orderby, $top, $skip, $select, $expand, $count,
paging.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from calsync_plugin.sandbox.outlook import filters
from calsync_plugin.sandbox.outlook.identities import display_name
from calsync_plugin.sandbox.outlook.items import View, render
from calsync_plugin.sandbox.outlook.recurrence import occurrence_id
from calsync_plugin.sandbox.outlook.state import Alias, Calendar, Item
from calsync_plugin.sandbox.outlook.wire import Call, GraphError, Json

DEFAULT_PAGE, MOST = 10, 1000
_WHOLE = re.compile(r"[0-9]{1,9}")
_EXPANDED_ID = re.compile(r"id\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_ORDER: dict[str, Callable[[Item], Any]] = {
    "start/datetime": lambda item: item.starts,
    "end/datetime": lambda item: item.ends,
    "start": lambda item: item.starts,
    "end": lambda item: item.ends,
    "subject": lambda item: item.subject.lower(),
    "createddatetime": lambda item: item.created,
    "lastmodifieddatetime": lambda item: item.modified,
    "id": lambda item: (item.number, item.day),
}
NAVIGATIONS = frozenset((
    "singleValueExtendedProperties", "multiValueExtendedProperties", "extensions", "attachments",
    "calendar", "instances", "exceptionOccurrences",
))  # fmt: skip


def bad_query(message: str) -> GraphError:
    """Return the 400 of a query option that cannot be read."""
    return GraphError(400, "BadRequest", message)


def number(call: Call, name: str, lowest: int, highest: int) -> int | None:
    """Return a whole-number query option; GraphError 400 if it is none or out of range."""
    text = call.query.get(name)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or not lowest <= int(text) <= highest:
        raise bad_query(f"Invalid value '{text}' for the query option '{name}'.")
    return int(text)


def select_of(call: Call) -> frozenset[str] | None:
    """Return the properties that $select names, None for all of the default ones."""
    text = call.query.get("$select")
    return None if text is None else frozenset(part.strip() for part in text.split(",") if part.strip())


def expands_of(call: Call) -> dict[str, str]:
    """Return what $expand names, with the options in brackets behind each name."""
    text, found = call.query.get("$expand", ""), {}
    for match in re.finditer(r"\s*([A-Za-z]+)\s*(\((?:[^()']|'[^']*'|\([^()]*\))*\))?\s*(?:,|$)", text):
        if match.group(1) not in NAVIGATIONS:
            raise bad_query(
                f"Could not find a property named '{match.group(1)}' on type 'microsoft.graph.event'."
            )
        found[match.group(1)] = (match.group(2) or "")[1:-1]
    return found


def shape(view: View, item: Item, select: frozenset[str] | None, expands: dict[str, str]) -> Json:
    """Return one event with what was selected and expanded."""
    event = render(view, item)
    if select is not None:
        chosen = {name: event[name] for name in event if name in select or name in {"id", "@odata.etag"}}
        if "cancelledOccurrences" in select:
            chosen["cancelledOccurrences"] = [occurrence_id(event["id"], day) for day in item.cancelled_days]
        event = chosen
    for name, options in expands.items():
        _expand(view, item, event, name, options)
    return event


def _expand(view: View, item: Item, event: Json, name: str, options: str) -> None:
    if name == "singleValueExtendedProperties":
        wanted = {found.replace("''", "'") for found in _EXPANDED_ID.findall(options)}
        if not wanted:
            raise bad_query("$expand of singleValueExtendedProperties needs a $filter by id.")
        have = [{"id": key, "value": value} for key, value in item.properties.items() if key in wanted]
        if have:
            event[name] = have
    elif name == "exceptionOccurrences":
        if item.kind == "seriesMaster":
            event[name] = [render(view, item.exceptions[day]) for day in sorted(item.exceptions)]
    elif name == "extensions":
        wanted = {found.replace("''", "'") for found in _EXPANDED_ID.findall(options)}
        event[name] = [part for key, part in item.extensions.items() if not wanted or key in wanted]
    elif name == "calendar":
        calendar = view.alias or view.mailbox.calendars.get(item.folder)
        event[name] = None if calendar is None else {"id": calendar.id, "name": calendar_name(calendar)}
    elif name == "attachments":
        event[name] = []


def calendar_name(calendar: Calendar | Alias) -> str:
    """Return the name under which a mailbox lists a calendar: an added one is called by its owner."""
    return calendar.name if isinstance(calendar, Calendar) else display_name(calendar.owner)


def ordered(call: Call, items: Sequence[Item]) -> Sequence[Item]:
    """Return items in the order that $orderby names."""
    text = call.query.get("$orderby")
    if not text:
        return items
    result = list(items)
    for part in reversed(text.split(",")):
        words = part.split()
        read = _ORDER.get(words[0].lower()) if words else None
        if read is None or len(words) > 2:
            raise bad_query(f"Invalid $orderby clause: '{text}'.")
        result.sort(key=read, reverse=len(words) == 2 and words[1].lower() == "desc")
    return result


def filtered(call: Call, items: Sequence[Item]) -> Sequence[Item]:
    """Return the items that $filter lets through."""
    text = call.query.get("$filter")
    if not text:
        return items
    matches = filters.parse(text, one_uid=call.one_uid).matches
    return [item for item in items if matches(item)]


def page(call: Call, view: View, items: Sequence[Item], context: str) -> Json:
    """Return one page of items as a collection, with a nextLink if more follow."""
    skip = number(call, "$skip", 0, 10**9) or 0
    top = number(call, "$top", 1, MOST) or view.page_size or DEFAULT_PAGE
    chosen = items[skip : skip + top]
    select, expands = select_of(call), expands_of(call)
    body: Json = {
        "@odata.context": f"{call.root()}/$metadata#{context}",
        "value": [shape(view, item, select, expands) for item in chosen],
    }
    if call.query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(items)
    if skip + top < len(items):
        body["@odata.nextLink"] = next_link(call, {"$skip": str(skip + top)})
    return body


def next_link(call: Call, changed: dict[str, str]) -> str:
    """Return the address of this call with some options changed, for nextLink and deltaLink."""
    query = {**call.query, **changed}
    return f"{call.base_url}{quote(call.path, safe='/$()=,')}?{urlencode(query, safe='$,/', quote_via=quote)}"
