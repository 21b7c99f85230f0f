"""Commands for administrators: doctor, migrations, backup, configuration, a moved installation.

Decides how findings are shown. What is looked at and changed is decided in `accounts` and `state`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from calsync_plugin.accounts import doctor, moved, put_back
from calsync_plugin.cli.options import (
    as_written,
    console,
    fails_in_words,
    json_option,
    of_installation,
    opened,
    settings_of,
)
from calsync_plugin.config import BRIDGE_NEEDS, require
from calsync_plugin.settings import load_settings
from calsync_plugin.state import back_up

NO_APP = "graph.client_id: not set; nobody can connect until an administrator enters it on the admin page"


@click.command(name="doctor")
@of_installation
@json_option
def check_up(config: Path | None, data: Path | None, as_json: bool) -> None:
    """Check store, CRM, Graph and login step by step."""
    with opened(config, data) as calsync:
        findings = list(doctor.examine(calsync))
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings]))
    for finding in [] if as_json else findings:
        mark = "[red]FAIL[/]" if not finding.ok else "[yellow]note[/]" if finding.note else "[green]ok[/]  "
        console.print(f"{mark} {finding.what}: {as_written(finding.detail)}")
    if not all(f.ok for f in findings):
        sys.exit(1)


@click.command()
@of_installation
def migrate(config: Path | None, data: Path | None) -> None:
    """Bring the store to this version's schema, and write its secrets with the first key."""
    with opened(config, data) as calsync:
        renewed = calsync.store.reencrypt()
        console.print(f"the store is up to date; {renewed} secrets were written anew with the first key")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@of_installation
def backup(file: Path, config: Path | None, data: Path | None) -> None:
    """Copy the store to FILE, also while calsync runs; the keys that open it are not in it."""
    size = back_up(settings_of(config, data, None).store.url, file)
    console.print(
        f"{as_written(str(file))}: {size / 1e6:.1f} MB; keep the keys (store.secret_keys) elsewhere"
    )


@click.group(name="config")
def config_group() -> None:
    """The configuration file."""


@config_group.command(name="check")
@click.argument("file", type=click.Path(path_type=Path))
@fails_in_words
def config_check(file: Path) -> None:
    """Check a configuration file together with the environment."""
    settings = load_settings(file, os.environ)
    require(settings, *BRIDGE_NEEDS)
    unset = () if settings.graph.client_id else (NO_APP,)
    for warning in (*settings.warnings, *unset):
        console.print(f"[yellow]note[/] {as_written(warning)}")
    console.print("the configuration is complete")


@click.group()
def installation() -> None:
    """After this installation's address or its CRM's changed."""


@installation.command(name="moved")
@of_installation
def installation_moved(config: Path | None, data: Path | None) -> None:
    """Say that the installation moved: go on with all accounts."""
    _confirm(config, data, moved.confirm_moved)


@installation.command(name="copy")
@of_installation
def installation_copy(config: Path | None, data: Path | None) -> None:
    """Say that this is a copy: disconnect all accounts here, so that nobody is mailed twice."""
    _confirm(config, data, moved.confirm_copy)


@installation.command(name="restored")
@of_installation
def installation_restored(config: Path | None, data: Path | None) -> None:
    """Say that a backup was put back, before calsync starts: all is compared, nothing is made twice."""
    failed = 0
    with opened(config, data) as calsync:
        for one in put_back.compare_all(calsync):
            failed += bool(one.error)
            mark = f"[red]FAIL[/] {as_written(one.error)}" if one.error else f"{one.links} links are compared"
            console.print(f"{as_written(one.address or one.user_id)}: {mark}")
    if failed:
        console.print("Say it again before you start calsync: what failed would be carried on as it was.")
        sys.exit(1)
    console.print("done; calsync can be started")


def _confirm(config: Path | None, data: Path | None, decide: Callable[..., None]) -> None:
    with opened(config, data) as calsync:
        settings = calsync.settings
        decide(calsync.store, public_url=settings.serve.public_url, crm_url=settings.crm.url)
    console.print("done")
