"""The calendars of a user's mailbox, to be ticked: which of them make the user busy.

Decides which ones cannot be ticked or taken off, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.settings import user_settings
from calsync_plugin.state import Account, BusySource, SourceKind, Store
from calsync_plugin.wording import gettext as _


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyCalendar:
    """A calendar to be ticked."""

    id: str
    name: str
    ticked: bool
    locked: str = ""
    """Why it cannot be taken off."""
    note: str = ""
    problem: str = ""
    """Why it cannot be read, in words."""


def calendars_of(store: Store, account: Account) -> list[BusyCalendar]:
    """All that can be ticked, the main calendar first, and those that were ticked and are gone last."""
    mailbox_id = account.mailbox_id or 0
    sources = {one.place: one for one in store.busy.of_mailbox(mailbox_id) if one.user_id == account.user_id}
    chosen = user_settings(account.settings).conflict_calendars
    rows = store.calendars.for_mailbox(mailbox_id)
    there = {row.id for row in rows}
    found = [
        BusyCalendar(
            id=row.id,
            name=_name(row.name, row.owner_address if row.shared else ""),
            ticked=row.id in chosen or _linked(sources.get(row.id)),
            locked=_("This is your main calendar; it always counts.") if _linked(sources.get(row.id)) else "",
            note=_("shared with you; looked at every few minutes") if row.shared else "",
            problem=_problem(sources.get(row.id)),
        )
        for row in rows
    ]
    gone = [
        BusyCalendar(
            id=calendar_id,
            name=(sources[calendar_id].name if calendar_id in sources else "") or _("A calendar"),
            ticked=True,
            problem=_problem(sources.get(calendar_id)) or _("it was not found in your mailbox"),
        )
        for calendar_id in chosen
        if calendar_id not in there
    ]
    return sorted(found, key=lambda one: not one.locked) + gone


def _name(name: str, owner: str) -> str:
    return _("%(name)s (shared by %(owner)s)", name=name, owner=owner) if owner else name


def _linked(source: BusySource | None) -> bool:
    return source is not None and source.kind is SourceKind.LINKED


def _problem(source: BusySource | None) -> str:
    return source.error if source is not None else ""
