"""Who may do what: the levels of a user's roles (all, own, no), as EspoCRM 9.2.7 answers them.

`own` is: assigned to the user; to read it is enough to attend. Field access knows one case, `uid`, which
nobody but admins sees unless a role's field level gives it. `team` is known for teams alone: the own ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calsync_plugin.sandbox.crm.entities import ENTITY_TYPES, FORBIDDEN_SCOPES
from calsync_plugin.sandbox.crm.errors import ApiError
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

LEVELS = ("no", "own", "team", "all", "yes")
SCOPES = tuple(entity.name for entity in ENTITY_TYPES)
# Scopes that are granted as a whole; a role may name others, such as those of an extension.
BOOLEAN_SCOPES = ("Activities", "Calendar", "ExternalAccount", "Webhook")
# What every user has beside the roles (acl of a regular user, recorded).
REGULAR_USER_LEVELS = {
    "User": {"read": "all", "edit": "own", "create": "no", "delete": "no", "stream": "no"},
    "Team": {"read": "team", "edit": "no", "create": "no", "delete": "no", "stream": "no"},
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The user on whose behalf a request runs."""

    id: str
    name: str
    type: str

    @property
    def is_admin(self) -> bool:
        """Admins may do everything."""
        return self.type == "admin"

    @property
    def is_api(self) -> bool:
        """API users have keys instead of passwords, and webhooks."""
        return self.type == "api"


class Access:
    """Answers what a caller may do."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def caller(self, user_id: str) -> Caller:
        """The caller that a user id stands for."""
        row = self._store.tables["User"].rows[user_id]
        return Caller(user_id, row["name"], row["type"])

    def team_ids(self, caller: Caller) -> list[str]:
        """The teams that a user is in."""
        return self._store.tables["User"].rows[caller.id].get("teamsIds") or []

    def roles(self, caller: Caller) -> list[Record]:
        """The role records of a user: the own ones and those of the teams."""
        table, teams = self._store.tables["Role"], self._store.tables["Team"]
        ids = [*(self._store.tables["User"].rows[caller.id].get("rolesIds") or [])]
        for team in map(teams.get, self.team_ids(caller)):
            ids.extend(team.get("rolesIds") or [] if team else [])
        return [role for role_id in dict.fromkeys(ids) if (role := table.get(role_id))]

    def level(self, caller: Caller, scope: str, action: str) -> str:
        """The best level that the roles give for one action on a scope."""
        if caller.is_admin:
            return "yes" if action == "create" else "all"
        given = [role["data"].get(scope) for role in self.roles(caller)]
        if not caller.is_api:
            given.append(REGULAR_USER_LEVELS.get(scope))
        levels = [self._of(entry, action) for entry in given]
        return max(levels, key=LEVELS.index, default="no")

    @staticmethod
    def _of(entry: object, action: str) -> str:
        if isinstance(entry, dict):
            return str(entry.get(action, "no"))
        return "all" if entry is True else "no"

    def permission(self, caller: Caller, name: str) -> str:
        """A permission such as `assignmentPermission`: all or no."""
        if caller.is_admin:
            return "all"
        given = [role.get(name) for role in self.roles(caller)]
        return "all" if "all" in given else "no"

    def sees_uid(self, caller: Caller, entity_type: str) -> bool:
        """True if the caller may read the `uid` of these records."""
        levels = [role["fieldData"].get(entity_type, {}).get("uid", {}) for role in self.roles(caller)]
        return caller.is_admin or any(level.get("read") == "yes" for level in levels)

    def may(self, caller: Caller, entity_type: str, action: str, row: Record) -> bool:
        """True if the caller may read, edit or delete this record."""
        level = self.level(caller, entity_type, action)
        if entity_type == "User" and not caller.is_admin and not row["isActive"]:
            return False
        if level in ("all", "yes"):
            return True
        if level == "no":
            return False
        if entity_type == "User":
            return bool(row["id"] == caller.id)
        if entity_type == "Team":
            return action == "read" and row["id"] in self.team_ids(caller)
        if row.get("assignedUserId") == caller.id:
            return True
        attends = entity_type in self._store.attendance and caller.id in self._store.members(
            entity_type, row["id"], "users"
        )
        return action == "read" and attends

    def lists(self, caller: Caller, entity_type: str, row: Record) -> bool:
        """True if lists show this record to the caller at all, whatever the roles say.

        Webhooks belong to the API user who made them, and only admins see those who left and programs (the
        latter from EspoCRM's source).
        """
        if caller.is_admin:
            return True
        if entity_type == "Webhook":
            return bool(row.get("createdById") == caller.id)
        return entity_type != "User" or (bool(row["isActive"]) and row["type"] != "api")

    def check_scope(self, caller: Caller, scope: str) -> None:
        """404 for an unknown entity type, 403 for one that the caller may not read."""
        if scope not in SCOPES:
            if scope in FORBIDDEN_SCOPES:
                raise ApiError(403, "No read access.")
            raise ApiError(404, f"Controller '{scope}' does not exist.")
        if scope == "Role" and not caller.is_admin:
            raise ApiError(403, f"No access to '{scope}'.")
        if scope == "Webhook" and not (caller.is_admin or (caller.is_api and self.knows(caller, scope))):
            raise ApiError(403, f"No access to '{scope}'.")

    def knows(self, caller: Caller, scope: str) -> bool:
        """True if the caller has any read access to a scope."""
        return self.level(caller, scope, "read") != "no"

    def table(self, caller: Caller) -> dict[str, Any]:
        """The `acl.table` of `App/user`: for non-admins scopes without access are absent."""
        actions = ("read", "stream", "edit", "delete", "create")
        found: dict[str, Any] = {}
        for scope in SCOPES:
            if scope in ("Role", "Webhook") or not self.knows(caller, scope):
                continue
            found[scope] = {action: self.level(caller, scope, action) for action in actions}
        granted = {
            scope for role in self.roles(caller) for scope, entry in role["data"].items() if entry is True
        }
        everything = (*BOOLEAN_SCOPES, *self._store.extension_scopes) if caller.is_admin else ()
        found.update(dict.fromkeys(sorted(granted | set(everything)), True))
        return found
