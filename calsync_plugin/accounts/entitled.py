"""Who has which grant: told by the host, else by EspoCRM's roles, else given on our pages.

Decides which source is believed, and that what cannot be told changes nothing. What follows for an account is
decided in `grants`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from calsync_plugin.accounts import crm_grants
from calsync_plugin.accounts.grants import NEEDED, bring_in_line
from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.crm.staff import Colleague
from calsync_plugin.errors import CalsyncError, RemoteError
from calsync_plugin.state import SWEEP, Account, Store, Subject

log = logging.getLogger(__name__)

USER, TEAM, ROLE = "user", "team", "role"
LOOK_EVERY = timedelta(days=1)
LOOKED = "grants:looked"
CARRIED = "grants:carried"
BEFORE = "connected before grants were given here"
PAGE = 200


class Installation(Protocol):
    """What is asked for a user's grants and changed by them."""

    store: Store
    plugins: Any

    @property
    def gateway(self) -> Any:
        """A `CrmGateway`; that it is made when it is first asked for hides its type from pyright."""
        ...

    @property
    def espocrm(self) -> Any:
        """The client of EspoCRM, where that is the CRM."""
        ...


Answers = Mapping[str, frozenset[str] | None]
"""Grants by user id. None: cannot be told now; who is missing is told by the next source."""
Source = Callable[[Installation, Collection[str]], Answers]


def effective(calsync: Installation, user_id: str) -> frozenset[str]:
    """What a user may; what cannot be told now is what the account has."""
    account = calsync.store.accounts.get(user_id)
    try:
        named = entitled(calsync, [user_id])
    except RemoteError:
        if account is None:
            raise
        named = {}
    return named.get(user_id, account.grants if account else frozenset()) & NEEDED


