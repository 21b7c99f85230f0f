"""What calsync needs of a CRM: records in and out in the record dialect, people, a clock.

Decides the questions that may be asked and which answers there are; above all that only a confirmed removal
is `gone`. Does not translate (`records`, `attributes`) and knows no transport (`espocrm`).

The record dialect is EspoCRM's: `id`, `name`, `dateStart` and `dateEnd` in UTC, `assignedUserId`, `usersIds`
with `usersColumns`, ... A record may be partial when it comes with a hook; one that is loaded is whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from calsync_plugin.crm.staff import NoStaff, Staff
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import CalsyncError, Refused

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    """The record is there and we may read it."""

    record: Record


@dataclass(frozen=True, slots=True)
class Missing:
    """No record to work with. `presence` is GONE (confirmed), OUT_OF_SCOPE or UNKNOWN; `reason` is shown."""

    presence: Presence
    reason: str


Loaded = Found | Missing


def loaded(record: Record) -> Loaded:
    """What a record that was read means: an administrator also gets removed ones, marked `deleted`."""
    if record.get("deleted") is True:
        return Missing(Presence.GONE, "the record is marked as deleted")
    return Found(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCard:
    """What is known of a user, contact or lead. Addresses are as the CRM writes them, the primary first."""

    id: str
    name: str = ""
    addresses: tuple[str, ...] = ()
    active: bool = True
    """Whether records may be assigned to this user; contacts and leads are always active."""
    zone: str = ""
    """IANA name of the person's zone, empty if the CRM does not tell."""


@dataclass(frozen=True, slots=True)
class ModifiedRecord:
    """A line of the sweep: enough to know whom it concerns and whether it was seen."""

    id: str
    modified_at: datetime
    assigned_user_id: str


@dataclass(frozen=True, slots=True)
class ModifiedPage:
    """Records in the order of their modification; `more`: there are others after these."""

    records: tuple[ModifiedRecord, ...]
    more: bool = False


