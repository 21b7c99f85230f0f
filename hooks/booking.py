"""What a CRM asks before it saves a meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.hookspecs import hookimpl


class BookingHooks:
    """Hookimpls about busy times."""

    def __init__(self, app: Calsync) -> None:
        """Answer from `app`'s store."""
        self._app = app

    @hookimpl(tryfirst=True)
    def calsync_collisions(
        self, entity_type: str, record: Mapping[str, object]
    ) -> Sequence[Mapping[str, str]]:
        """What the meeting collides with, for each user of it who is connected."""
        return list(self._app.desk.collisions.of(entity_type, record))


def plugin(app: Calsync) -> BookingHooks:
    """Return the hookimpls for one host."""
    return BookingHooks(app)
