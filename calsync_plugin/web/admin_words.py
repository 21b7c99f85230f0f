"""What an administrator reads for the short names of the store: of states, kinds and subjects.

Decides the words alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from calsync_plugin.state import SourceKind
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import pgettext as _p

STATUS_WORDS: Mapping[str, Wording] = MappingProxyType(
    {
        "connected": _("Connected"),
        "syncing": _("Syncing"),
        "reconnect": _("Must sign in again"),
        "needs_attention": _("Needs attention"),
        "paused": _("Paused"),
        "off": _("Off"),
        "not_connected": _("Not connected"),
    }
)
HELD_WORDS: Mapping[str, Wording] = MappingProxyType(
    {"deletion": _p("held", "deletion"), "mail": _p("held", "mail")}
)
SUBJECT_WORDS: Mapping[str, Wording] = MappingProxyType(
    {"role": _("Role"), "team": _("Team"), "user": _("User")}
)
SOURCE_WORDS: Mapping[str, Wording] = MappingProxyType(
    {
        SourceKind.LINKED.value: _("Main calendar"),
        SourceKind.CONFLICT.value: _("Conflict calendar"),
        SourceKind.FEED.value: _("Calendar address"),
        SourceKind.SCHEDULE.value: _("Colleague's calendar"),
    }
)
"""Where busy times come from."""
