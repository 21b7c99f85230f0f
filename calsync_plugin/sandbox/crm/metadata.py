"""`GET Metadata`: enough to find the Event-type entities and their fields.

Not from a recording: the shape is EspoCRM's (`scopes`, `entityDefs`; from its published source that others
than admins see only what they may read), the content follows the simulator's own entity types.
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.entities import ATTENDEES, EVENT_STATUSES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.field_manager import CUSTOMIZABLE
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

# The template from which a type was made. EspoCRM's own Meeting and Call name none (its published source).
_KINDS = {"Visit": "Event", "Contact": "Person", "Lead": "Person"}
_TYPES: dict[str, Record] = {
    "name": {"type": "varchar", "maxLength": 255, "pattern": "$noBadCharacters"},
    "status": {"type": "enum", "options": list(EVENT_STATUSES), "default": "Planned"},
    "direction": {"type": "enum", "options": ["Outbound", "Inbound"], "default": "Outbound"},
    "isAllDay": {"type": "bool"},
    "duration": {"type": "duration", "start": "dateStart", "end": "dateEnd", "notStorable": True},
    "description": {"type": "text"},
    "location": {"type": "varchar", "maxLength": 255, "isCustom": True},
    "uid": {"type": "varchar", "maxLength": 255, "readOnly": True},
    "joinUrl": {"type": "url", "readOnly": True},
    "createdAt": {"type": "datetime", "readOnly": True},
    "modifiedAt": {"type": "datetime", "readOnly": True},
    "emailAddress": {"type": "email"},
    "firstName": {"type": "varchar", "maxLength": 100},
    "lastName": {"type": "varchar", "maxLength": 100, "required": True},
}


def metadata(store: Store, access: Access, caller: Caller) -> Record:
    """Scopes and entity definitions of everything but roles and webhooks that the caller may read."""
    entities = [
        table.entity
        for name, table in store.tables.items()
        if name not in ("Role", "Webhook") and access.knows(caller, name)
    ]
    return {
        "scopes": {
            **{entity.name: _scope(entity) for entity in entities},
            # Those without records are told to everybody (EspoCRM's published source).
            **{name: {"entity": False, "acl": "boolean"} for name in store.extension_scopes},
        },
        "entityDefs": {entity.name: _definition(entity) for entity in entities},
    }


def _scope(entity: EntityType) -> Record:
    scope: Record = {
        "entity": True,
        "object": True,
        "acl": True,
        "tab": entity.name != "User",
        "calendar": entity.is_event,
        "customizable": entity.name in CUSTOMIZABLE,
    }
    if entity.name in _KINDS:
        scope["type"] = _KINDS[entity.name]
    if entity.is_custom:
        scope["isCustom"] = True
    return scope


def _definition(entity: EntityType) -> Record:
    fields: Record = {}
    for name in entity.attributes:
        if name in _TYPES:
            fields[name] = (
                dict(_TYPES[name], required=True) if name in entity.required else dict(_TYPES[name])
            )
    for name in entity.custom_fields:
        known = entity.definitions.get(name, {})
        fields[name] = {**{key: value for key, value in known.items() if key != "label"}, "isCustom": True}
    kind = "datetimeOptional" if entity.has_all_day else "datetime"
    for name in ("dateStart", "dateEnd") if entity.is_event else ():
        fields[name] = {"type": kind, "required": True}
    links: Record = {}
    for link, foreign in entity.belongs_to.items():
        fields[link] = {"type": "link", "required": link in entity.required}
        links[link] = {"type": "belongsTo", "entity": foreign}
    for link, foreign in ATTENDEES.items() if entity.is_event else ():
        fields[link] = {"type": "linkMultiple", "columns": {"status": "acceptanceStatus"}}
        links[link] = {"type": "hasMany", "entity": foreign}
    if "parent" in links:
        fields["parent"] = {"type": "linkParent", "entityList": ["Account", "Lead", "Contact"]}
        links["parent"] = {"type": "belongsToParent"}
    found: Record = {"fields": fields, "links": links, "collection": {"orderBy": entity.order_by}}
    if "versionNumber" in entity.attributes:
        found["optimisticConcurrencyControl"] = True
    return found
