"""Commands about grants: give, take away, list.

Decides how a person names whom a grant is for. What follows is decided in `accounts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.table import Table

from calsync_plugin.accounts import crm_grants, giving, report
from calsync_plugin.accounts.auditing import COMMAND_LINE
from calsync_plugin.accounts.entitled import ROLE, TEAM, USER, host_decides
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.cli.options import as_written, console, json_option, of_installation, opened
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import UserError
from calsync_plugin.state import Subject


def _of_subject(command: Callable[..., None]) -> Callable[..., None]:
    """A command about a user, a role or a team."""
    for option in (
        click.option("--team", metavar="NAME", help="All members of a team of the CRM."),
        click.option("--role", metavar="NAME", help="All who have a role in the CRM."),
        click.argument("user", required=False),
    ):
        command = option(command)
    return command


@click.command()
@_of_subject
@of_installation
def grant(
    user: str | None, role: str | None, team: str | None, config: Path | None, data: Path | None
) -> None:
    """Allow a user, or all of a role or team, to sync; who was connected before goes on."""
    with opened(config, data) as calsync:
        subject = _subject(calsync, user, role, team)
        outcome = giving.give(calsync, COMMAND_LINE, subject)
        console.print(as_written(f"{outcome.subject_name}: allowed; {_followed(outcome)}"))
        if host_decides(calsync):
            console.print("The CRM names grants itself; what is given here is for whom it leaves out.")


@click.command()
@_of_subject
@of_installation
def revoke(
    user: str | None, role: str | None, team: str | None, config: Path | None, data: Path | None
) -> None:
    """Take the right to sync away: stop at once, keep logins, delete nothing."""
    with opened(config, data) as calsync:
        subject = _subject(calsync, user, role, team)
        outcome = giving.take(calsync, COMMAND_LINE, subject)
        if subject.kind == USER and outcome.still >= NEEDED:
            console.print(as_written(f"{outcome.subject_name}: still allowed by a role, a team or the CRM"))
            return
        name = as_written(outcome.subject_name)
        console.print(f"{name}: no longer allowed to sync; {_followed(outcome)}. Both calendars stay.")


@click.command(name="grants")
@of_installation
@json_option
def grants_list(config: Path | None, data: Path | None, as_json: bool) -> None:
    """List who may sync: users, roles and teams."""
    with opened(config, data) as calsync:
        found, in_crm = giving.listed(calsync), crm_grants.decides(calsync.store)
    if as_json:
        lines = [
            {
                "kind": one.subject.kind,
                "id": one.subject.id,
                "name": one.subject_name,
                "grant": one.name,
                "given_by": one.given_by,
                "given_at": one.given_at.isoformat(timespec="seconds"),
            }
            for one in found
        ]
        click.echo(json.dumps(lines))
        return
    if in_crm:
        console.print(as_written(f"Not in force: {giving.IN_CRM}."))
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "id", "grant", "given by", "since (UTC)"):
        table.add_column(heading, overflow="fold")
    for one in found:
        words = (one.subject.kind, one.subject_name, one.subject.id, one.name, one.given_by)
        table.add_row(*map(as_written, words), f"{one.given_at:%Y-%m-%d %H:%M}")
    console.print(table if found else "nothing is given; allow somebody with: calsync accounts grant")


def _subject(calsync: Calsync, user: str | None, role: str | None, team: str | None) -> Subject:
    named = [(kind, name) for kind, name in ((USER, user), (ROLE, role), (TEAM, team)) if name]
    if len(named) != 1:
        raise UserError("say one of USER, --role NAME and --team NAME")
    ((kind, name),) = named
    if kind != USER:
        return giving.group_called(calsync, kind, name)
    account = report.found(calsync.store, name)
    return Subject(USER, account.user_id if account else name)


def _followed(outcome: giving.Outcome) -> str:
    if outcome.later:
        return "the CRM cannot be asked who is concerned now; their accounts follow as soon as it answers"
    return f"accounts that changed: {len(outcome.changed)}"
