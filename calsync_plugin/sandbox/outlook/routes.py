"""Which handler answers which path: a tree of path words, with `*` for an id.

Words match in any case and with or without brackets (`delta` and `delta()`), ids are kept as they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from calsync_plugin.sandbox.outlook import (
    calendars,
    delta,
    event_actions,
    events,
    extensions,
    mailbox_api,
    schedule,
    subscription_api,
    views,
)
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError

Handler = Callable[[Simulator, Call], Answer]
_KEYED = re.compile(r"(\w+)\('([^']*)'\)")
_EVENT_HOMES = ("events", "calendar/events", "calendars/*/events")

_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "", mailbox_api.me),
    ("GET", "mailboxsettings", mailbox_api.settings),
    ("PATCH", "mailboxsettings", mailbox_api.change_settings),
    ("GET", "outlook/supportedtimezones", mailbox_api.supported_zones),
    ("GET", "outlook/mastercategories", mailbox_api.categories),
    ("POST", "outlook/mastercategories", mailbox_api.create_category),
    ("GET", "outlook/mastercategories/*", mailbox_api.category),
    ("PATCH", "outlook/mastercategories/*", mailbox_api.change_category),
    ("DELETE", "outlook/mastercategories/*", mailbox_api.delete_category),
    ("POST", "translateexchangeids", mailbox_api.translate_ids),
    ("GET", "calendar", calendars.get),
    ("PATCH", "calendar", calendars.update),
    ("GET", "calendars", calendars.listing),
    ("POST", "calendars", calendars.create),
    ("GET", "calendars/*", calendars.get),
    ("PATCH", "calendars/*", calendars.update),
    ("DELETE", "calendars/*", calendars.delete),
    ("POST", "calendar/getschedule", schedule.get_schedule),
    ("POST", "findmeetingtimes", schedule.find_meeting_times),
    ("GET", "calendarview", views.calendar_view),
    ("GET", "calendar/calendarview", views.calendar_view),
    ("GET", "calendars/*/calendarview", views.calendar_view),
    ("GET", "calendarview/delta", delta.calendar_view),
    ("GET", "calendar/calendarview/delta", delta.calendar_view),
    ("GET", "calendars/*/calendarview/delta", delta.calendar_view),
    ("GET", "events/delta", delta.events),
    ("GET", "/subscriptions", subscription_api.listing),
    ("POST", "/subscriptions", subscription_api.create),
    ("GET", "/subscriptions/*", subscription_api.get),
    ("PATCH", "/subscriptions/*", subscription_api.renew),
    ("DELETE", "/subscriptions/*", subscription_api.delete),
    ("POST", "/subscriptions/*/reauthorize", subscription_api.reauthorize),
]
for _home in _EVENT_HOMES:
    _ROUTES += [
        ("GET", _home, events.listing),
        ("POST", _home, events.create),
        ("GET", f"{_home}/*", events.get),
        ("PATCH", f"{_home}/*", events.update),
        ("DELETE", f"{_home}/*", events.delete),
        ("GET", f"{_home}/*/calendar", events.calendar_of),
        ("GET", f"{_home}/*/instances", views.instances),
        ("GET", f"{_home}/*/attachments", events.attachments),
        ("POST", f"{_home}/*/accept", event_actions.accept),
        ("POST", f"{_home}/*/decline", event_actions.decline),
        ("POST", f"{_home}/*/tentativelyaccept", event_actions.tentatively_accept),
        ("POST", f"{_home}/*/cancel", event_actions.cancel),
        ("POST", f"{_home}/*/forward", event_actions.forward),
        ("POST", f"{_home}/*/dismissreminder", event_actions.dismiss_reminder),
        ("POST", f"{_home}/*/snoozereminder", event_actions.snooze_reminder),
        ("POST", f"{_home}/*/permanentdelete", event_actions.permanent_delete),
        ("GET", f"{_home}/*/extensions", extensions.listing),
        ("POST", f"{_home}/*/extensions", extensions.create),
        ("GET", f"{_home}/*/extensions/*", extensions.get),
        ("PATCH", f"{_home}/*/extensions/*", extensions.update),
        ("DELETE", f"{_home}/*/extensions/*", extensions.delete),
    ]


class _Node:
    __slots__ = ("any", "handlers", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.handlers: dict[str, Handler] = {}


def _grow() -> _Node:
    root = _Node()
    for method, path, handler in _ROUTES:
        node = root
        for word in split(path):
            if word == "*":
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.words.setdefault(word, _Node())
        node.handlers[method] = handler
    return root


def split(path: str) -> list[str]:
    """Return the words of a path; a leading slash stays as a word of its own, which marks what belongs to no
    mailbox.
    """
    words = [word for word in path.split("/") if word]
    return ["/", *words] if path.startswith("/") else words


def segments(path: str, *, encoded: bool) -> list[str]:
    """Return the parts of a path after the version, with keys in brackets as parts of their own."""
    if "('" in path:
        path = _KEYED.sub(r"\1/\2", path)
    parts = [part for part in path.split("/") if part]
    return [unquote(part) for part in parts] if encoded else parts


def resolve(method: str, parts: list[str]) -> tuple[Handler, list[str]]:
    """Return the handler of a path and the ids in it; GraphError 400 for an unknown path, 405 for another
    method.
    """
    node, found = _ROOT, []
    for part in parts:
        word = part.lower().removesuffix("()").removeprefix("microsoft.graph.")
        following = node.words.get(word)
        if following is None:
            following = node.any
            if following is None:
                raise GraphError(400, "BadRequest", f"Resource not found for the segment '{part}'.")
            found.append(part)
        node = following
    handler = node.handlers.get(method)
    if handler is None:
        if node.handlers:
            raise GraphError(
                405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
            )
        raise GraphError(
            400, "BadRequest", f"Resource not found for the segment '{parts[-1] if parts else ''}'."
        )
    return handler, found


_ROOT = _grow()
