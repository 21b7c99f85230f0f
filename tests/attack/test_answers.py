"""What an answer tells a stranger, and what the log tells the administrator."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import text
from werkzeug.test import Client

from calsync_plugin.state import Webhook
from calsync_plugin.web.app import create_app
from tests.world import World


def test_trouble_of_the_installation_is_in_the_log_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path)
    try:
        world.app.store.webhooks.save(_webhook())
        with world.app.store._database.write() as connection:
            connection.execute(text("UPDATE webhooks SET secret = 'k1:AAAA'"))
        answer = Client(create_app(world.app)).post(
            "/webhooks/crm/Meeting.create", data=b"[]", headers={"Signature": "djE6YWFh"}
        )
    finally:
        world.close()
    assert answer.status_code == 500
    assert "decrypt" not in answer.text
    assert "cannot be decrypted" in caplog.text


def test_a_refused_delivery_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(tmp_path)
    caplog.set_level(logging.WARNING)
    try:
        Client(create_app(world.app)).post(
            "/webhooks/crm/Meeting.create", data=b"[]", headers={"Signature": "djE6YWFh"}
        )
    finally:
        world.close()
    assert "/webhooks/crm/Meeting.create was refused" in caplog.text


def _webhook() -> Webhook:
    return Webhook("v1", "Meeting.create", "s3cret")
