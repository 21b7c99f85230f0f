"""What the CRM told of its users when they signed in: only their own login may ask for it.

Decides that a user is written again only if something changed or an hour went by. What follows from it is
decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from calsync_plugin.state.bulk import chunks, upsert
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import crm_users

RENEWED = timedelta(hours=1)
"""What did not change is written again after it, not at each visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmUser:
    """A user as the CRM described the user last."""

    user_id: str
    zone: str = ""
    """The zone in which the CRM shows this user times: IANA; empty if it did not tell."""
    language: str = ""
    """The language in which the CRM speaks to this user, such as de_DE; empty if it did not tell."""
    grants: frozenset[str] | None = None
    """What the CRM's own access control gives of our grants; None if it was not asked."""
    told_at: datetime | None = None
    """When it was told last, to the hour; set by the store."""


class CrmUsers:
    """The users of the CRM who ever signed in to a store's pages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def many(self, user_ids: Iterable[str]) -> dict[str, CrmUser]:
        """What was told of several users, by id; who never signed in is left out."""
        found: dict[str, CrmUser] = {}
        with self._database.read() as connection:
            for part in chunks(user_ids):
                rows = connection.execute(select(crm_users).where(crm_users.c.user_id.in_(part)))
                for row in rows:
                    found[row.user_id] = CrmUser(
                        user_id=row.user_id,
                        zone=row.zone,
                        language=row.language,
                        grants=None if row.grants is None else frozenset(row.grants),
                        told_at=row.told_at,
                    )
        return found

    def tell(self, user: CrmUser) -> bool:
        """Keep what the CRM told just now; whether it is something else than before."""
        before = self.many([user.user_id]).get(user.user_id)
        now = instant(self._database.clock.now())
        same = before is not None and replace(before, told_at=None) == replace(user, told_at=None)
        if same and before is not None and before.told_at is not None and now - before.told_at < RENEWED:
            return False
        row = {
            "user_id": user.user_id,
            "zone": user.zone,
            "language": user.language,
            "grants": None if user.grants is None else sorted(user.grants),
            "told_at": now,
        }
        with self._database.write() as connection:
            connection.execute(upsert(connection, crm_users), row)
        return not same
