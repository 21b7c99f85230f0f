"""The REST API beside the records: who am I, the version, settings, metadata and what only administrators do.

Recorded from EspoCRM 9.2.7: App/about, App/destroyAuthToken, updateEntity, rebuild. App/user
has the keys that were measured, its content and that of Metadata and Settings are a plausible subset, not
from a recording.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from calsync_plugin.sandbox.crm.access import BOOLEAN_SCOPES, SCOPES
from calsync_plugin.sandbox.crm.acl import acl_of
from calsync_plugin.sandbox.crm.answers import Call, endpoint
from calsync_plugin.sandbox.crm.api import api
from calsync_plugin.sandbox.crm.errors import ApiError, AuthError, missing
from calsync_plugin.sandbox.crm.metadata import metadata
from calsync_plugin.sandbox.crm.preferences import preferences
from calsync_plugin.sandbox.crm.tables import Record

VERSION = "9.2.7"


@endpoint(api, "/App/user", "GET")
def app_user(call: Call) -> object:
    """The caller, its access and, after a password, a token."""
    crm, caller = call.crm, call.caller
    row = crm.store.tables["User"].rows[caller.id]
    return {
        "user": crm.presenter.detail(caller, crm.store.entity("User"), row),
        "acl": acl_of(crm.access, caller),
        "preferences": preferences(row),
        "token": call.login.token,
        "settings": _settings(call),
        "language": preferences(row)["language"] or crm.settings.language,
        "appParams": {},
    }


@endpoint(api, "/User/<user_id>/acl", "GET")
def user_acl(call: Call, user_id: str) -> object:
    """A user's access, for admins and for oneself; scopes without any are false here."""
    if not call.caller.is_admin and (call.caller.is_api or call.caller.id != user_id):
        raise AuthError(403, "")
    if not call.crm.store.is_live("User", user_id):
        raise missing(user_id, reading=True)
    table = call.crm.access.table(call.crm.access.caller(user_id))
    return {"table": {**dict.fromkeys((*SCOPES, *BOOLEAN_SCOPES), False), **table}}


@endpoint(api, "/App/about", "GET")
def app_about(_call: Call) -> object:
    """The version that the simulator speaks like."""
    return {
        "text": "The calsync sandbox: a simulator of EspoCRM's REST API. It is not EspoCRM.",
        "version": VERSION,
    }


@endpoint(api, "/App/destroyAuthToken", "POST")
def destroy_token(call: Call) -> object:
    """Log out."""
    call.crm.auth.destroy(str(call.body.get("token")))
    return True


def _settings(call: Call) -> Record:
    return {
        "timeZone": call.crm.settings.time_zone,
        "language": call.crm.settings.language,
        "dateFormat": "YYYY-MM-DD",
        "timeFormat": "HH:mm",
        "version": VERSION,
        "calendarEntityList": ["Meeting", "Call", "Visit"],
        "assignmentEmailNotifications": call.crm.settings.assignment_mail,
        "assignmentEmailNotificationsEntityList": list(call.crm.settings.assignment_mail_entities),
    }


@endpoint(api, "/Settings", "GET")
def read_settings(call: Call) -> object:
    """The server's settings."""
    return _settings(call)


@endpoint(api, "/Settings", "PUT")
def write_settings(call: Call) -> object:
    """Change the server's time zone, and of what assigned users are mailed; admins only."""
    call.require_admin()
    settings = call.crm.settings
    if "assignmentEmailNotifications" in call.body:
        settings.assignment_mail = bool(call.body["assignmentEmailNotifications"])
    if "assignmentEmailNotificationsEntityList" in call.body:
        named = call.body["assignmentEmailNotificationsEntityList"]
        if not isinstance(named, list):
            raise ApiError(400, "")
        settings.assignment_mail_entities = [str(one) for one in named]
    if "timeZone" in call.body:
        try:
            ZoneInfo(str(call.body["timeZone"]))
        except (ZoneInfoNotFoundError, ValueError):
            raise ApiError(400, "") from None
        call.crm.settings.time_zone = str(call.body["timeZone"])
    return _settings(call)


@endpoint(api, "/Metadata", "GET")
def read_metadata(call: Call) -> object:
    """Scopes and entity definitions; `key` picks one branch, such as `entityDefs.Meeting`."""
    found: object = metadata(call.crm.store, call.crm.access, call.caller)
    for part in str(call.params.get("key") or "").split("."):
        if part:
            found = found.get(part) if isinstance(found, dict) else None
    return found


@endpoint(api, "/EntityManager/action/updateEntity", "POST")
def update_entity(call: Call) -> object:
    """Switch optimistic concurrency control of an entity type; admins only."""
    call.require_admin()
    name = str(call.body.get("name"))
    if name not in call.crm.store.tables:
        raise ApiError(404, "")
    if "optimisticConcurrencyControl" in call.body:
        call.crm.set_concurrency(name, bool(call.body["optimisticConcurrencyControl"]))
    return True


@endpoint(api, "/Admin/rebuild", "POST")
def rebuild(call: Call) -> object:
    """Nothing to do here; admins only."""
    call.require_admin()
    return True
