"""The client of EspoCRM: clock, credentials, addresses, and who we are there."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.errors import RemoteError, Throttled, UnknownOutcome
from calsync_plugin.http import Answer, Http
from calsync_plugin.settings import DEFAULT_ENTITIES, CrmSettings
from tests.unit.crm.recordings import ADDRESS, Player, Sent, client_of, gateway_of, ok, rows

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


@pytest.mark.parametrize("folder", ["", "/crm"], ids=["at the root", "in a folder"])
@pytest.mark.parametrize("record_id", ["6b0008add0e320f89", "a b", "ä/ö", "x?y=z", "1+1~2;3"])
def test_what_is_signed_is_the_path_as_it_travels(record_id: str, folder: str) -> None:
    """EspoCRM signs what its web server hands on: the path as it was quoted, below /api/v1, no query."""
    player = Player(lambda _: ok({"list": []}))
    http = Http()
    http.mount(ADDRESS, player)
    settings = CrmSettings(url=ADDRESS + folder, api_key="key", secret_key="secret")

    EspoClient(settings, http).call("GET", "Meeting", record_id=record_id, query="select=id,name")

    path = urlsplit(player.addresses[0]).path.removeprefix(f"{folder}/api/v1")
    signed = hmac.new(b"secret", f"GET {path}".encode(), hashlib.sha256).hexdigest()
    told = base64.b64decode(player.sent[0].headers["X-Hmac-Authorization"]).decode()
    assert told == f"key:{signed}"


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("https://elsewhere.example/api/v1/Meeting/1", id="another host"),
        pytest.param("http://127.0.0.1:8080/api/v1/Meeting/1", id="http"),
        pytest.param("/login", id="a login page"),
        pytest.param("", id="nowhere"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_key_along(place: str, status: int) -> None:
    player = Player(lambda _: Answer(status, {"Location": place}, b"<html>"))

    with pytest.raises(RemoteError, match=r"crm\.url") as caught:
        client_of(player).get("Meeting", record_id="1")

    assert player.addresses == [f"{ADDRESS}/api/v1/Meeting/1"]
    assert "elsewhere" not in str(caught.value)


def test_nothing_is_sent_while_the_address_is_blocked() -> None:
    player = Player(lambda _: Answer(403, {}, b""))
    client = client_of(player)

    for _ in range(5):
        with pytest.raises(Throttled):
            client.get("Meeting", record_id="1")

    assert len(player.sent) == 1


def test_what_php_cannot_read_is_not_sent() -> None:
    player = Player(lambda _: rows())
    client = client_of(player)

    client.call("POST", "Meeting", payload={"name": "naïve \ud83d \U0001f389"})
    list(client.rows_in("User", "emailAddress", ["\ud83d@x.example", "ü@x.example"], select=("id",)))

    assert player.bodies[0] == '{"name":"naïve ? \U0001f389"}'.encode()
    assert player.sent[1].search["where"][0]["value"] == ["?@x.example", "ü@x.example"]


def walkable(moments: Mapping[str, str | None], removed: Mapping[int, str]) -> Player:
    """A list in the order of `at`, in pages of three; after the page of a number one of its rows is gone."""
    left = dict(moments)

    def play(sent: Sent) -> Answer:
        number = len(player.sent)
        start = [c["value"] for c in sent.search["where"] if c["type"] == "greaterThanOrEquals"]
        found = sorted((at or "", i) for i, at in left.items() if not start or (at or "") >= start[0])
        offset = sent.search["offset"]
        page = [{"id": i, "at": at or None} for at, i in found[offset : offset + 3]]
        left.pop(removed.get(number, ""), None)
        return rows(*page, more=len(found) > offset + 3)

    player = Player(play)
    return player


@pytest.mark.parametrize(
    ("moments", "removed", "pages"),
    [
        pytest.param({}, {}, 1, id="nothing"),
        pytest.param({i: i for i in "abc"}, {}, 1, id="one page"),
        pytest.param({i: i for i in "abcdefgh"}, {}, 4, id="pages overlap by one"),
        pytest.param({i: i for i in "abcdefgh"}, {1: "a", 2: "c"}, 4, id="removed on the way"),
        pytest.param(dict.fromkeys("abcdefgh", "1"), {}, 4, id="one value"),
        pytest.param(dict.fromkeys("abcdefgh"), {}, 3, id="no values"),
        pytest.param({"a": None, "b": "1", "c": "1", "d": "1", "e": "1", "f": "2"}, {}, 3, id="mixed"),
    ],
)
def test_a_walk_misses_nobody(
    moments: Mapping[str, str | None], removed: Mapping[int, str], pages: int
) -> None:
    player = walkable(moments, removed)

    found = client_of(player).walk("Meeting", where=[], select=("id", "at"), along="at")

    assert [row["id"] for row in found] == list(moments)
    assert len(player.sent) == pages


FULL = dict.fromkeys(("read", "edit", "delete"), "all") | {"create": "yes"}
TABLE = {"Meeting": FULL, "Call": FULL, "User": FULL, "Contact": FULL, "Lead": FULL, "Webhook": True}


def who(table: object, user_type: str = "api", **acl: str) -> Player:
    user = {"id": "b", "userName": "bridge", "type": user_type}
    return Player(
        lambda _: ok({"user": user, "acl": {"table": table, **acl}, "settings": {"timeZone": "Europe/Kyiv"}})
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
        pytest.param({**TABLE, "Call": True}, "api", [], id="granted as a whole"),
        pytest.param(
            {**TABLE, "Call": {**FULL, "create": "no"}}, "api", ["until its role says 'yes'"], id="no create"
        ),
        pytest.param(
            {**TABLE, "Meeting": {**FULL, "delete": "own"}}, "api", ["stays in the CRM"], id="delete own"
        ),
        pytest.param(
            {k: v for k, v in TABLE.items() if k != "Call"},
            "api",
            ["read Call", "edit Call", "create Call", "delete Call"],
            id="no calls",
        ),
    ],
)
def test_shortcomings(table: object, user_type: str, words: list[str]) -> None:
    sentences = read_access(client_of(who(table, user_type))).shortcomings(DEFAULT_ENTITIES)

    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))


@pytest.mark.parametrize(
    ("level", "user_type", "told"),
    [("all", "api", False), ("no", "api", True), ("team", "api", True), ("no", "admin", False)],
)
def test_assignment_to_others(level: str, user_type: str, told: bool) -> None:
    access = read_access(client_of(who(TABLE, user_type, assignmentPermission=level)))

    assert any("Assignment Permission" in line for line in access.shortcomings(DEFAULT_ENTITIES)) is told


def test_who_we_are() -> None:
    access = read_access(client_of(who(TABLE)))

    assert (access.user_id, access.user_name, access.time_zone) == ("b", "bridge", "Europe/Kyiv")


def test_another_server_is_not_taken_for_a_crm() -> None:
    with pytest.raises(UnknownOutcome, match=r"crm\.url"):
        read_access(client_of(Player(lambda _: ok({"hello": "world"}))))
