"""The part of the composition root that puts the sweep together.

Decides that it compares as a run does, with a memory of people of its own that lasts longer.
"""

from __future__ import annotations

from calsync_plugin.crm.directory import Directory
from calsync_plugin.engine.composing import Surroundings, gatherer_of
from calsync_plugin.engine.doubts import Doubts
from calsync_plugin.engine.rereading import LONG, Rereading
from calsync_plugin.engine.saved_lately import SavedLately
from calsync_plugin.engine.sweep import Intervals, Sweep
from calsync_plugin.engine.upkeep import Upkeep
from calsync_plugin.settings import CrmSettings


def sweep_of(around: Surroundings, crm: CrmSettings) -> Sweep:
    """What looks through the CRM in these surroundings."""
    store, gateway, roster = around.store, around.gateway, around.roster
    directory = Directory(gateway, seconds=LONG, clock=around.now)
    return Sweep(
        store,
        around.entities,
        SavedLately(store, gateway, roster, around.entities),
        Rereading(
            store,
            gateway,
            roster,
            gatherer_of(around, directory),
            directory,
            Doubts(store, gateway, roster, around.notices),
        ),
        Upkeep(store, around.notices),
        intervals=Intervals(saved=float(crm.sweep_seconds), reread=float(crm.reread_seconds)),
    )
