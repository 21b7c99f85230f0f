"""The CRM's meeting hooks: each leaves one mark in calsync's store and returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.hookspecs import hookimpl


class MeetingHooks:
    """Hookimpls for records of the Event kind."""

    def __init__(self, app: Calsync) -> None:
        """Mark changes in `app`'s store."""
        self._marks = app.marks

    @hookimpl(tryfirst=True)
    def calsync_entity_created(self, entity_type: str, record: Mapping[str, object]) -> None:
        """A record was saved for the first time."""
        self._marks.saved(entity_type, record)

    @hookimpl(tryfirst=True)
    def calsync_entity_updated(
        self, entity_type: str, record: Mapping[str, object], changed: Sequence[str] | None
    ) -> None:
        """A record was saved again. `changed` is not needed: the present record is read and compared."""
        del changed
        self._marks.saved(entity_type, record)

    @hookimpl(tryfirst=True)
    def calsync_entity_reassigned(
        self, entity_type: str, record: Mapping[str, object], previous_user_id: str | None
    ) -> None:
        """The assigned user changed. The former one is a hint only: the link knows where the event lies."""
        del previous_user_id
        self._marks.saved(entity_type, record)

    @hookimpl(tryfirst=True)
    def calsync_entity_deleted(self, entity_type: str, record_id: str) -> None:
        """A record was removed."""
        self._marks.removed(entity_type, record_id)

    @hookimpl(tryfirst=True)
    def calsync_attendance_changed(self, entity_type: str, record_id: str) -> None:
        """An attendee was linked, unlinked or answered."""
        self._marks.saved(entity_type, {"id": record_id})


def plugin(app: Calsync) -> MeetingHooks:
    """Return the hookimpls for one host."""
    return MeetingHooks(app)
