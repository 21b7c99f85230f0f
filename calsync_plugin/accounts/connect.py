"""Connecting a CRM user to an Outlook mailbox, and taking that away again (R18 to R20).

Decides what a connection means for the account: which mailbox it holds, from when its records are pushed
(R8), and that a disconnect deletes nothing. The login itself is `graph.auth`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from calsync_plugin.accounts import grants
from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.accounts.away import was_long_away
from calsync_plugin.accounts.handing_on import leave
from calsync_plugin.accounts.mailbox_told import ask_mailbox
from calsync_plugin.accounts.outsiders import check_may_connect
from calsync_plugin.accounts.reading import read_again, stop_reading
from calsync_plugin.accounts.resuming import compare_suspended, find_what_was_saved, try_parked_again
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.engine.calendars import refresh_calendars
from calsync_plugin.errors import MailboxTaken, RemoteError, UserError
from calsync_plugin.graph.auth import Identity, Login, Redeemed
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.settings import NO_CALENDAR, GraphSettings, user_settings
from calsync_plugin.state import Account, AccountStatus, SourceKind, Store

log = logging.getLogger(__name__)

CHOSEN_CALENDARS = ("main_calendar", "other_calendars", "conflict_calendars")
"""Settings that name calendars of one mailbox."""
SETTINGS_FIRST = "connected; syncing begins when the settings are saved"
"""The reason of an account that is paused until its user chose."""
OpenMailbox = Callable[[str, int], MailboxClient]
"""Opens the mailbox of a user id and mailbox id."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A login that ended well, and for whom it was begun in which browser session; it is kept nowhere."""

    user_id: str
    found: Redeemed
    session_hash: str = ""


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
        graph: Callable[[], GraphSettings],
        may: Callable[[str], frozenset[str]],
    ) -> None:
        """Connect through `login`; new accounts sync `entity_types`. `graph` tells what is in force.

        `may` tells which grants a user has now (`entitled`).
        """
        self._store = store
        self._login = login
        self._gateway = gateway
        self._open_mailbox = open_mailbox
        self._redirect_uri = redirect_uri
        self._entity_types = entity_types
        self._graph = graph
        self._may = may

    def begin(
        self,
        user_id: str,
        *,
        mode: str = "both",
        login_hint: str = "",
        prompt: str = "",
        session_hash: str = "",
    ) -> str:
        """Begin a login; returns the address that the user has to open in a browser.

        With a `session_hash` only that browser session can end it. Without a `prompt` Microsoft asks what the
        administrator chose.
        """
        graph = self._graph()
        if not graph.enabled:
            raise UserError("Outlook is switched off by an administrator at present; nothing is lost.")
        self._check_allowed(user_id, mode)
        address, flow = self._login.begin(
            user_id, self._redirect_uri, login_hint=login_hint, prompt=prompt or graph.prompt
        )
        self._store.oauth_flows.put(_state_of(address), user_id, flow, session_hash=session_hash)
        return address

    def finish(
        self, parameters: Mapping[str, str], *, session_hash: str = "", visitor_id: str = ""
    ) -> Account:
        """End a login with what Microsoft sent back, without another question (`redeem`, `use`)."""
        return self.use(self.redeem(parameters, session_hash=session_hash, visitor_id=visitor_id))

    def redeem(
        self, parameters: Mapping[str, str], *, session_hash: str = "", visitor_id: str = ""
    ) -> Answered:
        """What Microsoft's answer brings; nothing of it is kept. Raises UserError in words for the user.

        `session_hash` and `visitor_id`: whose browser brings it. A login that a page began is ended by no
        other session and no other user (RFC 6819, 4.4.1.8: else a foreign mailbox can be foisted on a user).
        """
        begun = self._store.oauth_flows.take(parameters.get("state", ""))
        if begun is None:
            raise UserError("This login is not known or took too long. Please connect again.")
        if begun.session_hash and (begun.session_hash, begun.user_id) != (session_hash, visitor_id):
            raise UserError(
                "This login was begun in another browser or by another user. Please connect again from your "
                "own account page."
            )
        found = self._login.redeem(begun.user_id, begun.flow, parameters)
        self._accept(begun.user_id, found.identity)
        return Answered(begun.user_id, found, begun.session_hash)

    def use(self, answered: Answered, *, settings_first: bool = False) -> Account:
        """Connect an answer's account. `settings_first`: a new one waits until its settings are saved."""
        who = answered.found.identity
        self._accept(answered.user_id, who)
        self._login.keep(answered.user_id, answered.found.cache)
        return self._connected(answered.user_id, who, settings_first=settings_first)

    def disconnect(self, user_id: str, *, by: Actor | None = None) -> None:
        """Remove tokens, subscriptions and chosen calendars, suspend the links; delete nothing (R19).

        Without `by` it is the user's own doing, here and below.
        """
        account = self._account(user_id)
        # First of all, so that no run makes anew what is taken away below.
        reason = "Outlook was disconnected" if grants.is_allowed(account) else grants.NOT_ALLOWED
        self._store.accounts.set_status(user_id, AccountStatus.OFF, reason)
        if account.mailbox_id:
            client = self._open_mailbox(user_id, account.mailbox_id)
            stop_reading(self._store, user_id, account.mailbox_id, client)
            leave(self._store, account.mailbox_id, "Outlook was disconnected")
        self._store.tokens.delete(user_id)
        self._store.busy.remove_all(user_id)
        self._store.accounts.set_settings(user_id, _without_calendars(account.settings))
        note_account(self._store, by, account, "disconnected Outlook")

    def pause(self, user_id: str, reason: str = "paused", *, by: Actor | None = None) -> None:
        """Leave an account alone until it is resumed; its changes wait."""
        account = self._account(user_id)
        if account.status is AccountStatus.OFF:
            raise UserError(f"user {user_id} is not connected to Outlook; there is nothing to pause")
        self._store.accounts.set_status(user_id, AccountStatus.PAUSED, reason)
        note_account(self._store, by, account, "paused the account")

    def resume(self, user_id: str, *, by: Actor | None = None) -> None:
        """Go on with an account that was paused or needed attention."""
        account = self._account(user_id)
        grants.check_allowed(account)
        if account.status is AccountStatus.OFF or not account.mailbox_id:
            raise UserError(f"user {user_id} is not connected to Outlook; connect it first")
        if account.status is AccountStatus.RECONNECT:
            raise UserError(f"user {user_id} has to sign in at Microsoft again; resume cannot do that")
        self._store.accounts.set_status(user_id, AccountStatus.CONNECTED)
        # What made it need attention may have put links out of reach.
        compare_suspended(self._store, account.mailbox_id)
        try_parked_again(self._store, account.mailbox_id)
        self._store.queue.hint(account.mailbox_id)
        note_account(self._store, by, account, "resumed the account")

    def read_again(self, user_id: str, *, by: Actor | None = None) -> None:
        """Look for a user's calendars, and let the chosen ones be read and compared from their beginning."""
        account = self._account(user_id)
        grants.check_allowed(account)
        if account.status is AccountStatus.OFF or not account.mailbox_id:
            raise UserError(f"user {user_id} is not connected to Outlook; connect it first")
        self._look_at_calendars(account)
        read_again(self._store, user_id, account.mailbox_id)
        note_account(self._store, by, account, "had the calendars read again")

    def _check_allowed(self, user_id: str, mode: str) -> None:
        """Make the account of a user who has none yet and may have one; UserError for who may not."""
        account = self._store.accounts.get(user_id)
        if account is not None and grants.is_allowed(account):
            return
        new = Account(user_id=user_id, settings=self._defaults(mode))
        given = self._may(user_id)
        grants.check_allowed(replace(account or new, grants=given))
        if account is None:
            self._store.accounts.save(replace(new, grants=given))
        else:
            grants.bring_in_line(self._store, self._gateway, account, given)

    def _accept(self, user_id: str, who: Identity) -> None:
        """Refuse a mailbox that is not allowed or that another user holds, before tokens are kept (R18)."""
        account = self._account(user_id)
        grants.check_allowed(account)
        check_may_connect(who, self._graph())
        mailbox_id = self._store.accounts.ensure_mailbox(who.tenant_id, who.object_id, who.address)
        holder = self._store.accounts.by_mailbox(mailbox_id)
        if holder is not None and holder.user_id != user_id:
            raise MailboxTaken
        # What Outlook told colleagues of somebody who was not connected; from now on the calendars tell.
        for one in self._store.busy.sources([user_id]) if account.status is AccountStatus.OFF else ():
            if one.kind is SourceKind.SCHEDULE:
                self._store.busy.remove(one.id, user_id=user_id)

    def _connected(self, user_id: str, who: Identity, *, settings_first: bool) -> Account:
        accounts = self._store.accounts
        before = self._account(user_id)
        mailbox_id = accounts.ensure_mailbox(who.tenant_id, who.object_id, who.address)
        same = before.mailbox_id == mailbox_id
        new = not same or was_long_away(before, self._store.clock.now())
        waits = settings_first and (not same or before.status is AccountStatus.OFF)
        if not same and before.mailbox_id:
            # Its calendars are not those of the new mailbox, and nobody reads it any more.
            stop_reading(self._store, user_id, before.mailbox_id)
            self._store.links.suspend(before.mailbox_id, "another Outlook mailbox was connected")
        told = ask_mailbox(self._open_mailbox(user_id, mailbox_id))
        account = replace(
            before,
            mailbox_id=mailbox_id,
            former_mailboxes=_former(before, mailbox_id),
            address=who.address,
            settings=before.settings if same else _without_calendars(before.settings),
            status=AccountStatus.PAUSED if waits else AccountStatus.CONNECTED,
            reason=SETTINGS_FIRST if waits else "",
            zone=told.zone or before.zone,
            working_hours=told.hours if told.answered or not same else before.working_hours,
            working_hours_at=self._now() if told.answered else None,
            push_from=self._this_second() if new else before.push_from,
            connected_at=before.connected_at if same else self._now(),
            pulled_at=before.pulled_at if same else None,
        )
        accounts.save(account)
        self._look_at_calendars(account)
        note_account(self._store, None, account, "connected Outlook")
        compare_suspended(self._store, mailbox_id)
        if not new:
            find_what_was_saved(self._store, self._gateway, self._entity_types, before)
        if same:
            self._store.queue.hint(mailbox_id)
        else:
            read_again(self._store, user_id, mailbox_id)
        return account

    def _look_at_calendars(self, account: Account) -> None:
        """Read them once, so that there is something to choose from; runs refresh them later."""
        assert account.mailbox_id is not None
        client = self._open_mailbox(account.user_id, account.mailbox_id)
        try:
            refresh_calendars(client, self._store, account.mailbox_id, account.address)
        except RemoteError as error:
            log.info("the calendars of user %s are read later: %s", account.user_id, error)

    def _this_second(self) -> datetime:
        """Now by the CRM's clock; it tells its times in whole seconds, what is saved in this one is new."""
        return self._gateway.now().replace(microsecond=0)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._store.clock.now(), UTC)

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


def _without_calendars(settings: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {n: value for n, value in settings.items() if n not in CHOSEN_CALENDARS or value == NO_CALENDAR}


def _state_of(address: str) -> str:
    """The state parameter of a login's address: by it the answer is matched to its beginning."""
    query = parse_qs(urlsplit(address).query)
    return query["state"][0]
