"""Proves the integration step by step, and says of each failed step what to fix.

Decides what counts as a proof. A step that cannot be proven from here is *not checked*, with the reason, and
not ok. Changes nothing, keeps no token, and names no secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

from calsync_plugin.accounts.integration import redirect_uri
from calsync_plugin.addresses import is_loopback
from calsync_plugin.errors import CalsyncError
from calsync_plugin.graph.auth import Login, Proof
from calsync_plugin.graph.registration import PERSONAL, SCOPES, SHARED
from calsync_plugin.http import Http
from calsync_plugin.settings import Settings
from calsync_plugin.state import Account, AccountStatus, Notify, Store
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

SECONDS = 10.0
"""For one answer: a person waits for the check."""
ASKED = 20
"""Accounts whose last token is looked at: the latest ones say what is granted now."""
CONNECTED = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})


class State(StrEnum):
    """What became of a step."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in words, what became of it, and what was seen or what to fix."""

    name: str
    state: State
    text: str


class Checked(Protocol):
    """What is checked."""

    store: Store
    http: Http
    login: Login

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...


def check(checked: Checked) -> Iterator[Step]:
    """Every step in its order; a failed one does not end the others."""
    steps: tuple[tuple[str, Callable[[Checked], tuple[State, str]]], ...] = (
        (_("login service"), _authority),
        (_("client ID and secret"), _app),
        (_("permissions"), _permissions),
        (_("notification address"), _notifications),
    )
    for name, look in steps:
        try:
            state, text = look(checked)
        except CalsyncError as error:
            state, text = State.FAILED, str(error)
        yield Step(name, state, text)


def admin_consent_url(checked: Checked, *, state: str = "") -> str:
    """Where an administrator at Microsoft consents for all users; "" where that does not exist."""
    return checked.login.registration.admin_consent_url(redirect_uri(checked.settings), state=state)


def _authority(checked: Checked) -> tuple[State, str]:
    registration = checked.login.registration
    place = f"{registration.address}/v2.0/.well-known/openid-configuration"
    answer = checked.http.send("GET", place, timeout=SECONDS)
    if answer.status == 200 and isinstance(answer.json(), dict) and "token_endpoint" in answer.json():
        return State.OK, _("%(address)s answers", address=registration.address)
    if answer.status in {400, 404}:
        tenant = repr(registration.tenant)
        return State.FAILED, _(
            "Microsoft does not know the tenant %(tenant)s; correct the tenant", tenant=tenant
        )
    return State.FAILED, _(
        "%(address)s answered %(status)s and does not describe a login service; correct the login address",
        address=registration.address,
        status=answer.status,
    )


def _app(checked: Checked) -> tuple[State, str]:
    registration = checked.login.registration
    if not registration.client_id:
        return State.FAILED, _("there is no application (client) ID; copy it from the app registration")
    if not registration.client_secret:
        return State.FAILED, _(
            "there is no client secret; make one at the app registration and enter its value"
        )
    tenant = _tenant(checked)
    if not tenant:
        return State.NOT_CHECKED, _(
            "%(tenant)s stands for many tenants, and Microsoft checks a secret at a single one: connect a "
            "first work or school account, or name the tenant's ID",
            tenant=registration.tenant,
        )
    proof = checked.login.prove(tenant)
    if not proof.error:
        return State.OK, _(
            "Microsoft knows the app at tenant %(tenant)s and accepts its secret", tenant=tenant
        )
    return State.FAILED, _refusal(proof, tenant)


def _tenant(checked: Checked) -> str:
    """A single tenant at which the app must be known: the set one, one in use, one that is allowed."""
    named = checked.login.registration.tenant
    if named not in SHARED:
        return named
    allowed = checked.settings.graph.allowed_tenants
    used = (_tenant_of(checked, account) for account in _latest(checked))
    # Nobody can be an app of the tenant of all personal accounts.
    return next((tenant for tenant in (*used, *allowed) if tenant and tenant != PERSONAL), "")


def _tenant_of(checked: Checked, account: Account) -> str:
    mailbox = checked.store.accounts.mailbox(account.mailbox_id) if account.mailbox_id else None
    return mailbox.tenant_id if mailbox else ""


