"""From the ids in a path to calendars and items, and who may see or change them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from calsync_plugin.sandbox.outlook import ids, recurrence
from calsync_plugin.sandbox.outlook.items import View, view_of
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Alias, Calendar, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Call, GraphError

_WRITE_ROLES = frozenset({"write", "delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess"})
_READ_ROLES = _WRITE_ROLES | {"read", "limitedRead"}
_SEES_PRIVATE = "delegateWithPrivateEventAccess"


@dataclass(frozen=True, slots=True)
class Place:
    """A calendar as this caller reached it: whose mailbox holds it, and how its items are to be shown."""

    mailbox: Mailbox
    calendar: Calendar
    view: View


@dataclass(frozen=True, slots=True)
class Found:
    """An item as this caller reached it; `master` is set if it is an occurrence or exception."""

    mailbox: Mailbox
    item: Item
    master: Item | None
    view: View


def not_found() -> GraphError:
    """Return the 404 of an item that this mailbox does not hold."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def denied() -> GraphError:
    """Return the 403 of somebody else's calendar."""
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def role_of(calendar: Calendar, owner: Mailbox, caller: Mailbox) -> str:
    """Return what a caller may do in a calendar."""
    return "owner" if owner is caller else calendar.shares.get(caller.address, "none")


def permit(calendar: Calendar, owner: Mailbox, caller: Mailbox, *, write: bool) -> str:
    """Return the caller's role; GraphError 403 if it does not suffice."""
    role = role_of(calendar, owner, caller)
    if role != "owner" and role not in (_WRITE_ROLES if write else _READ_ROLES):
        raise denied()
    return role


def lost(calendar: Calendar | None, owner: Mailbox, caller: Mailbox) -> bool:
    """Tell whether an added calendar leads nowhere: it was removed, or its share was taken away."""
    return calendar is None or role_of(calendar, owner, caller) not in _READ_ROLES


def place(sim: Simulator, call: Call, calendar_id: str | None = None, *, write: bool = False) -> Place:
    """Return the default calendar of the path's mailbox, or the one of that id; GraphError 400, 403 or
    404.
    """
    owner, alias = call.owner, None
    view = view_of(call)
    if calendar_id is None:
        calendar: Calendar | None = owner.primary()
    else:
        number_of_mailbox, number = ids.parse_calendar(calendar_id)
        if number_of_mailbox != owner.number:
            raise not_found()
        calendar = owner.calendars.get(number)
        alias = owner.aliases.get(number)
        if calendar is None and alias is not None:
            owner = sim.state.mailboxes[alias.owner]
            calendar = owner.calendars.get(alias.calendar)
    if calendar is None:
        raise not_found()
    if alias is not None and sim.switches.lost_share_status == 404 and lost(calendar, owner, call.caller):
        raise not_found()
    role = permit(calendar, owner, call.caller, write=write)
    return Place(owner, calendar, _shaded(view, role, alias))


def _shaded(view: View, role: str, alias: Alias | None) -> View:
    if role == "owner" and alias is None:
        return view
    return replace(view, alias=alias, masks_private=role not in {"owner", _SEES_PRIVATE})


def find(sim: Simulator, call: Call, text: str, *, write: bool = False) -> Found:
    """Return the item of an event id; GraphError 400 if malformed, 404 if not in this mailbox, 403 if not
    allowed.
    """
    wanted = ids.parse_item(text)
    owner, alias = call.owner, None
    if wanted.mailbox != owner.number:
        raise not_found()
    item = owner.items.get(wanted.number)
    if item is None:
        owner, alias, item = _through_alias(sim, owner, wanted)
    if item is None or item.purged:
        raise not_found()
    if item.folder == ids.DELETED_FOLDER:
        if wanted.folder is not None or sim.switches.deleted_by_immutable_id == 404:
            raise not_found()
        role = "owner" if owner is call.caller else "none"
        if role == "none":
            raise denied()
    else:
        if wanted.folder is not None and wanted.folder != (item.folder if alias is None else alias.number):
            raise not_found()
        role = permit(owner.calendars[item.folder], owner, call.caller, write=write)
    view = _shaded(view_of(call), role, alias)
    return _occurrence(owner, item, wanted.day, view) if wanted.day else Found(owner, item, None, view)


def own(mailbox: Mailbox, text: str) -> Found:
    """Return the item of an event id as its mailbox's owner sees it; GraphError 400 or 404."""
    wanted = ids.parse_item(text)
    item = mailbox.items.get(wanted.number)
    if wanted.mailbox != mailbox.number or item is None or not item.folder:
        raise not_found()
    view = View(mailbox)
    return _occurrence(mailbox, item, wanted.day, view) if wanted.day else Found(mailbox, item, None, view)


def _through_alias(
    sim: Simulator, mailbox: Mailbox, wanted: ids.ItemId
) -> tuple[Mailbox, Alias | None, Item | None]:
    for alias in mailbox.aliases.values():
        owner = sim.state.mailboxes[alias.owner]
        item = owner.items.get(wanted.number)
        if item is None or item.folder != alias.calendar:
            continue
        if sim.switches.lost_share_status == 404 and lost(owner.calendars[item.folder], owner, mailbox):
            continue
        return owner, alias, item
    return mailbox, None, None


def _occurrence(owner: Mailbox, master: Item, day: int, view: View) -> Found:
    if master.recurrence is None:
        raise not_found()
    if day not in master.exceptions and not recurrence.exists(master, day):
        raise not_found()
    return Found(owner, recurrence.occurrence(master, day), master, view)
