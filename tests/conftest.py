"""What concerns all tests: files of tests lie in memory, and the options of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.second_try import give_second_tries

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30
"""Some tests build packages in their folder, and pytest keeps the folders of three runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--all-postgresql` and `--backwards`."""
    parser.addoption(
        "--all-postgresql",
        action="store_true",
        help="run every case of every table on PostgreSQL too, instead of the first one",
    )
    parser.addoption(
        "--backwards",
        action="store_true",
        help="run mailboxes that are due at the same time in the reverse order",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let temporary folders lie in memory, where a commit of SQLite waits for no disk."""
    if config.getoption("backwards"):
        # Here, because it imports most of the product.
        from tests.backwards import run_backwards  # noqa: PLC0415

        run_backwards()
    if _MEMORY.is_dir() and _free(_MEMORY) > _ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a second try to what waits for other processes."""
    give_second_tries(items)


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
