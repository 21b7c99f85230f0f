"""Calls of hooks that a host or third party implements: code that nobody here wrote.

Decides that their mistakes stay theirs: an exception in such a hook is logged, a meeting that a hook could
not look at is parked, and everything else goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from calsync_plugin.crm.gateway import Record
from calsync_plugin.domain.meeting import Attendee, Meeting
from calsync_plugin.hookspecs import Veto

if TYPE_CHECKING:
    import pluggy

log = logging.getLogger(__name__)

_MEETING_FIELDS = frozenset(f.name for f in fields(Meeting))
_TYPES: Mapping[str, Any] = {
    name: tuple if get_origin(hint) is tuple else hint for name, hint in get_type_hints(Meeting).items()
}


class Plugins:
    """What the engine asks of and tells to plugins."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        """Call the hooks of `manager`."""
        self._hook = manager.hook

    def notify(self, user_id: str, message: str) -> None:
        """Tell a user something that should not wait; nothing depends on it."""
        try:
            self._hook.calsync_notify(user_id=user_id, message=message)
        except Exception:
            log.exception("a plugin's calsync_notify failed")

    def outbound(self, meeting: Meeting, record: Record) -> Meeting | Veto:
        """Let plugins change or veto what goes out, in the order of their registration."""
        if not self._hook.calsync_outbound.get_hookimpls():
            return meeting
        try:
            answers: list[Mapping[str, object] | Veto] = self._hook.calsync_outbound(
                meeting=meeting, record=record
            )
            return _applied(meeting, answers)
        except Exception as error:
            log.exception("a plugin's calsync_outbound failed")
            return Veto(f"a plugin failed while looking at it ({type(error).__name__}); ask its maker")

    def inbound(self, meeting: Meeting, event: Mapping[str, object]) -> Meeting | Veto:
        """Let plugins change or veto what comes in, in the order of their registration."""
        if not self._hook.calsync_inbound.get_hookimpls():
            return meeting
        try:
            answers: list[Mapping[str, object] | Veto] = self._hook.calsync_inbound(
                meeting=meeting, event=event
            )
            return _applied(meeting, answers)
        except Exception as error:
            log.exception("a plugin's calsync_inbound failed")
            return Veto(f"a plugin failed while looking at it ({type(error).__name__}); ask its maker")


def _applied(meeting: Meeting, answers: list[Mapping[str, object] | Veto]) -> Meeting | Veto:
    # pluggy calls the plugin that was registered last first.
    for answer in reversed(answers):
        if isinstance(answer, Veto):
            return answer
        known = {name: value for name, value in answer.items() if name in _MEETING_FIELDS}
        _check(known)
        meeting = replace(meeting, **known)  # type: ignore[arg-type]
    return meeting


def _check(values: Mapping[str, object]) -> None:
    """Refuse a value that is none of its field: it would only be noticed where it ends the whole run."""
    for name, value in values.items():
        people = value if name == "attendees" and isinstance(value, tuple) else ()
        if not isinstance(value, _TYPES[name]) or not all(isinstance(one, Attendee) for one in people):
            raise TypeError(f"{name} cannot be {value!r:.80}")
