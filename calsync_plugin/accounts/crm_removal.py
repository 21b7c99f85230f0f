"""Plans how everything is taken away again that the set-up made in an EspoCRM.

Decides what counts as made by it: webhooks at our address, the fields of our names, the API user and the role
of the names that the command gives. What somebody else uses stays, and what would lose data needs a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from calsync_plugin.accounts.crm_fields import MANAGER
from calsync_plugin.accounts.crm_hooks import remove_webhook
from calsync_plugin.accounts.crm_setup import Wanted
from calsync_plugin.accounts.crm_steps import Doing, Hands, Plan, Step, kept_key
from calsync_plugin.accounts.crm_survey import Survey
from calsync_plugin.crm.client import EspoClient, Row
from calsync_plugin.crm.wanted import OURS
from calsync_plugin.errors import NotFound


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has our role besides our API user."""

    names: tuple[str, ...] = ()


def read_holders(admin: EspoClient, found: Survey) -> Holders:
    """Ask who has our role, users and teams."""
    if found.role is None:
        return Holders()
    having = {"type": "linkedWith", "attribute": "roles", "value": [str(found.role["id"])]}
    users = admin.rows("User", where=[having], select=("id", "userName"), order_by="createdAt")
    teams = admin.rows("Team", where=[having], select=("id", "name"), order_by="createdAt")
    names = [str(row.get("userName")) for row in users if row.get("id") != found.user_id]
    return Holders((*names, *(f"team {row.get('name')}" for row in teams)))


def plan_removal(found: Survey, wanted: Wanted, holders: Holders) -> Plan:
    """Webhooks first, so that nothing reports to an address that listens no more; what others use stays."""
    return [
        *_webhooks(found, wanted),
        *_secrets(found, wanted),
        *_fields(found, wanted),
        *_user(found, wanted),
        *_role(found, wanted, holders),
        *_key_file(found, wanted),
        *_left(found, wanted),
    ]


def _webhooks(found: Survey, wanted: Wanted) -> Iterator[Step]:
    ours = [row for row in found.webhooks if _is_ours(row, wanted)]
    for row in ours:
        yield Step(
            part="webhook",
            name=str(row.get("event")),
            found=f"to {row.get('url')}",
            doing=Doing.REMOVE,
            action="remove it, and forget its secret",
            run=partial(remove_webhook, str(row.get("id"))),
        )
    if not ours:
        yield Step(part="webhooks", name=wanted.address, found="there are none", doing=Doing.NOTHING)


def _is_ours(row: Row, wanted: Wanted) -> bool:
    return str(row.get("url")).startswith(f"{wanted.address}/") or row.get("id") in wanted.secrets


def _secrets(found: Survey, wanted: Wanted) -> Iterator[Step]:
    present = {str(row.get("id")) for row in found.webhooks}
    left = sorted(webhook_id for webhook_id in wanted.secrets if webhook_id not in present)
    if left:
        yield Step(
            part="webhook secrets",
            name=f"{len(left)} stored",
            found="their webhooks are gone from EspoCRM",
            doing=Doing.REMOVE,
            action="forget them",
            run=partial(_forget, left),
        )


def _forget(webhook_ids: Collection[str], hands: Hands) -> None:
    for webhook_id in webhook_ids:
        hands.store.webhooks.delete(webhook_id)


def _fields(found: Survey, wanted: Wanted) -> Iterator[Step]:
    steps = [
        Step(
            part="field",
            name=f"{kind.name}.{name}",
            found="is there",
            doing=Doing.REMOVE if wanted.choices.fields else Doing.NOTE,
            action="remove it" if wanted.choices.fields else "stays; --fields removes it",
            why="what stands in it is lost",
            run=partial(_remove_field, kind.name, name) if wanted.choices.fields else None,
        )
        for kind in found.kinds.values()
        for name in OURS
        if name in kind.fields and kind.fields[name].custom
    ]
    yield from steps
    if any(step.run for step in steps):
        yield Step(
            part="database",
            name="EspoCRM",
            found="still has the fields",
            doing=Doing.CHANGE,
            action="rebuild",
            run=_rebuild,
        )


