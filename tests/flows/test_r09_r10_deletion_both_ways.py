"""R9, R10: one side is gone. Modes, origins and settings; what an edit saves; what is no deletion at all."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.follow_again import follow
from calsync_plugin.accounts.reset import reset
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.domain.links import LinkState, Origin
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, OUTLOOK, World
from tests.wsgi import WsgiAdapter

LABELS = {"Meeting": "", "Call": "C: ", "Visit": "V: "}
GONE = [pytest.param(404, id="404"), pytest.param(200, id="200-from-Deleted-Items")]


def _linked(make_world: MakeWorld, origin: str, kind: str = "Meeting") -> tuple[World, str]:
    """A world with one link of alice's that was born on this side; returns it and the record's id."""
    world = make_world()
    subject, span = f"{LABELS[kind]}Kick-off", {"start": "2026-12-01T10:00:00", "end": "2026-12-01T11:00:00"}
    record = ""
    if origin == "adopted":
        record = world.save(kind)
        world.outlook_create(ALICE, subject=subject, **span)
        world.clock.advance(60)
    world.connect(ALICE)
    if origin == "outlook":
        world.outlook_create(ALICE, subject=subject, **span)
    elif origin == "crm":
        record = world.save(kind)
        world.settle()
    world.pull()
    record = record or str(world.only_record(kind)["id"])
    assert world.link(record, kind).origin == Origin(origin)
    assert len(world.events(ALICE)) == 1
    return world, record


def _left(world: World, record: str, kind: str = "Meeting") -> str:
    """What is left: `event`, `record`, `both` or `none`; and the link is followed by none of them."""
    records = [one["id"] for one in world.records(kind)]
    assert records in ([], [record])
    events = world.events(ALICE)
    link = world.app.store.links.by_records([(kind, record)]).get((kind, record))
    assert link is None or link.state is LinkState.DETACHED
    names = {(True, True): "both", (True, False): "record", (False, True): "event", (False, False): "none"}
    return names[bool(records), bool(events)]


# --- R10: deleted in Outlook


R10 = [
    ("both", "outlook", False, "none"),
    ("both", "outlook", True, "none"),
    ("both", "crm", False, "record"),
    ("both", "crm", True, "none"),
    ("both", "adopted", False, "record"),
    ("both", "adopted", True, "none"),
    ("outlook_to_crm", "outlook", False, "none"),
    ("outlook_to_crm", "crm", False, "record"),
    ("outlook_to_crm", "crm", True, "none"),
    ("outlook_to_crm", "adopted", False, "record"),
    ("outlook_to_crm", "adopted", True, "none"),
    ("crm_to_outlook", "outlook", False, "record"),
    ("crm_to_outlook", "crm", True, "record"),
    ("crm_to_outlook", "adopted", True, "record"),
]


@pytest.mark.parametrize(("mode", "origin", "setting", "left"), R10)
def test_r10_deleted_in_outlook(
    make_world: MakeWorld, mode: str, origin: str, setting: bool, left: str
) -> None:
    world, record = _linked(make_world, origin)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": mode, "remove_record_with_event": setting})
    world.settle()
    world.discard(ALICE)
    world.pull()
    assert _left(world, record) == left
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("kind", ["Call", "Visit"])
@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize(("origin", "left"), [("outlook", "none"), ("crm", "record")])
def test_r10_deleted_in_outlook_of_every_kind(
    make_world: MakeWorld, kind: str, gone: int, origin: str, left: str
) -> None:
    world, record = _linked(make_world, origin, kind)
    world.switch(deleted_by_immutable_id=gone)
    world.discard(ALICE)
    world.pull()
    assert _left(world, record, kind) == left
    world.quiet()


@pytest.mark.parametrize("origin", ["outlook", "crm", "adopted"])
def test_r10_an_edit_in_the_crm_saves_the_record(make_world: MakeWorld, origin: str) -> None:
    world, record = _linked(make_world, origin)
    choose(world.app.store, world.app.gateway, ALICE, {"remove_record_with_event": True})
    world.settle()
    world.discard(ALICE)
    world.change(record, name="Still needed")
    world.pull()
    assert _left(world, record) == "record"
    assert world.record(record)["name"] == "Still needed"
    assert "edited" in world.notes(ALICE)
    world.quiet()


def test_r10_the_status_of_a_record_is_no_edit_that_saves_it(make_world: MakeWorld) -> None:
    world, record = _linked(make_world, "outlook")
    world.change(record, status="Held")
    world.settle()
    world.discard(ALICE)
    world.pull()
    assert _left(world, record) == "none"


def test_r10_with_attendees_the_record_goes_and_nobody_is_mailed_by_us(world: World) -> None:
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com", "dave@contoso.example"])
    world.pull()
    record = world.only_record()["id"]
    world.discard(ALICE)
    assert {kind for kind, _ in world.mails()} == {"invitation", "cancellation"}
    world.pull()
    assert world.records() == []
    assert world.app.store.links.by_records([("Meeting", record)]) == {}
    world.quiet()
    assert world.mails() == []


def test_r10_a_record_that_was_deleted_with_its_event_is_in_the_journal(make_world: MakeWorld) -> None:
    world, _ = _linked(make_world, "outlook")
    world.discard(ALICE)
    world.pull()
    assert world.records() == []
    (entry,) = [e for e in world.app.store.log.journal(user_id=ALICE) if e.side == "record"]
    assert "Kick-off" in entry.content


def test_r11_a_record_that_was_deleted_with_its_event_can_be_restored(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    world.outlook_create(ALICE, subject="Planning", body="Worth keeping", attendees=["dave@contoso.example"])
    world.pull()
    world.discard(ALICE)
    world.pull()
    world.mails()
    restorer = Restorer(world.app.store, world.app.gateway, world.app.open_mailbox, world.app.entities)
    account = world.account(ALICE)
    (entry,) = restorer.entries(account)
    (restored,) = restorer.restore(account, [entry.id], with_attendees=True)
    assert restored.done
    record = world.only_record()
    assert (record["name"], record["assignedUserId"]) == ("Planning", ALICE)
    assert "Worth keeping" in record["description"]
    assert restorer.entries(account) == []
    world.quiet()
    assert world.events(ALICE) == []
    assert world.mails() == []


# --- R9: deleted in the CRM


R9 = [
    ("both", "crm", False, "none"),
    ("both", "outlook", False, "event"),
    ("both", "outlook", True, "none"),
    ("both", "adopted", False, "event"),
    ("both", "adopted", True, "none"),
    ("crm_to_outlook", "crm", False, "none"),
    ("crm_to_outlook", "outlook", False, "event"),
    ("crm_to_outlook", "outlook", True, "none"),
    ("crm_to_outlook", "adopted", False, "event"),
    ("outlook_to_crm", "crm", False, "event"),
    ("outlook_to_crm", "outlook", True, "event"),
    ("outlook_to_crm", "adopted", True, "event"),
]


@pytest.mark.parametrize(("mode", "origin", "setting", "left"), R9)
def test_r09_deleted_in_the_crm(
    make_world: MakeWorld, mode: str, origin: str, setting: bool, left: str
) -> None:
    world, record = _linked(make_world, origin)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": mode, "remove_event_with_record": setting})
    world.settle()
    world.remove(record)
    world.settle()
    assert _left(world, record) == left
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("kind", ["Call", "Visit"])
@pytest.mark.parametrize(("origin", "left"), [("outlook", "event"), ("crm", "none")])
def test_r09_deleted_in_the_crm_of_every_kind(
    make_world: MakeWorld, kind: str, origin: str, left: str
) -> None:
    world, record = _linked(make_world, origin, kind)
    world.remove(record, kind)
    world.settle()
    assert _left(world, record, kind) == left
    world.quiet()


@pytest.mark.parametrize("origin", ["outlook", "crm", "adopted"])
@pytest.mark.parametrize("first", ["read", "not-read"])
def test_r09_an_edit_in_outlook_saves_the_event(make_world: MakeWorld, origin: str, first: str) -> None:
    """The same outcome whichever side was known first."""
    world, record = _linked(make_world, origin)
    choose(world.app.store, world.app.gateway, ALICE, {"remove_event_with_record": True})
    world.settle()
    world.edit(ALICE, subject="Still needed")
    world.api("DELETE", f"Meeting/{record}")
    if first == "read":
        world.pull()
    world.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    world.settle()
    world.pull()
    assert _left(world, record) == "event"
    assert world.event(ALICE).subject == "Still needed"
    world.quiet()


def test_r09_the_event_of_an_outlook_born_meeting_goes_only_with_the_setting_and_is_kept_in_the_journal(
    make_world: MakeWorld,
) -> None:
    world, record = _linked(make_world, "outlook")
    choose(world.app.store, world.app.gateway, ALICE, {"remove_event_with_record": True})
    world.remove(record)
    world.settle()
    assert world.events(ALICE) == []
    (entry,) = world.app.store.log.journal(user_id=ALICE)
    assert (entry.side, "Kick-off" in entry.content) == ("event", True)


def test_r09_a_past_meeting_with_attendees_is_not_cancelled_after_the_fact(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    world.clock.advance(20 * 86_400)
    world.mails()
    world.remove(record)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    world.quiet()
    assert world.mails() == []


# --- both gone


@pytest.mark.parametrize("origin", ["outlook", "crm", "adopted"])
@pytest.mark.parametrize("gone", GONE)
def test_r10_gone_on_both_sides_leaves_nothing(make_world: MakeWorld, origin: str, gone: int) -> None:
    world, record = _linked(make_world, origin)
    world.switch(deleted_by_immutable_id=gone)
    world.discard(ALICE)
    world.remove(record)
    world.pull()
    assert world.app.store.links.by_records([("Meeting", record)]) == {}
    assert _left(world, record) == "none"
    world.quiet()


# --- what is no deletion


def test_pain_14_an_event_that_only_left_the_window_is_no_deletion(make_world: MakeWorld) -> None:
    world, record = _linked(make_world, "outlook")
    world.edit(ALICE, start="2029-03-01T10:00:00", end="2029-03-01T11:00:00")
    world.pull()
    assert world.only_record()["id"] == record
    assert world.record(record)["dateStart"] == "2029-03-01 10:00:00"
    assert world.link(record).state is LinkState.ACTIVE
    world.quiet()
    world.edit(ALICE, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull()
    assert world.record(record)["dateStart"] == "2026-12-03 10:00:00"
    world.quiet()


def test_pain_14_an_event_in_the_past_of_the_window_is_followed(make_world: MakeWorld) -> None:
    world, record = _linked(make_world, "outlook")
    world.edit(ALICE, start="2025-03-01T10:00:00", end="2025-03-01T11:00:00")
    world.pull()
    assert world.record(record)["dateStart"] == "2025-03-01 10:00:00"
    world.quiet()


def test_r17_an_event_outside_of_the_window_that_is_deleted_is_found_by_the_sweep(
    make_world: MakeWorld,
) -> None:
    world, record = _linked(make_world, "outlook")
    world.edit(ALICE, start="2029-03-01T10:00:00", end="2029-03-01T11:00:00")
    world.pull()
    world.discard(ALICE)
    for _ in range(3):
        world.clock.advance(90_000)
        world.pull()
    assert _left(world, record) == "none"


def test_pain_14_removed_of_what_nobody_ever_saw_is_nothing(make_world: MakeWorld) -> None:
    world, record = _linked(make_world, "crm")
    fresh = world.outlook_create(ALICE, subject="Short-lived")
    world.outlook_delete(ALICE, fresh)
    world.pull()
    assert world.only_record()["id"] == record
    world.quiet()


def test_r10_an_event_deleted_right_after_its_import(make_world: MakeWorld) -> None:
    """The record exists, the event does not: the create's marker names it, and it goes."""
    world = make_world()
    world.connect(ALICE)
    world.outlook_create(ALICE, subject="Short-lived")
    world.crm_fails(method="POST", path="Meeting", drop_after_commit=True, times=1)
    world.pull()
    world.discard(ALICE)
    world.pull()
    assert world.records() == []
    world.quiet()


