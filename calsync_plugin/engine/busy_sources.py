"""Which calendars of a mailbox tell when its user is busy, and what of each is known.

Decides that the main calendar always does, and besides it those that the user chose; and how far they are
read. A calendar that is not there any more stays a source, with the reason, until the user takes it off: what
was known of it must not turn into free time unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from calsync_plugin.domain.window import Window, window
from calsync_plugin.engine.calendars import scope_of
from calsync_plugin.engine.run import Run
from calsync_plugin.settings import UserSettings
from calsync_plugin.state import BusySource, CalendarRow, SourceKind, Store

NOT_THERE = "this calendar was not found; it was removed, or is no longer shared with you"


def keep_sources(
    store: Store,
    user_id: str,
    mailbox_id: int,
    settings: UserSettings,
    *,
    still: Callable[[], bool] = lambda: True,
) -> list[BusySource]:
    """Bring the sources of a mailbox in line with what its user chose; written is only what differs.

    A calendar that is no longer chosen loses its blocks at once. Nothing is done while the mailbox's
    calendars are not known; `still` is asked before anything is written.
    """
    rows = store.calendars.for_mailbox(mailbox_id)
    present = store.busy.of_mailbox(mailbox_id)
    if not rows:
        return present
    wanted = _wanted(settings, rows, {one.place: one.name for one in present})
    as_they_are = {one.place: (one.kind, one.name) for one in present if one.user_id == user_id}
    if wanted == as_they_are or not still():
        return present
    return store.busy.keep_calendars(user_id, mailbox_id, wanted)


def busy_span(run: Run) -> Window:
    """What is read of a calendar that is read for its busy times alone: from last month on."""
    now = datetime.fromtimestamp(run.started, UTC)
    last_month = (now.replace(day=1) - timedelta(days=1)).date().replace(day=1)
    return window(last_month, run.member.settings.months_ahead, now)


def shared_span(run: Run) -> Window | None:
    """What is known of a calendar by the way in which records are read; None if that does not reach today."""
    if run.window.start.timestamp() > run.started:
        return None
    busy = busy_span(run)
    return Window(max(run.window.start, busy.start), min(run.window.end, busy.end))


def _wanted(
    settings: UserSettings, rows: Sequence[CalendarRow], known: dict[str, str]
) -> dict[str, tuple[SourceKind, str]]:
    names = {row.id: row.name for row in rows}
    main = scope_of(settings, list(rows), set()).main
    chosen = dict.fromkeys(settings.conflict_calendars, SourceKind.CONFLICT)
    if main:
        chosen[main] = SourceKind.LINKED
    return {
        calendar_id: (kind, names.get(calendar_id, known.get(calendar_id, "")))
        for calendar_id, kind in chosen.items()
    }
