"""Commands that set an EspoCRM up for calsync, and take that away again.

Decides how plan, question and progress look. What is planned and done is decided in `accounts`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from calsync_plugin.accounts.crm_job import Job, setting_up, taking_away
from calsync_plugin.accounts.crm_steps import Step, to_do
from calsync_plugin.accounts.crm_survey import NAME, Choices
from calsync_plugin.addresses import is_loopback
from calsync_plugin.cli.crm_login import Asked, login_options
from calsync_plugin.cli.crm_showing import KEY_VARIABLE, print_json, table_of, tell_what_is_left
from calsync_plugin.cli.options import (
    DATA,
    as_written,
    config_option,
    console,
    data_option,
    fails_in_words,
    json_option,
    settings_of,
)
from calsync_plugin.config import require
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import CalsyncError, ConfigurationError, UserError
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.logs import set_up_logging

NEEDED = ("crm.url", "store.secret_keys", "serve.public_url")
KEY_FILE = "crm-api-key"
Begin = Callable[[Calsync, str, str, Callable[[str], str], Choices], AbstractContextManager[Job]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What both commands are told."""

    config: Path | None
    data: Path | None
    url: str | None
    admin: str | None
    password_stdin: bool
    role: str
    api_user: str
    key_file: Path | None
    dry_run: bool
    yes: bool
    plain_http: bool
    as_json: bool

    def choices(self) -> Choices:
        """What of it concerns the plan."""
        named = os.environ.get(KEY_VARIABLE)
        file = self.key_file or (Path(named) if named else (self.data or DATA) / KEY_FILE)
        return Choices(role=self.role, api_user=self.api_user, key_file=file)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of both commands."""
    options = (
        config_option,
        data_option,
        click.option("--url", help="Address of EspoCRM, if the configuration names none."),
        login_options,
        click.option("--role", default=NAME, show_default=True, help="Name of calsync's role."),
        click.option("--api-user", default=NAME, show_default=True, help="Name of calsync's API user."),
        click.option(
            "--key-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File that keeps the API user's key.  "
            f"[default: what {KEY_VARIABLE} says, else {KEY_FILE} in the data folder]",
        ),
        click.option("--dry-run", is_flag=True, help="Show the plan and change nothing in EspoCRM."),
        click.option("--plain-http", is_flag=True, help="Send the password although crm.url is not https."),
        click.option("--yes", is_flag=True, help="Do what the plan says without asking."),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def espocrm() -> None:
    """Set EspoCRM up for calsync, and take that away again."""


@espocrm.command(name="setup")
@_options
@click.option(
    "--entity",
    "entity_types",
    multiple=True,
    metavar="NAME",
    help="Kind of record to sync, such as Meeting; may be given several times.  "
    "[default: those of the configuration, else all of EspoCRM's calendar]",
)
@click.option("--location", is_flag=True, help="Make a field for the place where a kind of record has none.")
@click.option("--concurrency", is_flag=True, help="Switch Optimistic Concurrency Control on.")
@click.option("--create-contacts", is_flag=True, help="Let calsync create contacts.")
@fails_in_words
def set_up(
    *,
    entity_types: tuple[str, ...],
    location: bool,
    concurrency: bool,
    create_contacts: bool,
    **told: Any,
) -> None:
    """Make role, API user, fields and webhooks in EspoCRM, or mend them; shows the plan and asks first."""
    run = Run(**told)
    choices = replace(
        run.choices(),
        entity_types=entity_types,
        location=location,
        concurrency=concurrency,
        create_contacts=create_contacts,
    )
    with _begun(run, setting_up, choices) as job:
        done = _go(run, job)
        left = job.left() if done else ()
    if run.as_json:
        entities = list(job.entities)
        print_json(job.plan, done, {"entities": entities, "configured": job.configured, "left": left})
    elif done or not to_do(job.plan):
        tell_what_is_left(job, run.config, choices.key_file, left)
    if left:
        sys.exit(1)


@espocrm.command(name="remove")
@_options
@click.option("--fields", is_flag=True, help="Remove the fields as well; what stands in them is lost.")
@fails_in_words
def remove(*, fields: bool, **told: Any) -> None:
    """Take everything away that the set-up made in EspoCRM; shows the plan and asks first."""
    run = Run(**told)
    with _begun(run, taking_away, replace(run.choices(), fields=fields)) as job:
        done = _go(run, job)
    if run.as_json:
        print_json(job.plan, done, {})
    elif done:
        console.print(f"EspoCRM knows calsync no more. Take crm.api_key and {KEY_VARIABLE} away as well.")


@contextmanager
def _begun(run: Run, begin: Begin, choices: Choices) -> Generator[Job]:
    """The job of an administrator who is signed in; a stop from outside signs out as well."""
    if run.as_json and not (run.dry_run or run.yes):
        raise UserError("--json asks nobody: add --yes, or --dry-run for the plan alone")
    if run.password_stdin and not (run.dry_run or run.yes):
        raise UserError("--password-stdin leaves nobody to ask: add --yes, or --dry-run for the plan alone")
    if not choices.key_file.exists() and os.environ.get(KEY_VARIABLE) == str(choices.key_file):
        # The file is still to be made, or was lost.
        del os.environ[KEY_VARIABLE]
    settings = settings_of(run.config, run.data, None)
    if run.url and settings.crm.url and run.url.rstrip("/") != settings.crm.url:
        raise ConfigurationError(
            f"says {settings.crm.url}, and --url says {run.url}", path="crm.url", expected="one address"
        )
    if run.url:
        settings = replace(settings, crm=replace(settings.crm, url=_address(run.url)))
    require(settings, *NEEDED)
    if settings.crm.url.startswith("http:") and not (run.plain_http or is_loopback(settings.crm.url)):
        raise ConfigurationError(
            f"{settings.crm.url} is not https, and the administrator's password would travel readable",
            path="crm.url",
            expected="an https address, or --plain-http where nobody can listen",
        )
    set_up_logging("warning", "text")
    asked = Asked(run.admin, from_stdin=run.password_stdin)
    user_name, password = asked.user_name(), asked.password()
    calsync = Calsync(settings, plugin_manager(), kind="bridge")
    try:
        with _stoppable(), begin(calsync, user_name, password, asked.code, choices) as job:
            yield job
    finally:
        calsync.store.close()
        calsync.http.close()


def _address(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ConfigurationError(f"{url!r} is no address", path="--url", expected="https://crm.example.com")
    return url.rstrip("/")


@contextmanager
def _stoppable() -> Generator[None]:
    """Let SIGTERM end the command like Ctrl+C does, so that the administrator is signed out."""

    def leave(*_: object) -> NoReturn:
        sys.exit(1)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _go(run: Run, job: Job) -> bool:
    """Show the plan, ask, and do it. True if it was done."""
    steps = to_do(job.plan)
    if not run.as_json:
        console.print(table_of(job.plan))
    if not steps:
        _say(run, "There is nothing to do.")
        return False
    if run.dry_run:
        _say(run, f"{len(steps)} steps to do; nothing was changed.")
        return False
    # The question goes to another stream and must not come first.
    console.file.flush()
    if not run.yes and not click.confirm(f"Do these {len(steps)} steps?", err=True):
        _say(run, "Nothing was changed.")
        return False
    _carry_out(run, job, steps)
    return True


def _carry_out(run: Run, job: Job, steps: Sequence[Step]) -> None:
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    shown = Console(stderr=True, emoji=False)
    step = steps[0]
    try:
        with Progress(*columns, console=shown, disable=run.as_json) as progress:
            task = progress.add_task("", total=len(steps))
            for number, step in enumerate(job.carry_out()):
                progress.update(task, completed=number, description=as_written(f"{step.part} {step.name}"))
            progress.update(task, completed=len(steps), description="done")
    except CalsyncError:
        click.echo(
            f"Stopped at {step.part} {step.name}. What was done stays; the same command goes on from there.",
            err=True,
        )
        raise
    _say(run, f"{len(steps)} steps done.")


def _say(run: Run, text: str) -> None:
    if not run.as_json:
        console.print(text, markup=False)
