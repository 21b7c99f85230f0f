"""Graph's requests about the person and the mailbox: me, settings, time zones, categories, id translation."""

from __future__ import annotations

import uuid

from calsync_plugin.sandbox.outlook import ids
from calsync_plugin.sandbox.outlook.lookup import denied, not_found
from calsync_plugin.sandbox.outlook.odata_types import choice, invalid, mapping, sequence, text
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Mailbox
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError, Json, parameter
from calsync_plugin.sandbox.outlook.zones import iana_names, windows_names, zone

_FORMATS = ("entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId")
_SETTINGS = frozenset((
    "archiveFolder", "automaticRepliesSetting", "dateFormat",
    "delegateMeetingMessageDeliveryOptions", "language", "timeFormat", "workingHours",
))  # fmt: skip
_COLORS = ("none", *(f"preset{number}" for number in range(25)))
_MOST_IDS = 1000


def _own(call: Call) -> Mailbox:
    if call.owner is not call.caller:
        raise denied()
    return call.owner


def me(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001 - one signature for all handlers
    """Get the user."""
    owner = call.owner
    given, _, surname = owner.name.partition(" ")
    body: Json = {
        "@odata.context": f"{call.root()}/$metadata#users/$entity",
        "id": owner.object_id,
        "displayName": owner.name,
        "givenName": given,
        "surname": surname or None,
        "mail": owner.address,
        "userPrincipalName": owner.address,
        "businessPhones": [],
        "jobTitle": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": "en-US",
    }
    chosen = call.query.get("$select")
    if chosen:
        names = {name.strip() for name in chosen.split(",")}
        body = {name: value for name, value in body.items() if name in names or name.startswith("@")}
    return Answer(200, body)


def settings(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """Get time zone, language and working hours."""
    owner = _own(call)
    body: Json = {
        "timeZone": owner.zone,
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "language": {"locale": "en-US", "displayName": "English (United States)"},
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "userPurpose": "user",
        "workingHours": working_hours(owner),
        **owner.settings,
    }
    chosen = call.query.get("$select")
    if chosen:
        names = {name.strip() for name in chosen.split(",")}
        body = {name: value for name, value in body.items() if name in names}
    return Answer(
        200, {"@odata.context": f"{call.root()}/$metadata#users('{owner.object_id}')/mailboxSettings", **body}
    )


def working_hours(owner: Mailbox) -> Json:
    """Return the hours that Outlook shows as work: Monday to Friday, 8 to 17, unless the owner set others."""
    chosen = owner.settings.get("workingHours")
    if isinstance(chosen, dict):
        return chosen
    return {
        "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "startTime": "08:00:00.0000000",
        "endTime": "17:00:00.0000000",
        "timeZone": {"name": owner.zone},
    }


def change_settings(sim: Simulator, call: Call) -> Answer:
    """Change what a user may set; an unknown zone is refused."""
    owner = _own(call)
    body = {key: value for key, value in mapping(call.body, "body").items() if not key.startswith("@odata")}
    named = body.pop("timeZone", None)
    if named is not None:
        zone(text(named, "timeZone"))
        owner.zone = named
    unknown = body.keys() - _SETTINGS - {"userPurpose"}
    if unknown:
        raise invalid(
            f"The property '{min(unknown)}' does not exist on type 'microsoft.graph.mailboxSettings'."
        )
    owner.settings = {**owner.settings, **{key: body[key] for key in body.keys() & _SETTINGS}}
    sim.state.sequence += 1
    return settings(sim, call)


def supported_zones(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """List the zones that the mailbox takes, Windows names unless the path asks for IANA ones."""
    standard = " ".join(call.query.values()).lower()
    names = iana_names() if "iana" in standard else windows_names()
    values = [{"alias": name, "displayName": name} for name in names]
    return Answer(
        200, {"@odata.context": f"{call.root()}/$metadata#Collection(timeZoneInformation)", "value": values}
    )


def categories(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """List the categories a user has defined."""
    return Answer(200, {"value": list(_own(call).categories.values())})


def create_category(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """Define a category; its name is unique in the mailbox."""
    owner, body = _own(call), mapping(call.body, "body")
    name = text(body.get("displayName"), "displayName")
    if not name:
        raise invalid("A category needs a displayName.")
    if any(str(part["displayName"]).lower() == name.lower() for part in owner.categories.values()):
        raise GraphError(409, "CategoryNameDuplicate", "A category with that name already exists.")
    made = {
        "id": str(uuid.uuid4()),
        "displayName": name,
        "color": choice(body.get("color") or "none", _COLORS, "color"),
    }
    owner.categories[made["id"]] = made
    return Answer(201, made)


def _category(call: Call) -> Json:
    found = _own(call).categories.get(call.ids[0])
    if found is None:
        raise not_found()
    return found


def category(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """Get one category."""
    return Answer(200, _category(call))


def change_category(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """Recolour a category; its name stays."""
    made = {
        **_category(call),
        "color": choice(mapping(call.body, "body").get("color") or "none", _COLORS, "color"),
    }
    call.owner.categories[call.ids[0]] = made
    return Answer(200, made)


def delete_category(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """Remove a category from the list; events keep the word."""
    _category(call)
    del call.owner.categories[call.ids[0]]
    return Answer(204)


def translate_ids(sim: Simulator, call: Call) -> Answer:  # noqa: ARG001
    """Convert event ids between the default and the immutable format, up to 1,000 at once."""
    owner = _own(call)
    wanted = sequence(parameter(call.body, "inputIds"), "inputIds")
    target = choice(parameter(call.body, "targetIdType"), _FORMATS, "targetIdType")
    choice(parameter(call.body, "sourceIdType"), _FORMATS, "sourceIdType")
    if len(wanted) > _MOST_IDS:
        raise invalid(f"At most {_MOST_IDS} ids can be converted at once.")
    values = [_translated(owner, text(one, "inputIds"), target) for one in wanted]
    return Answer(
        200, {"@odata.context": f"{call.root()}/$metadata#Collection(convertIdResult)", "value": values}
    )


def _translated(owner: Mailbox, source: str, target: str) -> Json:
    try:
        parsed = ids.parse_item(source)
    except GraphError as error:
        return {"sourceId": source, "errorDetails": {"code": error.code, "message": error.message}}
    item = owner.items.get(parsed.number)
    if parsed.mailbox != owner.number or item is None or item.purged:
        problem = not_found()
        return {"sourceId": source, "errorDetails": {"code": problem.code, "message": problem.message}}
    if "immutable" in target.lower():
        return {"sourceId": source, "targetId": ids.immutable_id(owner.number, parsed.day, item.number)}
    return {
        "sourceId": source,
        "targetId": ids.default_id(owner.number, item.folder, parsed.day, item.number),
    }
