"""The kinds of records of an EspoCRM that lie in its calendar, as its metadata describes them.

Decides what counts as one: an entity type made from the template Event, and EspoCRM's own Meeting and Call,
whose scopes name no type. What they can hold is read off their fields (EspoCRM docs, development, metadata:
scopes and entityDefs). An API user is shown only what it may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from calsync_plugin.crm.client import EspoClient

OWN = ("Meeting", "Call")
"""EspoCRM's own; its Task is in the calendar, too, but has no length and no attendees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an entity type. `length` is 0 where none is set."""

    type: str
    length: int = 0
    index: bool = False
    read_only: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One kind of record."""

    name: str
    custom: bool = False
    """Made by an administrator: its new fields get no prefix."""
    customizable: bool = True
    concurrency: bool = False
    """Whether a save that overtakes another is refused (optimistic concurrency control)."""
    people: frozenset[str] = frozenset()
    """Which of users, contacts and leads can attend."""
    fields: Mapping[str, Field] = field(default_factory=dict)

    @property
    def all_day(self) -> bool:
        """Whether a record can be whole days."""
        start = self.fields.get("dateStart")
        return start is not None and start.type == "datetimeOptional"

    def location(self) -> str:
        """The field for the place, "" if there is none."""
        places = ("location", "cLocation", "cOutlookLocation", "place", "cPlace")
        return next((name for name in places if self._is_text(name)), "")

    def description(self) -> tuple[str, str]:
        """The field for the description and its format, text or html; "" if there is none."""
        found = self.fields.get("description")
        if found is None:
            return "", "text"
        return "description", "html" if found.type == "wysiwyg" else "text"

    def _is_text(self, name: str) -> bool:
        found = self.fields.get(name)
        return found is not None and found.type in {"varchar", "text"} and not found.read_only


def read_event_types(client: EspoClient) -> dict[str, EventType]:
    """Ask for all of them, those that are switched off left out; EspoCRM's own come first."""
    scopes = _mapping(client.call("GET", "Metadata", query="key=scopes"))
    names = [name for name, scope in scopes.items() if _is_event(name, _mapping(scope))]
    names.sort(key=lambda name: (OWN.index(name) if name in OWN else len(OWN), name))
    return {name: _read(client, name, _mapping(scopes[name])) for name in names}


def _is_event(name: str, scope: Mapping[str, object]) -> bool:
    is_one = scope.get("type") == "Event" or name in OWN
    return is_one and scope.get("entity") is True and scope.get("disabled") is not True


def _read(client: EspoClient, name: str, scope: Mapping[str, object]) -> EventType:
    told = _mapping(client.call("GET", "Metadata", query=f"key={quote(f'entityDefs.{name}')}"))
    links = _mapping(told.get("links"))
    return EventType(
        name=name,
        custom=scope.get("isCustom") is True,
        customizable=scope.get("customizable") is True,
        concurrency=told.get("optimisticConcurrencyControl") is True,
        people=frozenset(link for link in ("users", "contacts", "leads") if link in links),
        fields={key: _field(_mapping(value)) for key, value in _mapping(told.get("fields")).items()},
    )


def _field(told: Mapping[str, object]) -> Field:
    length = told.get("maxLength")
    return Field(
        type=str(told.get("type") or ""),
        length=length if isinstance(length, int) else 0,
        index=told.get("index") is True,
        read_only=told.get("readOnly") is True,
        custom=told.get("isCustom") is True,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
