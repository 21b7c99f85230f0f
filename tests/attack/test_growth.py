"""What is written down about runs ends some day."""

from __future__ import annotations

from pathlib import Path

from tests.world import ALICE, World


def test_notes_and_journal_end_after_30_days(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        world.connect(ALICE)
        record = world.save()
        world.settle()
        world.remove(record)
        world.settle()
        log = world.app.store.log
        assert log.notes(ALICE)
        assert log.journal()
        world.clock.advance(29 * 86_400)
        world.sweep()
        assert log.journal()
        world.clock.advance(2 * 86_400)
        world.sweep()
        assert (log.notes(ALICE), log.journal()) == ([], [])
    finally:
        world.close()
