"""EspoCRM's people: cards by id, who has an address, and a contact for one that nobody has.

Decides who counts as the holder of an address and how a new contact is named. Remembers nothing
(`directory`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from calsync_plugin.crm.client import EspoClient, Row
from calsync_plugin.crm.gateway import PersonCard
from calsync_plugin.domain.meeting import Person, PersonKind, fold_line
from calsync_plugin.errors import Forbidden, NotFound, Refused, UnknownOutcome

ENTITY_OF_KIND = {PersonKind.USER: "User", PersonKind.CONTACT: "Contact", PersonKind.LEAD: "Lead"}

_ATTRIBUTES = {
    PersonKind.USER: ("id", "name", "emailAddress", "isActive", "type"),
    PersonKind.CONTACT: ("id", "name", "emailAddress"),
    PersonKind.LEAD: ("id", "name", "emailAddress"),
}

# Users to whom no meeting can be assigned: programs, customers with a portal, the system itself.
_NO_COLLEAGUES = frozenset({"api", "portal", "system"})

# Length of a contact's first and last name, and what neither may hold (EspoCRM's metadata).
PART_LENGTH = 100
_BAD_CHARACTERS = str.maketrans(dict.fromkeys("<>=", " "))


class EspoPeople:
    """Users, contacts and leads of one EspoCRM."""

    def __init__(self, client: EspoClient) -> None:
        """Keep the client; nothing is sent yet."""
        self._client = client

    def cards(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        """Names and primary addresses by id; lists do not tell the further ones.

        A list shows users who are no longer active to administrators only (EspoCRM's source).
        """
        return {card.id: card for card in self._listed(kind, "id", ids)}

    def by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:
        """Users first, then contacts, then leads, by any of their addresses in any case; none inactive."""
        wanted = {address.strip().lower() for address in addresses} - {""}
        found: dict[str, Person] = {}
        for kind in ENTITY_OF_KIND:
            unknown = wanted - found.keys()
            holders = self._holders(kind, unknown) if unknown else []
            found |= _by_primary(kind, holders, unknown)
            if holders and unknown - found.keys():
                found |= self._by_any(kind, unknown - found.keys())
        return found

    def create_contact(self, address: str, name: str) -> Person:
        """POST a contact, unless EspoCRM's search for duplicates shows that somebody has the address by now.

        The search also finds another person of the same name: then the contact is wanted all the same.
        """
        values = contact_attributes(address, name)
        try:
            return self._posted(values, {})
        except Refused as error:
            if error.reason != "duplicate":
                raise
        holder = self.by_address([address]).get(address.strip().lower())
        return holder or self._posted(values, {"X-Skip-Duplicate-Check": "true"})

    def _posted(self, values: Mapping[str, object], headers: Mapping[str, str]) -> Person:
        created = self._client.call("POST", "Contact", payload=values, headers=headers)
        return Person(PersonKind.CONTACT, created_id(created, "Contact"))

    def _by_any(self, kind: PersonKind, wanted: set[str]) -> dict[str, Person]:
        # A list shows the primary address only; which one matched stands in the record itself. Asked only for
        # who is left, so that not everybody found before is read as well.
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
        cards = self._listed(kind, "emailAddress", sorted(addresses), order_by="createdAt")
        return [card for card in cards if card.active]

    def _listed(
        self, kind: PersonKind, attribute: str, values: Collection[str], *, order_by: str = "id"
    ) -> list[PersonCard]:
        rows = self._client.rows_in(
            ENTITY_OF_KIND[kind], attribute, values, select=_ATTRIBUTES[kind], order_by=order_by
        )
        try:
            return [_card(row) for row in rows]
        except Forbidden:
            # Without access to leads, say, meetings are synced all the same; `access` tells of it at start.
            return []


def _by_primary(kind: PersonKind, holders: list[PersonCard], wanted: set[str]) -> dict[str, Person]:
    found: dict[str, Person] = {}
    for card in holders:
        for address in {a.lower() for a in card.addresses} & wanted:
            found.setdefault(address, Person(kind, card.id))
    return found


def created_id(answer: object, entity_type: str) -> str:
    """Id in the answer to a write; UnknownOutcome if it names none: that is not the CRM's answer."""
    record_id = answer.get("id") if isinstance(answer, Mapping) else None
    if not isinstance(record_id, str) or not record_id:
        raise UnknownOutcome(f"the CRM's answer about the saved {entity_type} names no id")
    return record_id


def contact_attributes(address: str, name: str) -> Mapping[str, object]:
    """Attributes of a new contact: the address, and the name in two parts of which the last is required.

    Outlook writes names as "Dave Dunn" or "Dunn, Dave", in quotes now and then, and the address in place of
    a name that nobody gave.
    """
    address = address.strip()
    text = fold_line(name.translate(_BAD_CHARACTERS)).strip("'\" ,")
    if not text or "@" in text:
        first, last = "", address.partition("@")[0].translate(_BAD_CHARACTERS)
    elif "," in text:
        last, _, first = text.partition(",")
    else:
        first, _, last = text.rpartition(" ")
    parts = {"firstName": first, "lastName": last}
    cut = {key: part.strip()[:PART_LENGTH].rstrip() for key, part in parts.items()}
    return {"emailAddress": address} | {key: part for key, part in cut.items() if part}


def _card(row: Row) -> PersonCard:
    return PersonCard(
        id=str(row.get("id")),
        name=str(row.get("name") or ""),
        addresses=tuple(dict.fromkeys(_addresses(row))),
        active=row.get("isActive") is not False and row.get("type") not in _NO_COLLEAGUES,
    )


def _addresses(row: Row) -> Iterator[str]:
    if row.get("emailAddress"):
        yield str(row["emailAddress"])
    further = row.get("emailAddressData")
    for entry in further if isinstance(further, list) else []:
        address = entry.get("emailAddress") if isinstance(entry, Mapping) else None
        if isinstance(address, str) and address:
            yield address
