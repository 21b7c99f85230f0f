"""A worker process for the race and kill tests.

    python -m tests.state.worker race URL KEY FOLDER     drains mailboxes until FOLDER/stop exists
    python -m tests.state.worker hang URL KEY LEASE      claims one mailbox, says so and hangs

A run of mailbox N reads FOLDER/wanted-N at its start and writes it to FOLDER/seen-N at its end; FOLDER/busy-N
exists meanwhile, and a run that finds it there leaves FOLDER/overlap-N.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path

from calsync_plugin.state import Keyring, Lease, Store, open_store

THREADS = 3


def run(folder: Path, lease: Lease) -> None:
    """One run of a mailbox; every fifth one fails."""
    number = lease.mailbox_id
    busy = folder / f"busy-{number}"
    try:
        busy.touch(exist_ok=False)
    except FileExistsError:
        (folder / f"overlap-{number}").touch()
        return
    try:
        wanted = (folder / f"wanted-{number}").read_text()
        time.sleep(random.random() / 500)
        if random.random() < 0.2:
            raise RuntimeError("a job that fails")
        (folder / f"seen-{number}").write_text(wanted)
    finally:
        busy.unlink()


def drain(store: Store, folder: Path, owner: str) -> None:
    """Claim, run, finish, until told to stop."""
    stop = folder / "stop"
    while not stop.exists():
        leases = store.queue.claim(owner, limit=2, lease=30)
        if not leases:
            store.queue.wait(0.1)
        for lease in leases:
            try:
                run(folder, lease)
            except RuntimeError:
                store.queue.finish(lease, next_due=0, failed=True)
            else:
                store.queue.finish(lease)


def main() -> None:
    """See the module."""
    mode, url, key, argument = sys.argv[1:]
    store = open_store(url, Keyring({"first": key}), kind="sandbox")
    if mode == "hang":
        (lease,) = store.queue.claim("killed", limit=1, lease=float(argument))
        print(lease.mailbox_id, flush=True)  # noqa: T201
        threading.Event().wait()
    name = f"{threading.get_native_id()}"
    threads = [
        threading.Thread(target=drain, args=(store, Path(argument), f"{name}-{number}"))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


if __name__ == "__main__":
    main()