class _Nothing(BaseAdapter):
    """Outlook's transport, except that each reading of a window says there is nothing."""

    def __init__(self, world: World, status: int) -> None:
        super().__init__()
        self.real = WsgiAdapter(world.outlook_app)
        self.status = status

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        answer = self.real.send(request, **kwargs)
        if "calendarView/delta" not in str(request.url) or answer.status_code >= 400:
            return answer
        link = f"{OUTLOOK}/v1.0/me/calendarView/delta?$deltatoken=nothing"
        body = json.dumps({"value": [], "@odata.deltaLink": link} if self.status == 200 else {}).encode()
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=HTTPHeaderDict({"Content-Type": "application/json"}),
            status=self.status,
            preload_content=False,
        )
        return self.real._builder.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("origin", ["outlook", "crm"])
def test_pain_12_a_full_read_that_finds_nothing_deletes_nothing(make_world: MakeWorld, origin: str) -> None:
    world, record = _linked(make_world, origin)
    world.expire_cursors()
    world.app.http.mount(OUTLOOK, _Nothing(world, 200))
    world.pull()
    assert world.only_record()["id"] == record
    assert world.event(ALICE).subject == "Kick-off"
    assert world.link(record).state is LinkState.ACTIVE
    world.app.http.mount(OUTLOOK, WsgiAdapter(world.outlook_app))
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
    world.settle()
    assert world.link(record).state is LinkState.ACTIVE
    world.quiet()


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_pain_12_a_read_that_fails_deletes_nothing(make_world: MakeWorld, status: int) -> None:
    world, record = _linked(make_world, "outlook")
    world.fail(match={"path": "calendarView/delta"}, status=status, times=1)
    world.pull()
    assert world.only_record()["id"] == record
    assert world.link(record).state is LinkState.ACTIVE
    world.app.connections.resume(ALICE)
    world.settle()
    world.edit(ALICE, subject="Renamed")
    world.pull()
    assert world.record(record)["name"] == "Renamed"
    world.quiet()


