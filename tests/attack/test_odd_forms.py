"""Forms and queries that no page of ours would send."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.pages import Browser
from tests.world import ALICE, World

SETTINGS = "/external-account/settings"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("forms"))
    made.connect(ALICE)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    made = Browser(world)
    made.sign_in("alice")
    return made


@pytest.mark.parametrize("number", ["9" * 5000, "\u00b2", "\u0663", "-1", ""])
def test_a_row_without_a_number_is_none(page: Browser, number: str) -> None:
    sent = {**page.fields(SETTINGS), f"entities-{number}-label": "x"}
    assert page.post(SETTINGS, sent).status_code == 200


@pytest.mark.parametrize("before", ["9" * 5000, "9" * 19, "\u00b2", "-1"])
def test_the_log_begins_at_a_number(world: World, before: str) -> None:
    page = Browser(world)
    page.sign_in("admin")
    assert page.get("/admin/audit", query_string={"before": before}).status_code == 200


def test_a_form_of_many_values_is_refused_in_a_moment(page: Browser) -> None:
    sent = {**page.fields(SETTINGS), "other_calendars": ["x"] * 30_000}
    begun = time.process_time()
    answer = page.post(SETTINGS, sent)
    assert time.process_time() - begun < 2.5
    assert answer.status_code == 422
    assert len(answer.text) < 200_000
