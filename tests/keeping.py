"""The state of a world at rest, kept in files, so that other worlds begin with it.

Decides what is kept of the simulators and the time. The store is not kept here: it is a file on SQLite and
rows on PostgreSQL. Whoever begins with a kept state begins like calsync after a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.world import World


@dataclass(frozen=True, slots=True)
class Kept:
    """What both simulators write when they end, and how long the world had run."""

    folder: Path
    age: timedelta

    @property
    def outlook(self) -> Path:
        """Outlook's file."""
        return self.folder / "outlook.json"

    @property
    def crm(self) -> Path:
        """The CRM's file."""
        return self.folder / "crm.json"


def keep(world: World, folder: Path) -> Kept:
    """Write the present state of a world into a folder."""
    kept = Kept(folder, world.clock.age())
    world.outlook.dump(kept.outlook)
    world.crm.save_to(kept.crm)
    return kept