@pytest.mark.parametrize("status", [400, 404, 410])
@pytest.mark.parametrize("code", ["SyncStateNotFound", "syncStateNotFound", "SYNCSTATEINVALID"])
def test_pain_16_an_expired_cursor_compares_everything_and_deletes_nothing(
    make_world: MakeWorld, status: int, code: str
) -> None:
    world, record = _linked(make_world, "outlook")
    gone = world.outlook_create(ALICE, subject="Goes")
    world.outlook_create(ALICE, subject="Stays")
    world.pull()
    world.switch(expired_cursor_status=status, expired_cursor_code=code)
    world.expire_cursors()
    world.outlook_patch(ALICE, world.event_of(ALICE, "Kick-off").id, subject="Renamed meanwhile")
    world.outlook_delete(ALICE, gone)
    world.outlook_create(ALICE, subject="New")
    world.pull()
    assert [one["name"] for one in world.records()] == ["Renamed meanwhile", "New", "Stays"]
    assert world.record(record)["name"] == "Renamed meanwhile"
    world.quiet()


@pytest.mark.parametrize("refusal", [403, 500, 503])
def test_pain_12_a_look_that_is_refused_deletes_nothing(make_world: MakeWorld, refusal: int) -> None:
    """Outlook says @removed, and the look that should confirm it fails."""
    world, record = _linked(make_world, "outlook")
    event = world.event(ALICE).id
    world.discard(ALICE)
    world.fail(match={"method": "GET", "path": event[-20:]}, status=refusal, times=2)
    world.pull()
    # What was refused for good is parked where people see it, and looked at again by the daily sweep.
    if world.app.store.parked.all():
        assert world.only_record()["id"] == record
        for _ in range(2):
            world.clock.advance(90_000)
            world.pull()
    assert _left(world, record) == "none"
    assert world.app.store.parked.all() == []


