"""Connecting a CRM user to an Outlook mailbox, and taking that away again (R18 to R20).

Decides what a connection means for the account: which mailbox it holds, from when its records are pushed
(R8), and that a disconnect deletes nothing. The login itself is `graph.auth`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from calsync_plugin.accounts.resuming import compare_suspended
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import MailboxTaken, RemoteError, UserError
from calsync_plugin.graph.auth import Identity, Login
from calsync_plugin.graph.calendar import mailbox_settings
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.zones import known
from calsync_plugin.settings import user_settings
from calsync_plugin.state import Account, AccountStatus, Store

LONG_AWAY = timedelta(days=7)
"""After so long without a sync a reconnected account waits for the confirmed back-fill."""
OpenMailbox = Callable[[str, int], MailboxClient]
"""Opens the mailbox of a user id and mailbox id."""


class Connections:
    """The use cases around a connection."""

    def __init__(
        self,
        store: Store,
        login: Login,
        gateway: CrmGateway,
        open_mailbox: OpenMailbox,
        *,
        redirect_uri: str,
        entity_types: tuple[str, ...],
    ) -> None:
        """Connect through `login`; new accounts sync `entity_types`."""
        self._store = store
        self._login = login
        self._gateway = gateway
        self._open_mailbox = open_mailbox
        self._redirect_uri = redirect_uri
        self._entity_types = entity_types

    def begin(
        self, user_id: str, *, mode: str = "both", login_hint: str = "", prompt: str = "select_account"
    ) -> str:
        """Begin a login; returns the address that the user has to open in a browser."""
        account = self._store.accounts.get(user_id)
        if account is None:
            self._store.accounts.save(Account(user_id=user_id, settings=self._defaults(mode)))
        address, flow = self._login.begin(user_id, self._redirect_uri, login_hint=login_hint, prompt=prompt)
        self._store.oauth_flows.put(_state_of(address), user_id, flow)
        return address

    def finish(self, parameters: Mapping[str, str]) -> Account:
        """End a login with what Microsoft sent back. Raises UserError in words for the user."""
        begun = self._store.oauth_flows.take(parameters.get("state", ""))
        if begun is None:
            raise UserError("This login is not known or took too long. Please connect again.")
        identity = self._login.finish(
            begun.user_id, begun.flow, parameters, accept=lambda who: self._accept(begun.user_id, who)
        )
        return self._connected(begun.user_id, identity)

    def disconnect(self, user_id: str) -> None:
        """Remove the tokens and suspend the links; nothing is deleted in either calendar (R19)."""
        account = self._account(user_id)
        self._store.tokens.delete(user_id)
        self._store.accounts.set_status(user_id, AccountStatus.OFF, "Outlook was disconnected")
        if account.mailbox_id:
            self._store.links.suspend(account.mailbox_id, "Outlook was disconnected")

    def pause(self, user_id: str, reason: str = "paused") -> None:
        """Leave an account alone until it is resumed; its changes wait."""
        self._account(user_id)
        self._store.accounts.set_status(user_id, AccountStatus.PAUSED, reason)

    def resume(self, user_id: str) -> None:
        """Go on with an account that was paused or needed attention."""
        account = self._account(user_id)
        if account.status is AccountStatus.OFF or not account.mailbox_id:
            raise UserError(f"user {user_id} is not connected to Outlook; connect it first")
        if account.status is AccountStatus.RECONNECT:
            raise UserError(f"user {user_id} has to sign in at Microsoft again; resume cannot do that")
        self._store.accounts.set_status(user_id, AccountStatus.CONNECTED)
        self._store.queue.wake(account.mailbox_id)

    def _accept(self, user_id: str, who: Identity) -> None:
        """Refuse a mailbox that another user holds, before its tokens are kept (R18)."""
        mailbox_id = self._store.accounts.ensure_mailbox(who.tenant_id, who.object_id, who.address)
        holder = self._store.accounts.by_mailbox(mailbox_id)
        if holder is not None and holder.user_id != user_id:
            raise MailboxTaken

    def _connected(self, user_id: str, who: Identity) -> Account:
        accounts = self._store.accounts
        before = self._account(user_id)
        mailbox_id = accounts.ensure_mailbox(who.tenant_id, who.object_id, who.address)
        same = before.mailbox_id == mailbox_id
        account = replace(
            before,
            mailbox_id=mailbox_id,
            former_mailboxes=_former(before, mailbox_id),
            address=who.address,
            status=AccountStatus.CONNECTED,
            reason="",
            zone=self._zone(user_id, mailbox_id) or before.zone,
            push_from=before.push_from if same and not self._was_long_away(before) else self._this_second(),
            connected_at=before.connected_at if same else self._now(),
        )
        accounts.save(account)
        if not same and before.mailbox_id:
            self._store.links.suspend(before.mailbox_id, "another Outlook mailbox was connected")
        compare_suspended(self._store, mailbox_id)
        return account

    def _was_long_away(self, before: Account) -> bool:
        """After a long time without tokens people do not expect old changes to go out by themselves (R8)."""
        if before.push_from is None:
            return True
        away = before.status in (AccountStatus.RECONNECT, AccountStatus.OFF)
        last = before.last_success_at or before.connected_at
        return away and last is not None and self._now() - last > LONG_AWAY

    def _this_second(self) -> datetime:
        """Now by the CRM's clock; it tells its times in whole seconds, what is saved in this one is new."""
        return self._gateway.now().replace(microsecond=0)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._store.clock.now(), UTC)

    def _zone(self, user_id: str, mailbox_id: int) -> str:
        """The mailbox's own zone; a mailbox that does not tell has none."""
        try:
            settings = self._open_mailbox(user_id, mailbox_id).send(mailbox_settings())
        except RemoteError:
            return ""
        zone = settings.get("timeZone") if settings else None
        return zone if isinstance(zone, str) and known(zone) else ""

    def _defaults(self, mode: str) -> dict[str, JsonValue]:
        values: dict[str, JsonValue] = {
            "mode": mode,
            "sync_since": self._gateway.now().date().isoformat(),
            "entities": [{"entity_type": entity_type} for entity_type in self._entity_types],
            "default_entity": self._entity_types[0],
        }
        user_settings(values)
        return values

    def _account(self, user_id: str) -> Account:
        account = self._store.accounts.get(user_id)
        if account is None:
            raise UserError(f"user {user_id} has no account; connect it first")
        return account


def _former(before: Account, mailbox_id: int) -> frozenset[int]:
    """The mailboxes before the one that is connected now."""
    known = before.former_mailboxes | ({before.mailbox_id} if before.mailbox_id else frozenset())
    return known - {mailbox_id}


def _state_of(address: str) -> str:
    """The state parameter of a login's address: by it the answer is matched to its beginning."""
    query = parse_qs(urlsplit(address).query)
    return query["state"][0]
