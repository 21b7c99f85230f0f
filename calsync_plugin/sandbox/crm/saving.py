"""Creating, changing and removing records by EspoCRM's rules (9.2.7, measured).

The page and the REST API both go through here, so both raise the same refusals, stamps and webhooks. The
caller holds the store's lock. Nothing is written before all checks have passed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from zoneinfo import ZoneInfo

from calsync_plugin.sandbox.crm import dates, people
from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.attendees import Attendees
from calsync_plugin.sandbox.crm.changes import Change
from calsync_plugin.sandbox.crm.clock import Clock, stored
from calsync_plugin.sandbox.crm.concurrency import check_version
from calsync_plugin.sandbox.crm.drafts import draft
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.errors import ApiError, missing
from calsync_plugin.sandbox.crm.ids import IdSource
from calsync_plugin.sandbox.crm.presenter import Presenter
from calsync_plugin.sandbox.crm.relations import Relations
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

# Saving one of these is news for those who follow the record.
_STREAMED = frozenset({"status", "dateStart", "assignedUserId"})
_SECRET = ("password", "passwordConfirm")


class Records:
    """The record service: every write of the simulator but seeding."""

    def __init__(
        self,
        store: Store,
        access: Access,
        clock: Clock,
        ids: IdSource,
        settings: Settings,
        on_change: Callable[[Change], None],
    ) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._on_change = on_change
        self._relations = Relations(store, access)
        self._attendees = Attendees(store)
        self.presenter = Presenter(store, access)

    def create(
        self, caller: Caller, entity_type: str, body: Record, *, skip_duplicate_check: bool = False
    ) -> Record:
        """Create a record and return the answer. Raises `ApiError`."""
        entity = self._store.entity(entity_type)
        if self._access.level(caller, entity_type, "create") != "yes":
            raise ApiError(403, "No create access.")
        values = draft(entity, body, None)
        self._relations.check(caller, entity, values, None)
        if entity_type in ("Contact", "Lead") and not skip_duplicate_check:
            self._refuse_duplicates(caller, entity, values)
        if self._store.tables[entity_type].matching("userName", [values.get("userName", object())]):
            # The status is recorded nowhere; EspoCRM's source throws a Conflict.
            raise ApiError(409, "userNameExists")
        row = self._new_row(caller, entity, values)
        attendees = self._attendees.settle(entity, values, None, row.get("assignedUserId"), creator=caller.id)
        self._store.insert(entity_type, row)
        self._attendees.save(entity, row["id"], attendees, self._now())
        shown = {
            **self.presenter.detail(self._admin(), entity, row),
            "isFollowed": self._follows(caller, row),
        }
        if entity.is_person and row.get("assignedUserId"):
            self._store.follow(row["id"], [row["assignedUserId"]])
        answer = self.presenter.created(caller, entity, {**row, **_echo(values)}, values)
        self._store.change(
            entity_type, row["id"], {name: dates.with_seconds(row.get(name)) for name in _dates(entity)}
        )
        touched = frozenset(key for key in values if key not in _SECRET) | attendees.touched_by_create()
        if entity.is_event:
            shown["duration"] = entity.defaults["duration"]
        shown = {**shown, **_echo(values), **attendees.columns_in_memory()}
        self._on_change(Change("create", entity, row["id"], caller, shown, touched))
        return answer

    def update(
        self, caller: Caller, entity_type: str, record_id: str, body: Record, version: str | None = None
    ) -> Record:
        """Change a record and return the answer, which may quote attendee columns of before. Raises"
        " `ApiError`."""
        entity = self._store.entity(entity_type)
        row = self._writable(caller, entity_type, record_id, "edit")
        values = draft(entity, body, row)
        self._relations.check(caller, entity, values, row)
        check_version(self.presenter, entity, row, values, version)
        change, stale = self._apply(caller, entity, row, values)
        answer = {**self.presenter.detail(caller, entity, row), **stale}
        self._on_change(change)
        return answer

    def _apply(
        self, caller: Caller, entity: EntityType, row: Record, values: Record, *, mass: bool = False
    ) -> tuple[Change, Record]:
        before = dict(row)
        stale: Record = {}
        attendees = self._attendees.settle(
            entity, values, row, values.get("assignedUserId", row.get("assignedUserId"))
        )
        if entity.is_event:
            stale = {"duration": dates.duration(row), **self._followers_of(row, entity)}
            zone = ZoneInfo(self._settings.time_zone)
            dates.settle(values, row, zone, whole_days=entity.has_all_day)
        new = self._plain(entity, values)
        new.update(self._derived(entity, new, row))
        if "emailAddressData" in new:
            stale["emailAddressData"] = values.get("emailAddressData") or row.get("emailAddressData", [])
        touched = {name for name, value in new.items() if before.get(name) != value and name not in _SECRET}
        touched |= attendees.touched_by_update()
        new.update(self._stamps(caller, entity, row, touched))
        if new.get("modifiedById", row.get("modifiedById")) != before.get("modifiedById"):
            touched.add("modifiedById")
        self._store.change(entity.name, row["id"], new)
        stale.update(attendees.columns_in_memory())
        self._attendees.save(entity, row["id"], attendees, self._now())
        shown = {**self.presenter.detail(self._admin(), entity, row), **stale}
        touched -= {"emailAddressData"}
        return Change("update", entity, row["id"], caller, shown, frozenset(touched), mass), stale

    def delete(self, caller: Caller, entity_type: str, record_id: str) -> None:
        """Remove a record: its row stays, marked. Raises `ApiError`."""
        self._writable(caller, entity_type, record_id, "delete")
        self._store.change(entity_type, record_id, {"deleted": True})
        self._on_change(Change("delete", self._store.entity(entity_type), record_id, caller))

    def restore(self, caller: Caller, entity_type: str, record_id: str) -> None:
        """Bring a removed record back: admins only, and no webhook tells. Raises `ApiError`."""
        if not caller.is_admin:
            raise ApiError(403, "")
        row = self._store.tables[entity_type].rows.get(record_id)
        if row is None or not row["deleted"]:
            raise missing(record_id, reading=False)
        self._store.change(entity_type, record_id, {"deleted": False})

    def mass_update(self, caller: Caller, entity_type: str, ids: list[str], values: Record) -> list[str]:
        """Give several records the same values; those that the caller may not edit are left alone."""
        if self._access.permission(caller, "massUpdatePermission") != "all":
            raise ApiError(403, "No mass-update permission.")
        entity = self._store.entity(entity_type)
        done = []
        for record_id in ids:
            row = self._store.tables[entity_type].get(record_id)
            if row and self._access.may(caller, entity_type, "edit", row):
                checked = draft(entity, values, row)
                self._relations.check(caller, entity, checked, row)
                change, _ = self._apply(caller, entity, row, checked, mass=True)
                self._on_change(change)
                done.append(record_id)
        return done

    def mass_delete(self, caller: Caller, entity_type: str, ids: list[str]) -> list[str]:
        """Remove several records; those that the caller may not delete are left alone."""
        table = self._store.tables[entity_type]
        done = [
            record_id
            for record_id in ids
            if (row := table.get(record_id)) and self._access.may(caller, entity_type, "delete", row)
        ]
        for record_id in done:
            self.delete(caller, entity_type, record_id)
        return done

    def readable(self, caller: Caller, entity_type: str, record_id: str) -> Record:
        """The record for reading: an admin also gets a deleted one. Raises `ApiError` 404 or 403."""
        row = self._store.tables[entity_type].rows.get(record_id)
        if row is None or (row["deleted"] and not caller.is_admin):
            raise missing(record_id, reading=True)
        if not self._access.may(caller, entity_type, "read", row):
            raise ApiError(403, "No 'read' access.")
        return row

    def _writable(self, caller: Caller, entity_type: str, record_id: str, action: str) -> Record:
        row = self._store.tables[entity_type].get(record_id)
        if row is None:
            raise missing(record_id, reading=False)
        if not self._access.may(caller, entity_type, action, row):
            raise ApiError(403, f"No {action} access.")
        return row

    def _refuse_duplicates(self, caller: Caller, entity: EntityType, values: Record) -> None:
        found = people.duplicates(self._store.tables[entity.name], values)
        if found:
            lines = [self.presenter.listed(caller, entity, row) for row in found]
            raise ApiError(409, "duplicate", lines)

    def _new_row(self, caller: Caller, entity: EntityType, values: Record) -> Record:
        now = self._now()
        if entity.is_event:
            zone = ZoneInfo(self._settings.time_zone)
            dates.settle(values, {}, zone, whole_days=entity.has_all_day)
        defaults = {name: value for name, value in entity.defaults.items() if name != "duration"}
        row: Record = {"id": self._ids.next_id(), "deleted": False, **defaults}
        row.update(createdAt=now, modifiedAt=now, createdById=caller.id)
        if "streamUpdatedAt" in entity.attributes:
            row["streamUpdatedAt"] = now
        if "uid" in entity.attributes:
            row["uid"] = self._ids.next_uid()
        if "versionNumber" in entity.attributes:
            row["versionNumber"] = 1
        row.update(self._plain(entity, values))
        row.update(self._derived(entity, row, {}))
        if row.get("type") == "api" and not row.get("apiKey"):
            row["apiKey"] = secrets.token_hex(16)
        return row

    @staticmethod
    def _plain(entity: EntityType, values: Record) -> Record:
        # Attendees are rows of their own.
        skip = {f"{link}{part}" for link in ATTENDEES for part in ("Ids", "Columns")}
        skip = skip if entity.is_event else {"passwordConfirm"}
        return {name: value for name, value in values.items() if name not in skip}

    @staticmethod
    def _derived(entity: EntityType, values: Record, before: Record) -> Record:
        derived: Record = {}
        if entity.is_person:
            derived = {**people.named(values, before), **people.addressed(values, before)}
        elif "parentId" in values or "parentType" in values:
            present = {**before, **values}
            of_account = present.get("parentType") == "Account"
            derived["accountId"] = present.get("parentId") if of_account else None
        return derived

    def _stamps(self, caller: Caller, entity: EntityType, row: Record, touched: set[str]) -> Record:
        # A save of an event always counts as a change: its reminders are set anew each time.
        if not touched and not entity.is_event and "versionNumber" not in entity.attributes:
            return {}
        stamps: Record = {"modifiedAt": self._now()}
        if "modifiedById" in entity.attributes:
            stamps["modifiedById"] = caller.id
        if "versionNumber" in entity.attributes:
            stamps["versionNumber"] = (row.get("versionNumber") or 0) + 1
        if "streamUpdatedAt" in entity.attributes and touched & (_STREAMED | {"usersIds", "usersColumns"}):
            stamps["streamUpdatedAt"] = self._now()
        return stamps

    def _followers_of(self, row: Record, entity: EntityType) -> Record:
        if "followersIds" not in entity.attributes:
            return {}
        names = ("followersIds", "followersNames")
        return {name: self.presenter.value(self._admin(), entity, row, name) for name in names}

    def _follows(self, caller: Caller, row: Record) -> bool:
        return caller.id in self._store.followers.get(row["id"], [])

    def _admin(self) -> Caller:
        return Caller("", "", "admin")

    def _now(self) -> str:
        return stored(self._clock.now())


def _echo(values: Record) -> Record:
    return {name: values[name] for name in ("dateStart", "dateEnd") if name in values}


def _dates(entity: EntityType) -> tuple[str, ...]:
    return ("dateStart", "dateEnd") if entity.is_event else ()