class CrmGateway(Protocol):
    """One CRM. Every method may raise a `RemoteError`; times are aware and in UTC."""

    @property
    def staff(self) -> Staff:
        """Its users, their teams and roles."""
        ...

    def load(self, entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """Read records in bulk; every id of `ids` gets an answer."""
        ...

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        """Read people in bulk, by id; who is not known or not readable is left out."""
        ...

    def people_by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:
        """Find people by any of their addresses in any case: user, then contact, then lead (R7).

        The keys are the addresses in lower case; unknown ones are left out. A user who is not active is
        nobody: no record could be assigned to that user.
        """
        ...

    def create_contact(self, address: str, name: str) -> Person:
        """Create a contact for an address that nobody has, and return who has it now.

        Safe to repeat after `UnknownOutcome`. Refused if the CRM wants more of a contact than this.
        """
        ...

    def records_of(self, entity_type: str, user_id: str, start: datetime, end: datetime) -> Iterator[Record]:
        """Go through the whole records assigned to a user that overlap a window, by their start.

        All-day records count with a day's margin: in which zone their days lie is the reader's matter. An
        entity that we may not read has none.
        """
        ...

    def starting(self, entity_type: str, start: datetime, end: datetime) -> Iterator[Record]:
        """Go through the whole records of anybody that begin from `start` on and before `end`, in order.

        For what a CRM changes without saving a record. Pages are asked for as they are needed. An entity that
        we may not read has none.
        """
        ...

    def modified_since(
        self, entity_type: str, moment: datetime, *, limit: int = 200, offset: int = 0
    ) -> ModifiedPage:
        """List records modified at `moment` or later, by the CRM's own clock, oldest first."""
        ...

    def update(
        self, entity_type: str, record_id: str, attributes: Record, *, version: int | None = None
    ) -> None:
        """Write `attributes`. With a `version`, raise VersionConflict if the record was saved meanwhile."""
        ...

    def create(self, entity_type: str, attributes: Record) -> str:
        """Create a record and return its id.

        After `UnknownOutcome` look it up with `find_by_marker`, or with `find_created` where the entity has
        no marker, before trying again: a CRM has no idempotency key.
        """
        ...

    def delete(self, entity_type: str, record_id: str) -> None:
        """Remove a record; NotFound if it is gone already."""
        ...

    def find_by_marker(self, entity_type: str, attribute: str, value: str) -> str | None:
        """Return the id of the record whose `attribute` holds `value`, None if there is none."""
        ...

    def find_created(self, entity_type: str, attributes: Record, since: datetime) -> str | None:
        """Return the id of the newest record created since `since` (by `now`) as `attributes` say, or None.

        Alike are name, start, end and assigned user. Two meetings can be alike: what another link holds is
        not the one that is looked for.
        """
        ...

    def find_by_uid(self, entity_type: str, uids: Collection[str]) -> Mapping[str, str]:
        """Find records by the CRM's own iCalendar uid: their ids by uid, none where it cannot be read."""
        ...

    def now(self) -> datetime:
        """Tell the time of the CRM's own clock, in UTC; only to ask `modified_since` and `find_created`."""
        ...


class SimpleGateway:
    """A start for CRMs in process: `load`, `people` and `update` are all that a push needs.

    What is not overridden is either harmless (nothing found) or refused in words.
    """

    @property
    def staff(self) -> Staff:
        """Nobody: grants are given to single users, or named by `calsync_grants`."""
        return NoStaff()

    def people_by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:  # noqa: ARG002
        """Nobody is found by address: attendees who are unknown to the CRM stay in Outlook."""
        return {}

    def create_contact(self, address: str, name: str) -> Person:  # noqa: ARG002
        """Refuse: this CRM makes no contacts of attendees."""
        raise Refused("this CRM's gateway has no `create_contact`; implement it or switch the setting off")

    def records_of(
        self,
        entity_type: str,  # noqa: ARG002
        user_id: str,  # noqa: ARG002
        start: datetime,  # noqa: ARG002
        end: datetime,  # noqa: ARG002
    ) -> Iterator[Record]:
        """List nothing: no record is matched with an event that is there already."""
        return iter(())

    def starting(
        self,
        entity_type: str,  # noqa: ARG002
        start: datetime,  # noqa: ARG002
        end: datetime,  # noqa: ARG002
    ) -> Iterator[Record]:
        """List nothing: this CRM's hooks report every change."""
        return iter(())

    def modified_since(
        self,
        entity_type: str,  # noqa: ARG002
        moment: datetime,  # noqa: ARG002
        *,
        limit: int = 200,  # noqa: ARG002
        offset: int = 0,  # noqa: ARG002
    ) -> ModifiedPage:
        """No sweep: what the hooks report is all there is."""
        return ModifiedPage(())

    def create(self, entity_type: str, attributes: Record) -> str:  # noqa: ARG002
        """Refuse: this CRM takes no records from Outlook."""
        raise Refused("this CRM's gateway has no `create`; implement it or sync CRM to Outlook only")

    def delete(self, entity_type: str, record_id: str) -> None:
        """Refuse: this CRM lets no records be removed from Outlook."""
        raise Refused("this CRM's gateway has no `delete`", item=f"{entity_type} {record_id}")

    def find_by_marker(self, entity_type: str, attribute: str, value: str) -> str | None:  # noqa: ARG002
        """Find nothing; override it together with `create`."""
        return None

    def find_created(self, entity_type: str, attributes: Record, since: datetime) -> str | None:  # noqa: ARG002
        """Find nothing; override it together with `create` if records have no marker."""
        return None

    def find_by_uid(self, entity_type: str, uids: Collection[str]) -> Mapping[str, str]:  # noqa: ARG002
        """Find nothing: this CRM mails no invitations of its own."""
        return {}

    def now(self) -> datetime:
        """Take this machine's clock."""
        return datetime.now(UTC)


def modified_records(
    gateway: CrmGateway, entity_type: str, since: datetime, *, limit: int = 200
) -> Iterator[ModifiedRecord]:
    """Walk through all records modified at `since` or later, each once, oldest first.

    Pages begin at the last instant seen, not at an offset: a record that is saved during the walk moves to
    the end, and by offset the one behind it would be skipped. Within one second only the offset helps: there
    a page begins with the last record of the one before, and if it does not, the second is listed anew.
    """
    moment, offset = since, 0
    seen: set[ModifiedRecord] = set()
    last: ModifiedRecord | None = None
    while True:
        page = gateway.modified_since(entity_type, moment, limit=max(limit, 2), offset=offset)
        if offset and last not in page.records[:1]:
            offset = 0
            continue
        yield from (record for record in page.records if record not in seen)
        if not page.more:
            return
        if len(page.records) <= min(offset, 1):
            raise CalsyncError(f"the CRM lists no {entity_type} records but says that there are more")
        last = page.records[-1]
        seen = {record for record in seen.union(page.records) if record.modified_at == last.modified_at}
        if last.modified_at > moment:
            moment, offset = last.modified_at, 0
        else:
            offset += len(page.records) - 1
