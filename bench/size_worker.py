"""The process whose memory `size` tells: it works off the marks of its standard input and prints its peak."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from bench.world import Simulators, installation, mark, settings_for, settle_in_background
from calsync_plugin.demo import Ports


def main() -> None:
    """Work, then print the peak resident memory in MB."""
    task = json.load(sys.stdin)
    sims = Simulators(Ports(**task["ports"]))
    with installation(settings_for(sims, Path(sys.argv[1]))) as calsync:
        mark(calsync, [tuple(meeting) for meeting in task["meetings"]])
        calsync.worker.start()
        settle_in_background(calsync)
        calsync.worker.stop()
        print(_peak())


def _peak() -> float:
    """Peak resident memory in MB. Not getrusage: on Linux that remembers the parent's across exec."""
    status = Path("/proc/self/status")
    if not status.exists():
        # macOS tells bytes (getrusage(2)).
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
