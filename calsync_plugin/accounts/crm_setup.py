"""Plans how an EspoCRM is set up for us: what is there, what will be made or mended, and why.

Decides the order of the steps, so that a run which ends anywhere leaves something the next one completes.
Only what a step names is changed: roles of others, fields of others and webhooks of others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from calsync_plugin.accounts.crm_fields import field_steps
from calsync_plugin.accounts.crm_hooks import hook_steps
from calsync_plugin.accounts.crm_steps import Doing, Hands, Plan, Step, as_row, kept_key, save_key
from calsync_plugin.accounts.crm_survey import Choices, Survey
from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.event_types import EventType
from calsync_plugin.crm.proposal import proposed
from calsync_plugin.crm.wanted import RoleChange, lacking, wanted_field_rights, wanted_rights
from calsync_plugin.settings import CrmSettings, EntitySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be set up."""

    crm: CrmSettings
    address: str
    """Where deliveries arrive, without the event."""
    entity_types: tuple[str, ...]
    configured: Mapping[str, EntitySettings]
    """What the administrator configured, by kind."""
    secrets: Mapping[str, str]
    """The stored secrets of webhooks, by id."""
    choices: Choices

    def kinds(self, found: Survey) -> list[EventType]:
        """Those of the meant kinds that exist."""
        return [found.kinds[name] for name in self.entity_types if name in found.kinds]

    def entities(self, found: Survey) -> tuple[EntitySettings, ...]:
        """The block `crm.entities` that fits."""
        return proposed(self.kinds(found), self.configured, location=self.choices.location)


def plan_setup(found: Survey, wanted: Wanted) -> Plan:
    """Every point in its order."""
    return [
        Step(part="EspoCRM", name=wanted.crm.url, found=f"version {found.version}", doing=Doing.NOTHING),
        *_kinds(found, wanted),
        *field_steps(wanted.kinds(found), wanted.entities(found), wanted.choices),
        _role(found, wanted),
        _user(found, wanted.choices),
        *_key(found, wanted),
        *hook_steps(found, wanted.address, [kind.name for kind in wanted.kinds(found)], wanted.secrets),
        *_mails(found, wanted),
    ]


def shortcomings(hands: Hands, entities: tuple[EntitySettings, ...]) -> tuple[str, ...]:
    """What our API user still lacks after everything was done, in words."""
    return read_access(hands.bridge()).shortcomings(entities)


def _kinds(found: Survey, wanted: Wanted) -> Iterator[Step]:
    for name in wanted.entity_types:
        kind = found.kinds.get(name)
        if kind is None:
            yield Step(
                part="kind of record",
                name=name,
                found="does not exist, or is switched off",
                doing=Doing.PERSON,
                action="take it out of crm.entities (or of --entity), or correct its name",
                why="EspoCRM knows: " + (", ".join(found.kinds) or "none"),
            )
        elif not kind.people:
            yield Step(
                part="kind of record",
                name=name,
                found="has no users, contacts or leads who attend",
                doing=Doing.NOTE,
                why="only its assigned user gets it; attendees of Outlook stay in Outlook",
            )
    for name in found.kinds:
        if name not in wanted.entity_types:
            yield Step(
                part="kind of record",
                name=name,
                found="is in EspoCRM's calendar and not configured",
                doing=Doing.NOTE,
                action=f"to sync it: --entity {name}, and add it to crm.entities",
            )


def _role(found: Survey, wanted: Wanted) -> Step:
    name, kinds = wanted.choices.role, wanted.kinds(found)
    rights = wanted_rights([kind.name for kind in kinds], create_contacts=wanted.choices.create_contacts)
    change = lacking(found.role or {}, rights, wanted_field_rights(kinds))
    if found.role is not None and not change.values:
        return Step(part="role", name=name, found="has all rights", doing=Doing.NOTHING)
    if found.role is not None:
        return Step(
            part="role",
            name=name,
            found="lacks rights",
            doing=Doing.CHANGE,
            action="; ".join(change.lacks),
            why="without them records are missed or stay out",
            run=partial(_change_role, found.role, change),
        )
    return Step(
        part="role",
        name=name,
        found="there is none",
        doing=Doing.MAKE,
        action="; ".join(change.lacks),
        why="the least that calsync needs",
        run=partial(_make_role, name, change),
    )


