"""Accounts and the mailboxes they hold.

Decides that a mailbox has one user (R18). Does not decide settings, status or what follows from them. Columns
that different actors write at the same time (settings by a page, stage by a worker) have calls of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import MailboxTaken, StaleLink, StoreError
from calsync_plugin.state.bulk import chunks, insert_missing, upsert
from calsync_plugin.state.clock import NEVER
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import crm_users
from calsync_plugin.state.rows import Account, AccountStatus, Mailbox, MailboxKind, Notify, Stage
from calsync_plugin.state.schema import accounts, mailboxes

SELECTED = select(
    accounts, crm_users.c.zone.label("user_zone"), crm_users.c.language.label("language")
).outerjoin(crm_users, crm_users.c.user_id == accounts.c.user_id)
"""All that `account_of` reads."""


class Accounts:
    """The accounts of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> Account | None:
        """The account of a CRM user."""
        return self._one(accounts.c.user_id == user_id)

    def by_mailbox(self, mailbox_id: int) -> Account | None:
        """The account that holds a mailbox."""
        return self._one(accounts.c.mailbox_id == mailbox_id)

    def many(self, user_ids: list[str]) -> dict[str, Account]:
        """Several accounts at once, by user id."""
        with self._database.read() as connection:
            rows = connection.execute(
                SELECTED.where(accounts.c.user_id.in_(user_ids)).order_by(accounts.c.user_id)
            )
            return {row.user_id: account_of(row) for row in rows}

    def by_mailboxes(self, mailbox_ids: list[int]) -> dict[int, Account]:
        """The accounts that hold several mailboxes, by mailbox id."""
        with self._database.read() as connection:
            rows = connection.execute(_BY_MAILBOXES, {"mailboxes": mailbox_ids})
            return {row.mailbox_id: account_of(row) for row in rows}

    def all(self, *, after: str = "", limit: int = 200) -> list[Account]:
        """A page of accounts in the order of their user ids; the next page is after the last of it."""
        statement = SELECTED.where(accounts.c.user_id > after).order_by(accounts.c.user_id).limit(limit)
        with self._database.read() as connection:
            return [account_of(row) for row in connection.execute(statement)]

    def in_status(self, *statuses: AccountStatus) -> list[Account]:
        """All accounts in one of these statuses, in the order of their user ids."""
        wanted = accounts.c.status.in_([status.value for status in statuses])
        with self._database.read() as connection:
            rows = connection.execute(SELECTED.where(wanted).order_by(accounts.c.user_id))
            return [account_of(row) for row in rows]

    def holders(self, addresses: Collection[str]) -> dict[str, str]:
        """Whose account has which of these addresses, in lower case; of two the first by user id."""
        found: dict[str, str] = {}
        address = func.lower(accounts.c.address)
        with self._database.read() as connection:
            for some in chunks(sorted(addresses)):
                wanted = select(accounts.c.user_id, address.label("address")).where(address.in_(some))
                for row in connection.execute(wanted.order_by(accounts.c.user_id)):
                    found.setdefault(row.address, row.user_id)
        return found

    def counts(self) -> dict[AccountStatus, int]:
        """How many accounts are in each status."""
        statement = select(accounts.c.status, func.count().label("accounts")).group_by(accounts.c.status)
        with self._database.read() as connection:
            found = {row.status: row.accounts for row in connection.execute(statement)}
        return {status: found.get(status.value, 0) for status in AccountStatus}

    def save(self, account: Account) -> None:
        """Insert an account or replace all of it. Raises MailboxTaken if another user holds its mailbox."""
        try:
            with self._database.write() as connection:
                connection.execute(upsert(connection, accounts), _row(account))
        except StaleLink as error:
            raise MailboxTaken from error

    def ensure_mailbox(self, tenant_id: str, object_id: str, address: str) -> int:
        """The id of the mailbox with this identity, made if it is new; the address is renewed."""
        same = (mailboxes.c.tenant_id == tenant_id) & (mailboxes.c.object_id == object_id)
        with self._database.write() as connection:
            row = new_mailbox(MailboxKind.MAILBOX, tenant_id, object_id, address)
            connection.execute(insert_missing(connection, mailboxes), row)
            connection.execute(update(mailboxes).where(same).values(address=address))
            return int(connection.execute(select(mailboxes.c.id).where(same)).scalar_one())

    def mailbox(self, mailbox_id: int) -> Mailbox | None:
        """A mailbox by its id."""
        with self._database.read() as connection:
            row = connection.execute(select(mailboxes).where(mailboxes.c.id == mailbox_id)).first()
        if row is None:
            return None
        return Mailbox(row.id, MailboxKind(row.kind), row.tenant_id, row.object_id, row.address)

    def set_settings(self, user_id: str, settings: Mapping[str, JsonValue]) -> None:
        """Replace the settings of an account."""
        self._set(user_id, settings=dict(settings))

    def set_grants(self, user_id: str, grants: frozenset[str]) -> None:
        """Replace what the CRM's admin allows."""
        self._set(user_id, grants=sorted(grants))

    def set_push_from(self, user_id: str, push_from: datetime | None) -> None:
        """Records last changed before it are not pushed unasked (R8)."""
        self._set(user_id, push_from=push_from)

    def set_status(self, user_id: str, status: AccountStatus, reason: str = "") -> None:
        """What the user sees, with the reason in words."""
        self._set(user_id, status=status.value, reason=reason)

    def set_notify(self, user_id: str, notify: Notify, reason: str = "") -> None:
        """How changes of the mailbox become known; `reason` says in words why it is polled."""
        self._set(user_id, notify=notify.value, notify_reason=reason)

    def set_working_hours(
        self, user_id: str, hours: JsonValue, *, zone: str = "", asked_at: datetime | None = None
    ) -> None:
        """When the user works, as the mailbox told (now, if nothing else is said); None if it did not tell.

        With a `zone` that is the mailbox's from now on.
        """
        values = {"zone": zone} if zone else {}
        self._set(user_id, working_hours=hours, working_hours_at=asked_at or self._now(), **values)

    def set_stage(self, user_id: str, stage: Stage) -> None:
        """What the worker does at this moment."""
        self._set(user_id, stage=stage.value)

    def succeeded(self, user_id: str) -> None:
        """A run ended well: now."""
        self._set(user_id, stage=Stage.IDLE.value, last_success_at=self._now())

    def failed(self, user_id: str, error: str) -> None:
        """A run failed: now, and why in words."""
        self._set(user_id, stage=Stage.IDLE.value, last_error=error, last_error_at=self._now())

    def _set(self, user_id: str, **columns: Any) -> None:
        with self._database.write() as connection:
            done = connection.execute(
                update(accounts).where(accounts.c.user_id == user_id).values(**columns)
            ).rowcount
        if not done:
            raise StoreError(f"user {user_id} has no account; connect it first")

    def _one(self, condition: Any) -> Account | None:
        with self._database.read() as connection:
            row = connection.execute(SELECTED.where(condition)).first()
        return None if row is None else account_of(row)

    def _now(self) -> datetime:
        return instant(self._database.clock.now())


