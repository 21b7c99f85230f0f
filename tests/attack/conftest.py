"""Worlds for attacks; those in which nobody is connected yet are made by `make_world`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import ALICE, BOB, World

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    """Makes worlds, each over a store of its own; nobody is connected in them."""
    made: list[World] = []

    def make(**changes: Any) -> World:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(World(folder, **changes))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Alice and bob are connected in both directions; carol is not."""
    made = make_world()
    made.connect(ALICE)
    made.connect(BOB)
    return made
