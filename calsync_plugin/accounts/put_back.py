"""After a backup of the store was put back: every account is compared before anything is carried on.

Decides that all accounts begin anew together. An event or record that was made after the backup is unknown to
the store; carried on as if nothing had happened, each would be made a second time on the other side. How one
account begins anew is `reset`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from calsync_plugin.accounts.auditing import COMMAND_LINE, Actor, note
from calsync_plugin.accounts.doctor import all_accounts
from calsync_plugin.accounts.moved import INSTALLATION
from calsync_plugin.accounts.reset import OpenMailbox, reset
from calsync_plugin.errors import CalsyncError
from calsync_plugin.state import AccountStatus, Store


@dataclass(frozen=True, slots=True)
class Compared:
    """One account: how many links are compared, or why it could not begin anew."""

    user_id: str
    address: str
    links: int
    error: str = ""


class Installation(Protocol):
    """What is compared."""

    store: Store

    @property
    def gateway(self) -> Any:
        """A `CrmGateway`; that it is made when it is first asked for hides its type from pyright."""
        ...

    @property
    def open_mailbox(self) -> OpenMailbox:
        """Opens a mailbox."""
        ...


def compare_all(calsync: Installation, by: Actor = COMMAND_LINE) -> Iterator[Compared]:
    """Let every connected account begin anew, one after the other; a failed one does not end the others."""
    note(calsync.store, by, "said that a backup was put back", subject=INSTALLATION)
    for account in all_accounts(calsync.store):
        if account.status is AccountStatus.OFF or account.mailbox_id is None:
            continue
        try:
            links = reset(calsync.store, calsync.gateway, calsync.open_mailbox, account, by=by)
        except CalsyncError as error:
            yield Compared(account.user_id, account.address, 0, str(error))
        else:
            yield Compared(account.user_id, account.address, links)
