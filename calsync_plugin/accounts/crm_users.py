"""What the CRM says of a user at the sign-in: kept, because nobody else may ask the CRM for it.

Decides what of it is kept, and that a grant which came or went is followed at once. An API user cannot read
another's preferences or access (EspoCRM 9.2.7, measured).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Protocol

from calsync_plugin.accounts import crm_grants, entitled
from calsync_plugin.accounts.grants import CALENDAR, NEEDED
from calsync_plugin.crm.roles import CrmRole
from calsync_plugin.crm.sign_in import SignedIn
from calsync_plugin.errors import RemoteError
from calsync_plugin.graph import zones
from calsync_plugin.state import CrmUser, Store

log = logging.getLogger(__name__)

ROLES_EVERY = timedelta(minutes=10)
"""How often an administrator's visits read the roles."""


class RoleService(Protocol):
    """The CRM that shows its roles to administrators."""

    def roles(self, user_name: str, token: str) -> tuple[CrmRole, ...]:
        """All roles. Raises a RemoteError."""
        ...


def keep(calsync: entitled.Installation, service: RoleService, found: SignedIn) -> None:
    """Keep what the CRM said of somebody who signed in, or still is signed in."""
    store = calsync.store
    zone = found.time_zone if zones.known(found.time_zone) else ""
    told = CrmUser(user_id=found.user_id, zone=zone, language=found.language, grants=found.scopes & NEEDED)
    changed = store.crm_users.tell(told)
    if CALENDAR in found.scopes:
        crm_grants.seen(store)
    if not crm_grants.decides(store):
        return
    # Where roles are no more than exceptions they do not tell what a user may.
    if found.admin and found.token and found.strict:
        _read_roles(store, service, found)
    _follow(calsync, told, changed=changed, admin=found.admin)


def _read_roles(store: Store, service: RoleService, admin: SignedIn) -> None:
    before = crm_grants.roles(store)
    if before.by_id and datetime.fromtimestamp(store.clock.now(), UTC) - before.read_at < ROLES_EVERY:
        return
    try:
        found = service.roles(admin.user_name, admin.token)
    except RemoteError as error:
        log.warning("the CRM's roles are read at the next visit of an administrator: %s", error)
        return
    crm_grants.learn(store, found)
    if dict(before.by_id) != dict(crm_grants.roles(store).by_id):
        # Whoever has these roles is asked for by the sweep, not while somebody waits for a page.
        entitled.look_soon(store)


def _follow(calsync: entitled.Installation, user: CrmUser, *, changed: bool, admin: bool) -> None:
    """Let the account follow at once. Nobody is kept out of the pages because the CRM is away meanwhile."""
    account = calsync.store.accounts.get(user.user_id)
    try:
        # What an administrator may says nothing of any role.
        outdated = not admin and crm_grants.doubt(calsync, user)
        if (outdated or changed) and account is not None:
            entitled.follow(calsync, [account])
    except RemoteError as error:
        log.warning("the grants of user %s are followed later: %s", user.user_id, error)
        entitled.look_soon(calsync.store)
