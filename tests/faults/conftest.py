"""A yard for all tests of a process, on a file system in memory where there is one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.matrix import Bench
from tests.faults.scenarios import Scenario
from tests.faults.yard import Yard


class MakeBench(Protocol):
    """Prepares scenarios."""

    def __call__(self, scenario: Scenario, *, thorough: bool = False) -> Bench:
        """A scenario's bench."""
        ...


MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@pytest.fixture(scope="session")
def make_bench() -> Iterator[MakeBench]:
    """Prepares scenarios in one yard; a bench is good until the next one is made."""
    with tempfile.TemporaryDirectory(prefix="calsync-faults-", dir=MEMORY) as folder:
        yard = Yard(Path(folder))
        fresh = yard.keep("fresh")
        yield lambda scenario, *, thorough=False: Bench(yard, scenario, fresh, thorough=thorough)
        yard.close()
