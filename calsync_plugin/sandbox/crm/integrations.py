"""What an installed extension keeps: its settings, and the accounts of users. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from calsync_plugin.sandbox.crm.tables import Record


@dataclass(slots=True)
class Integration:
    """One integration: what the administrator set, and the accounts of users by their ids."""

    name: str
    scope: str
    values: Record = field(default_factory=dict)
    accounts: dict[str, Record] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)

    @property
    def enabled(self) -> bool:
        """Whether the administrator switched it on."""
        return bool(self.values.get("enabled"))
