"""The list of accounts for administrators: every user, with or without an account.

Decides the order: accounts first, by user id, then the CRM's users who have none. Names are the CRM's, asked
for a page at a time; without them the list is still good.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from calsync_plugin.crm.gateway import CrmGateway, PersonCard
from calsync_plugin.crm.staff import Colleague
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.errors import RemoteError
from calsync_plugin.state import AccountLine, AccountStatus, Store

log = logging.getLogger(__name__)

NOT_CONNECTED = "not_connected"
STATUSES = (*(status.value for status in AccountStatus), NOT_CONNECTED)
MOST_FOUND = 200
"""Users whom the CRM may find by a text; whoever searches for more has to say more."""
MOST_QUESTIONS = 5
_USERS = "users:"
_NUMBER = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One user: with an account, or without one (`line` is None)."""

    user_id: str
    name: str = ""
    """As the CRM says it; empty if it does not."""
    address: str = ""
    line: AccountLine | None = None

    @property
    def status(self) -> str:
        """The account's, or `not_connected`."""
        return self.line.account.status.value if self.line else NOT_CONNECTED


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines; `next` is where the following page begins, empty if there is none."""

    lines: tuple[Line, ...]
    next: str = ""
    lack: str = ""
    """What is missing because the CRM cannot be asked now, in words."""


class AccountList:
    """Lists of one installation."""

    def __init__(self, store: Store, gateway: CrmGateway) -> None:
        """List the accounts of `store` and the users of `gateway`."""
        self._store = store
        self._gateway = gateway
        self._lack = ""

    def page(
        self, *, statuses: Collection[str] = (), text: str = "", after: str = "", limit: int = 50
    ) -> Page:
        """A page of those with one of `statuses` (none: all) who have `text` in name or address."""
        text = text.strip()
        offset = _offset(after)
        wanted = {AccountStatus(status) for status in statuses if status != NOT_CONNECTED}
        lines: list[Line] = []
        if offset is None and (wanted or not statuses):
            rows = self._store.listing.page(
                statuses=wanted,
                text=text,
                user_ids=self._found(text) if text else (),
                after=after,
                limit=limit + 1,
            )
            lines = self._named(rows[:limit])
            if len(rows) > limit:
                return Page(tuple(lines), lines[-1].user_id, self._lack)
        if statuses and NOT_CONNECTED not in statuses:
            return Page(tuple(lines), "", self._lack)
        others, following = self._others(text, offset or 0, limit - len(lines))
        return Page((*lines, *others), following, self._lack)

    def _found(self, text: str) -> frozenset[str]:
        """Ids of the users whom the CRM finds by a text."""
        try:
            page = self._gateway.staff.users(search=text, limit=MOST_FOUND)
            return frozenset(user.id for user in page.users)
        except RemoteError as error:
            self._missed(error)
            return frozenset()

    def _named(self, rows: Sequence[AccountLine]) -> list[Line]:
        """Lines with the names that the CRM has for them."""
        cards: Mapping[str, PersonCard] = {}
        try:
            if rows:
                cards = self._gateway.people(PersonKind.USER, [row.account.user_id for row in rows])
        except RemoteError as error:
            self._missed(error)
        return [
            Line(
                user_id=row.account.user_id,
                name=cards[row.account.user_id].name if row.account.user_id in cards else "",
                address=row.account.address,
                line=row,
            )
            for row in rows
        ]

    def _others(self, text: str, offset: int, limit: int) -> tuple[list[Line], str]:
        """Users without an account from `offset` on, and where those after them begin.

        Where nearly everybody has an account a page may be short, even empty: the CRM is asked a few times
        for a page, not as often as it has users.
        """
        others: list[Line] = []
        for _ in range(MOST_QUESTIONS):
            if len(others) >= limit:
                break
            try:
                page = self._gateway.staff.users(search=text, offset=offset, limit=MOST_FOUND)
            except RemoteError as error:
                self._missed(error)
                return others, ""
            known = self._store.accounts.many([user.id for user in page.users])
            for user in page.users:
                if len(others) == limit:
                    return others, f"{_USERS}{offset}"
                offset += 1
                if user.id not in known:
                    others.append(_without_account(user))
            if not page.more:
                return others, ""
        return others, f"{_USERS}{offset}"

    def _missed(self, error: RemoteError) -> None:
        log.warning("the CRM does not tell its users now: %s", error)
        self._lack = "the CRM cannot be asked now: names and users without an account are missing"


def _offset(after: str) -> int | None:
    """Where in the CRM's list of users a page begins; None while there are accounts to come."""
    number = after.removeprefix(_USERS)
    return int(number) if after.startswith(_USERS) and _NUMBER.fullmatch(number) else None


def _without_account(user: Colleague) -> Line:
    return Line(
        user_id=user.id, name=user.name or user.user_name, address=user.addresses[0] if user.addresses else ""
    )
