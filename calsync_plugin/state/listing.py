"""Accounts as an administrator lists them: filtered, by pages, with what waits in each.

Decides that the database filters and counts: a page costs as much as its lines, however many accounts there
are. Which status means what is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, distinct, func, or_, select

from calsync_plugin.state.accounts import SELECTED, account_of
from calsync_plugin.state.bulk import chunks
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.rows import Account, AccountStatus, Decision
from calsync_plugin.state.schema import accounts, change_targets, changes, copies, held, parked


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account of a list, with what an administrator looks for."""

    account: Account
    waiting_since: datetime | None = None
    """Since when its oldest change waits."""
    links: int = 0
    parked: int = 0
    held: int = 0


class Listing:
    """The lists of a store's accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        *,
        statuses: Collection[AccountStatus] = (),
        text: str = "",
        user_ids: Collection[str] = (),
        after: str = "",
        limit: int = 50,
    ) -> list[AccountLine]:
        """A page of accounts by user id, after one of them.

        `statuses`: only these. `text`: only those that have it in their address or user id, and those of
        `user_ids`, whom the CRM found by it.
        """
        statement = SELECTED.where(accounts.c.user_id > after)
        if statuses:
            statement = statement.where(accounts.c.status.in_(sorted(status.value for status in statuses)))
        if text:
            statement = statement.where(
                or_(
                    accounts.c.address.icontains(text, autoescape=True),
                    accounts.c.user_id.icontains(text, autoescape=True),
                    *(accounts.c.user_id.in_(part) for part in chunks(sorted(user_ids))),
                )
            )
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(accounts.c.user_id).limit(limit))
            found = [account_of(row) for row in rows]
        return self._lines(found)

    def _lines(self, found: Sequence[Account]) -> list[AccountLine]:
        mailboxes = [account.mailbox_id for account in found if account.mailbox_id is not None]
        waiting = self._by(_WAITING.where(change_targets.c.mailbox_id.in_(mailboxes)))
        links = self._by(_LINKS.where(copies.c.mailbox_id.in_(mailboxes)))
        holds = self._by(_HELD.where(held.c.mailbox_id.in_(mailboxes)))
        parks = self._by(_PARKED.where(parked.c.user_id.in_([account.user_id for account in found])))
        return [
            AccountLine(
                account=account,
                waiting_since=instant(since) if (since := waiting.get(account.mailbox_id)) else None,
                links=links.get(account.mailbox_id, 0),
                parked=parks.get(account.user_id, 0),
                held=holds.get(account.mailbox_id, 0),
            )
            for account in found
        ]

    def _by(self, statement: Select[Any, Any]) -> dict[Any, Any]:
        with self._database.read() as connection:
            return {key: value for key, value in connection.execute(statement)}  # noqa: C416


_WAITING = (
    select(change_targets.c.mailbox_id, func.min(changes.c.created_at))
    .join(changes, changes.c.id == change_targets.c.change_id)
    .group_by(change_targets.c.mailbox_id)
)
_LINKS = select(copies.c.mailbox_id, func.count(distinct(copies.c.link_id))).group_by(copies.c.mailbox_id)
_HELD = (
    select(held.c.mailbox_id, func.count())
    .where(held.c.decision == Decision.NONE.value)
    .group_by(held.c.mailbox_id)
)
_PARKED = select(parked.c.user_id, func.count()).group_by(parked.c.user_id)
