"""The list of what gets a second try names files that there are."""

from __future__ import annotations

import pytest

from tests.second_try import FOLDERS, HERE, WAITING


@pytest.mark.parametrize("name", sorted(WAITING))
def test_a_file_that_waits_is_there(name: str) -> None:
    assert (HERE / name).is_file()


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_folder_that_waits_is_there(name: str) -> None:
    assert (HERE / name).is_dir()


def test_what_runs_in_one_thread_gets_no_second_try(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("flaky") is None
