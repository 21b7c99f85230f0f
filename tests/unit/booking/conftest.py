"""An office on a store of its own, on SQLite always and on PostgreSQL when it is there."""

from __future__ import annotations

import pytest

from calsync_plugin.state import Store
from tests.state.conftest import database, fresh, keyring, opened, server, url, used_schema
from tests.state.samples import MovedClock, Opener
from tests.unit.booking.office import NOW, Office

__all__ = ["database", "fresh", "keyring", "opened", "server", "url", "used_schema"]


@pytest.fixture
def clock() -> MovedClock:
    """A Friday at noon."""
    return MovedClock(NOW)


@pytest.fixture
def store(opened: Opener, clock: MovedClock) -> Store:
    """A store that goes by `clock`."""
    return opened(clock=clock)


@pytest.fixture
def office(store: Store) -> Office:
    """Nobody is connected yet."""
    return Office(store)
