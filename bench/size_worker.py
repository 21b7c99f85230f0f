"""The process whose memory `size` tells: it works off the marks of its standard input and prints its peak."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.memory import peak
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
        print(peak())


if __name__ == "__main__":
    main()
