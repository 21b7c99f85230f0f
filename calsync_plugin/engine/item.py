"""One meeting in one run, from its mark to its saved base.

Decides nothing: it is the tray on which gathering, looking, planning, writing and saving hand the meeting on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from calsync_plugin.crm.gateway import Record
from calsync_plugin.crm.records import RecordView
from calsync_plugin.domain.links import Copy, CopyState, Link
from calsync_plugin.domain.meeting import Field, Meeting, Response
from calsync_plugin.domain.operations import CreateEvent, Operation, RecordClash
from calsync_plugin.domain.planner import Ours, Theirs
from calsync_plugin.domain.policy import Policy
from calsync_plugin.engine.busy_news import BusyNews
from calsync_plugin.engine.roster import Member
from calsync_plugin.errors import ItemError, RemoteError
from calsync_plugin.graph.events import EventView
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import ChangeKey


class ItemState(StrEnum):
    """How far an item has come in this run."""

    OPEN = "open"
    DONE = "done"
    PARKED = "parked"
    RETRY = "retry"
    CONTESTED = "contested"
    """Another run was faster; the mark stays and the item is gathered anew."""


@dataclass(slots=True, kw_only=True)
class Item:
    """The working state of one meeting in one run of one mailbox."""

    key: ChangeKey
    """Its marks; without a record id while the record is still to be created."""
    mailbox_id: int
    entity: EntitySettings
    runner: Member
    """Whose mailbox is run."""
    member: Member
    """Whose account shapes the plan: the assignee's if it takes the record, else the home's."""
    policy: Policy
    link: Link | None
    ours: Ours
    theirs: Theirs
    event_id: str = ""
    """The event that brought the item into this run; empty if a record's mark did."""
    event_marks: tuple[int, ...] = ()
    """The marks of that event."""
    event_attempts: int = 0
    """How often that event was tried before."""
    proposed: Link | None = None
    """The link that a plan makes which imports or adopts the event."""
    begun_before: bool = False
    """An earlier run began to create the record and did not learn what became of it."""
    owner_id: str = ""
    """The user to whom a new record is assigned."""
    passes_to: str = ""
    """The user to whom the record passes, because its own was taken off the meeting; empty: it stays."""
    record: Record | None = None
    """The record as the CRM gave it, for the journal."""
    series_id: str = ""
    """The series whose reading brought the item; empty if something else did."""
    series_read: bool = False
    """Whether the event's series was read as a whole, so that a date which is not there is gone (R13)."""
    series_to_read: str = ""
    """The series to read first: a date of it is not where it was, and may go on as another event."""
    lost_copy: Copy | None = None
    """The mailbox owner's copy of somebody's meeting, if it turned out to be gone."""
    answered: Response | None = None
    """The answer that was given through the mailbox owner's own copy in this run."""
    runner_main: str = ""
    """The id of the calendar that this mailbox's records go into; empty if it is not known."""
    scope: frozenset[str] = frozenset()
    """The calendars of this mailbox that are read; none: not known."""
    former: Member | None = None
    """Whose mailbox holds the home copy, if that is not the mailbox of this run."""
    former_asked: bool = False
    """Whether the event was looked for in that mailbox in this run."""
    view: RecordView | None = None
    plan: tuple[Operation, ...] = ()
    state: ItemState = ItemState.OPEN
    problem: ItemError | None = None
    retry_after: float | None = None
    error: str = ""
    elsewhere: set[int] = field(default_factory=set)
    """Other mailboxes that this item's marks concern as well."""
    seen: dict[str, EventView | None] = field(default_factory=dict)
    """Events read in this run by id; None: it is gone."""
    raw: dict[str, JsonObject] = field(default_factory=dict)
    """The same as the service gave them, for the journal."""
    must_see: set[str] = field(default_factory=set)
    """Events that moved on or whose fate is unknown: to be read before anything else."""
    looked_up: bool = False
    """Whether the outcome of a begun create was looked up in this run."""
    unknown: int = 0
    """How often in this run no readable answer came."""
    again: bool = False
    """To be looked at, planned and written once more in this run."""
    halt: RemoteError | None = None
    """An error that concerns the whole mailbox."""
    held: str = ""
    """The kind of operation that the breaker took out of the plan."""
    released: bool = False
    """Something of it was held before and is no longer to be."""
    counting: set[str] = field(default_factory=set)
    """Kinds of operations of the plan that count for the breaker if they are carried out."""
    counted: set[str] = field(default_factory=set)
    """Kinds of operations that were carried out and count for the breaker."""
    wrote: bool = False
    writes: list[tuple[str, str]] = field(default_factory=list)
    """What was written in this run: side (`outlook`, `crm`) and kind (`create`, `update`, ...)."""
    known_at: float = 0.0
    """When a hint said that the event may have changed (epoch seconds); 0: nothing did."""
    planned: tuple[Meeting | None, Meeting | None] = (None, None)
    """Both sides as the plan saw them: the record's meeting and the event's (None: as in its base)."""
    settled: set[Field] = field(default_factory=set)
    """Fields whose operations were carried out."""
    taken_in: set[Field] = field(default_factory=set)
    """Fields that the record was given."""
    unseen: set[Field] = field(default_factory=set)
    """Other fields that somebody saved in the record between our reading and our writing it."""
    created: CreateEvent | None = None
    """The create that was carried out in this run."""
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """To be noted although nothing was written, unless the last note on the link says so already."""
    clashes: list[RecordClash] = field(default_factory=list)
    masks_log: bool = False
    """What was noted of the meeting is to become unreadable (R14)."""
    dropped: bool = False
    """The link is to be removed from the store."""
    changed_link: bool = False
    stored: Link | None = None
    """The link as this run saved it last; None while it did not."""
    join_url: str = ""
    """A Teams address that the record should hold."""
    busy: list[BusyNews] = field(default_factory=list)
    """What this run's writes mean for when the mailbox's user is busy, until it is saved."""

    @property
    def name(self) -> str:
        """How people and logs name the item."""
        if self.key.record_id:
            return f"{self.key.entity_type} {self.key.record_id}"
        return f"{self.key.entity_type} of event {self.event_id[-12:]}"

    @property
    def here(self) -> tuple[Copy, ...]:
        """The link's copies in the mailbox of this run."""
        copies = self.link.copies if self.link else ()
        return tuple(c for c in copies if c.mailbox_id == self.mailbox_id)

    @property
    def unresolved(self) -> tuple[Copy, ...]:
        """Copies here whose create was begun and never confirmed."""
        return tuple(c for c in self.here if c.state is CopyState.INTENDED)

    @property
    def home_here(self) -> Copy | None:
        """The home copy, if it lies in the mailbox of this run."""
        home = self.link.home if self.link else None
        return home if home and home.mailbox_id == self.mailbox_id else None