def entitled(calsync: Installation, user_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """What users may, by id; left out is whoever it cannot be told of. May raise a RemoteError."""
    found: dict[str, frozenset[str] | None] = {}
    for source in _SOURCES:
        asked = [user_id for user_id in user_ids if user_id not in found]
        if asked:
            found |= source(calsync, asked)
    return {user_id: names for user_id, names in found.items() if names is not None}


def host_decides(calsync: Installation) -> bool:
    """Whether the host names its users' grants; what is given here is for whom it leaves out."""
    return bool(calsync.plugins.hook.calsync_grants.get_hookimpls())


def follow(calsync: Installation, accounts: Collection[Account]) -> list[str]:
    """Bring accounts in line with what their users have now; returns the ids of those that changed."""
    named = entitled(calsync, [account.user_id for account in accounts])
    gateway: CrmGateway = calsync.gateway
    return [
        account.user_id
        for account in accounts
        if account.user_id in named and bring_in_line(calsync.store, gateway, account, named[account.user_id])
    ]


def follow_crm(calsync: Installation, user_id: str) -> None:
    """The grants of a user may have changed. Never raises: it is called while the CRM saves a role.

    What the host names is followed at once. Who is in which team is asked by the next sweep: nothing remote
    is called from a hook.
    """
    try:
        account = calsync.store.accounts.get(user_id)
        if account is None:
            return
        named = _named_by_host(calsync, [user_id])
        if user_id not in named:
            look_soon(calsync.store)
        elif (given := named[user_id]) is not None:
            bring_in_line(calsync.store, calsync.gateway, account, given)
    except CalsyncError as error:
        log.warning("the grants of user %s could not be followed: %s", user_id, error)


def look(calsync: Installation) -> None:
    """Once a day, and when somebody asked for it: does everybody still have what the account has?

    While the CRM cannot be asked nothing changes, and the next sweep looks again.
    """
    bookmarks, now = calsync.store.bookmarks, datetime.fromtimestamp(calsync.store.clock.now(), UTC)
    looked = bookmarks.get(LOOKED)
    if looked and now - datetime.fromisoformat(looked) < LOOK_EVERY:
        return
    try:
        crm_grants.look(calsync)
        for page in pages(calsync.store) if looked else ():
            gone = _gone(calsync, page)
            follow(calsync, [account for account in page if account.user_id not in gone])
            for account in page:
                if account.user_id in gone:
                    bring_in_line(calsync.store, calsync.gateway, account, ())
    except CalsyncError as error:
        log.warning("who has which grant cannot be asked of the CRM now: %s", error)
        return
    # A hook that asked meanwhile is not forgotten.
    bookmarks.swap(LOOKED, looked, now.isoformat())


def _gone(calsync: Installation, accounts: Collection[Account]) -> set[str]:
    """Who is not active in EspoCRM any more (R12). Nobody, unless our role lets us see all of its users.

    If nobody of several is there, it is the CRM that is not what it was: that is no reason to stop them.
    """
    if (
        not isinstance(calsync.gateway, EspoGateway)
        or read_access(calsync.espocrm).may("User", "read") != "all"
    ):
        return set()
    ids = {account.user_id for account in accounts}
    gone = ids - calsync.gateway.staff.by_ids(ids).keys()
    return set() if gone == ids and len(ids) > 1 else gone


def look_soon(store: Store) -> None:
    """Let the next sweep look, and let it come now."""
    store.bookmarks.set(LOOKED, _SOON)
    store.queue.wake(SWEEP)


def pages(store: Store) -> Iterator[list[Account]]:
    """All accounts, by pages."""
    after = ""
    while page := store.accounts.all(after=after, limit=PAGE):
        yield page
        after = page[-1].user_id


_SOON = datetime.min.replace(tzinfo=UTC).isoformat()

# --- the sources


def _named_by_host(calsync: Installation, user_ids: Collection[str]) -> Answers:
    """What `calsync_grants` says; a plugin that fails says nothing now, and is not passed over."""
    if not host_decides(calsync):
        return {}
    answers: dict[str, frozenset[str] | None] = {}
    for user_id in user_ids:
        try:
            named: Collection[str] | None = calsync.plugins.hook.calsync_grants(user_id=user_id)
            if named is not None:
                answers[user_id] = frozenset(named)
        except Exception:
            # Whatever a plugin of the CRM does wrong, the CRM goes on and so do we.
            log.exception("a plugin's calsync_grants failed for user %s", user_id)
            answers[user_id] = None
    return answers


def _in_crm(calsync: Installation, user_ids: Collection[str]) -> Answers:
    """What EspoCRM's roles give; nobody is left to what was given here if it has such scopes."""
    return crm_grants.given(calsync, user_ids) if crm_grants.decides(calsync.store) else {}


def _given(calsync: Installation, user_ids: Collection[str]) -> Answers:
    """What was given here to the users, and to the teams and roles that the CRM says they have."""
    carry_over(calsync.store)
    given = calsync.store.given_grants
    own = given.by_subject([Subject(USER, user_id) for user_id in user_ids])
    answers: dict[str, frozenset[str] | None] = {
        user_id: own.get(Subject(USER, user_id), frozenset()) for user_id in user_ids
    }
    to_groups = given.to_groups()
    asked = [u for u, names in answers.items() if to_groups and names is not None and not names >= NEEDED]
    if asked:
        gateway: CrmGateway = calsync.gateway
        found = gateway.staff.by_ids(asked)
        answers |= {u: _with_groups(answers[u] or frozenset(), found.get(u), to_groups) for u in asked}
    return answers


def _with_groups(
    own: frozenset[str], user: Colleague | None, to_groups: Mapping[Subject, frozenset[str]]
) -> frozenset[str] | None:
    """A user's grants with those of the groups; None if groups matter that the CRM does not tell."""
    names, unknown = own, False
    for kind, ids in ((TEAM, user and user.team_ids), (ROLE, user and user.role_ids)):
        of_kind = {subject.id: given for subject, given in to_groups.items() if subject.kind == kind}
        unknown = unknown or bool(of_kind and ids is None)
        names = names.union(*(given for i, given in of_kind.items() if i in (ids or ())))
    return None if unknown and not names >= NEEDED else names


_SOURCES: tuple[Source, ...] = (_named_by_host, _in_crm, _given)


def carry_over(store: Store) -> None:
    """Keep what accounts have that were connected before grants were given here: once, as given to them."""
    if store.bookmarks.get(CARRIED):
        return
    for page in pages(store):
        store.given_grants.give_all(
            (
                (Subject(USER, account.user_id), name, account.address or account.user_id)
                for account in page
                for name in sorted(account.grants & NEEDED)
            ),
            given_by=BEFORE,
        )
    store.bookmarks.set(CARRIED, datetime.fromtimestamp(store.clock.now(), UTC).isoformat())
