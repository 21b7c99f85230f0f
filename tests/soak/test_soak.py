"""A short run of the random histories; `make soak` plays longer ones with other seeds."""

from __future__ import annotations

import pytest

from tests.soak.machine import play


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [5, 7, 11])
def test_random_histories_come_to_rest_as_the_model_says(seed: int) -> None:
    play(seed=seed, histories=4, length=40)
