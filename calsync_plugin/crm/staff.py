"""The CRM's own users, and the teams and roles that they belong to.

Decides what may be asked of them and what an answer leaves open: a CRM that does not tell whom a user belongs
with says None, which is not the same as nobody. What follows from belonging is decided in `accounts`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """A user of the CRM who may log in."""

    id: str
    user_name: str = ""
    name: str = ""
    addresses: tuple[str, ...] = ()
    admin: bool = False
    team_ids: frozenset[str] | None = None
    """None: the CRM does not tell."""
    role_ids: frozenset[str] | None = None
    """None: the CRM does not tell."""


@dataclass(frozen=True, slots=True)
class ColleaguePage:
    """Users in the order of their user names; `more`: there are others after these."""

    users: tuple[Colleague, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A team or a role."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The teams and roles to which something can be given, by name."""

    teams: tuple[Group, ...] = ()
    roles: tuple[Group, ...] = ()
    teams_lack: str = ""
    """Why these are not all teams, and what to do; empty if they are."""
    roles_lack: str = ""


class Staff(Protocol):
    """The users of one CRM. Every method may raise a `RemoteError`."""

    def users(self, *, search: str = "", offset: int = 0, limit: int = 50) -> ColleaguePage:
        """List active users, or those with `search` in their name, user name or address."""
        ...

    def by_ids(self, ids: Collection[str]) -> Mapping[str, Colleague]:
        """Read users in bulk; who is not known, not active or not readable is left out."""
        ...

    def groups(self) -> Groups:
        """List teams and roles."""
        ...


class NoStaff:
    """A CRM that does not tell: grants are given to single users."""

    def users(self, *, search: str = "", offset: int = 0, limit: int = 50) -> ColleaguePage:  # noqa: ARG002
        """List nobody."""
        return ColleaguePage(())

    def by_ids(self, ids: Collection[str]) -> Mapping[str, Colleague]:  # noqa: ARG002
        """Know nobody."""
        return {}

    def groups(self) -> Groups:
        """Offer neither, and say why."""
        why = "this CRM does not tell calsync its {}; give grants to single users"
        return Groups(teams_lack=why.format("teams"), roles_lack=why.format("roles"))
