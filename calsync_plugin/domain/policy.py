"""What a user and an admin chose, as the planner needs it.

Decides nothing; it is the third input of the planner besides the two sides. Settings become a policy in the
engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calsync_plugin.domain.meeting import Field


class Mode(StrEnum):
    """The direction that a user chose (`schemas/sync_mode.schema.json`)."""

    OUTLOOK_TO_CRM = "outlook_to_crm"
    CRM_TO_OUTLOOK = "crm_to_outlook"
    BOTH = "both"


class ClashRule(StrEnum):
    """Who wins when both sides changed the same carried field."""

    ORIGIN = "origin"
    CRM = "crm"
    OUTLOOK = "outlook"


class PrivateRule(StrEnum):
    """What of an event that its owner marked private reaches the CRM (R14)."""

    SKIP = "skip"
    """Nothing; what was imported before it became private is masked."""
    BUSY = "busy"
    """That the time is taken."""
    FULL = "full"
    """Everything but the people; the record is its owner's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that shapes a plan besides the two sides. All times are aware."""

    now: datetime
    """The instant of planning: only to know which meetings are over, never to compare the two sides."""
    mode: Mode = Mode.BOTH
    clash: ClashRule = ClashRule.ORIGIN
    entity_fields: frozenset[Field] = frozenset(Field)
    """What records of this entity type can hold."""
    description_both_ways: bool = False
    create_contacts: bool = False
    """R7: people of an event whom the CRM does not know become contacts of it."""
    delete_outlook_born_event: bool = False
    """R9: remove the event that Outlook created when its record is removed."""
    delete_crm_born_record: bool = False
    """R10: remove the record that the CRM created when its event is removed."""
    private: PrivateRule = PrivateRule.SKIP
    hide_details: bool = False
    """Show events that Outlook created as busy blocks, whatever their sensitivity (R14)."""
    push_from: datetime | None = None
    """R8: records last changed before it are not pushed until the back-fill is confirmed."""
    backfill_confirmed: bool = False
    entity_enabled: bool = True
    suspended: str = ""
    """R12: why nothing of this account may be touched now; empty if all is well."""
