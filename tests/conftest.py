"""What concerns all tests: files of tests lie in memory, and the one option of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30
"""Some tests build packages in their folder, and pytest keeps the folders of three runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--all-postgresql`."""
    parser.addoption(
        "--all-postgresql",
        action="store_true",
        help="run every case of every table on PostgreSQL too, instead of the first one",
    )


def pytest_configure() -> None:
    """Let temporary folders lie in memory, where a commit of SQLite waits for no disk."""
    if _MEMORY.is_dir() and _free(_MEMORY) > _ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
