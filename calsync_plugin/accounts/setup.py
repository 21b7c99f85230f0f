"""What must be true before a bridge starts: both services know us, and the CRM reports to us.

Decides that a wrong key is one line at the start and not a thousand in the log. Changes nothing at a
service but the CRM's webhooks, which are looked at again while the bridge runs.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.webhook_setup import ensure_webhooks, wanted_events
from calsync_plugin.errors import ConfigurationError, Forbidden, ItemError, RemoteError, Unauthorized
from calsync_plugin.http import Http
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Store, Webhook

log = logging.getLogger(__name__)

HOUR = 3600.0
_LOOKED = "webhooks:looked"
"""The bookmark of when the webhooks were looked at, by our clock."""


class Installation(Protocol):
    """What is checked and set up."""

    store: Store

    @property
    def http(self) -> Http:
        """The way to both services."""
        ...

    @property
    def entities(self) -> dict[str, EntitySettings]:
        """What is synced, by its entity type."""
        ...

    @property
    def espocrm(self) -> EspoClient:
        """The client of EspoCRM."""
        ...

    @property
    def gateway(self) -> Any:
        """The `CrmGateway`."""
        ...

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...


def check_services(calsync: Installation) -> None:
    """Make sure that both services can be reached and know us."""
    settings = calsync.settings
    try:
        access = read_access(calsync.espocrm)
    except Unauthorized as error:
        raise ConfigurationError(
            "the CRM does not accept the key", path="crm.api_key", expected="the key of an API user"
        ) from error
    except Forbidden as error:
        raise ConfigurationError(
            f"the CRM refuses this address or user: {error}",
            path="crm.api_key",
            expected="an API user with a role; after failed logins wait a minute",
        ) from error
    except RemoteError as error:
        raise ConfigurationError(
            f"the CRM cannot be reached: {error}", path="crm.url", expected="the address of a running EspoCRM"
        ) from error
    for sentence in access.shortcomings(calsync.entities.values()):
        log.warning("%s; calsync espocrm setup mends the role", sentence)
    try:
        calsync.http.send("GET", f"{settings.graph.url}/me")
    except RemoteError as error:
        raise ConfigurationError(
            f"Microsoft Graph cannot be reached: {error}",
            path="graph.url",
            expected="https://graph.microsoft.com/v1.0",
        ) from error


def set_up_webhooks(calsync: Installation) -> None:
    """Find or make the CRM's webhooks for us, and keep their secrets."""
    calsync.store.bookmarks.set(_LOOKED, f"{calsync.store.clock.now():.3f}")
    store = calsync.store.webhooks
    known = {webhook.id: webhook.secret for webhook in store.all()}
    address = calsync.settings.serve.public_url + calsync.settings.crm.webhook_path
    events = wanted_events(calsync.entities.values())
    for webhook in ensure_webhooks(calsync.espocrm, address, events, known):
        if known.get(webhook.id) != webhook.secret:
            store.save(Webhook(webhook.id, webhook.event, webhook.secret))
    log.info("%d webhooks of the CRM report to %s", len(events), address)


def keep_webhooks(calsync: Installation) -> None:
    """Once an hour make or mend what an administrator of the CRM deleted, switched off or gave a new secret.

    Only where webhooks were set up before, and while calsync is not paused. What fails is logged and tried
    again an hour later; until then the sweep finds what is not reported.
    """
    now, last = calsync.store.clock.now(), calsync.store.bookmarks.get(_LOOKED)
    # A clock that was set back must not put it off for longer than the interval.
    if (last and 0 <= now - float(last) < HOUR) or not _are_wanted(calsync):
        return
    try:
        set_up_webhooks(calsync)
    except (RemoteError, ItemError, ConfigurationError) as error:
        log.warning("the CRM's webhooks could not be looked at, in an hour they are again: %s", error)


def _are_wanted(calsync: Installation) -> bool:
    """Whether a bridge beside EspoCRM made webhooks, and nobody had them removed since."""
    settings, store = calsync.settings, calsync.store
    if not settings.serve.public_url or not settings.crm.url or store.installation.get().paused:
        return False
    return isinstance(calsync.gateway, EspoGateway) and bool(store.webhooks.all())
