"""What the tests of an installation share: a program that is not here is a reason to skip, but not in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def needs() -> Callable[[str], str]:
    """Where a program lies; the test is skipped where it is not installed."""
    return program


def program(name: str) -> str:
    """Where a program lies. Those of administrators are not in everybody's PATH."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        lacking(f"{name} is not installed")
    return str(found)


def lacking(reason: str) -> None:
    """Skip for a reason; where all services are promised, fail."""
    if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
