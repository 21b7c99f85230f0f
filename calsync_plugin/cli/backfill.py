"""The command that shows and confirms a back-fill.

Decides how a preview is shown and asked about. What it holds is decided in `accounts.backfill`.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from calsync_plugin.accounts import report
from calsync_plugin.accounts.auditing import COMMAND_LINE
from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.outgoing import Preview
from calsync_plugin.cli.options import as_written, console, json_option, of_installation, opened
from calsync_plugin.errors import UserError


@click.command()
@click.argument("user")
@click.option("--show", "confirm", flag_value=False, default=False, help="Show what would be pushed.")
@click.option("--confirm", "confirm", flag_value=True, help="Push it, after a question.")
@click.option("--yes", is_flag=True, help="Push it without a question.")
@of_installation
@json_option
def backfill(
    user: str, confirm: bool, yes: bool, config: Path | None, data: Path | None, as_json: bool
) -> None:
    """Show or push records that were last changed before their user connected, or chose to send more."""
    if confirm and as_json and not yes:
        raise UserError("a program cannot be asked; say --yes")
    with opened(config, data) as calsync:
        worker = Backfill(calsync)
        preview = _looked(worker, report.find(calsync.store, user).user_id)
        if not as_json:
            _show(preview)
        if not confirm:
            _print_json(preview, as_json)
            return
        if not preview.records and not as_json:
            console.print("there is nothing to confirm")
            return
        if not yes:
            click.confirm("Push them?", abort=True)
        marked = worker.confirm(preview, by=COMMAND_LINE)
    if as_json:
        click.echo(json.dumps({**preview.as_json(), "pushed": marked}))
    else:
        console.print(f"{marked} records are being pushed")


def _looked(worker: Backfill, user_id: str) -> Preview:
    """The preview; a terminal is shown how far the listing has come."""
    shown = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} records looked at"))
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task("", total=None)
        return worker.preview(user_id, lambda count: bar.advance(task, count))


def _show(preview: Preview) -> None:
    total, creates = len(preview.records), preview.creates
    console.print(f"{total} records would be pushed: {creates} new events, {total - creates} changed ones")
    people, outsiders = preview.mailed, set(preview.outsiders)
    console.print(f"Outlook would write to {len(people)} people, {len(outsiders)} of them from outside")
    for address in people:
        console.print(f"  {as_written(address)}{' (outside)' if address in outsiders else ''}")
    for warning in preview.warnings:
        console.print(f"[yellow]note[/] {as_written(warning)}")


def _print_json(preview: Preview, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(preview.as_json()))