def _remove_field(entity_type: str, name: str, hands: Hands) -> None:
    hands.admin.call("DELETE", f"{MANAGER}/{entity_type}/{name}")


def _rebuild(hands: Hands) -> None:
    hands.admin.call("POST", "Admin/rebuild", payload={})


def _elsewhere(found: Survey, wanted: Wanted) -> list[str]:
    """Where else webhooks of our API user go: to another installation that uses the same key."""
    rows = [row for row in found.webhooks if row.get("createdById") == found.user_id]
    return sorted({str(row.get("url")) for row in rows if not _is_ours(row, wanted)})


def _user(found: Survey, wanted: Wanted) -> Iterator[Step]:
    name = wanted.choices.api_user
    user, elsewhere = found.user, _elsewhere(found, wanted)
    if user is None:
        yield Step(part="API user", name=name, found="there is none", doing=Doing.NOTHING)
    elif user.get("userName") != name:
        yield Step(
            part="API user",
            name=str(user.get("userName")),
            found="has another name than the one that calsync makes",
            doing=Doing.NOTE,
            action=f"stays; --api-user {user.get('userName')} removes it",
        )
    elif elsewhere:
        yield Step(
            part="API user",
            name=name,
            found=f"has webhooks to {elsewhere[0]} as well",
            doing=Doing.NOTE,
            action="stays: another installation uses it",
        )
    else:
        yield Step(
            part="API user",
            name=name,
            found="is there",
            doing=Doing.REMOVE,
            action="remove it; its key ends",
            run=partial(_remove, "User", found.user_id),
        )


def _role(found: Survey, wanted: Wanted, holders: Holders) -> Iterator[Step]:
    name = wanted.choices.role
    if found.role is None:
        yield Step(part="role", name=name, found="there is none", doing=Doing.NOTHING)
        return
    others = [*holders.names]
    stays = found.user is not None and found.user.get("userName") != wanted.choices.api_user
    if found.user is not None and (stays or _elsewhere(found, wanted)):
        roles = found.user.get("rolesIds")
        if isinstance(roles, list) and found.role["id"] in roles:
            others.append(str(found.user.get("userName")))
    if others:
        yield Step(
            part="role",
            name=name,
            found="is in use by " + ", ".join(others),
            doing=Doing.NOTE,
            action="stays; take it from them first",
        )
        return
    yield Step(
        part="role",
        name=name,
        found="is there",
        doing=Doing.REMOVE,
        action="remove it",
        run=partial(_remove, "Role", str(found.role["id"])),
    )


def _remove(entity_type: str, record_id: str, hands: Hands) -> None:
    with suppress(NotFound):
        hands.admin.call("DELETE", entity_type, record_id=record_id)


def _key_file(found: Survey, wanted: Wanted) -> Iterator[Step]:
    file = wanted.choices.key_file
    key = kept_key(file)
    named = found.user is not None and found.user.get("userName") == wanted.choices.api_user
    ends = named and not _elsewhere(found, wanted)
    if key and (found.user is None or (ends and found.user.get("apiKey") == key)):
        yield _file_step(file)


def _file_step(file: Path) -> Step:
    return Step(
        part="API key",
        name=str(file),
        found="holds the key",
        doing=Doing.REMOVE,
        action="remove the file",
        run=lambda _hands: file.unlink(missing_ok=True),
    )


def _left(found: Survey, wanted: Wanted) -> Iterator[Step]:
    for name in wanted.entity_types:
        kind = found.kinds.get(name)
        if kind is not None and kind.concurrency:
            yield Step(
                part="concurrent saves",
                name=name,
                found="are noticed",
                doing=Doing.NOTE,
                action="stays; switch it off in the Entity Manager if nobody else wants it",
            )
