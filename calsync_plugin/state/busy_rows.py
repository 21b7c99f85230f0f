"""What the store hands out about availability: frozen values, one for each kind of row.

Decides nothing. Datetimes are aware and in UTC; times of blocks are whole epoch seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SourceKind(StrEnum):
    """Where blocks come from."""

    LINKED = "linked"
    """The main calendar of the user's mailbox."""
    CONFLICT = "conflict"
    """Another calendar in the user's mailbox, own or shared, that blocks availability."""
    FEED = "feed"
    """An iCalendar address."""
    SCHEDULE = "schedule"
    """What Outlook tells of somebody's free and busy times (getSchedule)."""


OF_MAILBOX = frozenset({SourceKind.LINKED, SourceKind.CONFLICT})
"""The kinds that are read with the user's mailbox; the others have an address and come due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusySource:
    """One place that tells when a user is busy."""

    id: int
    user_id: str
    kind: SourceKind
    mailbox_id: int = 0
    """0 for what lies outside of the user's mailbox."""
    place: str = ""
    """The calendar's id; of a feed or schedule a digest of its address."""
    name: str = ""
    read_at: datetime | None = None
    """When it was last known to be whole; None if it was never read."""
    known_from: datetime | None = None
    known_until: datetime | None = None
    error: str = ""
    """Why it cannot be read now, in words; empty if it can."""
    error_at: datetime | None = None
    version: int = 0
    """Raised by whatever changes its blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """An address that is read for a source, and what its server said of the last answer."""

    source: BusySource
    address: str = field(repr=False)
    """A secret: who knows it may read the calendar."""
    shown: str
    """How it is shown to its user."""
    etag: str = ""
    last_modified: str = ""
    due_at: float = 0.0
    failures: int = 0
    """How many readings failed since the last good one."""


BusyTime = tuple[int, int, int, int, str]
"""A row as availability reads it, by the thousand: source id, start, end, whole days (0 or 1), show as."""
