"""What the store hands out about reading Outlook: frozen values, one for each kind of row.

Decides nothing. All datetimes are aware and in UTC; plain floats are epoch seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CursorStage(StrEnum):
    """A new window's cursor is built beside the one in use (R17)."""

    LIVE = "live"
    BUILDING = "building"
    BUSY = "busy"
    """Of a calendar that is read for its busy times alone: its events never become records."""
    BUSY_BUILDING = "busy building"
    LISTING = "listing"
    """No cursor but a note: what takes up time in this calendar is to be listed from the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the reading of one calendar window stands: an opaque next or delta link."""

    mailbox_id: int
    calendar_id: str
    url: str
    query_version: int
    window_start: datetime
    window_end: datetime
    stage: CursorStage = CursorStage.LIVE
    part: int = 0
    """A window that Graph finds too long is read in parts."""


@dataclass(frozen=True, slots=True)
class PullState:
    """When a mailbox wants to be read (epoch seconds), and how many hints said so until now."""

    pull_at: float
    hints: int


@dataclass(frozen=True, slots=True)
class EventMark:
    """A dirty mark: this event of a mailbox is to be looked at. It says nothing of what happened."""

    event_id: str
    mark_ids: tuple[int, ...]
    attempts: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """The oldest event marks of a mailbox that are due; `more` says that others are due, too."""

    marks: tuple[EventMark, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """A calendar of a mailbox as last seen."""

    id: str
    name: str = ""
    owner_address: str = ""
    is_default: bool = False
    can_edit: bool = True
    shared: bool = False
    """It belongs to somebody else: Graph sends no notifications for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A Graph subscription; of the client state only a hash is kept."""

    id: str
    mailbox_id: int
    resource: str
    client_state_hash: str
    expires_at: datetime
