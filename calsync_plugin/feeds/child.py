"""The small process in which a calendar is laid out: a file in, its blocks out, and no more than it may use.

    python -m calsync_plugin.feeds.child < question > answer

Decides how limits are set. The first line of a question is JSON (`Question`), the rest is the file; the
answer is JSON. A process that uses more than it may ends without one.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict, dataclass
from datetime import UTC
from types import FrameType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked beside the file."""

    window: tuple[int, int]
    zone: str
    cpu_seconds: int
    memory: int
    """In bytes of address space."""


def main() -> int:
    """Answer the question on standard input."""
    first, _line_end, data = sys.stdin.buffer.read().partition(b"\n")
    asked = json.loads(first)
    question = Question(**asked | {"window": tuple(asked["window"])})
    _limit(question)
    try:
        answer = _answered(question, data)
    except MemoryError:
        return 1
    finally:
        if hasattr(signal, "setitimer"):
            # A signal that comes while the interpreter ends finds nobody to take it, and kills.
            signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.write(json.dumps(answer))
    return 0


def _answered(question: Question, data: bytes) -> dict[str, Any]:
    # After the limits are set, which hold for what these modules do, too.
    from calsync_plugin.errors import FeedError  # noqa: PLC0415
    from calsync_plugin.feeds.laying_out import laid_out  # noqa: PLC0415
    from calsync_plugin.feeds.zones import zone_named  # noqa: PLC0415

    try:
        found = laid_out(data, question.window, zone_named(question.zone) or UTC)
    except FeedError as error:
        return {"reason": error.reason}
    blocks = [asdict(block) for block in found.blocks.values()]
    return {"name": found.name, "left_out": found.left_out, "blocks": blocks}


def _limit(question: Question) -> None:
    """Let the system end this process beyond its limits; where it cannot, this process watches itself."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        # Windows: there whoever asked counts the seconds.
        return
    for kind, most in ((resource.RLIMIT_CPU, question.cpu_seconds), (resource.RLIMIT_AS, question.memory)):
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            # A service that is confined by systemd may not set limits.
            _watch(question)


def _watch(question: Question) -> None:
    import resource  # noqa: PLC0415

    unit = 1 if sys.platform == "darwin" else 1024

    def look(_signal: int, _frame: FrameType | None) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        if used.ru_maxrss * unit > question.memory or used.ru_utime > question.cpu_seconds:
            raise SystemExit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)


if __name__ == "__main__":
    sys.exit(main())
