"""When the CRM is asked for its time zone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from calsync_plugin.crm.installation_zone import ASK_AGAIN_SECONDS, InstallationZone
from calsync_plugin.http import Answer
from tests.unit.crm.recordings import Player, Sent, client_of, ok

TOLD = {"user": {"id": "b"}, "acl": {}, "settings": {"timeZone": "America/New_York"}}


def test_a_crm_that_was_away_is_asked_again_after_a_while_and_believed_then() -> None:
    answers = [Answer(503, {}, b""), Answer(200, {}, b"<html>"), ok(TOLD)]

    def play(_: Sent) -> Answer:
        return answers.pop(0)

    time = 1_000.0
    player = Player(play)
    zone = InstallationZone(client_of(player), lambda: time)

    assert player.sent == []
    assert [zone() for _ in range(5)] == ["UTC"] * 5
    assert len(player.sent) == 1
    time += ASK_AGAIN_SECONDS
    assert zone() == "UTC"
    time += ASK_AGAIN_SECONDS
    assert [zone() for _ in range(5)] == ["America/New_York"] * 5
    time += 10 * ASK_AGAIN_SECONDS
    assert zone() == "America/New_York"
    assert len(player.sent) == 3


def test_who_comes_while_the_crm_is_asked_waits_for_its_answer() -> None:
    asked, may_answer = Event(), Event()

    def play(_: Sent) -> Answer:
        asked.set()
        assert may_answer.wait(60)
        return ok(TOLD)

    player = Player(play)
    zone = InstallationZone(client_of(player), lambda: 0.0)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(zone) for _ in range(4)]
        assert asked.wait(60)
        may_answer.set()
        assert {one.result(60) for one in found} == {"America/New_York"}
    assert len(player.sent) == 1


def test_a_crm_without_a_zone_of_its_own_is_asked_once() -> None:
    player = Player(lambda _: ok({**TOLD, "settings": {}}))
    zone = InstallationZone(client_of(player), lambda: 0.0)

    assert [zone() for _ in range(3)] == ["UTC"] * 3
    assert len(player.sent) == 1