def test_pain_12_the_crm_that_lists_nothing_deletes_nothing(make_world: MakeWorld) -> None:
    world, record = _linked(make_world, "crm")
    world.crm_fails(path="Meeting", method="GET", status=404, times=4)
    world.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    world.pull()
    world.sweep()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.link(record).state is LinkState.ACTIVE


def test_r10_a_detached_meeting_is_neither_read_nor_written_until_a_person_says_so(
    make_world: MakeWorld,
) -> None:
    world, record = _linked(make_world, "outlook")
    world.remove(record)
    world.settle()
    event = world.event(ALICE).id
    world.edit(ALICE, subject="Edited later")
    world.expire_cursors()
    world.pull()
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
    world.settle()
    world.quiet()
    assert world.records() == []
    follow(
        world.app.store,
        world.app.gateway,
        world.app.open_mailbox,
        world.account(ALICE),
        world.link(record),
    )
    world.settle()
    assert world.only_record()["name"] == "Edited later"
    assert world.event(ALICE).id == event
    world.quiet()
    assert world.mails() == []


def test_pain_15_a_deletion_that_no_notification_and_no_delta_told_is_found(make_world: MakeWorld) -> None:
    """The daily look at some of the links finds what both missed."""
    world, record = _linked(make_world, "outlook")
    world.clock.advance(90_000)
    world.pull()
    world.discard(ALICE)
    world.app.http.mount(OUTLOOK, _Nothing(world, 200))
    for _ in range(2):
        world.clock.advance(90_000)
        world.pull()
    assert _left(world, record) == "none"
