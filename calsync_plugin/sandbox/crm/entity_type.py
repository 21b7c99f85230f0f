"""What the simulator knows of one entity type: a value, without any rule about records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


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

    def with_custom_field(self, name: str) -> EntityType:
        """The same type with one more varchar field, filterable and writable."""
        place = self.attributes.index("modifiedAt") + 1 + len(self.custom_fields)
        return replace(
            self,
            attributes=(*self.attributes[:place], name, *self.attributes[place:]),
            writable=self.writable | {name},
            hashed_attributes=(*self.hashed_attributes, name),
            custom_fields=(*self.custom_fields, name),
        )

    def with_version_number(self, on: bool) -> EntityType:
        """The same type with optimistic concurrency control switched on or off."""
        kept = tuple(name for name in self.attributes if name != "versionNumber")
        return replace(self, attributes=(*kept, "versionNumber") if on else kept)
