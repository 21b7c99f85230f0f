"""Commands that run until a signal: the bridge or the sandbox, a worker, one simulator.

Decides which of the three ways to run is meant, and that a stop keeps the work in hand.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import NoReturn

import click
from rich.table import Table

from calsync_plugin.addresses import is_loopback
from calsync_plugin.cli.options import (
    DATA,
    bridge_of,
    config_option,
    console,
    data_option,
    fails_in_words,
    of_installation,
    settings_of,
)
from calsync_plugin.demo import HOST, TOKEN_FILE, TOKEN_VARIABLES, Sandbox
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.logs import set_up_logging
from calsync_plugin.sandbox.crm import serve as serve_crm
from calsync_plugin.sandbox.outlook import serve as serve_outlook
from calsync_plugin.settings import LogSettings
from calsync_plugin.web.bridge import LONGEST_STOP, Bridge

IMPATIENCE = 1.0
"""Seconds after which a second signal is a second wish, and not the same one sent to a whole group."""


@click.command()
@config_option
@data_option
@click.option(
    "--port",
    type=click.IntRange(0, 65533),
    help="Port of the bridge; the sandbox takes this one and the next two.  [default: 8700]",
)
@click.option("--host", help="Address to bind to; the sandbox binds to 127.0.0.1 only.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), help="Log lines for people or for programs."
)
@fails_in_words
def serve(
    config: Path | None, data: Path | None, port: int | None, host: str | None, log_format: str | None
) -> None:
    """Run the bridge; without a configuration the sandbox with both calendars."""
    if config is None and "CALSYNC_CRM_URL" not in os.environ:
        _serve_sandbox(data or DATA, 8700 if port is None else port, host or HOST, log_format)
        return
    settings = settings_of(config, data, log_format)
    if port is not None or host is not None:
        web = settings.serve
        web = replace(web, port=web.port if port is None else port, host=host or web.host)
        settings = replace(settings, serve=web)
    stop = _Stop()
    bridge = Bridge(bridge_of(settings))
    bridge.start()
    stop.running()
    console.print(f"calsync answers at {settings.serve.public_url}")
    stop.wait()
    bridge.stop()
    _ended()


def _serve_sandbox(data: Path, port: int, host: str, log_format: str | None) -> None:
    if not is_loopback(f"http://{host}"):
        raise ConfigurationError(
            f"the sandbox does not bind to {host}", path="--host", expected="127.0.0.1, or a configuration"
        )
    log = LogSettings(level="warning", format="json" if log_format == "json" else "text")
    set_up_logging(log.level, log.format)
    stop = _Stop()
    sandbox = Sandbox(data, port, log)
    with console.status("starting") as status:
        sandbox.start(status.update)
        stop.running()
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("CRM", f"http://{HOST}:{sandbox.ports.crm}/", "create, change, reassign meetings")
    table.add_row("Outlook", f"http://{HOST}:{sandbox.ports.outlook}/", "the calendars and their mails")
    table.add_row("calsync", f"http://{HOST}:{sandbox.bridge.server.port}/", "the bridge between them")
    console.print(table)
    people = f"alice and bob are connected, carol is not. Data: {data.resolve()}. Stop with Ctrl+C."
    console.print(people, markup=False)
    console.print(_token_words(data), markup=False)
    stop.wait()
    sandbox.stop()
    _ended()


def _token_words(data: Path) -> str:
    """Where a program finds the token; itself it is not shown."""
    name = next((one for one in TOKEN_VARIABLES if os.environ.get(one)), "")
    return f"Token for /api/v1: {name or (data / TOKEN_FILE).resolve()}."


@click.command()
@click.argument("side", type=click.Choice(["outlook", "crm"]))
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port to answer at.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that keeps its state; without it nothing outlives a stop.",
)
@fails_in_words
def sandbox(side: str, port: int, data: Path | None) -> None:
    """Run one simulator alone."""
    file = data / f"{side}.json" if data else None
    # The server ends by SystemExit as by Ctrl+C, and keeps its state.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    console.print(f"http://{HOST}:{port}/")
    (serve_outlook if side == "outlook" else serve_crm)(port, data_file=file)


@click.command()
@of_installation
def worker(config: Path | None, data: Path | None) -> None:
    """Work without web addresses, beside a bridge over the same store."""
    stop = _Stop()
    calsync = bridge_of(settings_of(config, data, None))
    calsync.start()
    stop.running()
    stop.wait()
    calsync.worker.stop(timeout=LONGEST_STOP)
    calsync.stop()
    _ended()


class _Stop:
    """What SIGTERM and Ctrl+C ask for: an orderly stop; at once before anything runs or if asked again."""

    def __init__(self) -> None:
        """Listen for the signals; to be made before anything is started."""
        # Not an Event: a signal that comes while the main thread holds its lock would wait for it for ever.
        self._asked: SimpleQueue[int] = SimpleQueue()
        self._first: float | None = None
        self._running = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if not self._running or (self._first is not None and now - self._first > IMPATIENCE):
            _leave()
        if self._first is None:
            self._first = now
            self._asked.put(number)

    def running(self) -> None:
        """Say that there is something to stop from now on."""
        self._running = True

    def wait(self) -> None:
        """Return when a stop is asked for."""
        self._asked.get()


def _ended() -> None:
    """End the process although a call may still wait for its service: the interpreter would wait for it."""
    if threading.active_count() > 1:
        _leave()


def _leave() -> NoReturn:
    sys.stdout.flush()
    os._exit(0)
