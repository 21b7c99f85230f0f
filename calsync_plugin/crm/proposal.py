"""The block `crm.entities` of the configuration that fits an EspoCRM.

Decides names and labels where the administrator has chosen none yet. What is configured stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace

from calsync_plugin.crm.event_types import EventType
from calsync_plugin.crm.wanted import JOIN_URL, LOCATION, MARKER
from calsync_plugin.settings import EntitySettings


def proposed(
    kinds: Iterable[EventType], configured: Mapping[str, EntitySettings], *, location: bool
) -> tuple[EntitySettings, ...]:
    """One entry for each kind, in their order."""
    taken = {entity.label.casefold() for entity in configured.values() if entity.label}
    entries: list[EntitySettings] = []
    for kind in kinds:
        known = configured.get(kind.name)
        entry = _with_fields(known, kind, location) if known else _new(kind, taken, location)
        taken.add(entry.label.casefold())
        entries.append(entry)
    return tuple(entries)


def _new(kind: EventType, taken: Collection[str], location: bool) -> EntitySettings:
    description, form = kind.description()
    return EntitySettings(
        entity_type=kind.name,
        label="" if kind.name == "Meeting" else _label(kind, taken),
        description=description,
        description_format="html" if form == "html" else "text",
        location=kind.location() or (LOCATION if location else ""),
        marker=MARKER,
        join_url=JOIN_URL,
        all_day=kind.all_day,
    )


def _with_fields(known: EntitySettings, kind: EventType, location: bool) -> EntitySettings:
    return replace(
        known,
        marker=known.marker or MARKER,
        join_url=known.join_url or JOIN_URL,
        location=known.location or kind.location() or (LOCATION if location else ""),
    )


def _label(kind: EventType, taken: Collection[str]) -> str:
    """The shortest beginning of the name that no other kind has; without the C of custom entities."""
    name = kind.name
    if kind.custom and len(name) > 2 and name[0] == "C" and name[1].isupper():
        name = name[1:]
    beginnings = (name[:length].upper() for length in range(1, len(name) + 1))
    return next((text for text in beginnings if text.casefold() not in taken), kind.name)


DEFAULT = EntitySettings(entity_type="")


def as_configured(entity: EntitySettings) -> dict[str, object]:
    """One entry as the file has it: only what differs from the defaults."""
    plain = asdict(DEFAULT)
    told = {name: value for name, value in asdict(entity).items() if value != plain[name]}
    return {"entity_type": entity.entity_type, **told}
