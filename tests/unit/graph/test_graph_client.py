"""What is sent, what is sent again, and what is left to the caller."""

from __future__ import annotations

import random

import pytest
import requests

from calsync_plugin.errors import (
    CalsyncError,
    ConfigurationError,
    NotFound,
    ReconnectNeeded,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.client import GraphClient
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request
from calsync_plugin.http import Http
from tests.unit.graph.scripted import (
    BASE,
    Said,
    ScriptedGraph,
    Sent,
    SteppingClock,
    Tokens,
    mailbox_of,
    members,
)

OK = Said(200, {"id": "1"})
CREATED = Said(201, {"id": "1"})
GONE = Said(404, {"error": {"code": "ErrorItemNotFound"}})
BUSY = Said(503, {"error": {"code": "ErrorServerBusy"}})
BROKEN = Said(500, {"error": {"code": "ErrorInternalServerError"}})
DENIED = Said(401, {"error": {"code": "InvalidAuthenticationToken"}})
BAD = Said(400, {"error": {"code": "BadRequest"}})


def slow(seconds: int) -> Said:
    return Said(429, {"error": {"code": "ApplicationThrottled"}}, {"Retry-After": str(seconds)})


def get(number: int = 0) -> Request:
    return Request(method="GET", path=f"/me/events/{number}", repeatable=True, item=f"event {number}")


def post(number: int = 0) -> Request:
    return Request(method="POST", path="/me/events", body={"number": number}, item=f"Meeting {number}")


def errors(outcomes: list[Outcome]) -> list[type[CalsyncError] | None]:
    return [type(o.error) if o.error else None for o in outcomes]


def test_every_call_asks_for_immutable_ids_and_names_itself() -> None:
    graph = ScriptedGraph(OK)
    request = Request(
        method="PATCH", path="/me/events/1", headers={"If-Match": "e", "Prefer": "x=1"}, body={}
    )
    assert mailbox_of(graph).send(request) == {"id": "1"}
    (sent,) = graph.sent
    assert (sent.method, sent.url, sent.body) == ("PATCH", f"{BASE}/me/events/1", {})
    assert sent.headers["Authorization"] == "Bearer t1"
    assert sent.headers["Prefer"] == 'IdType="ImmutableId", outlook.timezone="UTC", x=1'
    assert sent.headers["If-Match"] == "e"
    assert sent.headers["Content-Type"] == "application/json"
    assert len(sent.headers["client-request-id"]) == 36


def test_20_travel_together_and_come_back_in_order() -> None:
    def answer(sent: Sent) -> Said:
        responses = [{"id": m["id"], "status": 200, "body": {"url": m["url"]}} for m in sent.members]
        return Said(200, {"responses": responses[::-1]})

    graph, pace = ScriptedGraph(answer), Pace()
    outcomes = mailbox_of(graph, pace=pace).batch([get(n) for n in range(45)])
    assert [len(sent.members) for sent in graph.sent] == [20, 20, 5]
    assert [o.value for o in outcomes] == [{"url": f"/me/events/{n}"} for n in range(45)]
    assert [o.request for o in outcomes] == [get(n) for n in range(45)]
    assert pace.count == 45
    assert graph.sent[0].url == f"{BASE}/$batch"
    assert graph.sent[0].members[0]["headers"] == {"Prefer": 'IdType="ImmutableId", outlook.timezone="UTC"'}


def test_nothing_to_send_is_nothing_sent() -> None:
    graph = ScriptedGraph(OK)
    assert mailbox_of(graph).batch([]) == []
    assert graph.sent == []


def test_only_failed_members_are_sent_again() -> None:
    graph, clock = ScriptedGraph(members(OK, slow(2), GONE, BUSY), members(OK)), SteppingClock()
    outcomes = mailbox_of(graph, clock=clock).batch([post(n) for n in range(4)])
    assert errors(outcomes) == [None, None, NotFound, None]
    assert [m["body"] for m in graph.sent[1].members] == [{"number": 1}, {"number": 3}]
    assert clock.slept == [2.0]


def test_a_create_of_unknown_outcome_is_never_sent_again() -> None:
    graph = ScriptedGraph(members(BROKEN), OK)
    outcomes = mailbox_of(graph).batch([post(0), get(1)])
    assert errors(outcomes) == [UnknownOutcome, None]
    assert [(s.method, s.url) for s in graph.sent] == [
        ("POST", f"{BASE}/$batch"),
        ("GET", f"{BASE}/me/events/1"),
    ]


LOST = [
    pytest.param(requests.ReadTimeout(), id="time-out"),
    pytest.param(requests.ConnectionError("reset"), id="reset"),
    pytest.param(Said(200, '{"responses": ['), id="cut-short"),
    pytest.param(Said(504, "gateway"), id="504"),
    pytest.param(Said(200, {"responses": []}), id="says-nothing"),
]


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_batch_repeats_its_reads_and_returns_its_creates(lost: Said | Exception) -> None:
    graph = ScriptedGraph(lost, members(OK))
    outcomes = mailbox_of(graph).batch([post(0), get(1), get(2)])
    assert errors(outcomes) == [UnknownOutcome, None, None]
    assert [m["url"] for m in graph.sent[1].members] == ["/me/events/1", "/me/events/2"]


def test_a_batch_that_was_turned_away_is_sent_again_whole() -> None:
    graph = ScriptedGraph(slow(1), requests.ConnectTimeout(), members(CREATED))
    clock = SteppingClock()
    outcomes = mailbox_of(graph, clock=clock).batch([post(0), post(1)])
    assert errors(outcomes) == [None, None]
    assert len(graph.sent) == 3
    assert clock.slept[0] == 1
    assert 1 <= clock.slept[1] <= 2


def test_waits_longer_than_the_patience_are_the_callers() -> None:
    graph, clock = ScriptedGraph(members(slow(60), OK)), SteppingClock()
    outcomes = mailbox_of(graph, clock=clock).batch([post(n) for n in range(45)])
    assert clock.slept == []
    assert len(graph.sent) == 1, "a throttled mailbox is left in peace"
    assert errors(outcomes) == [Throttled, *[None] * 19, *[Throttled] * 25]
    assert {o.error.retry_after for o in outcomes if isinstance(o.error, Throttled)} == {60}


def test_patience_can_be_set() -> None:
    graph, clock = ScriptedGraph(slow(60), OK), SteppingClock()
    assert mailbox_of(graph, clock=clock, patience=60).send(get()) == {"id": "1"}
    assert clock.slept == [60]


def test_attempts_end() -> None:
    graph, clock = ScriptedGraph(BUSY), SteppingClock()
    with pytest.raises(Unavailable):
        mailbox_of(graph, clock=clock).send(post())
    assert len(graph.sent) == 4
    assert all(full / 2 <= wait <= full for full, wait in zip([1, 2, 4], clock.slept, strict=True))


def test_what_was_not_sent_is_not_unknown() -> None:
    graph = ScriptedGraph(requests.ReadTimeout())
    outcomes = mailbox_of(graph).batch([post(n) for n in range(25)])
    assert errors(outcomes) == [*[UnknownOutcome] * 20, *[Unavailable] * 5]
    assert len(graph.sent) == 1


def test_one_bad_item_does_not_stop_the_next_batch() -> None:
    graph = ScriptedGraph(members(BROKEN, CREATED), members(CREATED))
    outcomes = mailbox_of(graph).batch([post(n) for n in range(25)])
    assert errors(outcomes) == [UnknownOutcome, *[None] * 24]


def test_a_refused_token_is_refreshed_once() -> None:
    graph = ScriptedGraph(DENIED, OK)
    assert mailbox_of(graph).send(post()) == {"id": "1"}
    assert [s.headers["Authorization"] for s in graph.sent] == ["Bearer t1", "Bearer t2"]


def test_a_member_whose_token_is_refused_is_sent_again_alone() -> None:
    graph = ScriptedGraph(members(OK, DENIED), CREATED)
    assert errors(mailbox_of(graph).batch([post(0), post(1)])) == [None, None]
    assert graph.sent[1].body == {"number": 1}


def test_a_token_that_stays_refused_is_the_callers() -> None:
    graph = ScriptedGraph(DENIED)
    outcomes = mailbox_of(graph).batch([post(n) for n in range(25)])
    assert errors(outcomes) == [Unauthorized] * 25
    assert len(graph.sent) == 2


@pytest.mark.parametrize("failure", [ReconnectNeeded("again"), Unavailable("away", retry_after=90)])
def test_a_refresh_that_fails_says_why(failure: CalsyncError) -> None:
    graph = ScriptedGraph(DENIED)
    outcomes = mailbox_of(graph, tokens=Tokens(failure)).batch([post(0), post(1)])
    assert [o.error for o in outcomes] == [failure, failure]
    assert len(graph.sent) == 1


class NoToken:
    """A login that wants the user."""

    asked = 0

    def token(self, *, force_refresh: bool = False) -> str:
        self.asked += 1
        raise ReconnectNeeded("log in again")


def test_without_a_token_nothing_is_sent() -> None:
    graph, http, tokens = ScriptedGraph(OK), Http(), NoToken()
    http.mount(BASE, graph)
    client = GraphClient(http, BASE, SteppingClock(), random.Random(1)).mailbox(tokens, Pace())
    assert errors(client.batch([get(n) for n in range(25)])) == [ReconnectNeeded] * 25
    assert (graph.sent, tokens.asked) == ([], 1)


def test_the_pace_is_kept_before_the_service_refuses() -> None:
    graph, pace = ScriptedGraph(members(OK)), Pace(limit=30)
    outcomes = mailbox_of(graph, pace=pace).batch([get(n) for n in range(45)])
    assert errors(outcomes) == [*[None] * 20, *[Throttled] * 25]
    assert len(graph.sent) == 1


def test_an_envelope_that_is_refused_for_one_member_spares_the_others() -> None:
    def answer(sent: Sent) -> Said:
        if not sent.url.endswith("$batch"):
            return BAD if sent.body == {"number": 5} else CREATED
        return BAD if any(m["body"] == {"number": 5} for m in sent.members) else members(CREATED)(sent)

    outcomes = mailbox_of(ScriptedGraph(answer)).batch([post(n) for n in range(8)])
    assert errors(outcomes) == [*[None] * 5, Refused, None, None]


def test_links_of_answers_are_followed_on_this_server_only() -> None:
    graph = ScriptedGraph(OK)
    client = mailbox_of(graph)
    client.send(Request(method="GET", path=f"{BASE}/me/events?$skiptoken=a%2Fb"))
    assert graph.sent[0].url == f"{BASE}/me/events?$skiptoken=a%2Fb"
    for link in ("https://evil.example/v1.0/me", BASE + ".evil.example/", "me/events"):
        assert errors(client.batch([Request(method="GET", path=link), get()])) == [Refused, None]
    assert {sent.url.partition("?")[0] for sent in graph.sent} == {f"{BASE}/me/events", f"{BASE}/me/events/0"}


@pytest.mark.parametrize(("given", "used"), [(7.0, 7.0), (None, (5.0, 60.0))], ids=["given", "the session's"])
def test_the_time_limit_of_every_call(given: float | None, used: object) -> None:
    graph, http = ScriptedGraph(Said(200, {"id": "1"})), Http()
    http.mount(BASE, graph)
    client = GraphClient(http, BASE, SteppingClock(), random.Random(1), timeout=given)
    client.mailbox(Tokens(), Pace()).send(get())
    assert graph.timeouts == [used]


def test_graph_is_asked_over_https() -> None:
    with pytest.raises(ConfigurationError, match=r"graph\.url"):
        GraphClient(Http(), "http://graph.example", SteppingClock(), random.Random(1))


def test_values_are_json_objects() -> None:
    value: JsonObject | None = mailbox_of(ScriptedGraph(Said(204))).send(get())
    assert value is None
