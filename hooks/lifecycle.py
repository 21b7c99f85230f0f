"""The CRM's scheduler: a tick makes calsync look for what is due."""

from __future__ import annotations

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.hookspecs import hookimpl


class LifecycleHooks:
    """Hookimpls that are about no record and no user."""

    def __init__(self, app: Calsync) -> None:
        """Wake `app`."""
        self._marks = app.marks

    @hookimpl(tryfirst=True)
    def calsync_tick(self) -> None:
        """Look at once for what is due."""
        self._marks.tick()


def plugin(app: Calsync) -> LifecycleHooks:
    """Return the hookimpls for one host."""
    return LifecycleHooks(app)
