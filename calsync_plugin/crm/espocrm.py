"""EspoCRM as a CRM gateway: bulk reads, confirmed absence, writes with optimistic concurrency.

Decides which questions answer what the engine asks, above all when a record counts as gone. Does not
translate records; what an answer means stands in `protocol`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from calsync_plugin.crm.client import EspoClient, Row, Where
from calsync_plugin.crm.espo_staff import EspoStaff
from calsync_plugin.crm.gateway import (
    Found,
    Loaded,
    Missing,
    ModifiedPage,
    ModifiedRecord,
    PersonCard,
    Record,
    loaded,
)
from calsync_plugin.crm.people import EspoPeople, created_id
from calsync_plugin.crm.records import attributes_read
from calsync_plugin.crm.searches import (
    LIKENESS,
    alike,
    beginning,
    equals,
    not_before,
    overlapping,
    overlaps,
)
from calsync_plugin.crm.spans import parse_instant
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import (
    ConfigurationError,
    Forbidden,
    NotFound,
    RemoteError,
    Transient,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.settings import CrmSettings, EntitySettings

# Lists cut long texts (EspoCRM's maxSelectTextAttributeLengthForList): at 10,000 characters, once at 5,000.
CUT_LENGTH = 5_000

UID_REFUSED_SECONDS = 600.0
"""How long a refusal to be asked for `uid` is believed: a role changes seldom."""


class EspoGateway:
    """The gateway over EspoCRM's REST interface."""

    def __init__(
        self,
        settings: CrmSettings,
        client: EspoClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the client; nothing is sent yet. `clock` counts the seconds that a refusal is believed."""
        self._settings = settings
        self._client = client
        self._clock = clock
        self._people = EspoPeople(client)
        self._staff = EspoStaff(client)
        self._uid_refused_until: dict[str, float] = {}
        self._has_answered = False

    @property
    def staff(self) -> EspoStaff:
        """The CRM's users, their teams and roles."""
        return self._staff

    def now(self) -> datetime:
        """The server's clock, as its answers tell it; this machine's while the server does not answer."""
        if not self._has_answered:
            # A clock that is behind ours would make what is saved there now look old.
            try:
                self._client.page(self._any_entity, where=[], select=("id",), order_by="id", size=1)
                self._has_answered = True
            except RemoteError as error:
                self._has_answered = error.status is not None
        return self._client.now()

    @property
    def _any_entity(self) -> str:
        return next((entity.entity_type for entity in self._settings.entities), "Meeting")

    def load(self, entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """Read records: a list for many, and a GET for each that the list does not show or cuts.

        Lists never show removed records, nor those we may not read: only the answer to a GET tells which.
        """
        wanted = list(dict.fromkeys(ids))
        answers: dict[str, Loaded] = {}
        if len(wanted) > 1:
            try:
                answers.update(self._listed(entity_type, wanted))
            except Forbidden as error:
                return dict.fromkeys(wanted, _denied(error))
            except Unavailable as error:
                if error.status != 404:
                    raise
                return dict.fromkeys(wanted, Missing(Presence.UNKNOWN, str(error)))
        return {i: answers.get(i) or self._load_one(entity_type, i) for i in wanted}

    def _listed(self, entity_type: str, ids: list[str]) -> dict[str, Loaded]:
        rows = self._client.rows_in(entity_type, "id", ids, select=attributes_read(self._entity(entity_type)))
        return {str(row.get("id")): loaded(row) for row in rows if not _is_cut(row)}

    def _entity(self, entity_type: str) -> EntitySettings:
        return self._settings.entity(entity_type) or EntitySettings(entity_type=entity_type)

    def _load_one(self, entity_type: str, record_id: str) -> Loaded:
        try:
            record = self._client.get(entity_type, record_id=record_id)
        except NotFound as error:
            return Missing(Presence.GONE, str(error))
        except Forbidden as error:
            return _denied(error)
        except Transient as error:
            # 404 and 500 can be this one record's trouble; the others of this load go on.
            if error.status not in {404, 500}:
                raise
            return Missing(Presence.UNKNOWN, str(error))
        if record.get("id") != record_id:
            return Missing(
                Presence.UNKNOWN, f"the CRM answered another record than {entity_type} {record_id}"
            )
        return loaded(record)

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        """Read names and primary addresses; lists do not tell the further ones."""
        return self._people.cards(kind, ids)

    def people_by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:
        """Find users first, then contacts, then leads, by any of their addresses in any case."""
        return self._people.by_address(addresses)

    def create_contact(self, address: str, name: str) -> Person:
        """POST a contact; EspoCRM's search for duplicates tells if somebody has the address by now."""
        return self._people.create_contact(address, name)

    def records_of(self, entity_type: str, user_id: str, start: datetime, end: datetime) -> Iterator[Record]:
        """List the records of a window by their start, and GET each that a list cuts."""
        all_day = self._entity(entity_type).all_day
        where = [equals("assignedUserId", user_id), *overlapping(start, end, all_day=all_day)]
        return self._by_start(entity_type, where, lambda row: overlaps(row, start, end))

    def starting(self, entity_type: str, start: datetime, end: datetime) -> Iterator[Record]:
        """List what begins then, by its start, and GET each record that a list cuts."""
        return self._by_start(entity_type, beginning(start, end), lambda _: True)

    def _by_start(
        self, entity_type: str, where: Sequence[Where], wanted: Callable[[Row], bool]
    ) -> Iterator[Record]:
        select = attributes_read(self._entity(entity_type))
        try:
            for row in self._client.walk(entity_type, where=where, select=select, along="dateStart"):
                if wanted(row):
                    answer = self._load_one(entity_type, str(row.get("id"))) if _is_cut(row) else loaded(row)
                    if isinstance(answer, Found):
                        yield answer.record
        except Forbidden as error:
            # One entity that is out of our scope must not keep the others from being read.
            if error.code != "no_access":
                raise

    def modified_since(
        self, entity_type: str, moment: datetime, *, limit: int = 200, offset: int = 0
    ) -> ModifiedPage:
        """List what was saved at `moment` or later. Links and answers of attendees do not count as saves."""
        rows, more = self._client.page(
            entity_type,
            where=[not_before("modifiedAt", moment)],
            select=("id", "modifiedAt", "assignedUserId"),
            order_by="modifiedAt",
            size=limit,
            offset=offset,
        )
        return ModifiedPage(tuple(_modified(row) for row in rows), more)

    def update(
        self, entity_type: str, record_id: str, attributes: Record, *, version: int | None = None
    ) -> None:
        """PUT a partial record; a `version` is compared only if the entity has optimistic concurrency."""
        answer = self._client.call(
            "PUT",
            entity_type,
            record_id=record_id,
            payload=attributes,
            headers=None if version is None else {"X-Version-Number": str(version)},
        )
        if created_id(answer, entity_type) != record_id:
            raise UnknownOutcome(f"the CRM answered another record than {entity_type} {record_id}")

    def create(self, entity_type: str, attributes: Record) -> str:
        """POST a record. EspoCRM sends no invitations for it."""
        return created_id(self._client.call("POST", entity_type, payload=attributes), entity_type)

    def delete(self, entity_type: str, record_id: str) -> None:
        """DELETE a record; EspoCRM answers `true`, anything else is not its answer."""
        if self._client.call("DELETE", entity_type, record_id=record_id) is not True:
            raise UnknownOutcome(f"the CRM's answer does not say that {entity_type} {record_id} was removed")

    def find_by_marker(self, entity_type: str, attribute: str, value: str) -> str | None:
        """Look a marker up; with several records the oldest counts."""
        rows, _ = self._client.page(
            entity_type, where=[equals(attribute, value)], select=("id",), order_by="createdAt", size=1
        )
        return str(rows[0]["id"]) if rows else None

    def find_created(self, entity_type: str, attributes: Record, since: datetime) -> str | None:
        """List what this user got since then, and compare here: MariaDB knows neither case nor accents."""
        where = [equals("assignedUserId", attributes.get("assignedUserId")), not_before("createdAt", since)]
        rows = self._client.rows(entity_type, where=where, select=LIKENESS, order_by="createdAt")
        all_day = self._entity(entity_type).all_day
        found = [str(row.get("id")) for row in rows if alike(row, attributes, all_day=all_day)]
        return found[-1] if found else None

    def find_by_uid(self, entity_type: str, uids: Collection[str]) -> Mapping[str, str]:
        """Find the oldest record of each uid; nothing where our role, or the entity, has no `uid`.

        Without the right to read it, EspoCRM refuses the question. It is asked again after a while.
        """
        if self._clock() < self._uid_refused_until.get(entity_type, float("-inf")):
            return {}
        rows = self._client.rows_in(entity_type, "uid", uids, select=("id", "uid"), order_by="createdAt")
        found: dict[str, str] = {}
        try:
            for row in rows:
                found.setdefault(str(row.get("uid")), str(row.get("id")))
        except (Forbidden, ConfigurationError):
            self._uid_refused_until[entity_type] = self._clock() + UID_REFUSED_SECONDS
            return {}
        return {uid: found[uid] for uid in uids if uid in found}


def _denied(error: Forbidden) -> Missing:
    # Only a refusal for want of access puts a record out of scope; others say nothing of it.
    scope = Presence.OUT_OF_SCOPE if error.code == "no_access" else Presence.UNKNOWN
    return Missing(scope, str(error))


def _modified(row: Row) -> ModifiedRecord:
    # A record that never says when it was modified sorts first and is looked at once, in the first sweep.
    at = parse_instant(row.get("modifiedAt")) or datetime.min.replace(tzinfo=UTC)
    return ModifiedRecord(str(row.get("id")), at, str(row.get("assignedUserId") or ""))


def _is_cut(row: Row) -> bool:
    return any(isinstance(value, str) and len(value) >= CUT_LENGTH for value in row.values())
