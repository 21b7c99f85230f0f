"""What the tests of the CRM's room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.crm.sandbox import SETTINGS, World, world_of


@pytest.fixture
def world() -> Iterator[World]:
    made = world_of(SETTINGS)
    yield made
    made.crm.close()
