"""What all commands share: options, the opened installation, errors in words.

Decides exit codes: 0, 1 (failed), 2 (wrong use or configuration, one line, no traceback).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec

import click
from rich.console import Console
from rich.markup import escape

from calsync_plugin.config import BRIDGE_NEEDS, require
from calsync_plugin.demo import open_sandbox
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import CalsyncError, UserError
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.logs import set_up_logging
from calsync_plugin.settings import LogSettings, Settings, load_settings

P = ParamSpec("P")
console = Console(soft_wrap=True, emoji=False)
DATA = Path("calsync-data")


def as_written(text: str) -> str:
    """Text from elsewhere, so that it formats nothing around it and steers no terminal."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text))


def fails_in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into one line and an exit code."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except UserError as error:
            click.echo(f"calsync: {error}", err=True)
            sys.exit(2)
        except CalsyncError as error:
            click.echo(f"calsync: {error}", err=True)
            sys.exit(1)
        except BrokenPipeError:
            raise
        except OSError as error:
            # A folder that is a file, is not ours or is full.
            reason = error.strerror or type(error).__name__
            click.echo(f"calsync: {error.filename or 'the data folder'}: {reason}", err=True)
            sys.exit(2)

    return guarded


config_option = click.option(
    "--config",
    envvar="CALSYNC_CONFIG",
    type=click.Path(path_type=Path),
    help="Configuration file (YAML); CALSYNC_CONFIG may name it instead.",
)
data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Data folder.  [default: ./calsync-data]"
)


def of_installation(command: Callable[P, None]) -> Callable[P, None]:
    """A command about one installation: it names it by its options, and fails in words."""
    return config_option(data_option(fails_in_words(command)))


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def settings_of(config: Path | None, data: Path | None, log_format: str | None) -> Settings:
    """The settings of the bridge that the options and the environment name."""
    settings = load_settings(config, os.environ)
    if not settings.store.url:
        folder = data or DATA
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = replace(settings, store=replace(settings.store, url=f"sqlite:///{folder / 'calsync.db'}"))
    if log_format is not None:
        form: Literal["text", "json"] = "json" if log_format == "json" else "text"
        settings = replace(settings, log=LogSettings(level=settings.log.level, format=form))
    return settings


def bridge_of(settings: Settings) -> Calsync:
    """The bridge of complete settings."""
    require(settings, *BRIDGE_NEEDS)
    set_up_logging(settings.log.level, settings.log.format)
    return Calsync(settings, plugin_manager(), kind="bridge")


@contextmanager
def opened(config: Path | None, data: Path | None) -> Iterator[Calsync]:
    """The installation that the options name: the configured bridge, else the sandbox of a data folder."""
    if config is None and "CALSYNC_CRM_URL" not in os.environ:
        set_up_logging("warning", "text")
        calsync = open_sandbox(data or DATA, LogSettings(level="warning"))
    else:
        calsync = bridge_of(settings_of(config, data, None))
    try:
        yield calsync
    finally:
        calsync.store.close()
        calsync.http.close()
