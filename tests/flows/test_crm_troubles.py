"""Troubles of the CRM as a whole: people are told in words, nothing is lost, all goes on by itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from calsync_plugin.crm.sign_in import EspoSignIn
from calsync_plugin.errors import Throttled
from tests.world import ALICE, BOB, CRM, World

Happens = Callable[[requests.PreparedRequest], requests.Response]
WRONG = "YWxpY2U6d3Jvbmc="
"""alice:wrong"""


def _block(world: World) -> None:
    """Somebody behind our address tries passwords, as EspoCRM sees it."""
    for _ in range(11):
        answer = world.session.get(f"{CRM}/api/v1/App/user", headers={"Espo-Authorization": WRONG}, timeout=5)
        assert answer.status_code == 401
    world.crm.log.clear()


def test_a_blocked_address_is_waited_out_by_the_whole_process(world: World) -> None:
    for user_id in (ALICE, BOB):
        world.save(assignedUserId=user_id, name=f"Of {user_id}")
    world.outlook_create(ALICE, subject="From Outlook")
    for user_id in (ALICE, BOB):
        world.app.store.queue.hint(world.account(user_id).mailbox_id or 0)
    _block(world)
    pages = EspoSignIn(world.settings.crm, world.app.http, world.app.crm_gate)

    for _ in range(61):
        world.drain()
        with pytest.raises(Throttled, match="too many failed logins"):
            pages.sign_in("alice", "sandbox")
        world.clock.advance(1.0)

    assert [entry.status for entry in world.crm.log.requests] == [403]
    assert "too many failed logins" in world.account(ALICE).last_error
    assert pages.sign_in("alice", "sandbox").user_id == ALICE
    world.settle()
    assert {event.subject for event in world.events(ALICE)} == {f"Of {ALICE}", "From Outlook"}
    assert [event.subject for event in world.events(BOB)] == [f"Of {BOB}"]
    assert {str(world.account(user_id).status) for user_id in (ALICE, BOB)} == {"connected"}
    world.quiet()


class Trouble(BaseAdapter):
    """Stands between calsync and its CRM, which is all right unless it is in trouble."""

    def __init__(self, world: World, happens: Happens) -> None:
        super().__init__()
        self._inner = world.app.http.adapter_for(CRM)
        self._happens = happens
        self.now = True
        self.asked = 0
        world.app.http.mount(CRM, self)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Carry a request, or not."""
        if not self.now:
            return self._inner.send(request, *args, **kwargs)
        self.asked += 1
        return self._happens(request)

    def close(self) -> None:
        """Nothing is open."""


def _answers(status: int, body: bytes = b"", **headers: str) -> Happens:
    def answer(request: requests.PreparedRequest) -> requests.Response:
        found = requests.Response()
        found.status_code, found.raw, found.request = status, io.BytesIO(body), request
        found.headers = CaseInsensitiveDict(
            {name.replace("_", "-"): value for name, value in headers.items()}
        )
        return found

    return answer


def _raises(error: requests.RequestException) -> Happens:
    def fail(_request: requests.PreparedRequest) -> requests.Response:
        raise error

    return fail


LOGIN = b"<!doctype html><title>Log in</title>"
NO_ROUTE = "Controller 'Meeting' does not exist."
TROUBLES = [
    pytest.param(_raises(requests.ConnectTimeout()), "connection in time", id="unreachable"),
    pytest.param(_raises(requests.ReadTimeout()), "did not answer", id="slow"),
    pytest.param(_raises(requests.ConnectionError()), "broke", id="breaks off"),
    pytest.param(_answers(200, LOGIN), "no JSON", id="HTML"),
    pytest.param(_answers(200, b'{"id":"1'), "no JSON", id="cut short"),
    pytest.param(_answers(200, b'{"id":"x","list":7}'), "CRM", id="wrong action"),
    pytest.param(_answers(302, LOGIN, Location="https://sso.example/"), "redirects", id="to a login"),
    pytest.param(_answers(301, Location="http://crm.example/"), "redirects", id="to http"),
    pytest.param(_answers(401), "API key", id="key refused"),
    pytest.param(_answers(403), "too many failed logins", id="blocked"),
    pytest.param(_answers(404, X_Status_Reason=NO_ROUTE), "crm.entities", id="no route"),
    pytest.param(_answers(429, Retry_After="30"), "429", id="throttled"),
    pytest.param(_answers(500, X_Status_Reason=""), "500", id="fails"),
    pytest.param(_answers(502, LOGIN), "502", id="bad gateway"),
    pytest.param(
        _answers(503, b"{}", X_Status_Reason="Application is in maintenance mode."),
        "maintenance",
        id="maintained",
    ),
]


@pytest.mark.parametrize(("happens", "words"), TROUBLES)
def test_a_crm_in_trouble_is_waited_for(world: World, happens: Happens, words: str) -> None:
    edited, renamed = world.save(name="Edited"), world.save(name="Renamed", usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    world.mails()
    world.change(renamed, name="Renamed twice")
    world.outlook_patch(ALICE, world.event_of(ALICE, "Edited").id, subject="By Outlook")
    world.outlook_create(ALICE, subject="New in Outlook")
    created = world.save(name="New in the CRM")
    world.app.store.queue.hint(world.account(ALICE).mailbox_id or 0)
    trouble = Trouble(world, happens)

    said = set()
    for _ in range(180):
        world.drain()
        said.add(world.account(ALICE).last_error)
        world.clock.advance(10.0)

    assert any(words in text for text in said), said
    assert trouble.asked < 200
    assert {str(world.account(user_id).status) for user_id in (ALICE, BOB)} == {"connected"}
    assert world.app.store.parked.all() == []
    assert world.mails() == []
    trouble.now = False
    world.clock.advance(600.0)
    world.settle()
    subjects = ["By Outlook", "New in Outlook", "New in the CRM", "Renamed twice"]
    assert sorted(event.subject for event in world.events(ALICE)) == subjects
    assert sorted(record["name"] for record in world.records()) == subjects
    assert world.record(edited)["name"] == "By Outlook"
    assert {kind for kind, _ in world.mails()} == {"update"}
    assert world.link(created).state == "active"
    world.quiet()
