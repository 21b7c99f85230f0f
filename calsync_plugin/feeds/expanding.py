"""The blocks of an iCalendar file within a window, worked out in a process that may fail.

Decides what the process gets: the file, limits of time and memory, and nothing of this one's environment. A
file whose rules take too much ends that process, and this one says so. Reads no network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from calsync_plugin.domain.availability import Block, Interval
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.feeds.child import Question
from calsync_plugin.feeds.refusals import refusal

_HANDED_ON = ("SYSTEMROOT", "PYTHONHOME", "PYTHONTZPATH", "LD_LIBRARY_PATH")
"""What an interpreter may need to start and to find its zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What working out one calendar may use."""

    wall_seconds: float = 15.0
    cpu_seconds: int = 10
    memory: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """What a file says of a window."""

    blocks: tuple[Block, ...] = ()
    name: str = ""
    """What the calendar calls itself; may be empty."""
    left_out: int = 0
    """How many of its events make no sense."""


def expanded(data: bytes, window: Interval, zone: str, *, limits: Limits | None = None) -> Expanded:
    """What happens within `window`; `zone` (IANA) is that of whole days and of times that name no zone.

    Raises FeedError with reason `not_a_calendar`, `too_many_events` or `too_complex`.
    """
    limits = limits or Limits()
    question = Question(window=window, zone=zone, cpu_seconds=limits.cpu_seconds, memory=limits.memory)
    asked = json.dumps(asdict(question)).encode() + b"\n" + data
    try:
        # -P: what lies in the folder in which the process starts is no module of it.
        ended = subprocess.run(  # noqa: S603  (nothing of the file is among the words)
            [_python(), "-P", "-W", "ignore", "-m", "calsync_plugin.feeds.child"],
            input=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=Path(sys.prefix).anchor,
            timeout=limits.wall_seconds,
            # Whoever stops this process at a terminal does not spoil an answer.
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        ended = None
    # Not in the clause above: the error holds what was asked.
    if ended is None or ended.returncode != 0:
        raise refusal("too_complex")
    answer = json.loads(ended.stdout)
    if "reason" in answer:
        raise refusal(answer["reason"])
    blocks = (Block(**row | {"show_as": ShowAs(row["show_as"])}) for row in answer["blocks"])
    return Expanded(blocks=tuple(blocks), name=answer["name"], left_out=answer["left_out"])


def _python() -> str:
    """The interpreter; some servers that hold one within them name themselves."""
    if Path(sys.executable).name.lower().startswith("python"):
        return sys.executable
    inner = Path("Scripts", "python.exe") if os.name == "nt" else Path("bin", "python3")
    return str(Path(sys.prefix) / inner)


def _environment() -> dict[str, str]:
    """Where modules are found, as this process finds them, and nothing that is secret."""
    kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    places = [str(Path(place).absolute()) for place in sys.path if place]
    return kept | {"PYTHONPATH": os.pathsep.join(places), "PYTHONUTF8": "1", "TZ": "UTC"}