def mark_succeeded(connection: Connection, user_id: str, at: datetime) -> None:
    """A run ended well, within the caller's transaction."""
    connection.execute(_SUCCEEDED, {"user": user_id, "at": at})


def mark_pulled(connection: Connection, user_id: str, at: datetime) -> None:
    """All calendars were read to the end, within the caller's transaction."""
    connection.execute(update(accounts).where(accounts.c.user_id == user_id).values(pulled_at=at))


_SUCCEEDED = (
    update(accounts)
    .where(accounts.c.user_id == bindparam("user"))
    .values(stage=Stage.IDLE.value, last_success_at=bindparam("at"))
)
_BY_MAILBOXES = SELECTED.where(accounts.c.mailbox_id.in_(bindparam("mailboxes", expanding=True))).order_by(
    accounts.c.mailbox_id
)


def new_mailbox(kind: MailboxKind, tenant_id: str, object_id: str, address: str = "") -> dict[str, Any]:
    """A row of `mailboxes` that nobody has woken yet."""
    return {
        "kind": kind.value,
        "tenant_id": tenant_id,
        "object_id": object_id,
        "address": address,
        "due_at": NEVER,
        "not_before": 0.0,
        "seq": 0,
        "owner": "",
        "run": 0,
        "run_started": 0.0,
        "lease_until": 0.0,
        "attempt": 0,
        "pace_start": 0.0,
        "pace_count": 0,
        "pull_at": 0.0,
        "hints": 0,
    }


def _row(account: Account) -> dict[str, Any]:
    return {
        "user_id": account.user_id,
        "mailbox_id": account.mailbox_id,
        "former_mailboxes": sorted(account.former_mailboxes),
        "address": account.address,
        "settings": dict(account.settings),
        "grants": sorted(account.grants),
        "status": account.status.value,
        "reason": account.reason,
        "stage": account.stage.value,
        "zone": account.zone,
        "push_from": account.push_from,
        "connected_at": account.connected_at,
        "last_success_at": account.last_success_at,
        "last_error": account.last_error,
        "last_error_at": account.last_error_at,
        "notify": account.notify.value,
        "notify_reason": account.notify_reason,
        "pulled_at": account.pulled_at,
        "working_hours": account.working_hours,
        "working_hours_at": account.working_hours_at,
    }


def account_of(row: Any) -> Account:
    """A row of `SELECTED` as a value."""
    return Account(
        user_id=row.user_id,
        mailbox_id=row.mailbox_id,
        former_mailboxes=frozenset(row.former_mailboxes),
        address=row.address,
        settings=row.settings,
        grants=frozenset(row.grants),
        status=AccountStatus(row.status),
        reason=row.reason,
        stage=Stage(row.stage),
        zone=row.zone,
        user_zone=row.user_zone or "",
        language=row.language or "",
        push_from=row.push_from,
        connected_at=row.connected_at,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        notify=Notify(row.notify),
        notify_reason=row.notify_reason,
        pulled_at=row.pulled_at,
        working_hours=row.working_hours,
        working_hours_at=row.working_hours_at,
    )
