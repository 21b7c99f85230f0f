"""Whether the ids in a request may be related: they exist, the caller may use them, nobody is named twice.

Order and texts of the refusals are EspoCRM's (9.2.7, measured). Nothing is saved here.
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.errors import ApiError, cannot_relate, cannot_relate_forbidden
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

CHECK_ORDER = ("contacts", "leads", "users")


class Relations:
    """Checks the links of a draft before it is saved."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def check(self, caller: Caller, entity: EntityType, values: Record, before: Record | None) -> None:
        """Raise `ApiError` for ids that may not be related; may replace a foreign `assignedUserId` (in"
        " place)."""
        self._check_assignment(caller, values, before)
        for link in CHECK_ORDER:
            known = self._store.members(entity.name, before["id"], link) if before and entity.is_event else {}
            for record_id in values.get(f"{link}Ids") or []:
                if record_id not in known:
                    self._check_one(caller, entity, link, ATTENDEES[link], record_id)
        for link, foreign in entity.belongs_to.items():
            self._check_link(caller, entity, link, foreign, values, before)
        for link in CHECK_ORDER:
            ids = values.get(f"{link}Ids") or []
            if len(ids) != len(set(ids)):
                # A duplicate key in the database: nothing is saved, the answer says nothing.
                raise ApiError(500)

    def _check_assignment(self, caller: Caller, values: Record, before: Record | None) -> None:
        if self._access.permission(caller, "assignmentPermission") == "all":
            return
        if values.get("assignedUserId") not in (None, caller.id):
            values["assignedUserId"] = before["assignedUserId"] if before else caller.id
        if any(user != caller.id for user in values.get("usersIds") or []):
            raise ApiError(403, "Assignment failure: assigned user or team not allowed.")

    def _check_link(
        self,
        caller: Caller,
        entity: EntityType,
        link: str,
        foreign: str,
        values: Record,
        before: Record | None,
    ) -> None:
        record_id = values.get(f"{link}Id")
        if record_id is None or (before and before.get(f"{link}Id") == record_id):
            return
        foreign = foreign or str(values.get("parentType") or (before or {}).get("parentType") or "")
        if foreign in self._store.tables:
            self._check_one(caller, entity, link, foreign, record_id)

    def _check_one(
        self, caller: Caller, entity: EntityType, link: str, foreign: str, record_id: object
    ) -> None:
        row = self._store.tables[foreign].get(record_id)
        if row is None:
            raise cannot_relate(entity.name, link, foreign)
        if link == "assignedUser" and not row["isActive"]:
            raise cannot_relate_forbidden(entity.name, link, foreign)
        if not self._access.may(caller, foreign, "read", row):
            raise cannot_relate_forbidden(entity.name, link, foreign)
