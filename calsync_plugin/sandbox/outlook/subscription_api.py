"""Graph's requests about subscriptions (Graph docs, subscription resource type and "Create subscription")."""

from __future__ import annotations

import ipaddress
import secrets
import uuid
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from calsync_plugin.sandbox.outlook.identities import CLIENT_ID
from calsync_plugin.sandbox.outlook.items import view_of
from calsync_plugin.sandbox.outlook.lookup import not_found
from calsync_plugin.sandbox.outlook.odata_types import instant, invalid, mapping, parse_instant, text
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Mailbox
from calsync_plugin.sandbox.outlook.subscriptions import Subscription
from calsync_plugin.sandbox.outlook.wire import Answer, Call, GraphError, Json

SHORTEST, LONGEST = timedelta(minutes=45), timedelta(minutes=10_080)
MOST_PER_MAILBOX = 1000
_MOST_STATE = 128
_HANDSHAKE_SECONDS = 10.0
_CHANGES = ("created", "updated", "deleted")


def _expiry(sim: Simulator, value: object) -> str:
    """Return when a subscription ends: less than 45 minutes is raised, more than 10,080 is refused."""
    now, wanted = sim.now(), parse_instant(value)
    if wanted <= now:
        raise invalid("Subscription expiration can only be in the future.", "InvalidRequest")
    if wanted > now + LONGEST + timedelta(minutes=1):
        raise invalid("Subscription expiration can only be 10080 minutes in the future.", "InvalidRequest")
    return max(wanted, now + SHORTEST).isoformat()


def _resource(sim: Simulator, call: Call, value: str) -> Mailbox:
    """Return the mailbox of a resource; only the signed-in user's own events can be watched."""
    parts = [part for part in value.strip("/").split("/") if part]
    lowered = [part.lower() for part in parts]
    if lowered == ["me", "events"]:
        return call.caller
    if len(parts) == 3 and lowered[0] == "users" and lowered[2] == "events":
        found = sim.state.find_mailbox(parts[1])
        if found is call.caller:
            return call.caller
        raise GraphError(
            403, "ExtensionError", "Operation: Create; Exception: access to this mailbox is denied."
        )
    raise invalid(f"Resource '{value}' cannot be subscribed to.", "InvalidRequest")


def _url(value: object, name: str) -> str:
    url = text(value, name)
    parts = urlsplit(url)
    local = parts.scheme == "http" and _loopback(parts.hostname or "")
    if not parts.hostname or (parts.scheme != "https" and not local):
        raise invalid(
            f"{name} has to be an https address (or http on this machine, in the sandbox).", "InvalidRequest"
        )
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shake_hands(sim: Simulator, url: str) -> None:
    """Ask the receiver to echo a token; GraphError 400 unless it does, as text, within ten seconds."""
    token = f"Validation: Testing client application reachability for {secrets.token_urlsafe(16)}"
    joined = url + ("&" if "?" in url else "?") + urlencode({"validationToken": token})
    try:
        status, answer = sim.subscriptions.deliver(joined, None, _HANDSHAKE_SECONDS)
    except OSError as error:
        raise invalid(
            f"Subscription validation request failed. Could not reach the endpoint: {type(error).__name__}.",
            "ValidationError",
        ) from error
    if status != 200 or answer.strip() != token:
        raise invalid(
            "Subscription validation request failed. "
            f"HTTP status code is '{status}'; the token was not echoed.",
            "ValidationError",
        )


def _render(one: Subscription) -> Json:
    return {
        "id": one.id,
        "resource": one.resource,
        "applicationId": CLIENT_ID,
        "changeType": ",".join(one.change_types),
        "clientState": one.client_state,
        "notificationUrl": one.url,
        "lifecycleNotificationUrl": one.lifecycle_url,
        "expirationDateTime": instant(one.expires_at()),
        "creatorId": one.creator,
        "includeResourceData": False,
        "latestSupportedTlsVersion": "v1_2",
        "notificationQueryOptions": None,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "notificationUrlAppId": None,
    }


