"""What was agreed with the two services: the CRM's webhooks and Graph's subscriptions.

Decides that webhook secrets are encrypted. Does not decide when a subscription is renewed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.reading_rows import Subscription
from calsync_plugin.state.reading_schema import subscriptions
from calsync_plugin.state.rows import Webhook
from calsync_plugin.state.schema import webhooks
from calsync_plugin.state.secrets import Keyring

PURPOSE = "webhook"


class Webhooks:
    """The CRM's webhooks, by their id in the CRM."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def save(self, webhook: Webhook) -> None:
        """Insert or replace."""
        row = {
            "id": webhook.id,
            "event": webhook.event,
            "secret": self._keyring.encrypt(PURPOSE, webhook.id, webhook.secret),
        }
        with self._database.write() as connection:
            connection.execute(upsert(connection, webhooks), row)

    def get(self, webhook_id: str) -> Webhook | None:
        """One webhook."""
        return next(iter(self._find(webhooks.c.id == webhook_id)), None)

    def all(self) -> list[Webhook]:
        """All webhooks."""
        return self._find(webhooks.c.id != "")

    def delete(self, webhook_id: str) -> None:
        """Forget one."""
        with self._database.write() as connection:
            connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))

    def _find(self, condition: Any) -> list[Webhook]:
        statement = select(webhooks).where(condition).order_by(webhooks.c.id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [
            Webhook(row.id, row.event, self._keyring.decrypt(PURPOSE, row.id, row.secret)) for row in rows
        ]


class Subscriptions:
    """Graph's subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, subscription: Subscription) -> None:
        """Insert or replace."""
        row = {
            "id": subscription.id,
            "mailbox_id": subscription.mailbox_id,
            "resource": subscription.resource,
            "client_state_hash": subscription.client_state_hash,
            "expires_at": subscription.expires_at,
        }
        with self._database.write() as connection:
            connection.execute(upsert(connection, subscriptions), row)

    def get(self, subscription_id: str) -> Subscription | None:
        """One subscription."""
        return next(iter(self._find(subscriptions.c.id == subscription_id)), None)

    def many(self, subscription_ids: Collection[str]) -> dict[str, Subscription]:
        """Several subscriptions at once, by id; unknown ones are left out."""
        if not subscription_ids:
            return {}
        return {found.id: found for found in self._find(subscriptions.c.id.in_(subscription_ids))}

    def for_mailbox(self, mailbox_id: int) -> list[Subscription]:
        """All subscriptions of a mailbox."""
        return self._find(subscriptions.c.mailbox_id == mailbox_id)

    def expiring(self, before: datetime) -> list[Subscription]:
        """Those that end before an instant, soonest first."""
        return self._find(subscriptions.c.expires_at < before)

    def delete(self, subscription_id: str) -> None:
        """Forget one."""
        with self._database.write() as connection:
            connection.execute(delete(subscriptions).where(subscriptions.c.id == subscription_id))

    def _find(self, condition: Any) -> list[Subscription]:
        statement = (
            select(subscriptions).where(condition).order_by(subscriptions.c.expires_at, subscriptions.c.id)
        )
        with self._database.read() as connection:
            return [
                Subscription(
                    id=row.id,
                    mailbox_id=row.mailbox_id,
                    resource=row.resource,
                    client_state_hash=row.client_state_hash,
                    expires_at=row.expires_at,
                )
                for row in connection.execute(statement)
            ]
