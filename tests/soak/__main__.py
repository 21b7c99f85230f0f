"""`python -m tests.soak [--steps N] [--seed S]`: random histories until so many steps are done.

Prints what was done, and for a failure the history that led to it; exit 0 if none failed, else 1.
"""

from __future__ import annotations

import argparse
import logging
import sys
from time import monotonic

from rich.console import Console
from rich.table import Table

from tests.backwards import run_backwards
from tests.soak.machine import play
from tests.soak.tally import TALLY

HISTORIES = 4
"""Played with one seed; then the next one is taken."""


def main() -> int:
    """Play and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Random histories, a plain model."
    )
    parser.add_argument("--steps", type=int, default=2000, help="steps of people to play (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (%(default)s)")
    parser.add_argument("--length", type=int, default=50, help="steps of one history (%(default)s)")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest history that fails")
    parser.add_argument("--backwards", action="store_true", help="mailboxes run in the reverse order")
    beside = parser.add_mutually_exclusive_group()
    beside.add_argument(
        "--accounts", dest="beside", action="store_const", const="accounts", default="",
        help="accounts go away and come back as well",
    )  # fmt: skip
    beside.add_argument(
        "--series",
        dest="beside",
        action="store_const",
        const="series",
        help="somebody keeps a series as well",
    )
    options = parser.parse_args()
    if options.backwards:
        run_backwards()
    # What is injected is logged as it should be; only what nobody foresaw is of interest, and is a failure.
    logging.getLogger("calsync_plugin").setLevel(logging.ERROR)
    logging.getLogger("calsync_plugin").addHandler(logging.NullHandler())
    console, started, seed, failed = Console(), monotonic(), options.seed, False
    while TALLY.steps < options.steps and not failed:
        try:
            play(seed, HISTORIES, options.length, shrink=options.shrink, beside=options.beside)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            failed = True
            console.print(f"[red]seed {seed}[/red]")
            console.print("\n".join([str(error), *getattr(error, "__notes__", [])]), markup=False)
        seed += 1
    console.print(_summary(options.seed, seed - 1, monotonic() - started))
    return 1 if failed else 0


def _summary(first: int, last: int, seconds: float) -> Table:
    table = Table(title=f"Random histories, seeds {first} to {last}", title_justify="left")
    table.add_column("what")
    table.add_column("how often", justify="right")
    for name, number in TALLY.rows():
        table.add_row(name, f"{number:,}")
    table.add_row("seconds", f"{seconds:,.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