def create(sim: Simulator, call: Call) -> Answer:
    """Subscribe to a mailbox's events after a handshake with the receiver."""
    _check_tenant(sim)
    body = mapping(call.body, "body")
    for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
        if not body.get(name):
            raise invalid(f"A subscription needs '{name}'.", "InvalidRequest")
    changes = tuple(part.strip().lower() for part in text(body["changeType"], "changeType").split(","))
    if not set(changes) <= set(_CHANGES):
        raise invalid("changeType takes created, updated and deleted.", "InvalidRequest")
    resource = text(body["resource"], "resource")
    mailbox = _resource(sim, call, resource)
    url = _url(body["notificationUrl"], "notificationUrl")
    lifecycle = body.get("lifecycleNotificationUrl")
    lifecycle = _url(lifecycle, "lifecycleNotificationUrl") if lifecycle else None
    state = body.get("clientState")
    if state is not None and len(text(state, "clientState")) > _MOST_STATE:
        raise invalid("clientState takes at most 128 characters.", "InvalidRequest")
    expires = _expiry(sim, body["expirationDateTime"])
    _check_room(sim, mailbox, changes)
    for address in (url, lifecycle):
        if address:
            _shake_hands(sim, address)
    one = Subscription(
        id=str(uuid.uuid4()),
        mailbox=mailbox.address,
        creator=mailbox.object_id,
        change_types=changes,
        resource=resource,
        url=url,
        lifecycle_url=lifecycle,
        client_state=state,
        expires=expires,
        immutable=view_of(call).immutable,
    )
    sim.subscriptions.add(one)
    return Answer(201, {"@odata.context": f"{call.root()}/$metadata#subscriptions/$entity", **_render(one)})


def _check_tenant(sim: Simulator) -> None:
    if sim.switches.refuse_subscriptions:
        message = "Operation: Create; Exception: [Status Code: Forbidden; Reason: Access is denied.]"
        raise GraphError(403, "ExtensionError", message)


def _check_room(sim: Simulator, mailbox: Mailbox, changes: tuple[str, ...]) -> None:
    have = [one for one in sim.subscriptions.alive() if one.mailbox == mailbox.address]
    for one in have:
        if set(one.change_types) == set(changes):
            message = f"Subscription Id {one.id} already exists for the requested combination"
            raise GraphError(409, "Conflict", message)
    if len(have) >= MOST_PER_MAILBOX:
        raise GraphError(403, "ExtensionError", "The mailbox has reached its limit of subscriptions.")


def _own(sim: Simulator, call: Call) -> Subscription:
    found = sim.subscriptions.get(call.ids[0])
    if found is None or found.mailbox != call.caller.address:
        raise not_found()
    return found


def listing(sim: Simulator, call: Call) -> Answer:
    """List the caller's subscriptions."""
    values = [_render(one) for one in sim.subscriptions.alive() if one.mailbox == call.caller.address]
    return Answer(200, {"@odata.context": f"{call.root()}/$metadata#subscriptions", "value": values})


def get(sim: Simulator, call: Call) -> Answer:
    """Get one subscription."""
    return Answer(200, _render(_own(sim, call)))


def renew(sim: Simulator, call: Call) -> Answer:
    """Move a subscription's end; this also reauthorizes it."""
    _check_tenant(sim)
    found, body = _own(sim, call), mapping(call.body, "body")
    if not body.get("expirationDateTime"):
        raise invalid("Only expirationDateTime can be changed.", "InvalidRequest")
    return Answer(200, _render(sim.subscriptions.renew(found, _expiry(sim, body["expirationDateTime"]))))


def reauthorize(sim: Simulator, call: Call) -> Answer:
    """Reauthorize a subscription."""
    sim.subscriptions.reauthorize(_own(sim, call))
    return Answer(204)


def delete(sim: Simulator, call: Call) -> Answer:
    """End a subscription."""
    sim.subscriptions.drop(_own(sim, call).id)
    return Answer(204)
