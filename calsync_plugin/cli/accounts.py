"""Commands about users' accounts: list, show, settings, connect, pause, resume, disconnect.

Decides how an account is shown to people and to programs. What happens to it is decided in `accounts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from calsync_plugin.accounts import giving, holds, report
from calsync_plugin.accounts.auditing import COMMAND_LINE
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.entitled import USER
from calsync_plugin.cli.grants import grant, grants_list, revoke
from calsync_plugin.cli.options import (
    as_written,
    console,
    json_option,
    of_installation,
    opened,
)
from calsync_plugin.documents import read_value
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Subject


@click.group()
def accounts() -> None:
    """Users' accounts."""


@accounts.command(name="list")
@of_installation
@json_option
def accounts_list(config: Path | None, data: Path | None, as_json: bool) -> None:
    """List all accounts with their status."""
    with opened(config, data) as calsync:
        lines = list(report.accounts(calsync.store))
    if as_json:
        click.echo(json.dumps(lines))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("user", "address", "status", "synced (UTC)", "parked", "reason"):
        table.add_column(heading, overflow="fold")  # an id that is cut short is of no use
    for line in lines:
        shown = {**line, "last_success": line["last_success"][:16].replace("T", " ")}
        table.add_row(
            *(
                as_written(str(shown[k]))
                for k in ("user", "address", "status", "last_success", "parked", "reason")
            )
        )
    console.print(table if lines else "nobody is connected yet; connect with: calsync accounts connect USER")


@accounts.command(name="show")
@click.argument("user", required=False)
@of_installation
@json_option
def accounts_show(user: str | None, config: Path | None, data: Path | None, as_json: bool) -> None:
    """Show one account: status, links, what is parked and why. Without USER: what belongs to nobody."""
    with opened(config, data) as calsync:
        found = report.account(calsync.store, user) if user else report.nobody(calsync.store)
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        console.print(f"[bold]{name}[/]: {as_written(_words(value))}")


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "".join(f"\n  - {_words(entry)}" for entry in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items() if v not in ("", None)) or "none"
    return str(value) if value != "" else "-"


@accounts.command(name="settings")
@click.argument("user")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a setting (YAML value).")
@of_installation
def accounts_settings(user: str, changes: tuple[str, ...], config: Path | None, data: Path | None) -> None:
    """Show a user's settings, or change some of them."""
    wanted = {}
    for change in changes:
        name, _, value = change.partition("=")
        wanted[name] = read_value(value, name)
    with opened(config, data) as calsync:
        found = report.find(calsync.store, user)
        if wanted:
            choose(calsync.store, calsync.gateway, found.user_id, wanted, by=COMMAND_LINE)
        shown = report.find(calsync.store, found.user_id).settings
    for setting, chosen in shown.items():
        console.print(f"[bold]{setting}[/]: {as_written(_words(chosen))}")


@accounts.command(name="connect")
@click.argument("user")
@click.option(
    "--mode",
    type=click.Choice(["both", "crm_to_outlook", "outlook_to_crm"]),
    default="both",
    help="Direction of a new account.  [default: both]",
)
@of_installation
def accounts_connect(user: str, mode: str, config: Path | None, data: Path | None) -> None:
    """Print the address at which USER (an id of the CRM) signs in at Microsoft."""
    with opened(config, data) as calsync:
        console.print("Open this address in the user's browser within ten minutes:")
        if calsync.store.accounts.get(user) is None:
            # Whoever may run this may also grant it; what was taken away is given back by `grant` alone.
            giving.give(calsync, COMMAND_LINE, Subject(USER, user))
        click.echo(calsync.connections.begin(user, mode=mode))


def _on_account(action: Callable[[Calsync, str], str]) -> Callable[..., None]:
    """A command that does one thing to one account."""

    @click.argument("user")
    @of_installation
    def command(user: str, config: Path | None, data: Path | None) -> None:
        with opened(config, data) as calsync:
            console.print(action(calsync, report.find(calsync.store, user).user_id))

    command.__doc__ = action.__doc__
    return command


def _pause(calsync: Calsync, user_id: str) -> str:
    """Leave an account alone; its changes wait."""
    calsync.connections.pause(user_id, by=COMMAND_LINE)
    return "paused; go on with: calsync accounts resume"


def _disconnect(calsync: Calsync, user_id: str) -> str:
    """Disconnect an account: remove its tokens and chosen calendars, suspend its links, delete nothing."""
    calsync.connections.disconnect(user_id, by=COMMAND_LINE)
    return "disconnected; both calendars stay as they are"


accounts.command(name="pause")(_on_account(_pause))
accounts.add_command(grant)
accounts.add_command(revoke)
accounts.add_command(grants_list)
accounts.command(name="disconnect")(_on_account(_disconnect))


@accounts.command(name="resume")
@click.argument("user")
@click.option("--confirm", "decision", flag_value="confirm", help="Let held deletions and updates go ahead.")
@click.option("--discard", "decision", flag_value="discard", help="Give held deletions and updates up.")
@of_installation
def accounts_resume(user: str, decision: str | None, config: Path | None, data: Path | None) -> None:
    """Go on with a paused account, or decide about what is held."""
    with opened(config, data) as calsync:
        found = report.find(calsync.store, user)
        if decision is None:
            calsync.connections.resume(found.user_id, by=COMMAND_LINE)
            console.print("resumed")
            return
        decide = holds.confirm if decision == "confirm" else holds.discard
        count = decide(calsync.store, found, by=COMMAND_LINE)
        console.print(f"{count} held changes: {decision}ed")
