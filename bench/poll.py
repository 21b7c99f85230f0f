"""A look through 50,000 synced records of which none was changed: its requests, and its time."""

from __future__ import annotations

import os
import statistics
import uuid
from collections.abc import Collection
from dataclasses import replace
from time import perf_counter

from bench.harness import Line, seconds
from bench.world import Simulators, connect, folder, installation, meeting_record, settings_for, simulators
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.records import RecordView, read_record
from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import Base, Copy, CopyPurpose, CopyState, Link, Origin, Role
from calsync_plugin.domain.meeting import Field
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.engine.roster import Roster
from calsync_plugin.engine.versions import version_of
from calsync_plugin.sandbox.crm.identities import ALICE_ID
from calsync_plugin.state import SWEEP

RECORDS, PORTION = 50_000, 2_000
ROUNDS = 5
LONG_AGO = "2026-01-05 10:00:00"


def run() -> list[Line]:
    """Let the sweep come round several times, and count what the CRM was asked."""
    with simulators() as sims, folder() as data:
        settings = settings_for(sims, data)
        # One kind of record, whose portions are due each time.
        only = replace(settings.crm, entities=settings.crm.entities[:1], reread_seconds=0)
        with installation(replace(settings, crm=only)) as calsync:
            connect(calsync, {ALICE_ID: "alice@example.com"})
            _fill(sims, calsync)
            taken = [_look(sims, calsync) for _ in range(ROUNDS + 1)][1:]
    counts = {(saved, portions) for _, saved, portions in taken}
    (saved, portions), *others = counts
    return [
        Line(
            row="poll",
            what=f"a look through {RECORDS:,} unchanged synced records: requests beside the portions due",
            ours=f"{saved}, and {portions} portions of 200",
            value=float(saved),
            limit=2,
            unit="requests",
            note="portions: the next day, the week, later ones, by id, and those that were saved last",
            failed=bool(others),
        ),
        Line(
            row="poll",
            what="the time of such a look, with its portions",
            ours=seconds(statistics.median(one for one, _, _ in taken)),
            note=f"load {os.getloadavg()[0]:.1f}",
        ),
    ]


def _look(sims: Simulators, calsync: Calsync) -> tuple[float, int, int]:
    """Seconds, requests for what was saved lately, and all others of one sweep."""
    sims.control("DELETE", f"{sims.crm}/control/requests")
    calsync.store.queue.wake(SWEEP)
    started = perf_counter()
    while calsync.worker.drain():
        pass
    took = perf_counter() - started
    asked = sims.control("GET", f"{sims.crm}/control/requests")["requests"]
    saved = sum("%22attribute%22:%22modifiedAt%22" in one["query"] for one in asked)
    if calsync.store.changes.waiting() != {"unrouted": 0, "routed": 0}:
        raise RuntimeError("unchanged records were marked")
    return took, saved, len(asked) - saved


def _fill(sims: Simulators, calsync: Calsync) -> None:
    """Records in the CRM, and their links as pushes would have left them."""
    member = Roster(calsync.store).by_users({ALICE_ID})[ALICE_ID]
    entity = calsync.settings.crm.entities[0]
    fields = carried(Origin.CRM, Role.ORGANIZER, member.policy(entity, calsync.clock.now()))
    people = Directory(calsync.gateway)
    for _ in range(0, RECORDS, PORTION):
        saved = {"createdAt": LONG_AGO, "modifiedAt": LONG_AGO}
        rows = [meeting_record(ALICE_ID) | saved for _ in range(PORTION)]
        sims.control("POST", f"{sims.crm}/control/records/Meeting", {"list": rows})
        views = [read_record(row, entity, people) for row in rows]
        with calsync.store.save(None) as tx:
            tx.insert_links([_link(member.mailbox_id, view, fields) for view in views])


def _link(mailbox_id: int, view: RecordView, fields: Collection[Field]) -> Link:
    values = view.meeting.normal_form(fields)
    home = Copy(
        mailbox_id=mailbox_id,
        purpose=CopyPurpose.HOME,
        state=CopyState.LIVE,
        event_id=f"AAMkAG{view.id}{view.id}",
        etag=f'W/"{view.id}"',
    )
    return Link(
        id=str(uuid.uuid4()),
        entity_type=view.entity_type,
        record_id=view.id,
        copies=(home,),
        crm_base=Base(values, version_of(view.modified_at)),
        outlook_base=Base(values, home.etag),
    )
