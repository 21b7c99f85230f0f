"""Graph's requests about calendars, own ones and those that others shared (Graph docs, calendar resource
type).
"""

from __future__ import annotations

from calsync_plugin.sandbox.outlook import ids
from calsync_plugin.sandbox.outlook.items import change_key
from calsync_plugin.sandbox.outlook.lookup import denied, lost, place, role_of
from calsync_plugin.sandbox.outlook.odata_types import choice, invalid, mapping, text
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Calendar, Mailbox
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError, Json

_COLORS = (
    "auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal",
    "lightPink", "lightBrown", "lightRed", "maxColor",
)  # fmt: skip
_CAN_EDIT = frozenset(
    {"owner", "write", "delegateWithoutPrivateEventAccess", "delegateWithPrivateEventAccess"}
)


def render_calendar(
    owner: Mailbox, calendar: Calendar, caller: Mailbox, *, identity: str | None = None
) -> Json:
    """Return a calendar as this caller sees it; a shared one that was added has an id of its own."""
    role = role_of(calendar, owner, caller)
    return {
        "id": identity or calendar.id,
        "name": calendar.name if identity is None else owner.name,
        "color": calendar.color,
        "hexColor": "",
        "isDefaultCalendar": calendar.default and identity is None,
        "changeKey": change_key(owner.number, calendar.key),
        "canShare": role == "owner",
        "canViewPrivateItems": role in {"owner", "delegateWithPrivateEventAccess"},
        "canEdit": role in _CAN_EDIT,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": calendar.default,
        "isRemovable": not calendar.default,
        "owner": {"name": owner.name, "address": owner.address},
    }


def _context(call: Call, suffix: str = "") -> str:
    return f"{call.root()}/$metadata#users('{call.owner.object_id}')/calendars{suffix}"


def listing(sim: Simulator, call: Call) -> Answer:
    """List the mailbox's own calendars and those that were added to it."""
    owner = call.owner
    if owner is not call.caller:
        raise denied()
    values = [render_calendar(owner, calendar, call.caller) for calendar in owner.calendars.values()]
    for alias in owner.aliases.values():
        host = sim.state.mailboxes[alias.owner]
        calendar = host.calendars.get(alias.calendar)
        if calendar is not None and not lost(calendar, host, call.caller):
            values.append(render_calendar(host, calendar, call.caller, identity=alias.id))
    return Answer(200, {"@odata.context": _context(call), "value": values})


def _answer(sim: Simulator, call: Call, status: int = 200) -> Answer:
    where = place(sim, call, call.ids[0] if call.ids else None)
    alias = where.view.alias
    body = render_calendar(where.mailbox, where.calendar, call.caller, identity=alias.id if alias else None)
    return Answer(status, {"@odata.context": _context(call, "/$entity"), **body})


def get(sim: Simulator, call: Call) -> Answer:
    """Get one calendar."""
    return _answer(sim, call)


def create(sim: Simulator, call: Call) -> Answer:
    """Add a calendar to the mailbox."""
    if call.owner is not call.caller:
        raise denied()
    name = text(mapping(call.body, "body").get("name"), "name")
    if not name:
        raise invalid("A calendar needs a name.")
    if any(calendar.name.lower() == name.lower() for calendar in call.owner.calendars.values()):
        raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    calendar = sim.state.add_calendar(call.owner, name)
    call.ids = [calendar.id]
    _change(calendar, call.body)
    return _answer(sim, call, 201)


def _change(calendar: Calendar, body: Json) -> None:
    if "name" in body:
        calendar.name = text(body["name"], "name") or calendar.name
    if body.get("color") is not None:
        calendar.color = choice(body["color"], tuple(_COLORS), "color")
    calendar.key += 1


def update(sim: Simulator, call: Call) -> Answer:
    """Rename or recolour a calendar."""
    where = place(sim, call, call.ids[0] if call.ids else None, write=True)
    _change(where.calendar, mapping(call.body, "body"))
    return _answer(sim, call)


def delete(sim: Simulator, call: Call) -> Answer:
    """Remove a calendar with everything in it, or an added calendar from this mailbox; never the default
    one.
    """
    number = ids.parse_calendar(call.ids[0])[1]
    if call.owner is call.caller and number in call.owner.aliases:
        del call.owner.aliases[number]
        sim.state.sequence += 1
        return Answer(204)
    where = place(sim, call, call.ids[0], write=False)
    if where.mailbox is not call.caller:
        raise denied()
    if where.calendar.default:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    for number in list(where.calendar.order):
        item = where.mailbox.items[number]
        sim.changed(where.mailbox, item, "deleted")
        for part in (item, *item.exceptions.values()):
            part.folder = ids.DELETED_FOLDER
    del where.mailbox.calendars[where.calendar.number]
    sim.state.sequence += 1
    return Answer(204)
