"""Who we are in EspoCRM and what we may do there: asked once at start and by `calsync doctor`.

Decides which missing right is worth a sentence. Does not stop anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from calsync_plugin.crm.client import EspoClient
from calsync_plugin.errors import UnknownOutcome
from calsync_plugin.settings import EntitySettings

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The answer of `App/user`, as far as it matters."""

    user_id: str
    user_name: str
    user_type: str
    """`api` for a user made for programs, `admin`, `regular`, ..."""
    time_zone: str
    """The installation's zone, empty if it is not told."""
    table: Table
    """Rights by entity: a mapping of action to all | team | own | no | yes, or true; absent = none."""
    assignment: str = "all"
    """Whom records may be assigned to: all | team | no."""
    users: str = "all"
    """Whose records may be looked at by user: all | team | no (User Permission)."""
    fields: Table = field(default_factory=dict)
    """What is limited by field: entity type to field to `{"read": "no", "edit": "no"}`."""

    def may_field(self, entity_type: str, name: str, action: str) -> bool:
        """Whether a field may be read or edited; it may unless the role says otherwise."""
        levels = _part(_part(self.fields, entity_type), name)
        return levels.get(action) != "no"

    def may(self, entity_type: str, action: str) -> str:
        """Level of one right: `all`, `team`, `own`, `yes` or `no`."""
        if self.user_type in {"admin", "super-admin"}:
            return "yes" if action == "create" else "all"
        rights = self.table.get(entity_type)
        if isinstance(rights, Mapping):
            return str(rights.get(action, "no"))
        granted = "yes" if action == "create" else "all"
        return granted if rights is True else "no"

    def shortcomings(self, entities: Iterable[EntitySettings]) -> tuple[str, ...]:
        """What cannot work with these rights, one sentence each with the way to mend it."""
        actions = ("read", "edit", "create", "delete")
        needs = [(entity.entity_type, action) for entity in entities for action in actions]
        needs += [(person, "read") for person in ("User", "Contact", "Lead")]
        found = [self._shortcoming(entity_type, action) for entity_type, action in needs]
        if self.may("Webhook", "create") == "no":
            found.append(
                f"the CRM's user {self.user_name} may not have webhooks; give its role the scope Webhook"
            )
        if self.assignment != "all" and self.user_type == "api":
            # EspoCRM then assigns what we create to ourselves, without a word (9.2.7, measured).
            found.append(
                f"the CRM's user {self.user_name} may assign records on level {self.assignment!r} only; what "
                "is new in Outlook is assigned to it until its role's Assignment Permission says 'all'"
            )
        return tuple(sentence for sentence in found if sentence)

    def wishes(self, entities: Iterable[EntitySettings]) -> tuple[str, ...]:
        """What works less well with these rights, one sentence each with the way to mend it."""
        found = []
        if self.user_type != "api":
            found.append(
                f"{self.user_name} is a user of the type {self.user_type}; give calsync an API user of its "
                "own (calsync espocrm setup), with no more rights than it needs"
            )
        if self.may("Team", "read") != "all":
            found.append("grants cannot be given to teams until the role lets Teams be read on level 'all'")
        if self.users != "all" and self.user_type == "api":
            found.append("users may stay unseen until the role's User Permission says 'all'")
        hidden = [e.entity_type for e in entities if not self.may_field(e.entity_type, "uid", "read")]
        if hidden:
            found.append(
                f"invitations that the CRM mailed are not recognised in Outlook for {', '.join(hidden)} "
                "until the role's field level lets uid be read"
            )
        return tuple(found)

    def _shortcoming(self, entity_type: str, action: str) -> str:
        level = self.may(entity_type, action)
        if level == _NEEDED[action]:
            return ""
        return (
            f"the CRM's user {self.user_name} may {action} {entity_type} records on level {level!r} only; "
            f"{_ELSE[action]} until its role says {_NEEDED[action]!r}"
        )


_NEEDED = {"read": "all", "edit": "all", "delete": "all", "create": "yes"}
_ELSE = {
    "read": "others are out of scope",
    "edit": "others are out of scope",
    "delete": "what is deleted in Outlook stays in the CRM",
    "create": "what is new in Outlook stays out of the CRM",
}


def read_access(client: EspoClient) -> Access:
    """Ask EspoCRM who we are. Unauthorized if it does not know our key."""
    answer = client.get("App/user")
    user, acl, settings = (_part(answer, name) for name in ("user", "acl", "settings"))
    if not user.get("id"):
        raise UnknownOutcome("the CRM's answer for App/user names no user; check crm.url")
    return Access(
        user_id=str(user["id"]),
        user_name=str(user.get("userName") or ""),
        user_type=str(user.get("type") or ""),
        time_zone=str(settings.get("timeZone") or ""),
        table=_part(acl, "table"),
        assignment=str(acl.get("assignmentPermission") or "all"),
        users=str(acl.get("userPermission") or "all"),
        fields=_part(acl, "fieldTable"),
    )


def _part(answer: Table, name: str) -> Table:
    part = answer.get(name)
    return part if isinstance(part, Mapping) else {}
