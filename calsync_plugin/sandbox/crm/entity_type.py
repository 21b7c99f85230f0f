"""What the simulator knows of one entity type: a value, without any rule about records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Definition = Mapping[str, Any]
PLAIN_FIELD: Definition = {"type": "varchar", "maxLength": 255}


@dataclass(frozen=True, slots=True)
class EntityType:
    """What the simulator knows of one entity type."""

    name: str
    attributes: tuple[str, ...]
    writable: frozenset[str]
    defaults: dict[str, object] = field(default_factory=dict)
    # links to one record: link name -> entity type ("" where the simulator keeps no such records)
    belongs_to: dict[str, str] = field(default_factory=dict)
    # names that a create answer holds as null although nothing was set
    null_names: tuple[str, ...] = ()
    required: tuple[str, ...] = ("name",)
    # attributes that neither a list nor a select of it brings
    detail_only: frozenset[str] = frozenset()
    companions: tuple[str, ...] = ()
    order_by: str = "createdAt"
    descending: bool = True
    sorted_attributes: tuple[str, ...] = ("modifiedAt", "createdAt")
    hashed_attributes: tuple[str, ...] = ("name", "assignedUserId")
    custom_fields: tuple[str, ...] = ()
    # what an administrator said of a custom field: type, maxLength, index, label
    definitions: dict[str, Definition] = field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        """True for the types that lie in a calendar."""
        return "dateStart" in self.attributes

    @property
    def has_all_day(self) -> bool:
        """True if the dates may be whole days (a Call's may not)."""
        return "dateStartDate" in self.attributes

    @property
    def is_person(self) -> bool:
        """True if records have e-mail addresses."""
        return "emailAddressData" in self.attributes

    @property
    def is_custom(self) -> bool:
        """True for a type that an administrator made."""
        return self.name == "Visit"

    def longest(self, name: str, otherwise: int) -> int:
        """How many characters an attribute takes; `otherwise` for one that is no custom field."""
        return int(self.definitions.get(name, {}).get("maxLength") or otherwise)

    def with_custom_field(self, name: str, definition: Definition = PLAIN_FIELD) -> EntityType:
        """The same type with one more field, filterable and writable; or with another definition of it."""
        definitions = {**self.definitions, name: definition}
        if name in self.custom_fields:
            return replace(self, definitions=definitions)
        place = self.attributes.index("modifiedAt") + 1 + len(self.custom_fields)
        return replace(
            self,
            attributes=(*self.attributes[:place], name, *self.attributes[place:]),
            writable=self.writable | {name},
            hashed_attributes=(*self.hashed_attributes, name),
            custom_fields=(*self.custom_fields, name),
            definitions=definitions,
        )

    def without_custom_field(self, name: str) -> EntityType:
        """The same type without a field; what records hold in it is no longer shown."""
        return replace(
            self,
            attributes=tuple(one for one in self.attributes if one != name),
            writable=self.writable - {name},
            hashed_attributes=tuple(one for one in self.hashed_attributes if one != name),
            custom_fields=tuple(one for one in self.custom_fields if one != name),
            definitions={one: known for one, known in self.definitions.items() if one != name},
        )

    def with_version_number(self, on: bool) -> EntityType:
        """The same type with optimistic concurrency control switched on or off."""
        kept = tuple(name for name in self.attributes if name != "versionNumber")
        return replace(self, attributes=(*kept, "versionNumber") if on else kept)
