"""The process that reads a mailbox for the first time: `first_pull` has it tell its seconds and its peak."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.harness import timed
from bench.memory import peak
from bench.stub import Imports
from bench.world import Simulators, connect, installation, settings_for, settle
from calsync_plugin.demo import Ports


def main() -> None:
    """Connect the user of standard input, read the mailbox; print seconds, peak in MB and number of links."""
    task = json.load(sys.stdin)
    sims = Simulators(Ports(**task["ports"]))
    with (
        installation(settings_for(sims, Path(sys.argv[1]))) as calsync,
        Imports(keep=False).instead_of(calsync),
    ):
        connect(calsync, {task["user"]: task["address"]}, mode="both", settled=False)
        seconds = timed(lambda: settle(calsync))
        links = sum(calsync.store.links.counts().values())
    print(json.dumps({"seconds": seconds, "peak": peak(), "links": links}))


if __name__ == "__main__":
    main()
