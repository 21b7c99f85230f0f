"""Administration > Entity Manager > Fields, as REST: `Admin/fieldManager`.

Recorded from EspoCRM 9.2.7: creating a varchar field. From its published source (Tools/FieldManager): the
prefix, which entity types made by an administrator do not get; the conflicts; which parameters a field keeps
(`index` only if `fieldManagerAdditionalParamList` names it); reading, changing and removing a field.
"""

from __future__ import annotations

from typing import Any

from calsync_plugin.sandbox.crm.answers import Call, endpoint
from calsync_plugin.sandbox.crm.api import api
from calsync_plugin.sandbox.crm.entity_type import Definition, EntityType
from calsync_plugin.sandbox.crm.errors import ApiError, translated
from calsync_plugin.sandbox.crm.tables import Record

CUSTOMIZABLE = ("Meeting", "Call", "Visit", "Contact", "Lead", "Account", "User")
# Parameters by type (metadata > fields), as far as anybody here sends them, and their defaults.
_KEPT = ("type", "maxLength", "required", "readOnly", "audited", "tooltip")
_LENGTHS = {"varchar": 100, "url": 255}
FORBIDDEN = frozenset({"id", "deleted", "null", "false", "true", "skipDuplicateCheck", "isFollowed"})


def custom_name(entity: EntityType, name: str) -> str:
    """What a new field is called: with the prefix `c`, but not in a type that an administrator made."""
    return name if entity.is_custom else f"c{name[:1].upper()}{name[1:]}"


def _customizable(call: Call, scope: str) -> EntityType:
    call.require_admin()
    if scope not in CUSTOMIZABLE:
        raise ApiError(500, f"Entity type {scope} is not customizable.")
    return call.crm.store.entity(scope)


def _definition(body: Record, before: Definition) -> Record:
    extra = body.get("fieldManagerAdditionalParamList") or []
    if not isinstance(extra, list) or not all(isinstance(one, dict) for one in extra):
        raise ApiError(500)
    allowed = (*_KEPT, *(str(one.get("name")) for one in extra))
    kept: Record = {**before, **{name: body[name] for name in allowed if name in body}}
    if "label" in body:
        kept["label"] = str(body["label"])
    return kept


def _shown(name: str, definition: Definition) -> Record:
    told: dict[str, Any] = {key: value for key, value in definition.items() if key != "label"}
    return {**told, "isCustom": True, "label": definition.get("label") or name}


@endpoint(api, "/Admin/fieldManager/<scope>", "POST")
def create_field(call: Call, scope: str) -> object:
    """Add a field; admins only."""
    entity = _customizable(call, scope)
    asked = str(call.body.get("name") or "")
    if not asked:
        raise ApiError(400, "")
    name = custom_name(entity, asked)
    if name in entity.attributes or name in entity.belongs_to:
        told = translated("fieldAlreadyExists", {"field": name, "entityType": scope})
        raise ApiError(409, f"Field '{name}' already exists in '{scope}'.", told)
    if name in FORBIDDEN:
        raise ApiError(409, f"Field '{name}' is not allowed.")
    if not (name[0].islower() and name.isalnum() and name.isascii()):
        raise ApiError(500, "Field name should contain only letters and numbers.")
    kind = call.body.get("type")
    if kind not in _LENGTHS:
        raise ApiError(400, "No type.") if not kind else ApiError(500, f"no fields of type {kind} here")
    definition = _definition(call.body, {})
    call.crm.store.redefine(entity.with_custom_field(name, {"maxLength": _LENGTHS[kind], **definition}))
    return _shown(name, definition)


@endpoint(api, "/Admin/fieldManager/<scope>/<name>", "GET")
def read_field(call: Call, scope: str, name: str) -> object:
    """What is known of a custom field; admins only."""
    entity = _customizable(call, scope)
    return _shown(name, _known(entity, name))


@endpoint(api, "/Admin/fieldManager/<scope>/<name>", "PUT", "PATCH")
def change_field(call: Call, scope: str, name: str) -> object:
    """Change a custom field; the request names its type again. Admins only."""
    entity = _customizable(call, scope)
    before = _known(entity, name)
    if not call.body.get("type"):
        raise ApiError(500, "No type.")
    definition = _definition(call.body, before)
    call.crm.store.redefine(entity.with_custom_field(name, definition))
    return _shown(name, definition)


@endpoint(api, "/Admin/fieldManager/<scope>/<name>", "DELETE")
def remove_field(call: Call, scope: str, name: str) -> object:
    """Remove a custom field; one that is not there is removed without a word. Admins only."""
    entity = _customizable(call, scope)
    if name in entity.attributes and name not in entity.custom_fields:
        raise ApiError(500, f"Cannot delete core field '{name}' in '{scope}'.")
    call.crm.store.redefine(entity.without_custom_field(name))
    return True


def _known(entity: EntityType, name: str) -> Definition:
    if name not in entity.custom_fields:
        raise ApiError(500, f"Can't read field defs {entity.name}.{name}.")
    return entity.definitions.get(name, {})
