"""The command line: thin commands over `accounts`, `engine.assembly`, `web` and the sandbox."""

from __future__ import annotations

import sys

import click

from calsync_plugin import __version__

try:
    from calsync_plugin.cli.accounts import accounts
    from calsync_plugin.cli.backfill import backfill
    from calsync_plugin.cli.espocrm import espocrm
    from calsync_plugin.cli.recovery import follow, reset, restore
    from calsync_plugin.cli.running import sandbox, serve, worker
    from calsync_plugin.cli.upkeep import backup, check_up, config_group, installation, migrate
except ModuleNotFoundError as missing:
    # A host in process needs no web server, so the core does not bring one.
    click.echo(f"calsync: {missing.name} is missing; run: pip install 'calsync-plugin[serve]'", err=True)
    sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="calsync")
def main() -> None:
    """Keep the meetings of a CRM and its users' Outlook calendars in step."""


for command in (backfill, follow, reset, restore):
    accounts.add_command(command)
for command in (
    serve,
    sandbox,
    worker,
    check_up,
    migrate,
    backup,
    config_group,
    installation,
    espocrm,
    accounts,
):
    main.add_command(command)
