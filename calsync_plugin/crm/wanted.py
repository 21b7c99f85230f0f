"""What an EspoCRM must have for us: the rights of our role, and the fields of what is synced.

Decides the least that is enough, and says what lacks in the words of EspoCRM's own pages. Asks and changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calsync_plugin.crm.event_types import EventType, Field
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.settings import EntitySettings

OLDEST = (9, 2)
"""The first EspoCRM whose webhooks can leave out what their owner did (skipOwn)."""
MARKER, JOIN_URL, LOCATION = "cOutlookEventId", "cOutlookJoinUrl", "cOutlookLocation"
OURS = (MARKER, JOIN_URL, LOCATION)
"""What our fields are called unless the configuration says otherwise."""
_ACTIONS = ("create", "read", "edit", "delete", "stream")

Rights = Mapping[str, object]
"""The `data` of a role: by scope a mapping of action to level, or true."""


def supported(version: str) -> bool:
    """Whether an EspoCRM of this version (`9.2.7`) is new enough; one that cannot be read is not."""
    parts = version.split(".")
    if len(parts) < 2 or not all(part.isdecimal() for part in parts[:2]):
        return False
    return (int(parts[0]), int(parts[1])) >= OLDEST


def wanted_rights(entity_types: Iterable[str], *, create_contacts: bool) -> dict[str, object]:
    """The rights that our role needs."""
    events = {
        name: {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "no"}
        for name in entity_types
    }
    seen = {"create": "no", "read": "all", "edit": "no", "delete": "no", "stream": "no"}
    return {
        **events,
        "Contact": {**seen, "create": "yes" if create_contacts else "no"},
        "Lead": dict(seen),
        "User": {"read": "all", "edit": "no"},
        "Team": {"read": "all"},
        "Webhook": True,
    }


def wanted_field_rights(types: Iterable[EventType]) -> dict[str, object]:
    """Reading the CRM's own `uid`, by which invitations of the CRM are recognised: hidden by default."""
    return {kind.name: {"uid": {"read": "yes", "edit": "no"}} for kind in types if "uid" in kind.fields}


PERMISSIONS = {"assignmentPermission": "all", "userPermission": "all"}


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a role lacks: one sentence each, and the values to save. Nothing that it has is taken away."""

    lacks: tuple[str, ...]
    values: Mapping[str, object]


def lacking(role: Mapping[str, object], rights: Rights, field_rights: Rights) -> RoleChange:
    """Compare a role as EspoCRM shows it with what we need. `{}` stands for a role that is to be made."""
    data, fields = _mapping(role.get("data")), _mapping(role.get("fieldData"))
    said: list[str] = []
    merged: dict[str, object] = dict(data)
    for scope, wanted in rights.items():
        merged[scope] = _raised(scope, data.get(scope), wanted, said)
    merged_fields: dict[str, object] = {name: dict(_mapping(value)) for name, value in fields.items()}
    for scope, wanted in field_rights.items():
        levels = dict(_mapping(merged_fields.get(scope)))
        for name, level in _mapping(wanted).items():
            if _mapping(levels.get(name)).get("read") != "yes":
                said.append(f"{scope}: field {name}: read yes")
                levels[name] = level
        merged_fields[scope] = levels
    values: dict[str, object] = {}
    if merged != data:
        values["data"] = merged
    if merged_fields != fields:
        values["fieldData"] = merged_fields
    for name, level in PERMISSIONS.items():
        if role.get(name) != level:
            said.append(f"{_TITLES[name]}: {level}")
            values[name] = level
    return RoleChange(tuple(said), values)


_TITLES = {"assignmentPermission": "Assignment Permission", "userPermission": "User Permission"}


def _raised(scope: str, present: object, wanted: object, said: list[str]) -> object:
    """The better of two entries of a role, level by level."""
    if wanted is True or present is True:
        if present is not True:
            said.append(f"{scope}: enabled")
        return True
    levels, asked, raised = dict(_mapping(present)), _mapping(wanted), []
    for action in _ACTIONS:
        level, before = asked.get(action), str(levels.get(action, "no"))
        if level is None or _rank(before) >= _rank(str(level)):
            continue
        raised.append(f"{action} {level}" + (f" (now {before})" if present is not None else ""))
        levels[action] = level
    if raised:
        said.append(f"{scope}: {', '.join(raised)}")
    if present is None:
        return dict(asked)
    return levels


def _rank(level: str) -> int:
    return {"no": 0, "own": 1, "team": 2}.get(level, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedField:
    """One field that a kind of record is to have for us."""

    attribute: str
    title: str
    type: str
    length: int
    index: bool
    purpose: str

    def payload(self, kind: EventType) -> dict[str, object]:
        """What creates it: `POST Admin/fieldManager/Meeting` (recorded from EspoCRM 9.2.7).

        The Entity Manager drops parameters that a field's type does not name, and varchar names no `index`;
        `fieldManagerAdditionalParamList` lets it through (its source, Tools/FieldManager).
        """
        name = self.attribute if kind.custom else _without_prefix(self.attribute, kind)
        return {"name": name, "label": self.title, **self.change()}

    def change(self) -> dict[str, object]:
        """What makes an existing field fit; its label stays."""
        values: dict[str, object] = {"type": self.type, "maxLength": self.length}
        if self.index:
            values |= {"index": True, "fieldManagerAdditionalParamList": [{"name": "index"}]}
        return values

    def words(self) -> str:
        """What it is to be, for people."""
        return f"{self.type}, {self.length} characters" + (", with an index" if self.index else "")

    def trouble(self, present: Field) -> str:
        """Why this name cannot be used, "" if it can."""
        if present.type not in {self.type, "varchar", "url", "text"}:
            return f"is a field of type {present.type}"
        return "is read-only" if present.read_only else ""

    def repairs(self, present: Field) -> tuple[str, ...]:
        """What does not fit of the present field, and can be mended."""
        found = []
        if present.type == self.type and present.length < self.length:
            found.append(f"takes {present.length or 'too few'} characters, needs {self.length}")
        if self.index and not present.index:
            found.append("has no index")
        return tuple(found)


def wanted_fields(entity: EntitySettings, *, location: bool) -> tuple[WantedField, ...]:
    """The fields that one kind of record needs under the names that the configuration gives them."""
    fields = [
        WantedField(
            attribute=entity.marker or MARKER,
            title="Outlook event",
            type="varchar",
            length=255,
            index=True,
            purpose="finds again what calsync made here if a connection broke",
        ),
        WantedField(
            attribute=entity.join_url or JOIN_URL,
            title="Teams link",
            type="url",
            length=1000,
            index=False,
            purpose="receives the address of a Teams meeting",
        ),
    ]
    if entity.location or location:
        fields.append(
            WantedField(
                attribute=entity.location or LOCATION,
                title="Location",
                type="varchar",
                length=255,
                index=False,
                purpose="holds the place",
            )
        )
    return tuple(fields)


def _without_prefix(attribute: str, kind: EventType) -> str:
    """EspoCRM puts `c` before the name of a new field of its own kinds of records."""
    if len(attribute) > 1 and attribute[0] == "c" and attribute[1].isupper():
        return attribute[1].lower() + attribute[2:]
    raise ConfigurationError(
        f"{attribute!r} cannot be made for {kind.name}: EspoCRM begins the names of new fields with c",
        path="crm.entities",
        expected=f"a name such as {MARKER}, or a field that exists",
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
