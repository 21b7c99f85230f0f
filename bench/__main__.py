"""`python -m bench [row ...] [--json FILE]`: measures the rows, all of them unless some are named.

Exit 0 if every line that has a limit keeps it, 1 if one is short.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from time import monotonic

from rich.console import Console

from bench.harness import Line, print_table

ROWS = (
    *("hooks", "push", "latency", "many_mailboxes", "wire", "size", "burst"),
    *("first_pull", "changes", "idle", "end_to_end", "from_outlook", "sdk"),
    *("espocrm", "poll", "receiver", "availability"),
)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure calsync against its floors."
    )
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help=f"any of {', '.join(ROWS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines to a file, too")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    lines: list[Line] = []
    for name in options.rows or ROWS:
        started = monotonic()
        lines += _measured(name)
        console.print(f"[dim]{name}: measured in {monotonic() - started:.0f} s[/dim]")
    print_table(console, lines)
    if options.json:
        content = {"python": platform.python_version(), "lines": [line.as_json() for line in lines]}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 1 if any(line.verdict in {"short", "failed"} for line in lines) else 0


def _measured(name: str) -> list[Line]:
    """The lines of a row. What cannot be measured is said in its line, and the other rows go on."""
    try:
        # Each row is imported when its turn comes: one of them loads an SDK that takes seconds.
        lines: list[Line] = import_module(f"bench.{name}").run()
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        return [Line(row=name, what="not measured", note=str(error), failed=True)]
    return lines


if __name__ == "__main__":
    sys.exit(main())
