"""What a user reads of the places that tell when he or she is busy: what each is, how it is, what to do.

Decides the words. Everything is for the user whose sources they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from calsync_plugin.state import BusySource, SourceKind
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

KINDS: Mapping[str, Wording] = MappingProxyType(
    {
        SourceKind.LINKED.value: _("your main calendar"),
        SourceKind.CONFLICT.value: _("calendar in your Outlook"),
        SourceKind.FEED.value: _("calendar address"),
        SourceKind.SCHEDULE.value: _("colleague's calendar"),
    }
)
BOOKINGS = _("Bookings")
NAMELESS = _("(no name)")

_WHAT_TO_DO: Mapping[SourceKind, Wording] = MappingProxyType(
    {
        SourceKind.LINKED: _("It is tried again by itself. If it stays like this, sign in to Outlook again."),
        SourceKind.CONFLICT: _(
            "It is tried again by itself. If it stays like this, have it shared with you again, or take it "
            "off below."
        ),
        SourceKind.FEED: _(
            "It is tried again by itself. If it stays like this, look the address up where you found it; if "
            "it is another one now, remove this one and add the new one."
        ),
        SourceKind.SCHEDULE: _(
            "It is tried again by itself. If it stays like this, check the address with your colleague, or "
            "remove it."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source is: one word, its colour (Bootstrap's), what is wrong, and what can be done."""

    title: str
    colour: str
    problem: str = ""
    remedy: str = ""

    @property
    def busy(self) -> bool:
        """Whether something is under way that the page waits for."""
        return self.colour == "info"


def state_of(source: BusySource, *, reads: bool, waits: bool = False) -> SourceState:
    """The state of a source.

    `reads`: whether anything is read for its user at present; `waits`: its user wants it to be read now.
    """
    if source.error:
        return SourceState(_("Cannot be read"), "danger", source.error, _WHAT_TO_DO[source.kind])
    if source.read_at is None or source.known_until is None:
        if not reads:
            return SourceState(_("Not read yet"), "secondary")
        return SourceState(_("Being read for the first time"), "info")
    if waits and reads:
        return SourceState(_("Being read"), "info")
    if not reads:
        return SourceState(_("Counts as last read"), "secondary")
    return SourceState(_("Counts"), "success")
