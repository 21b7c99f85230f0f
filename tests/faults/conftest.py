"""A yard for all tests of a process, on a file system in memory where there is one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.matrix import Bench
from tests.faults.scenarios import Scenario
from tests.faults.yard import Yard

MakeBench = Callable[[Scenario], Bench]
_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def make_bench() -> Iterator[MakeBench]:
    """Prepares scenarios in one yard; a bench is good until the next one is made."""
    folder = Path(tempfile.mkdtemp(prefix="calsync-faults-", dir=_MEMORY if _MEMORY.is_dir() else None))
    yard = Yard(folder)
    fresh = yard.keep("fresh")
    yield lambda scenario: Bench(yard, scenario, fresh)
    yard.close()
    shutil.rmtree(folder)
