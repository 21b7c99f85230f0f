"""`Integration` and `ExternalAccount`: what an extension brings, and the accounts of users.

EspoCRM 9.2.7, recorded with a trial extension. The simulator has no extension until `Crm.install` brings one;
its token service takes every code but `bad`. Secrets are taken and never shown. Kept for as long as the
process lives.
"""

from __future__ import annotations

from flask import request

from calsync_plugin.sandbox.crm.answers import Call, endpoint
from calsync_plugin.sandbox.crm.api import api
from calsync_plugin.sandbox.crm.errors import ApiError
from calsync_plugin.sandbox.crm.integrations import Integration
from calsync_plugin.sandbox.crm.tables import Record

SECRETS = ("clientSecret",)
BAD_CODE = "bad"


def _integration(call: Call, name: str) -> Integration:
    found = call.crm.integrations.get(name)
    if found is None:
        raise ApiError(404, "")
    return found


def _shown(found: Integration) -> Record:
    open_values = {name: value for name, value in found.values.items() if name not in (*SECRETS, "enabled")}
    return {"id": found.name, "deleted": False, "enabled": found.enabled, **open_values}


@endpoint(api, "/Integration/<name>", "GET")
def read_integration(call: Call, name: str) -> object:
    """What is set; administrators only."""
    call.require_admin()
    return _shown(_integration(call, name))


@endpoint(api, "/Integration/<name>", "PUT")
def write_integration(call: Call, name: str) -> object:
    """Set it up; administrators only."""
    call.require_admin()
    found = _integration(call, name)
    found.values.update(call.body)
    return _shown(found)


def _check_scope(call: Call) -> None:
    if not call.caller.is_admin and not call.crm.access.knows(call.caller, "ExternalAccount"):
        raise ApiError(403, "No access to 'ExternalAccount'.")


def _account(call: Call, account_id: str) -> tuple[Integration, str]:
    """The integration and the user of `NAME__USER`; only that user and administrators. Raises `ApiError`."""
    _check_scope(call)
    name, _, user_id = account_id.partition("__")
    if not call.caller.is_admin and user_id != call.caller.id:
        raise ApiError(403, "")
    return _integration(call, name), user_id


def _shown_account(found: Integration, user_id: str) -> Record:
    account = found.accounts.get(user_id) or {}
    plain = {"id": f"{found.name}__{user_id}", "deleted": False, "enabled": bool(account), "isLocked": False}
    return {**plain, **account}


@endpoint(api, "/ExternalAccount", "GET")
def list_accounts(call: Call) -> object:
    """The integrations that the caller may use: switched on, and of a scope that the roles give."""
    _check_scope(call)
    mine = call.crm.access.table(call.caller)
    return {
        "list": [
            {"id": one.name}
            for one in call.crm.integrations.values()
            if one.enabled and mine.get(one.scope) is True
        ]
    }


@endpoint(api, "/ExternalAccount/<account_id>", "GET")
def read_account(call: Call, account_id: str) -> object:
    """One account, without its tokens; the scope of the integration is not asked for here."""
    return _shown_account(*_account(call, account_id))


@endpoint(api, "/ExternalAccount/<account_id>", "PUT")
def write_account(call: Call, account_id: str) -> object:
    """Switch it on, with any values; switching it off forgets all of them."""
    found, user_id = _account(call, account_id)
    if call.body.get("enabled"):
        found.accounts[user_id] = {**(found.accounts.get(user_id) or {}), **call.body}
    else:
        found.accounts.pop(user_id, None)
        found.connected.discard(user_id)
    return _shown_account(found, user_id)


@endpoint(api, "/ExternalAccount/action/getOAuth2Info", "GET")
def login_info(call: Call) -> object:
    """What a browser needs for the login, and whether there is one."""
    found, user_id = _account(call, str(call.params.get("id") or ""))
    site = call.crm.settings.site_url or request.host_url.rstrip("/")
    return {
        "clientId": found.values.get("clientId"),
        "redirectUri": f"{site}?entryPoint=oauthCallback",
        "isConnected": user_id in found.connected,
    }


@endpoint(api, "/ExternalAccount/action/authorizationCode", "POST")
def take_code(call: Call) -> object:
    """Exchange the code that the login brought."""
    found, user_id = _account(call, str(call.body.get("id") or ""))
    if call.body.get("code") == BAD_CODE:
        raise ApiError(500, f"Could not get access token for {found.name}.")
    found.connected.add(user_id)
    return True
