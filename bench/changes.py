"""Ten changes in a mailbox of 10,000 events and in one of 100: a pull costs what changed, no more."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import count

from bench.floors import session_of
from bench.harness import Line, alternate, median_ratio, seconds, timed
from bench.stub import Imports
from bench.world import Simulators, connect, folder, installation, settings_for, settle, simulators
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID

SMALL, LARGE = 100, 10_000
CHANGES = 10
ROUNDS = 15
PEOPLE = {ALICE_ID: "alice@example.com", BOB_ID: "bob@example.com"}
_numbers = count(1)


def run() -> list[Line]:
    """Read both mailboxes for the first time, then only what changed."""
    imports = Imports(keep=True)
    with (
        simulators() as sims,
        folder() as data,
        installation(settings_for(sims, data)) as calsync,
        imports.instead_of(calsync),
    ):
        sims.plant(PEOPLE[ALICE_ID], SMALL)
        sims.plant(PEOPLE[BOB_ID], LARGE)
        connect(calsync, PEOPLE, mode="both")
        few, many = alternate(
            ROUNDS,
            _changes(sims, calsync, imports, ALICE_ID),
            _changes(sims, calsync, imports, BOB_ID),
        )
    return [
        Line(
            row="changes",
            what=f"pull of {CHANGES} changes in a mailbox of {LARGE:,} events; floor: of {SMALL}",
            floor=seconds(statistics.median(few)),
            ours=seconds(statistics.median(many)),
            value=median_ratio(many, few),
            limit=1.3,
            note="from the hint to the saved bases, the CRM stubbed",
        )
    ]


def _changes(sims: Simulators, calsync: Calsync, imports: Imports, user_id: str) -> Callable[[int], float]:
    """Seconds of one pull of CHANGES changes."""
    account = calsync.store.accounts.get(user_id)
    assert account is not None
    assert account.mailbox_id is not None
    mailbox_id, session = account.mailbox_id, session_of(PEOPLE[user_id])
    listed = session.get(f"{sims.outlook}/v1.0/me/events?$top={CHANGES}&$select=id", timeout=60).json()
    events = [event["id"] for event in listed["value"]]

    def measure(_round: int) -> float:
        for event in events:
            body = {"subject": f"Moved visit {next(_numbers)}"}
            session.patch(f"{sims.outlook}/v1.0/me/events/{event}", json=body, timeout=60).raise_for_status()
        before = imports.updates
        calsync.store.queue.hint(mailbox_id)
        taken = timed(lambda: settle(calsync))
        if imports.updates - before != CHANGES:
            raise RuntimeError(f"not all {CHANGES} changes reached their records")
        return taken

    return measure