def _make_role(name: str, change: RoleChange, hands: Hands) -> None:
    made = as_row(hands.admin.call("POST", "Role", payload={"name": name, **change.values}), "the role")
    hands.role_id = str(made["id"])


def _change_role(role: Mapping[str, object], change: RoleChange, hands: Hands) -> None:
    hands.admin.call("PUT", "Role", record_id=str(role["id"]), payload=change.values)


def _user(found: Survey, choices: Choices) -> Step:
    user = found.user
    if user is None:
        return Step(
            part="API user",
            name=choices.api_user,
            found="there is none",
            doing=Doing.MAKE,
            action=f"with the role {choices.role}; EspoCRM makes its key",
            why="calsync works under a name of its own, with these rights and no other",
            run=partial(_make_user, choices),
        )
    name, active = str(user.get("userName") or ""), user.get("isActive") is True
    roles = user.get("rolesIds")
    ids = [str(one) for one in roles] if isinstance(roles, list) else []
    lacks = [] if found.role and found.role["id"] in ids else [f"give it the role {choices.role}"]
    lacks += [] if active else ["switch it on"]
    if not lacks:
        return Step(part="API user", name=name, found="is active and has the role", doing=Doing.NOTHING)
    return Step(
        part="API user",
        name=name,
        found="does not have the role" if active else "is switched off",
        doing=Doing.CHANGE,
        action=", ".join(lacks),
        why="its other roles stay",
        run=partial(_change_user, user, ids),
    )


def _make_user(choices: Choices, hands: Hands) -> None:
    # EspoCRM shows an API user by its user name, which it also keeps as the last name.
    payload = {
        "type": "api",
        "userName": choices.api_user,
        "lastName": choices.api_user,
        "authMethod": "ApiKey",
        "isActive": True,
        "rolesIds": [hands.role_id],
    }
    made = as_row(hands.admin.call("POST", "User", payload=payload), "the API user")
    # The answer may leave out what was made on the way.
    hands.user = hands.admin.get("User", record_id=str(made["id"]))


def _change_user(user: Mapping[str, object], role_ids: list[str], hands: Hands) -> None:
    payload = {"isActive": True, "rolesIds": list(dict.fromkeys([*role_ids, hands.role_id]))}
    user_id = str(user["id"])
    hands.admin.call("PUT", "User", record_id=user_id, payload=payload)
    hands.user = hands.admin.get("User", record_id=user_id)


def _key(found: Survey, wanted: Wanted) -> Iterator[Step]:
    file = wanted.choices.key_file
    if found.by_key:
        yield Step(part="API key", name="crm.api_key", found="is accepted", doing=Doing.NOTHING)
        return
    if found.key_refused and kept_key(file) != wanted.crm.api_key:
        yield Step(
            part="API key",
            name="crm.api_key",
            found="EspoCRM does not accept the configured key",
            doing=Doing.PERSON,
            action=f"take it out of the configuration and use the file {file} instead",
        )
    key = str(found.user.get("apiKey") or "") if found.user else ""
    if key and kept_key(file) == key:
        yield Step(part="API key", name=str(file), found="is kept here", doing=Doing.NOTHING)
        return
    yield Step(
        part="API key",
        name=str(file),
        found="holds another key" if kept_key(file) else "is not kept here yet",
        doing=Doing.CHANGE if kept_key(file) else Doing.MAKE,
        action="write the key of the API user to this file, readable for you alone",
        why="CALSYNC_CRM_API_KEY_FILE names it to calsync; it is not shown",
        run=partial(_keep_key, wanted),
    )


def _keep_key(wanted: Wanted, hands: Hands) -> None:
    save_key(wanted.choices.key_file, hands.key())


def _mails(found: Survey, wanted: Wanted) -> Iterator[Step]:
    for name in wanted.entity_types:
        if name in found.mails:
            yield Step(
                part="mails",
                name=name,
                found="EspoCRM mails users what is assigned to them",
                doing=Doing.NOTE,
                action=f"Administration > Email Notifications: take {name} out of the list of assignments",
                why="Outlook invites the same people",
            )
