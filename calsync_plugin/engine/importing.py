"""Which kind of record an event becomes (R4).

Decides by the label at the start of its subject, once, at import.
"""

from __future__ import annotations

from collections.abc import Callable

from calsync_plugin.domain.timespan import AllDay
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.roster import Member
from calsync_plugin.graph.events import EventView, without_label
from calsync_plugin.settings import EntitySettings


def entity_of(view: EventView, member: Member, gatherer: Gatherer) -> tuple[str, str]:
    """The entity type of a new record, and a note if it is not the one that was asked for.

    Without a label it is the user's default one. A whole-day event becomes the default kind if the labelled
    one has no whole days, or else the first kind that has.
    """
    wanted = labelled(view, member, gatherer.entity)[0] or _default(member, gatherer)
    if not isinstance(view.meeting.span, AllDay) or _has_days(wanted, gatherer):
        return wanted, ""
    others = (_default(member, gatherer), *(e.entity_type for e in member.settings.entities))
    found = next((other for other in others if _has_days(other, gatherer)), "")
    if not found:
        return wanted, ""
    return found, f"it is all-day and a {wanted} has times only, so that it became a {found}"


def labelled(
    view: EventView, member: Member, entity_of_type: Callable[[str], EntitySettings | None]
) -> tuple[str, str]:
    """The entity type that a label at the start of an event's subject names, and the subject without it.

    An event without a label names none.
    """
    subject = view.meeting.subject
    if ":" not in subject:
        return "", subject
    for chosen in member.settings.entities:
        entity = entity_of_type(chosen.entity_type)
        label = member.label(entity) if entity else ""
        if label and (rest := without_label(subject, label)) != subject:
            return chosen.entity_type, rest
    return "", subject


def _default(member: Member, gatherer: Gatherer) -> str:
    default = member.settings.default_entity
    return default if gatherer.entity(default) else gatherer.any_entity


def _has_days(entity_type: str, gatherer: Gatherer) -> bool:
    entity = gatherer.entity(entity_type)
    return entity is not None and entity.all_day
