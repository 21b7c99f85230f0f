"""The part of the set-up that is about fields: made, mended, and their database rebuilt.

Decides that a field which another one of the same name stands in the way of is a person's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from calsync_plugin.accounts.crm_steps import Doing, Hands, Step
from calsync_plugin.accounts.crm_survey import Choices
from calsync_plugin.crm.event_types import EventType, read_event_types
from calsync_plugin.crm.wanted import WantedField, wanted_fields
from calsync_plugin.errors import RemoteError, Unavailable, UnknownOutcome
from calsync_plugin.settings import EntitySettings

MANAGER = "Admin/fieldManager"


def field_steps(
    kinds: Iterable[EventType], entities: Iterable[EntitySettings], choices: Choices
) -> Iterator[Step]:
    """One step for each field of each kind, then the rebuild, then optimistic concurrency."""
    by_type = {kind.name: kind for kind in kinds}
    steps = [
        _step(by_type[entity.entity_type], field)
        for entity in entities
        for field in wanted_fields(entity, location=choices.location)
    ]
    yield from steps
    if any(step.run for step in steps):
        yield Step(
            part="database",
            name="EspoCRM",
            found="does not know the new fields yet",
            doing=Doing.CHANGE,
            action="rebuild",
            why="new fields and indexes need it; it can take a minute",
            run=_rebuild,
        )
    for kind in by_type.values():
        yield _concurrency(kind, wanted=choices.concurrency)


def _step(kind: EventType, field: WantedField) -> Step:
    name = f"{kind.name}.{field.attribute}"
    present = kind.fields.get(field.attribute)
    if present is None:
        return _missing(kind, field, name)
    trouble = field.trouble(present)
    if trouble:
        return Step(
            part="field",
            name=name,
            found=trouble,
            doing=Doing.PERSON,
            action="name another field in crm.entities, or remove this one in the Entity Manager",
            why=field.purpose,
        )
    repairs = field.repairs(present) if present.custom else ()
    if not repairs:
        return Step(part="field", name=name, found="is there", doing=Doing.NOTHING)
    return Step(
        part="field",
        name=name,
        found=", ".join(repairs),
        doing=Doing.CHANGE,
        action=field.words(),
        why=field.purpose,
        run=partial(_change, kind, field),
    )


def _missing(kind: EventType, field: WantedField, name: str) -> Step:
    if not kind.customizable:
        return Step(
            part="field",
            name=name,
            found=f"{kind.name} takes no new fields",
            doing=Doing.PERSON,
            action=f"leave {field.attribute} out of crm.entities",
        )
    return Step(
        part="field",
        name=name,
        found="there is none",
        doing=Doing.MAKE,
        action=field.words(),
        why=field.purpose,
        run=partial(_make, kind, field, field.payload(kind)),
    )


def _make(kind: EventType, field: WantedField, payload: dict[str, object], hands: Hands) -> None:
    try:
        hands.admin.call("POST", f"{MANAGER}/{kind.name}", payload=payload)
    except RemoteError as error:
        # 409: somebody, perhaps an earlier try of ours, made it meanwhile.
        if error.status != 409:
            raise
    made = read_event_types(hands.admin).get(kind.name)
    if made is None or field.attribute not in made.fields:
        # Its caches may lag behind by seconds, so this is asked again.
        raise Unavailable(
            f"EspoCRM does not show the new field {kind.name}.{field.attribute}. If it stands in the Entity "
            "Manager under another name, enter that name in crm.entities; else run the command again"
        )


def _change(kind: EventType, field: WantedField, hands: Hands) -> None:
    hands.admin.call("PUT", f"{MANAGER}/{kind.name}/{field.attribute}", payload=field.change())


def _rebuild(hands: Hands) -> None:
    hands.admin.call("POST", "Admin/rebuild", payload={})


def _concurrency(kind: EventType, *, wanted: bool) -> Step:
    part, why = "concurrent saves", "a save of calsync then never overwrites one that came a moment before"
    if kind.concurrency:
        return Step(part=part, name=kind.name, found="are noticed", doing=Doing.NOTHING)
    if not wanted or not kind.customizable:
        return Step(
            part=part,
            name=kind.name,
            found="overwrite each other",
            doing=Doing.NOTE,
            action="--concurrency switches EspoCRM's Optimistic Concurrency Control on",
            why=why,
        )
    return Step(
        part=part,
        name=kind.name,
        found="overwrite each other",
        doing=Doing.CHANGE,
        action="switch Optimistic Concurrency Control on",
        why=why,
        run=partial(_switch_on, kind.name),
    )


def _switch_on(entity_type: str, hands: Hands) -> None:
    payload = {"name": entity_type, "optimisticConcurrencyControl": True}
    if hands.admin.call("POST", "EntityManager/action/updateEntity", payload=payload) is not True:
        raise UnknownOutcome(f"EspoCRM did not say that it switched it on for {entity_type}; run it again")
