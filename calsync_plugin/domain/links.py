"""A link: one logical meeting, its record, its events and what both looked like at the last success.

Decides what a link is made of and which states exist. Does not decide transitions (`planner`) nor storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from calsync_plugin.domain.meeting import Field, Meeting, NormalForm, Response, same_value


class LinkState(StrEnum):
    """`active` is followed; `suspended` waits for a reason to end; `detached` only ends by a person."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DETACHED = "detached"


class Origin(StrEnum):
    """The side on which the meeting was born."""

    CRM = "crm"
    OUTLOOK = "outlook"
    ADOPTED = "adopted"
    """Both existed before and were matched (R21): neither side may take the other away by itself."""


class Role(StrEnum):
    """What the home copy's mailbox is in the meeting (section on authority)."""

    ORGANIZER = "organizer"
    ATTENDEE = "attendee"


class Presence(StrEnum):
    """What is known of one side. Only `gone` may delete anything; a tombstone alone is not `gone`."""

    PRESENT = "present"
    GONE = "gone"
    OUT_OF_SCOPE = "out_of_scope"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    """There never was one: a link without a record, a record without an event."""


class CopyPurpose(StrEnum):
    """What an event in a mailbox is for its link."""

    HOME = "home"
    ATTENDEE = "attendee"
    LEAVING = "leaving"
    """A former home after a reassignment, to be deleted once the new home is confirmed (R2)."""


class CopyState(StrEnum):
    """`intended`: a create was begun and its outcome is not known yet."""

    INTENDED = "intended"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One event of a link in one mailbox. Event ids are compared byte for byte."""

    mailbox_id: int
    purpose: CopyPurpose
    state: CopyState
    transaction_id: str = ""
    event_id: str = ""
    calendar_id: str = ""
    """Empty: the mailbox's main calendar at the time of writing."""
    ical_uid: str = ""
    etag: str = ""
    series_id: str = ""
    """The id of its series master in that mailbox; empty for an event that belongs to no series."""
    response: Response = Response.NONE
    """The mailbox owner's own answer at the last success, where the owner is invited (R3)."""


@dataclass(frozen=True, slots=True)
class Base:
    """One side's normal form at the last success, with its cheap filter (etag, modifiedAt)."""

    values: NormalForm
    version: str = ""
    label: str = ""
    """The label that stands before the event's subject: the settings may have changed since (R4)."""
    organizer: str = ""
    """The address of the event's organizer; empty if nobody saw it. Never leaves the store (R14)."""

    def changed(self, now: Meeting, fields: frozenset[Field]) -> frozenset[Field]:
        """The fields of `fields` in which `now` differs from this base.

        A field that the base does not know entered the carried set later; it counts as unchanged, because
        it is re-based from the present without a write.
        """
        normal = now.normal_form(fields & self.values.keys())
        return frozenset(f for f, value in normal.items() if not same_value(f, value, self.values[f]))

    def after(
        self, seen: Meeting, now: Meeting, fields: frozenset[Field], settled: frozenset[Field], version: str
    ) -> Base:
        """This side once a whole plan is carried out.

        `seen` is what the plan was made from, `now` what the side says afterwards (the same if nothing was
        written to it), `fields` are carried, `settled` are those that the plan's operations name. What had
        changed and is not settled stays a change: it waits, or it is an edit that nothing carries. All else
        follows `now`, side effects of our own write included.
        """
        waiting = self.changed(seen, fields) - settled
        values = now.normal_form(fields - waiting)
        return Base({**values, **{name: self.values[name] for name in waiting}}, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One logical meeting. `version` is for compare-and-swap; 0 means it is not stored yet."""

    id: str
    entity_type: str
    record_id: str
    """Empty while the record is still to be created."""
    state: LinkState = LinkState.ACTIVE
    origin: Origin = Origin.CRM
    role: Role = Role.ORGANIZER
    generation: int = 1
    copies: tuple[Copy, ...] = ()
    crm_base: Base | None = None
    outlook_base: Base | None = None
    series_ical_uid: str = ""
    original_start: datetime | None = None
    """UTC, only for an occurrence of a series (R13)."""
    reason: str = ""
    """Why it is suspended or detached, in words."""
    version: int = 0

    @property
    def home(self) -> Copy | None:
        """The one copy through which content flows."""
        return next((c for c in self.copies if c.purpose is CopyPurpose.HOME), None)

    @property
    def leaving(self) -> tuple[Copy, ...]:
        """Former homes that are still to be deleted."""
        return tuple(c for c in self.copies if c.purpose is CopyPurpose.LEAVING)

    def copy_in(self, mailbox_id: int) -> Copy | None:
        """The copy that lies in `mailbox_id`, whatever its purpose; home first."""
        found = [c for c in self.copies if c.mailbox_id == mailbox_id]
        return min(found, key=lambda c: list(CopyPurpose).index(c.purpose), default=None)


def transaction_id(installation_id: str, link_id: str, generation: int) -> str:
    """The idempotency key of a create: the same for every repeat, another for each new generation.

    Graph docs, event resource: transactionId is set at creation only and never changes.
    """
    return str(uuid5(NAMESPACE_URL, f"calsync:{installation_id}:{link_id}:{generation}"))


def marker(installation_id: str, link_id: str) -> str:
    """The value of the marker: names the installation and the link (R21)."""
    return f"{installation_id}:{link_id}"


def link_of_marker(value: str, installation_id: str) -> str | None:
    """The link id in a marker of this installation; None for a foreign or unreadable one."""
    owner, _, link_id = value.partition(":")
    if owner != installation_id:
        return None
    try:
        return str(UUID(link_id))
    except ValueError:
        return None
