"""A world for each test, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import ALICE, BOB, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice and bob are connected in both directions, carol is not."""
    made = World(tmp_path)
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()
