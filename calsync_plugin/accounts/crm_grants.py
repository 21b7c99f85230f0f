"""Grants that EspoCRM's own access control gives, where it has scopes of our names (R12).

Decides whether EspoCRM decides, and what it says of a user. An administrator's sign-in tells what each role
gives, and who has which role our own user may ask at any time; where that is not known, what each user's own
sign-in told counts. EspoCRM shows an API user neither a role nor another's access (9.2.7, measured).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from calsync_plugin.accounts.grants import CALENDAR, NEEDED
from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.roles import CrmRole, has_scope
from calsync_plugin.crm.staff import Colleague
from calsync_plugin.state import CrmUser, Store

IN_CRM, ROLES = "grants:in-crm", "grants:roles"
YES, NO = "yes", "no"
JUST_TOLD = 60.0
"""Seconds in which a user was told something by the very sign-in that made the roles doubtful."""
NEVER = datetime.min.replace(tzinfo=UTC)


class Installation(Protocol):
    """What is asked for a user's grants."""

    store: Store

    @property
    def gateway(self) -> Any:
        """The `CrmGateway`."""
        ...

    @property
    def espocrm(self) -> Any:
        """The client of EspoCRM."""
        ...


@dataclass(frozen=True, slots=True)
class Roles:
    """What each role gives, as an administrator's sign-in told last."""

    by_id: Mapping[str, CrmRole] = field(default_factory=dict)
    read_at: datetime = NEVER


def decides(store: Store) -> bool:
    """Whether EspoCRM has such scopes: then it alone says who may use Outlook."""
    return store.bookmarks.get(IN_CRM) == YES


def look(calsync: Installation) -> None:
    """Find out whether EspoCRM has such scopes now. May raise a RemoteError."""
    if isinstance(calsync.gateway, EspoGateway):
        _note(calsync.store, known=has_scope(calsync.espocrm, CALENDAR))


def seen(store: Store) -> None:
    """Somebody has the scope, so EspoCRM knows it."""
    _note(store, known=True)


def _note(store: Store, *, known: bool) -> None:
    word = YES if known else NO
    if store.bookmarks.get(IN_CRM) != word:
        store.bookmarks.set(IN_CRM, word)


def learn(store: Store, found: Iterable[CrmRole]) -> None:
    """Keep what each role gives, as EspoCRM just told an administrator."""
    kept = {role.id: [role.name, sorted(role.scopes & NEEDED)] for role in found}
    store.bookmarks.set(ROLES, json.dumps({"read_at": store.clock.now(), "roles": kept}))


def roles(store: Store) -> Roles:
    """What is known of the roles."""
    text = store.bookmarks.get(ROLES)
    if not text:
        return Roles()
    told = json.loads(text)
    by_id = {
        role_id: CrmRole(id=role_id, name=name, scopes=frozenset(scopes))
        for role_id, (name, scopes) in told["roles"].items()
    }
    return Roles(by_id, datetime.fromtimestamp(told["read_at"], UTC))


def doubt(calsync: Installation, user: CrmUser) -> bool:
    """Forget what the roles gave if a user was just told something else; whether that was so.

    A role was changed since then; an administrator's next visit reads them again. May raise a RemoteError.
    """
    known = roles(calsync.store)
    if not known.by_id:
        return False
    found: Mapping[str, Colleague] = calsync.gateway.staff.by_ids([user.user_id])
    by_roles = _by_roles(found.get(user.user_id), known)
    if by_roles is None or by_roles == user.grants:
        return False
    # What users were told before that is older than what their roles said since, and is not believed again.
    forgotten = {"read_at": calsync.store.clock.now() - JUST_TOLD, "roles": {}}
    calsync.store.bookmarks.set(ROLES, json.dumps(forgotten))
    return True


def given(calsync: Installation, user_ids: Collection[str]) -> dict[str, frozenset[str] | None]:
    """What EspoCRM gives to users, None if it did not tell yet. May raise a RemoteError."""
    told, known = calsync.store.crm_users.many(user_ids), roles(calsync.store)
    staff: Mapping[str, Colleague] = calsync.gateway.staff.by_ids(user_ids) if known.by_id else {}
    answers: dict[str, frozenset[str] | None] = {}
    for user_id in user_ids:
        by_roles = _by_roles(staff.get(user_id), known)
        own = told.get(user_id)
        newer = own is not None and own.told_at is not None and own.told_at >= known.read_at
        answers[user_id] = own.grants if by_roles is None and own is not None and newer else by_roles
    return answers


def _by_roles(user: Colleague | None, known: Roles) -> frozenset[str] | None:
    """What a user's roles give together; None if that is not known of each of them."""
    if user is None:
        return None
    if user.admin:
        return NEEDED
    if user.role_ids is None or not user.role_ids <= known.by_id.keys():
        return None
    return frozenset[str]().union(*(known.by_id[role_id].scopes for role_id in user.role_ids)) & NEEDED
