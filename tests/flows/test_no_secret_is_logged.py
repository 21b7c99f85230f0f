"""Nothing that opens a calendar is ever in a log, at the most talkative level."""

from __future__ import annotations

import json
import logging

import pytest

from tests.world import ALICE, KEY, World


def test_no_token_key_or_secret_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        world.save(description="what only alice may read")
        world.settle()
        world.outlook.faults.replace([])
        world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": ""}, changed=None)
    cache = json.loads(world.app.store.tokens.load(ALICE) or "{}")
    secrets = {entry["secret"] for kind in ("AccessToken", "RefreshToken") for entry in cache[kind].values()}
    assert len(secrets) == 2
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert said
    for secret in (*secrets, KEY, "what only alice may read"):
        assert secret not in said
