"""What a save did, and the webhook payloads that follow from it.

The shapes are EspoCRM's (9.2.7, recorded): create has what was set, update what changed, with the id last;
`reminders` comes along with every update of an event; names of the modifier are missing after a mass update.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from calsync_plugin.sandbox.crm.access import Caller
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.tables import Record

# What a create webhook leaves out although the record has it.
_NOT_IN_CREATE = frozenset(
    (
        *("reminders", "phoneNumbersMap", "createdByName", "modifiedById", "modifiedByName"),
        *("teamsIds", "teamsNames", "teamsColumns", "followersIds", "followersNames"),
        *("emailAddressData", "phoneNumberData", "targetListIsOptedOut"),
        *("accountsIds", "accountsNames", "accountsColumns", "rolesIds", "rolesNames"),
        *("portalsIds", "portalsNames", "portalRolesIds", "portalRolesNames", "apiKey", "authMethod"),
        *("parentName", "accountName", "campaignName"),
    )
)
# What it shows even as null.
_NULL_IN_CREATE = frozenset({"joinUrl"})


@dataclass(frozen=True, slots=True)
class Change:
    """One saved creation, update or removal of a record."""

    kind: str  # create, update or delete
    entity: EntityType
    record_id: str
    by: Caller
    # the record in full as the payloads quote it: columns and names as EspoCRM has them in memory, not in its
    # database
    shown: Record = field(default_factory=dict)
    # attributes that were set (create) or that changed (update)
    touched: frozenset[str] = frozenset()
    mass: bool = False

    def payload(self) -> Record:
        """The element of the array that a create, update or delete webhook gets."""
        if self.kind == "delete":
            return {"id": self.record_id}
        return self._created() if self.kind == "create" else self._updated()

    def _created(self) -> Record:
        found: Record = {}
        for name in self.entity.attributes:
            explicit = name in self.touched or name in _NULL_IN_CREATE
            if name in self.shown and (
                explicit or (self.shown[name] is not None and name not in _NOT_IN_CREATE)
            ):
                found[name] = self.shown[name]
        for link in ATTENDEES if self.entity.is_event else ():
            for part in ("Ids", "Names", "Columns"):
                if f"{link}{part}" not in self.touched:
                    found.pop(f"{link}{part}", None)
        return found

    def _updated(self) -> Record:
        names = self._with_companions()
        found = {
            name: self.shown.get(name) for name in self.entity.attributes if name in names and name != "id"
        }
        found["id"] = self.record_id
        return found

    def _with_companions(self) -> set[str]:
        names = set(self.touched) - {"modifiedAt", "streamUpdatedAt", "versionNumber"}
        for name in self.touched:
            if name.endswith("Ids") and name[:-3] in ATTENDEES:
                names.add(f"{name[:-3]}Names")
            elif name.endswith("Id") and name[:-2] in self.entity.belongs_to and not self.mass:
                names.add(f"{name[:-2]}Name")
        if self.entity.is_event:
            names.add("reminders")
        if self.entity.name == "User":
            names.update(("lastAccess", "workingTimeCalendarName"))
        return names

    def field_payload(self, field_name: str) -> Record | None:
        """The element that a fieldUpdate webhook gets, or None if that field did not change."""
        attributes = field_attributes(self.entity, field_name)
        if self.kind != "update" or not self.touched.intersection(attributes):
            return None
        return {"id": self.record_id, **{name: self.shown.get(name) for name in attributes}}


def field_attributes(entity: EntityType, field_name: str) -> tuple[str, ...]:
    """The attributes of a field; none if there is no such field. `assignedUserId` is an attribute, no"
    " field."""
    if field_name in ATTENDEES and entity.is_event:
        return (f"{field_name}Ids", f"{field_name}Columns", f"{field_name}Names")
    if field_name == "parent" and entity.is_event:
        return ("parentId", "parentType", "parentName")
    if field_name in entity.belongs_to:
        return (f"{field_name}Id", f"{field_name}Name")
    if field_name in ("dateStart", "dateEnd") and entity.has_all_day:
        return (field_name, f"{field_name}Date")
    if field_name in entity.custom_fields:
        return (field_name,)
    if field_name not in entity.attributes or field_name.endswith(("Id", "Ids", "Columns", "Names", "Data")):
        return ()
    return (field_name,)
