"""The receiver of EspoCRM's webhooks: a delivery is written as a whole, or comes again as a whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from calsync_plugin.accounts.setup import set_up_webhooks
from calsync_plugin.engine import inbound
from calsync_plugin.hookspecs import hookimpl
from calsync_plugin.sandbox.crm.delivery import signatures
from calsync_plugin.state import Webhook
from calsync_plugin.web.app import create_app
from tests.world import World


class Receiver:
    """A bridge, and EspoCRM's hands."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.file = folder / "calsync.db"
        set_up_webhooks(self.world.app)
        self.client = Client(create_app(self.world.app))

    def deliver(self, event: str, *elements: dict[str, Any], signed_as: str = "") -> int:
        """Deliver as EspoCRM does; the status of the answer."""
        rows = self.world.crm.store.tables["Webhook"].rows.values()
        hook = next(row for row in rows if row["event"] == (signed_as or event))
        body = json.dumps(elements).encode()
        headers = signatures(hook["id"], hook["secretKey"], body)
        return self.client.post(f"/webhooks/crm/{event}", data=body, headers=headers).status_code

    def marks(self) -> list[tuple[str, str]]:
        """What is noted: record and hint."""
        return [(mark.record_id, mark.user_hint) for mark in self.world.app.store.changes.unrouted(1000)]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path)
    yield made
    made.world.close()


def test_fifty_events_are_noted_in_their_order(receiver: Receiver) -> None:
    elements = [{"id": f"r{n}", "name": "Changed"} for n in range(50)]
    assert receiver.deliver("Meeting.update", *elements) == 202
    assert receiver.marks() == [(f"r{n}", "") for n in range(50)]


def test_several_events_of_one_record_are_one_mark(receiver: Receiver) -> None:
    elements = [{"id": "r1", "name": name} for name in ("One", "Two", "Three")]
    assert receiver.deliver("Meeting.update", *elements, {"id": "r1", "assignedUserId": "u"}) == 202
    assert receiver.marks() == [("r1", ""), ("r1", "u")]


def test_a_delivery_signed_for_another_event_notes_nothing(receiver: Receiver) -> None:
    assert receiver.deliver("Meeting.delete", {"id": "r1"}, signed_as="Meeting.update") in {401, 403}
    assert receiver.marks() == []


def test_a_secret_that_was_changed_counts_at_once(receiver: Receiver) -> None:
    event = "Meeting.update"
    assert receiver.deliver(event, {"id": "r1"}) == 202
    row = next(r for r in receiver.world.crm.store.tables["Webhook"].rows.values() if r["event"] == event)
    row["secretKey"] = "0123456789abcdef0123456789abcdef"
    assert receiver.deliver(event, {"id": "r2"}) == 401
    receiver.world.app.store.webhooks.save(Webhook(row["id"], event, row["secretKey"]))
    assert receiver.deliver(event, {"id": "r3"}) == 202
    assert receiver.marks() == [("r1", ""), ("r3", "")]


def test_a_plugin_that_fails_leaves_no_half_of_a_delivery(receiver: Receiver) -> None:
    receiver.world.plugins.register(Fails())
    elements = [{"id": f"r{n}"} for n in range(3)]
    assert receiver.deliver("Meeting.delete", *elements) == 500
    assert receiver.marks() == []


def test_a_store_that_stays_busy_is_answered_so_that_the_crm_comes_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "PATIENCE", 0.0)
    other = sqlite3.connect(receiver.file)
    other.execute("BEGIN IMMEDIATE")
    assert receiver.deliver("Meeting.delete", {"id": "r1"}, {"id": "r2"}) == 503
    other.rollback()
    other.close()
    assert receiver.marks() == []
    assert receiver.deliver("Meeting.delete", {"id": "r1"}, {"id": "r2"}) == 202
    assert receiver.marks() == [("r1", ""), ("r2", "")]


class Fails:
    """A third party's plugin."""

    @hookimpl
    def calsync_entity_deleted(self, entity_type: str, record_id: str) -> None:
        """Stumble over the last one."""
        if record_id == "r2":
            raise ValueError(entity_type)
