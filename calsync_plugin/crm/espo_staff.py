"""EspoCRM's users, teams and roles.

Decides from which answer each is learnt. A role can be read by administrators only, and a program is none:
the names of roles are learnt from the users who have them. A team's roles are those of its members, as in
EspoCRM itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from calsync_plugin.crm.access import Access, read_access
from calsync_plugin.crm.client import EspoClient, Row, Where
from calsync_plugin.crm.staff import Colleague, ColleaguePage, Group, Groups
from calsync_plugin.errors import Forbidden

_SELECT = (
    "id", "userName", "name", "emailAddress", "type",
    "teamsIds", "teamsNames", "rolesIds", "rolesNames",
)  # fmt: skip
# Programs and customers with a portal have no calendar here.
_ACTIVE: tuple[Where, ...] = (
    {"type": "isTrue", "attribute": "isActive"},
    {"type": "in", "attribute": "type", "value": ["regular", "admin"]},
)
_SEARCHED = ("name", "userName", "emailAddress")

MOST_ASKED = 5_000
"""Users from whom names of teams and roles are learnt, at most: 25 requests."""


class EspoStaff:
    """The users of one EspoCRM."""

    def __init__(self, client: EspoClient) -> None:
        """Keep the client; nothing is sent yet."""
        self._client = client

    def users(self, *, search: str = "", offset: int = 0, limit: int = 50) -> ColleaguePage:
        """One page of active users by user name."""
        rows, more = self._client.page(
            "User",
            where=[*_ACTIVE, *_containing(search.strip())],
            select=_SELECT,
            order_by="userName",
            size=limit,
            offset=offset,
        )
        return ColleaguePage(tuple(self._with_roles_of_teams([_colleague(row) for row in rows])), more)

    def by_ids(self, ids: Collection[str]) -> Mapping[str, Colleague]:
        """The active ones among these users."""
        rows = self._client.rows_in("User", "id", ids, select=(*_SELECT, "isActive"))
        found = [_colleague(row) for row in rows if row.get("isActive") is not False]
        return {one.id: one for one in self._with_roles_of_teams(found)}

    def groups(self) -> Groups:
        """Teams and roles as far as we may read them, else those that users have."""
        access = read_access(self._client)
        all_teams = access.may("Team", "read") == "all"
        all_roles = access.user_type == "admin"
        teams, roles = self._of_users() if not (all_teams and all_roles) else ({}, {})
        for row in self._rows("Team"):
            teams[str(row.get("id"))] = str(row.get("name"))
            roles |= _names(row, "roles")
        if all_roles:
            roles |= {str(row.get("id")): str(row.get("name")) for row in self._rows("Role")}
        return Groups(
            teams=_sorted(teams),
            roles=_sorted(roles),
            teams_lack=""
            if all_teams
            else _lack(access, "teams", "give its role the right to read all teams"),
            roles_lack="" if all_roles else _lack(access, "roles", "only administrators can read roles"),
        )

    def _with_roles_of_teams(self, users: list[Colleague]) -> list[Colleague]:
        """What EspoCRM gives by a team's role, it gives to the team's members."""
        team_ids = {team for user in users for team in user.team_ids or ()}
        try:
            rows = list(self._client.rows_in("Team", "id", sorted(team_ids), select=("id", "rolesIds")))
        except Forbidden:
            return users
        of_team = {str(row.get("id")): _ids(row, "roles") or frozenset() for row in rows}
        return [
            replace(
                user,
                role_ids=user.role_ids.union(
                    *(of_team.get(team, frozenset()) for team in user.team_ids or ())
                ),
            )
            if user.role_ids is not None
            else user
            for user in users
        ]

    def _of_users(self) -> tuple[dict[str, str], dict[str, str]]:
        rows = self._client.rows("User", where=_ACTIVE, select=_SELECT, order_by="userName")
        teams: dict[str, str] = {}
        roles: dict[str, str] = {}
        for row in islice(rows, MOST_ASKED):
            teams |= _names(row, "teams")
            roles |= _names(row, "roles")
        return teams, roles

    def _rows(self, entity_type: str) -> Iterator[Row]:
        select = ("id", "name", "rolesIds", "rolesNames")
        try:
            yield from self._client.rows(entity_type, where=(), select=select)
        except Forbidden:
            return


def _containing(search: str) -> list[Where]:
    if not search:
        return []
    either = [{"type": "contains", "attribute": name, "value": search} for name in _SEARCHED]
    return [{"type": "or", "value": either}]


def _colleague(row: Row) -> Colleague:
    address = row.get("emailAddress")
    return Colleague(
        id=str(row.get("id")),
        user_name=str(row.get("userName") or ""),
        name=str(row.get("name") or ""),
        addresses=(str(address),) if address else (),
        admin=row.get("type") == "admin",
        team_ids=_ids(row, "teams"),
        role_ids=_ids(row, "roles"),
    )


def _ids(row: Row, link: str) -> frozenset[str] | None:
    ids = row.get(f"{link}Ids")
    return frozenset(map(str, ids)) if isinstance(ids, list) else None


def _names(row: Row, link: str) -> dict[str, str]:
    names = row.get(f"{link}Names")
    # PHP writes an empty map as an empty list.
    return {str(i): str(name or i) for i, name in names.items()} if isinstance(names, Mapping) else {}


def _sorted(names: Mapping[str, str]) -> tuple[Group, ...]:
    return tuple(
        Group(i, name) for i, name in sorted(names.items(), key=lambda item: (item[1].lower(), item))
    )


def _lack(access: Access, what: str, why: str) -> str:
    return f"the CRM's user {access.user_name} sees only {what} that somebody has: {why}"
