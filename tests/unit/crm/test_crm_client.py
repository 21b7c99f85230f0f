"""The client of EspoCRM: clock, credentials, addresses, and who we are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.errors import UnknownOutcome
from calsync_plugin.http import Http
from calsync_plugin.settings import DEFAULT_ENTITIES, CrmSettings
from tests.unit.crm.recordings import ADDRESS, Player, client_of, gateway_of, ok

MOMENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RECORD = {"id": "1", "name": "name of 1"}


def test_now_follows_the_servers_clock() -> None:
    here = MOMENT
    player = Player(lambda _: ok(RECORD, Date="Fri, 20 Nov 2026 09:06:53 GMT"))
    http = Http()
    http.mount(ADDRESS, player)
    client = EspoClient(CrmSettings(url=ADDRESS), http, clock=lambda: here)
    assert client.now() == here

    client.get("Meeting", record_id="1")

    assert client.now() == datetime(2026, 11, 20, 9, 6, 53, tzinfo=UTC)
    here += timedelta(minutes=1)
    assert client.now() == datetime(2026, 11, 20, 9, 7, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("secret", "header"), [("", "X-Api-Key"), ("s", "X-Hmac-Authorization")], ids=["key", "hmac"]
)
def test_credentials(secret: str, header: str) -> None:
    player = Player(lambda _: ok(RECORD))

    client_of(player, secret_key=secret).get("Meeting", record_id="1")

    assert header in player.sent[0].headers


def test_ids_cannot_leave_their_place_in_the_address() -> None:
    player = Player(lambda _: ok(RECORD))

    gateway_of(player).load("Meeting", ["1/../2?x=y#z"])

    assert player.addresses == [f"{ADDRESS}/api/v1/Meeting/1%2F..%2F2%3Fx%3Dy%23z"]


FULL = dict.fromkeys(("read", "edit", "delete"), "all") | {"create": "yes"}
TABLE = {"Meeting": FULL, "Call": FULL, "User": FULL, "Contact": FULL, "Lead": FULL, "Webhook": True}


def who(table: object, user_type: str = "api") -> Player:
    user = {"id": "b", "userName": "bridge", "type": user_type}
    return Player(
        lambda _: ok({"user": user, "acl": {"table": table}, "settings": {"timeZone": "Europe/Kyiv"}})
    )


@pytest.mark.parametrize(
    ("table", "user_type", "words"),
    [
        pytest.param(TABLE, "api", [], id="all there"),
        pytest.param({}, "admin", [], id="an administrator"),
        pytest.param({**TABLE, "Call": {**FULL, "edit": "own"}}, "api", ["edit Call"], id="own only"),
        pytest.param({k: v for k, v in TABLE.items() if k != "Lead"}, "api", ["read Lead"], id="no leads"),
        pytest.param({**TABLE, "Contact": False}, "api", ["read Contact"], id="contacts switched off"),
        pytest.param({**TABLE, "Webhook": False}, "api", ["scope Webhook"], id="no webhooks"),
    ],
)
def test_shortcomings(table: object, user_type: str, words: list[str]) -> None:
    sentences = read_access(client_of(who(table, user_type))).shortcomings(DEFAULT_ENTITIES)

    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))


def test_who_we_are() -> None:
    access = read_access(client_of(who(TABLE)))

    assert (access.user_id, access.user_name, access.time_zone) == ("b", "bridge", "Europe/Kyiv")


def test_another_server_is_not_taken_for_a_crm() -> None:
    with pytest.raises(UnknownOutcome, match=r"crm\.url"):
        read_access(client_of(Player(lambda _: ok({"hello": "world"}))))
