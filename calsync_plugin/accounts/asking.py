"""*Use this account?* Between Microsoft's answer and the connection stands the user's own Yes.

Decides that nothing but the question is kept until then, for ten minutes and encrypted, and that an account
which cannot work is refused before it is asked about. What a connection means is `connect`'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from secrets import token_urlsafe

from calsync_plugin.accounts.connect import Answered, Connections
from calsync_plugin.errors import Forbidden, MailboxUnusable, NotFound, RemoteError, UserError
from calsync_plugin.graph.auth import Identity, Redeemed
from calsync_plugin.graph.calendar import get_calendar
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.registration import PERSONAL, SHARED, Registration
from calsync_plugin.state import Account, Store

QUESTION = "question:"
"""Before the ticket: a login's own state cannot be taken for a question."""
NO_MAILBOX = (
    "{address} has no mailbox in Exchange Online, so there is no calendar to keep in step. Either the "
    "account has "
    "no Exchange licence, or its mailbox is on a server of your own company. Choose another account, or "
    "ask your "
    "administrator for a licence."
)
NO_ACCESS = (
    "Microsoft does not let calsync open the calendar of {address}. Ask your administrator to allow the app "
    "(admin consent), then connect again."
)
PERSONAL_ACCOUNT = (
    "{address} is a personal Microsoft account. Here only accounts of a company or school can be connected; "
    "choose the one with which you work."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the user is asked: use this account?"""

    ticket: str
    user_id: str
    address: str
    name: str


class Asking:
    """Asks about Microsoft's answers, and acts upon Yes."""

    def __init__(
        self,
        store: Store,
        connections: Connections,
        open_with: Callable[[str], MailboxClient],
        registration: Callable[[], Registration],
    ) -> None:
        """`open_with` opens the mailbox of a token that is not kept yet."""
        self._store = store
        self._connections = connections
        self._open_with = open_with
        self._registration = registration

    def ask(self, parameters: Mapping[str, str], *, session_hash: str = "", visitor_id: str = "") -> Question:
        """Take Microsoft's answer. Raises UserError in words if that login or account cannot be used."""
        answered = self._connections.redeem(parameters, session_hash=session_hash, visitor_id=visitor_id)
        who = answered.found.identity
        check_kind(who, self._registration())
        self._check_mailbox(answered.found)
        ticket = token_urlsafe(32)
        self._store.oauth_flows.put(
            QUESTION + ticket,
            answered.user_id,
            json.dumps(asdict(answered.found)),
            session_hash=answered.session_hash,
        )
        return Question(ticket=ticket, user_id=answered.user_id, address=who.address, name=who.name)

    def yes(self, ticket: str, *, session_hash: str = "", visitor_id: str = "") -> Account:
        """Connect. Raises UserError for a question that is answered already, over, or somebody else's."""
        kept = self._store.oauth_flows.take(QUESTION + ticket)
        if kept is None:
            raise UserError("This question is answered already or took too long. Please connect again.")
        if kept.session_hash and (kept.session_hash, kept.user_id) != (session_hash, visitor_id):
            raise UserError("This question was asked in another browser. Please connect again.")
        found = json.loads(kept.flow)
        redeemed = Redeemed(Identity(**found["identity"]), found["cache"], found["access_token"])
        answered = Answered(kept.user_id, redeemed, kept.session_hash)
        # Whoever sits before a page chooses what is to happen before it happens.
        return self._connections.use(answered, settings_first=bool(kept.session_hash))

    def no(self, ticket: str) -> None:
        """Forget the answer."""
        self._store.oauth_flows.take(QUESTION + ticket)

    def _check_mailbox(self, found: Redeemed) -> None:
        try:
            self._open_with(found.access_token).send(get_calendar())
        except MailboxUnusable as error:
            raise UserError(NO_MAILBOX.format(address=found.identity.address)) from error
        except (Forbidden, NotFound) as error:
            raise UserError(NO_ACCESS.format(address=found.identity.address)) from error
        except RemoteError as error:
            raise UserError("Outlook does not answer now. Please connect again in a minute.") from error


def check_kind(who: Identity, registration: Registration) -> None:
    """Raise UserError for a personal account where the tenant setting names companies only."""
    only_companies = registration.tenant not in SHARED | {PERSONAL} or registration.tenant == "organizations"
    if who.tenant_id.lower() == PERSONAL and only_companies:
        raise UserError(PERSONAL_ACCOUNT.format(address=who.address or "This"))
