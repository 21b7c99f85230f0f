"""Who is free when: availability and slots from the store, against the bare SQL that reads the same rows.

Decides what is asked for: four weeks, in which each user has 200 blocks. The floor is one statement through
SQLite's own cursor; what is ours beyond it is working hours, merging and, for availability, encoding.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.harness import Line, alternate, median_ratio, seconds, timed
from bench.world import folder
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.demo import Ports, sandbox_settings
from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.slots import Mode
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.engine.clock import SystemClock
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.settings import LogSettings
from calsync_plugin.state import Account, AccountStatus, SourceKind

BLOCKS, DAYS = 200, 28
ASKED, SLOTS_OF, SIZES = 50, 20, (10, 100, 1000)
ROUNDS = 9
SEED = 20260302
ZONE = "Europe/Berlin"
_BARE = (
    "SELECT s.user_id, s.kind, b.starts_at, b.ends_at, b.whole_days, b.show_as FROM busy b "
    "JOIN busy_sources s ON s.id = b.source_id WHERE s.user_id IN ({}) AND b.ends_at > ? AND b.starts_at < ?"
)


def run() -> list[Line]:
    """Measure 50 users, then slots of 20, then how the cost grows."""
    with folder() as data, _installation(data, max(SIZES)) as calsync:
        window = _window(calsync)
        with closing(sqlite3.connect(data / "calsync.db")) as bare:
            lines = [_availability(calsync, bare, window), *_slots(calsync, bare, window)]
            lines += _growth(calsync, window)
    return lines


def _availability(calsync: Calsync, bare: sqlite3.Connection, window: tuple[int, int]) -> Line:
    users = _users(ASKED)
    floor, ours = alternate(ROUNDS, _reads(bare, users, window), _encodes(calsync, users, window))
    return Line(
        row="availability",
        what=f"{ASKED} users, {DAYS} days, {BLOCKS} blocks each, merged and encoded",
        floor=f"{seconds(statistics.median(floor))} (bare SQL, {ASKED * BLOCKS:,} rows)",
        ours=seconds(statistics.median(ours)),
        value=median_ratio(ours, floor),
        limit=5,
    )


def _slots(calsync: Calsync, bare: sqlite3.Connection, window: tuple[int, int]) -> Iterator[Line]:
    users = _users(SLOTS_OF)
    for mode in (Mode.COLLECTIVE, Mode.ROUND_ROBIN):
        query = SlotQuery(
            users=tuple(users), mode=mode, window=window, duration=1800, step=900, zone="Europe/Berlin"
        )

        def find(_: int, query: SlotQuery = query) -> float:
            return timed(lambda: calsync.desk.slots.find(query))

        floor, ours = alternate(ROUNDS, _reads(bare, users, window), find)
        yield Line(
            row="availability",
            what=f"slots for {SLOTS_OF} users over {DAYS} days, {mode.value.replace('_', ' ')}",
            floor=f"{seconds(statistics.median(floor))} (bare SQL, {SLOTS_OF * BLOCKS:,} rows)",
            ours=seconds(statistics.median(ours)),
            value=median_ratio(ours, floor),
            limit=10,
            note=f"{len(calsync.desk.slots.find(query).slots)} slots, one each quarter of an hour",
        )


def _growth(calsync: Calsync, window: tuple[int, int]) -> Iterator[Line]:
    """What one user costs, among few and among many: the same if the cost is linear."""
    first, *others = SIZES
    took = alternate(ROUNDS, *(_encodes(calsync, _users(number), window) for number in SIZES))
    each = [statistics.median(one) / number for one, number in zip(took, SIZES, strict=True)]
    for place, number in enumerate(others, start=1):
        ratios = [one / number / (few / first) for one, few in zip(took[place], took[0], strict=True)]
        yield Line(
            row="availability",
            what=f"availability of {number} users, for each of them; floor: of {first}",
            floor=seconds(each[0]),
            ours=f"{seconds(each[place])}, {seconds(each[place] * number)} for all",
            value=statistics.median(ratios),
            limit=1.3,
        )


def _encodes(calsync: Calsync, users: Sequence[str], window: tuple[int, int]) -> Callable[[int], float]:
    def encode() -> str:
        found = calsync.desk.availability.of(users, *window)
        assert all(one.known for one in found)
        return json.dumps([[one.user_id, one.busy, one.kinds] for one in found])

    return lambda _: timed(encode)


def _reads(bare: sqlite3.Connection, users: Sequence[str], window: tuple[int, int]) -> Callable[[int], float]:
    statement = _BARE.format(", ".join("?" * len(users)))
    return lambda _: timed(lambda: bare.execute(statement, (*users, *window)).fetchall())


def _users(number: int) -> list[str]:
    return [f"user{place:04}" for place in range(number)]


def _window(calsync: Calsync) -> tuple[int, int]:
    today = datetime.fromtimestamp(calsync.store.clock.now(), UTC).date() + timedelta(days=1)
    start = int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp())
    return start, start + DAYS * 86_400


@contextmanager
def _installation(data: Path, users: int) -> Iterator[Calsync]:
    """A store in which all users are connected and were read."""
    settings = sandbox_settings(data, Ports(1, 2, 3), LogSettings(level="error"))
    # Nobody listens at the addresses: nothing remote is asked.
    settings = replace(settings, crm=replace(settings.crm, time_zone=ZONE))
    calsync = Calsync(settings, plugin_manager(), kind="sandbox", clock=SystemClock())
    try:
        draws, window = random.Random(SEED), _window(calsync)
        for user_id in _users(users):
            _read_user(calsync, user_id, draws, window)
        yield calsync
    finally:
        calsync.stop()


def _read_user(calsync: Calsync, user_id: str, draws: random.Random, window: tuple[int, int]) -> None:
    store, now = calsync.store, datetime.now(UTC)
    mailbox = store.accounts.ensure_mailbox("tenant", user_id, f"{user_id}@example.com")
    store.accounts.save(
        Account(
            user_id=user_id,
            mailbox_id=mailbox,
            settings={"sync_since": now.date().isoformat()},
            grants=NEEDED,
            status=AccountStatus.CONNECTED,
            zone=ZONE,
            connected_at=now,
            pulled_at=now,
        )
    )
    (source,) = store.busy.keep_calendars(user_id, mailbox, {"main": (SourceKind.LINKED, "Calendar")})
    blocks = [_block(number, draws, window[0]) for number in range(BLOCKS)]
    far = timedelta(days=365)
    with store.save(None) as tx:
        tx.busy.replace(source.id, blocks)
        tx.busy.was_read(source.id, known_from=now - far, known_until=now + far)


def _block(number: int, draws: random.Random, first: int) -> Block:
    """A quarter to two hours somewhere in the four weeks."""
    start = first + 900 * draws.randrange(DAYS * 96)
    return Block(id=f"event{number:04}", start=start, end=start + 900 * draws.randint(1, 8))
