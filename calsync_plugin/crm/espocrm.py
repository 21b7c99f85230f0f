"""EspoCRM as a CRM gateway: bulk reads, confirmed absence, writes with optimistic concurrency.

Decides which questions answer what the engine asks, above all when a record counts as gone. Does not
translate records; what an answer means stands in `protocol`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from calsync_plugin.crm.client import EspoClient, Row
from calsync_plugin.crm.gateway import (
    Loaded,
    Missing,
    ModifiedPage,
    ModifiedRecord,
    PersonCard,
    Record,
    loaded,
)
from calsync_plugin.crm.records import attributes_read
from calsync_plugin.crm.spans import parse_instant, wire_instant
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import Forbidden, NotFound, Transient, Unavailable, UnknownOutcome
from calsync_plugin.settings import CrmSettings, EntitySettings

ENTITY_OF_KIND = {PersonKind.USER: "User", PersonKind.CONTACT: "Contact", PersonKind.LEAD: "Lead"}

# Lists cut long texts (EspoCRM's maxSelectTextAttributeLengthForList): at 10,000 characters, once at 5,000.
CUT_LENGTH = 5_000


class EspoGateway:
    """The gateway over EspoCRM's REST interface."""

    def __init__(self, settings: CrmSettings, client: EspoClient) -> None:
        """Keep the client; nothing is sent yet."""
        self._settings = settings
        self._client = client

    def now(self) -> datetime:
        """The server's clock, as its answers tell it."""
        return self._client.now()

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
        entity = self._settings.entity(entity_type) or EntitySettings(entity_type=entity_type)
        rows = self._client.rows_in(entity_type, "id", ids, select=attributes_read(entity))
        return {str(row.get("id")): loaded(row) for row in rows if not _is_cut(row)}

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
        return {card.id: card for card in self._cards(kind, "id", ids)}

    def people_by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:
        """Find users first, then contacts, then leads, by any of their addresses in any case."""
        wanted = {address.strip().lower() for address in addresses} - {""}
        found: dict[str, Person] = {}
        for kind in ENTITY_OF_KIND:
            unknown = wanted - found.keys()
            if unknown:
                found.update(self._by_primary(kind, unknown))
                found.update(self._by_any(kind, unknown - found.keys()))
        return found

    def _by_primary(self, kind: PersonKind, wanted: set[str]) -> dict[str, Person]:
        found: dict[str, Person] = {}
        for card in self._holders(kind, wanted):
            for address in {a.lower() for a in card.addresses} & wanted:
                found.setdefault(address, Person(kind, card.id))
        return found

    def _by_any(self, kind: PersonKind, wanted: set[str]) -> dict[str, Person]:
        # A list shows the primary address only; which one matched stands in the record itself.
        found: dict[str, Person] = {}
        for card in self._holders(kind, wanted):
            try:
                person = self._client.get(ENTITY_OF_KIND[kind], record_id=card.id)
            except (NotFound, Forbidden):
                continue
            for address in {a.lower() for a in _card(person).addresses} & wanted:
                found.setdefault(address, Person(kind, card.id))
        return found

    def _holders(self, kind: PersonKind, addresses: set[str]) -> list[PersonCard]:
        # The oldest first, so that of two contacts with one address always the same is taken.
        cards = self._cards(kind, "emailAddress", sorted(addresses), order_by="createdAt")
        return [card for card in cards if card.active]

    def _cards(
        self, kind: PersonKind, attribute: str, values: Collection[str], *, order_by: str = "id"
    ) -> list[PersonCard]:
        rows = self._client.rows_in(
            ENTITY_OF_KIND[kind], attribute, values, select=_PERSON_ATTRIBUTES[kind], order_by=order_by
        )
        try:
            return [_card(row) for row in rows]
        except Forbidden:
            # Without access to leads, say, meetings are synced all the same; `access` tells of it at start.
            return []

    def modified_since(
        self, entity_type: str, moment: datetime, *, limit: int = 200, offset: int = 0
    ) -> ModifiedPage:
        """List what was saved at `moment` or later. Links and answers of attendees do not count as saves."""
        since = {"type": "greaterThanOrEquals", "attribute": "modifiedAt", "value": wire_instant(moment)}
        rows, more = self._client.page(
            entity_type,
            where=[since],
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
        self._client.call(
            "PUT",
            entity_type,
            record_id=record_id,
            payload=attributes,
            headers=None if version is None else {"X-Version-Number": str(version)},
        )

    def create(self, entity_type: str, attributes: Record) -> str:
        """POST a record. EspoCRM sends no invitations for it."""
        created = self._client.call("POST", entity_type, payload=attributes)
        record_id = created.get("id") if isinstance(created, Mapping) else None
        if not isinstance(record_id, str) or not record_id:
            raise UnknownOutcome(f"the CRM's answer to the new {entity_type} names no id")
        return record_id

    def delete(self, entity_type: str, record_id: str) -> None:
        """DELETE a record."""
        self._client.call("DELETE", entity_type, record_id=record_id)

    def find_by_marker(self, entity_type: str, attribute: str, value: str) -> str | None:
        """Look a marker up; with several records the oldest counts."""
        where = {"type": "equals", "attribute": attribute, "value": value}
        rows, _ = self._client.page(entity_type, where=[where], select=("id",), order_by="createdAt", size=1)
        return str(rows[0]["id"]) if rows else None


_PERSON_ATTRIBUTES = {
    PersonKind.USER: ("id", "name", "emailAddress", "isActive"),
    PersonKind.CONTACT: ("id", "name", "emailAddress"),
    PersonKind.LEAD: ("id", "name", "emailAddress"),
}


def _denied(error: Forbidden) -> Missing:
    # Only a refusal for want of access puts a record out of scope; others say nothing of it.
    scope = Presence.OUT_OF_SCOPE if error.code == "no_access" else Presence.UNKNOWN
    return Missing(scope, str(error))


def _card(row: Row) -> PersonCard:
    addresses = [str(row["emailAddress"])] if row.get("emailAddress") else []
    further = row.get("emailAddressData")
    for entry in further if isinstance(further, list) else []:
        address = entry.get("emailAddress") if isinstance(entry, Mapping) else None
        if isinstance(address, str) and address not in addresses:
            addresses.append(address)
    return PersonCard(
        id=str(row.get("id")),
        name=str(row.get("name") or ""),
        addresses=tuple(addresses),
        active=row.get("isActive") is not False,
    )


def _modified(row: Row) -> ModifiedRecord:
    # A record that never says when it was modified sorts first and is looked at once, in the first sweep.
    at = parse_instant(row.get("modifiedAt")) or datetime.min.replace(tzinfo=UTC)
    return ModifiedRecord(str(row.get("id")), at, str(row.get("assignedUserId") or ""))


def _is_cut(row: Row) -> bool:
    return any(isinstance(value, str) and len(value) >= CUT_LENGTH for value in row.values())
