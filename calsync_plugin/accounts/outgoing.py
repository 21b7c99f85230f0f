"""What a back-fill preview tells: numbers and addresses, nothing of what a meeting is about.

Decides how a preview is summed up, and by what a confirmation names the preview that was seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One record that would be pushed."""

    entity_type: str
    record_id: str
    creates: bool
    """Whether an event is created; else the event that is there is changed."""
    mailed: frozenset[str]
    """Addresses that Outlook would write to."""
    outsiders: frozenset[str]
    """Those of them who are no users of the CRM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a confirmation would do."""

    user_id: str
    records: tuple[Outgoing, ...]
    unusable: int
    """Records that cannot become events; they will be parked with their reasons once somebody saves them."""
    former: int
    """Meetings that stay in a mailbox which the user was connected to before."""
    read: bool
    """Whether Outlook was read to its end; before that nothing can be confirmed."""

    @property
    def creates(self) -> int:
        """How many events would be created."""
        return sum(1 for record in self.records if record.creates)

    @property
    def mailed(self) -> list[str]:
        """Everybody to whom Outlook would write, once each."""
        return sorted(frozenset().union(*(record.mailed for record in self.records)))

    @property
    def outsiders(self) -> list[str]:
        """Those of them who are no users of the CRM."""
        return sorted(frozenset().union(*(record.outsiders for record in self.records)))

    @property
    def fingerprint(self) -> str:
        """Names this preview: another one that would push or mail anything else has another name."""
        lines = [
            "\t".join((r.entity_type, r.record_id, str(r.creates), *sorted(r.mailed)))
            for r in sorted(self.records, key=lambda r: (r.entity_type, r.record_id))
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]

    @property
    def warnings(self) -> list[str]:
        """What a person should know before confirming, in sentences."""
        found: list[str] = []
        if not self.read:
            found.append(_("Outlook was not read to its end yet: nothing can be confirmed before that."))
        if self.former:
            found.append(
                _n(
                    "%(num)s meeting lies in a mailbox that was connected before. It stays there and is "
                    "not pushed; its attendees already hold the old event.",
                    "%(num)s meetings lie in a mailbox that was connected before. They stay there and are "
                    "not pushed; their attendees already hold the old event.",
                    self.former,
                )
            )
        if self.unusable:
            found.append(
                _n(
                    "%(num)s record cannot become an event as it is; it is left out.",
                    "%(num)s records cannot become events as they are; they are left out.",
                    self.unusable,
                )
            )
        return found

    def as_json(self) -> Mapping[str, JsonValue]:
        """For programs."""
        return {
            "user": self.user_id,
            "records": len(self.records),
            "creates": self.creates,
            "updates": len(self.records) - self.creates,
            "mailed": self.mailed,
            "outsiders": self.outsiders,
            "unusable": self.unusable,
            "former": self.former,
            "read": self.read,
            "warnings": self.warnings,
            "fingerprint": self.fingerprint,
        }