FIXES = {
    "AADSTS7000215": _("the client secret is wrong: enter the secret's Value, not its Secret ID"),
    "AADSTS7000222": _(
        "the client secret has expired: make a new one at the app registration, enter its value"
    ),
    "AADSTS700016": _(
        "tenant %(tenant)s does not know this application (client) ID: correct the ID or the tenant; at a "
        "tenant other than the app's own an administrator consents first"
    ),
    "AADSTS90002": _("Microsoft does not know the tenant %(tenant)s: correct the tenant"),
    "AADSTS900023": _("%(tenant)s is no tenant: enter its ID or domain"),
    "AADSTS7000112": _("the app is switched off at tenant %(tenant)s: an administrator there enables it"),
    "AADSTS53003": _("a Conditional Access policy blocks the app: an administrator of %(tenant)s allows it"),
}
"""By Microsoft's number (Microsoft identity platform, "Authentication and authorization error codes").

Microsoft may change them: an unknown one is shown as it came.
"""


def _refusal(proof: Proof, tenant: str) -> str:
    unknown = _("look up this number at https://login.microsoftonline.com/error")
    fix = _(FIXES.get(proof.number, unknown).message, tenant=tenant)
    return _("%(fix)s (%(code)s)", fix=fix, code=f"{proof.error} {proof.number}")


def _permissions(checked: Checked) -> tuple[State, str]:
    accounts = _latest(checked)
    if not accounts:
        return State.NOT_CHECKED, _(
            "nobody is connected yet; Microsoft names the permissions with the first account, or give them "
            "for everybody by the admin consent"
        )
    lacking: set[str] = set()
    for account in accounts:
        lacking |= set(SCOPES) - checked.login.granted(account.user_id)
    if not lacking:
        return State.OK, _(
            "granted to %(num)s of the accounts that are connected: %(scopes)s",
            num=len(accounts),
            scopes=", ".join(SCOPES),
        )
    return State.FAILED, _(
        "not granted to every account: %(scopes)s; add them to the app registration as delegated permissions "
        "of Microsoft Graph, then give the admin consent",
        scopes=", ".join(sorted(lacking)),
    )


def _latest(checked: Checked) -> list[Account]:
    """The accounts that connected last."""
    found = [one for one in _all(checked.store) if one.status in CONNECTED and one.mailbox_id is not None]
    found.sort(key=lambda one: one.connected_at.timestamp() if one.connected_at else 0.0, reverse=True)
    return found[:ASKED]


def _all(store: Store) -> Iterator[Account]:
    after = ""
    while page := store.accounts.all(after=after):
        yield from page
        after = page[-1].user_id


def _notifications(checked: Checked) -> tuple[State, str]:
    """Begin with the handshake, as Graph does (docs, "Receive change notifications through webhooks")."""
    public = checked.settings.serve.public_url
    if not public:
        return State.FAILED, _("there is no public address; set serve.public_url in the configuration")
    both_here = is_loopback(public) and is_loopback(checked.settings.graph.url)
    if not public.startswith("https://") and not both_here:
        return (
            State.FAILED,
            _(
                "%(address)s is not https, and Microsoft notifies https addresses only; polled instead",
                address=public,
            ),
        )
    sent = f"calsync check {secrets.token_hex(8)}"
    place = f"{public}/webhooks/outlook?{urlencode({'validationToken': sent})}"
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    answer = checked.http.send("POST", place, headers=headers, body=b"", timeout=SECONDS)
    if answer.status != 200 or answer.body.decode("utf-8", "replace") != sent:
        return State.FAILED, _(
            "%(address)s did not answer as calsync does (status %(status)s); lead that address to calsync, "
            "without a sign-in before it",
            address=f"{public}/webhooks/outlook",
            status=answer.status,
        )
    notified = sum(
        one.notify is Notify.NOTIFICATIONS for one in _all(checked.store) if one.status in CONNECTED
    )
    seen = (
        _n("Microsoft notifies of %(num)s mailbox", "Microsoft notifies of %(num)s mailboxes", notified)
        if notified
        else _("Microsoft has not used it yet")
    )
    return State.OK, _("%(address)s answers the handshake; %(seen)s", address=public, seen=seen)
