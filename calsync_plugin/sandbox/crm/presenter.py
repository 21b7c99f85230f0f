"""How a record reads in an answer: in full, as just created, or as a line of a list.

The three differ as EspoCRM's do (9.2.7, measured): a create answer leaves out what was not set, a full answer
shows it as null, a list has no attendees unless they are selected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.dates import duration
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

_EMPTY_LISTS = frozenset({"phoneNumberData", "teamsIds", "portalsIds", "portalRolesIds"})
_EMPTY_MAPS = frozenset({"phoneNumbersMap", "portalsNames", "portalRolesNames"})
_CREATE_ONLY = {"targetListIsOptedOut": False}
_CREATE_DEFAULTS = {"phoneNumberIsOptedOut": False, "phoneNumberIsInvalid": False}
# Fields that only admins see (acl of a regular user, recorded).
_ADMIN_ONLY = {
    "User": frozenset(
        {"authMethod", "apiKey", "gender", "auth2FA", "dashboardTemplateId", "dashboardTemplateName"}
    )
}
_PARTS = ("Ids", "Names", "Columns")
_ATTENDING = {f"{link}{part}": (link, part) for link in ATTENDEES for part in _PARTS}
# What lists show of a text at most (EspoCRM's `maxSelectTextAttributeLengthForList`, from its source).
LIST_TEXT_LENGTH = 10_000
_EVENT_DATES = ("dateStart", "dateEnd", "dateStartDate", "dateEndDate")


def with_lower(entries: Iterable[Record]) -> list[Record]:
    """The e-mail addresses of a person as stored: with the lower-case form and both flags."""
    return [
        {
            "emailAddress": entry["emailAddress"],
            "lower": entry["emailAddress"].lower(),
            "primary": bool(entry.get("primary")),
            "optOut": bool(entry.get("optOut")),
            "invalid": bool(entry.get("invalid")),
        }
        for entry in entries
    ]


class Presenter:
    """Turns stored records into answers for one caller."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def hidden(self, caller: Caller, entity: EntityType) -> Collection[str]:
        """The attributes that this caller may not see."""
        if caller.is_admin:
            return ()
        hidden = _ADMIN_ONLY.get(entity.name, frozenset())
        if "uid" in entity.attributes and not self._access.sees_uid(caller, entity.name):
            return {*hidden, "uid"}
        return hidden

    def detail(self, caller: Caller, entity: EntityType, row: Record) -> Record:
        """The whole record, what is unset as null."""
        hidden = self.hidden(caller, entity)
        names = [name for name in entity.attributes if name not in hidden and name not in _CREATE_ONLY]
        return self._line(caller, entity, row, names)

    def created(self, caller: Caller, entity: EntityType, row: Record, given: Collection[str]) -> Record:
        """The record as the answer of its creation: what is unset is absent."""
        hidden = self.hidden(caller, entity)
        answer: Record = {}
        for name in entity.attributes:
            value = self.value(caller, entity, row, name)
            if value is None and entity.is_person:
                value = _CREATE_DEFAULTS.get(name, _CREATE_ONLY.get(name))
            if name == "duration":
                value = entity.defaults[name]
            if name not in hidden and (value is not None or name in entity.null_names or name in given):
                answer[name] = value
        return answer

    def listed(self, caller: Caller, entity: EntityType, row: Record) -> Record:
        """The record as a line of a list without a `select`."""
        return self.lines(caller, entity, [row], None)[0]

    def lines(
        self, caller: Caller, entity: EntityType, rows: Iterable[Record], wanted: Collection[str] | None
    ) -> list[Record]:
        """Records as lines of a list; `wanted` names the selected attributes (see `selection`)."""
        hidden = self.hidden(caller, entity)
        left_out = (
            {*hidden, *entity.detail_only, *_CREATE_ONLY, "versionNumber"} if wanted is None else hidden
        )
        names = [
            name for name in entity.attributes if name not in left_out and (wanted is None or name in wanted)
        ]
        found = []
        for row in rows:
            line = self._line(caller, entity, row, names)
            if wanted is not None and "parentName" in line and "parentId" not in wanted:
                line["parentName"] = None
            if "accountIsInactive" in line and row.get("accountId") is None:
                line["accountIsInactive"] = None
            if isinstance(line.get("description"), str):
                line["description"] = line["description"][:LIST_TEXT_LENGTH]
            found.append(line)
        return found

    def _line(self, caller: Caller, entity: EntityType, row: Record, names: Iterable[str]) -> Record:
        """Some attributes of a record; the attendees of each link are looked up once."""
        line: Record = {}
        members: dict[str, dict[str, str]] = {}
        for name in names:
            if name not in _ATTENDING:
                line[name] = self.value(caller, entity, row, name)
                continue
            link, part = _ATTENDING[name]
            if link not in members:
                members[link] = self._store.members(entity.name, row["id"], link)
            line[name] = self._attending(members[link], link, part)
        return line

    @staticmethod
    def selection(entity: EntityType, select: Iterable[str], order_by: str) -> set[str]:
        """The attributes that a `select` brings: companions come along, unknown ones are ignored."""
        wanted = {"id", order_by, *entity.companions, *select}
        if entity.has_all_day and order_by == "dateStart":
            wanted.update(_EVENT_DATES)
        for name in ("dateStart", "dateEnd"):
            if name in wanted:
                wanted.add(f"{name}Date")
        for link in ATTENDEES:
            if f"{link}Ids" in wanted:
                wanted.update((f"{link}Names", f"{link}Columns"))
        if entity.is_person:
            wanted.discard("emailAddressData")
        return wanted

    def value(self, caller: Caller, entity: EntityType, row: Record, name: str) -> object:
        """One attribute of a record."""
        if name in row and name != "reminders":
            return row[name]
        if name in _ATTENDING:
            link, part = _ATTENDING[name]
            return self._attending(self._store.members(entity.name, row["id"], link), link, part)
        if entity.is_event and name in ("duration", "reminders"):
            # Reminders sent by API come back to nobody (measured), so none are kept.
            return duration(row) if name == "duration" else []
        if name in _EMPTY_LISTS:
            return []
        if name in _EMPTY_MAPS:
            return {}
        if name.endswith("Name") and name[:-4] in entity.belongs_to:
            return self._linked_name(entity, row, name[:-4])
        if name in ("isFollowed", "followersIds", "followersNames"):
            return self._following(caller, row, name)
        if name.endswith(_PARTS):
            return self._link_multiple(row, name)
        return None

    def _linked_name(self, entity: EntityType, row: Record, link: str) -> str | None:
        foreign = row.get("parentType") if link == "parent" else entity.belongs_to[link]
        return self._store.name_of(str(foreign), row.get(f"{link}Id"))

    def _following(self, caller: Caller, row: Record, name: str) -> object:
        followers = [] if row["deleted"] else self._store.followers.get(row["id"], [])
        if name == "isFollowed":
            return caller.id in followers
        if name == "followersIds":
            return list(followers)
        return {user: self._store.name_of("User", user) for user in followers}

    def _attending(self, members: dict[str, str], link: str, part: str) -> object:
        if part == "Ids":
            return list(members)
        if part == "Names":
            return {person: self._store.name_of(ATTENDEES[link], person) for person in members}
        return {person: {"status": status} for person, status in members.items()}

    def _link_multiple(self, row: Record, name: str) -> object:
        link = next(name.removesuffix(end) for end in _PARTS if name.endswith(end))
        ids = (
            [row["accountId"]] if link == "accounts" and row.get("accountId") else row.get(f"{link}Ids") or []
        )
        if name.endswith("Ids"):
            return list(ids)
        if name.endswith("Columns"):
            columns = {"role": None} if link == "teams" else {"role": None, "isInactive": False}
            return {record_id: dict(columns) for record_id in ids}
        foreign = {"accounts": "Account", "roles": "Role", "teams": "Team"}.get(link, "")
        return {record_id: self._store.name_of(foreign, record_id) for record_id in ids}
