"""What a process of the bench needed of the machine's memory."""

from __future__ import annotations

import resource
from pathlib import Path


def peak() -> float:
    """Peak resident memory in MB. Not getrusage: on Linux that remembers the parent's across exec."""
    status = Path("/proc/self/status")
    if not status.exists():
        # macOS tells bytes (getrusage(2)).
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
