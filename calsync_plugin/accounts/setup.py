"""What must be true before a bridge starts: both services know us, and the CRM reports to us.

Decides that a wrong key is one line at the start and not a thousand in the log. Changes nothing at a
service but the CRM's webhooks.
"""

from __future__ import annotations

import logging
from typing import Protocol

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.webhook_setup import ensure_webhooks, wanted_events
from calsync_plugin.errors import ConfigurationError, Forbidden, RemoteError, Unauthorized
from calsync_plugin.http import Http
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Store, Webhook

log = logging.getLogger(__name__)


class Installation(Protocol):
    """What is checked and set up."""

    store: Store
    http: Http
    entities: dict[str, EntitySettings]
    espocrm: EspoClient

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
    store = calsync.store.webhooks
    known = {webhook.id: webhook.secret for webhook in store.all()}
    address = calsync.settings.serve.public_url + calsync.settings.crm.webhook_path
    events = wanted_events(calsync.entities.values())
    for webhook in ensure_webhooks(calsync.espocrm, address, events, known):
        store.save(Webhook(webhook.id, webhook.event, webhook.secret))
    log.info("%d webhooks of the CRM report to %s", len(events), address)
