"""Commands by which a person brings something back: reset, restore, follow.

Decides what is asked before anything happens. What happens is decided in `accounts`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from calsync_plugin.accounts import follow_again, report
from calsync_plugin.accounts import reset as resetting
from calsync_plugin.accounts.auditing import COMMAND_LINE
from calsync_plugin.accounts.restore import EVENT, Entry, Restored, Restorer
from calsync_plugin.cli.options import as_written, console, json_option, of_installation, opened
from calsync_plugin.errors import UserError

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("user")
@yes_option
@of_installation
def reset(user: str, yes: bool, config: Path | None, data: Path | None) -> None:
    """Forget what is known of a mailbox's state and compare everything; deletes and creates nothing."""
    with opened(config, data) as calsync:
        account = report.find(calsync.store, user)
        if not yes:
            console.print(
                "Everything in both calendars is read and compared. Nothing is deleted; what differs in the "
                "CRM waits for a confirmed back-fill."
            )
            click.confirm(f"Reset the account of user {account.user_id}?", abort=True)
        compared = resetting.reset(
            calsync.store, calsync.gateway, calsync.open_mailbox, account, by=COMMAND_LINE
        )
    console.print(f"{compared} links are compared; see: calsync accounts show {account.user_id}")


@click.command()
@click.argument("user")
@click.option("--list", "show", is_flag=True, help="List what can be restored, without contents.  [default]")
@click.option("--entry", "wanted", multiple=True, metavar="ID", help="Restore one entry; may be repeated.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Restore all that was deleted since then (UTC).",
)
@click.option("--without-attendees", is_flag=True, help="Restore events without inviting anybody again.")
@yes_option
@of_installation
@json_option
def restore(
    user: str,
    show: bool,
    wanted: tuple[str, ...],
    since: datetime | None,
    without_attendees: bool,
    yes: bool,
    config: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """List or restore what calsync deleted in the last 30 days."""
    with opened(config, data) as calsync:
        account = report.find(calsync.store, user)
        restorer = Restorer(calsync.store, calsync.gateway, calsync.open_mailbox, calsync.entities)
        entries = restorer.entries(account)
        if show or not (wanted or since):
            _list(entries, as_json)
            return
        chosen = _chosen(entries, wanted, since)
        if not yes and as_json:
            raise UserError("a program cannot be asked; say --yes")
        if not yes:
            _ask(chosen, invites=not without_attendees)
        done = restorer.restore(
            account, [e.id for e in chosen], with_attendees=not without_attendees, by=COMMAND_LINE
        )
    _tell(done, as_json)


def _chosen(entries: Sequence[Entry], wanted: Sequence[str], since: datetime | None) -> list[Entry]:
    unknown = set(wanted) - {entry.id for entry in entries}
    if unknown:
        raise UserError(f"{min(unknown):.80} is no entry of this account; list them with --list")
    begin = since.replace(tzinfo=UTC) if since else None
    return [entry for entry in entries if entry.id in wanted or (begin is not None and entry.at >= begin)]


def _list(entries: Sequence[Entry], as_json: bool) -> None:
    """Times and kinds: what was in them is their owner's."""
    if as_json:
        lines = [{"entry": e.id, "at": e.at.isoformat(timespec="seconds"), "side": e.side} for e in entries]
        click.echo(json.dumps(lines))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("entry", "deleted (UTC)", "what"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        table.add_row(entry.id, f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.side)
    counts = Counter(entry.side for entry in entries)
    console.print(table if entries else "nothing was deleted in the last 30 days")
    if entries:
        console.print(", ".join(f"{count} {side}s" for side, count in sorted(counts.items())))


def _ask(chosen: Sequence[Entry], *, invites: bool) -> None:
    events = sum(1 for entry in chosen if entry.side == EVENT)
    console.print(f"{events} events and {len(chosen) - events} records would be restored.")
    people = frozenset[str]().union(*(entry.invites for entry in chosen)) if invites else ()
    if people:
        console.print(
            f"Outlook would invite {len(people)} people again, for meetings that are still ahead; "
            "--without-attendees invites nobody."
        )
    click.confirm("Restore them?", abort=True)


def _tell(done: Sequence[Restored], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"entry": r.entry_id, "restored": r.done, "text": r.text} for r in done]))
    else:
        for one in done:
            mark = "[green]ok[/]  " if one.done else "[red]FAIL[/]"
            console.print(f"{mark} {one.entry_id}: {as_written(one.text)}")
        console.print(f"{sum(one.done for one in done)} of {len(done)} restored")
    if not all(one.done for one in done):
        sys.exit(1)


@click.command()
@click.argument("user")
@click.option("--record", "name", metavar='"TYPE ID"', help='A detached record, such as "Meeting 6b0008ad".')
@click.option("--link", "name", metavar="ID", help="A detached meeting without a record, by its link's ID.")
@of_installation
def follow(user: str, name: str | None, config: Path | None, data: Path | None) -> None:
    """Follow a detached meeting again: push it, import it, or compare both sides; without one: list them."""
    with opened(config, data) as calsync:
        account = report.find(calsync.store, user)
        if name is None:
            found = [
                f"{f'{link.entity_type} {link.record_id}' if link.record_id else link.id}: {link.reason}"
                for link in follow_again.detached(calsync.store, account)
            ]
            console.print(as_written("\n".join(found)) if found else "nothing is detached")
            return
        link = follow_again.link_of(calsync.store, name)
        text = follow_again.follow(calsync.store, calsync.gateway, calsync.open_mailbox, account, link)
    console.print(as_written(text))
