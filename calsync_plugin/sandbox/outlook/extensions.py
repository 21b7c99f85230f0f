"""Open extensions of an event, minimal: kept, listed, never searched (Graph docs, openTypeExtension)."""

from __future__ import annotations

from calsync_plugin.sandbox.outlook.events import found_of
from calsync_plugin.sandbox.outlook.lookup import Found, not_found
from calsync_plugin.sandbox.outlook.odata_types import invalid, mapping, text
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.wire import Answer, Call, Json

_TYPE = "#microsoft.graph.openTypeExtension"
_PREFIX = "Microsoft.OutlookServices.OpenTypeExtension."


def _named(found: Found, call: Call) -> tuple[str, Json]:
    wanted = call.ids[-1].removeprefix(_PREFIX)
    part = found.item.extensions.get(_PREFIX + wanted)
    if part is None:
        raise not_found()
    return _PREFIX + wanted, part


def _kept(name: str, body: Json) -> Json:
    values = {key: value for key, value in body.items() if not key.startswith("@odata") and key != "id"}
    return {"@odata.type": _TYPE, **values, "id": _PREFIX + name, "extensionName": name}


def listing(sim: Simulator, call: Call) -> Answer:
    """List an event's extensions."""
    found = found_of(sim, call)
    return Answer(200, {"value": list(found.item.extensions.values())})


def create(sim: Simulator, call: Call) -> Answer:
    """Add an extension to an event."""
    found = found_of(sim, call, write=True)
    body = mapping(call.body, "body")
    name = text(body.get("extensionName"), "extensionName")
    if not name or found.item.kind == "occurrence":
        raise invalid("An extension needs an extensionName and an event that is stored.")
    found.item.extensions = {**found.item.extensions, _PREFIX + name: _kept(name, body)}
    sim.state.touch(found.mailbox, found.item)
    return Answer(201, found.item.extensions[_PREFIX + name])


def get(sim: Simulator, call: Call) -> Answer:
    """Get one extension."""
    return Answer(200, _named(found_of(sim, call), call)[1])


def update(sim: Simulator, call: Call) -> Answer:
    """Change an extension's values."""
    found = found_of(sim, call, write=True)
    name, part = _named(found, call)
    made = _kept(part["extensionName"], {**part, **mapping(call.body, "body")})
    found.item.extensions = {**found.item.extensions, name: made}
    sim.state.touch(found.mailbox, found.item)
    return Answer(200, made)


def delete(sim: Simulator, call: Call) -> Answer:
    """Remove an extension."""
    found = found_of(sim, call, write=True)
    name, _ = _named(found, call)
    found.item.extensions = {key: part for key, part in found.item.extensions.items() if key != name}
    sim.state.touch(found.mailbox, found.item)
    return Answer(204)
