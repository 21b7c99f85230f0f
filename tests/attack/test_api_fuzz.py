"""`/api/v1` under any input that its own description allows, and much that it does not: never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from werkzeug.test import Client

from calsync_plugin.settings import ServeSettings
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web.api import DESCRIPTION
from calsync_plugin.web.app import create_app
from tests.world import ALICE, PUBLIC, World

TOKEN = "t" * 40
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("fuzz"), serve=ServeSettings(public_url=PUBLIC, api_token=TOKEN))
    made.connect(ALICE)
    hers = BookingCalendar(
        id="hers", name="Hers", kind=CalendarKind.PERSONAL, rules={"hours": "own"}, members={ALICE: 0}
    )
    made.app.store.booking_calendars.save(hers)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(world: World) -> Client:
    return Client(create_app(world.app))


@pytest.fixture(autouse=True)
def all_is_on(world: World) -> None:
    """What an earlier test switched off is on again."""
    for gate in world.app.store.gates.closed():
        world.app.store.gates.open(gate.feature, gate.subject)


@pytest.fixture(scope="module")
def description(world: World) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(world.app))


OPERATIONS = [
    pytest.param(path, method, id=f"{method.upper()} {path}")
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
    if method in {"get", "post", "put", "patch", "delete"}
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("mode", ["what it allows", "what it does not allow"])
def test_no_input_breaks_it(description: Any, path: str, method: str, mode: str) -> None:
    way = GenerationMode.POSITIVE if mode == "what it allows" else GenerationMode.NEGATIVE
    operation = description[path][method]

    @given(case=operation.as_strategy(generation_mode=way))
    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def play(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    try:
        play()
    except (Unsatisfiable, SkipTest):
        pytest.skip("this operation takes nothing that could be wrong")


TIMES = st.sampled_from(
    ["2026-12-01T09:00:00Z", "2026-12-01", "2026-12-08T09:00+01:00", "2027-02-28", "2026-12-01T09:30"]
)
STARTS = st.builds("2026-12-{:02}T{:02}:00:00Z".format, st.integers(1, 28), st.integers(9, 14))
WORDS = st.text(max_size=30)
NUMBERS = st.integers(-5, 2000).map(str)
ZONES = st.sampled_from(["Europe/Vienna", "UTC", "Pacific/Apia", "W. Europe Standard Time"])
QUESTION = {
    "from": TIMES,
    "to": TIMES,
    "zone": ZONES,
    **dict.fromkeys(("duration", "step", "before", "after", "notice", "daily_limit", "limit"), NUMBERS),
    "mode": st.sampled_from(["single", "collective", "round_robin"]),
    "fresh": st.sampled_from(["true", "false"]),
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


WHOM: list[dict[str, Any]] = [{"users": [ALICE]}, {"calendar": "hers"}]


def changes(usual: dict[str, st.SearchStrategy[Any]], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Other values of some names: what is odd everywhere is refused at the first of them."""
    pairs = [st.tuples(st.just(name), value | odd) for name, value in usual.items()]
    return st.lists(st.one_of(*pairs), max_size=4).map(dict)


ASKED = st.sampled_from([("availability", WHOM[0]), ("slots", WHOM[0]), ("slots", WHOM[1])])


@given(asked=ASKED, other=changes(QUESTION, WORDS))
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_question_about_known_users_breaks_it(
    client: Client, asked: tuple[str, dict[str, Any]], other: dict[str, str]
) -> None:
    path, whom = asked
    query = {**whom, "from": "2026-12-01T09:00:00Z", "to": "2026-12-03T09:00:00Z", **other}
    answer = client.get(f"/api/v1/{path}", query_string=query, headers=BEARER)
    assert answer.status_code < 500, answer.text


RECORD = {"dateStart": "2026-12-01 09:00:00", "dateEnd": "2026-12-01 10:00:00", "assignedUserId": ALICE}
BODY = {
    "users": VALUES,
    "calendar": VALUES,
    "start": TIMES,
    "name": st.just("Demo"),
    "zone": ZONES,
    "duration": st.integers(1, 1500),
    "step": st.integers(1, 1500),
    "contacts": st.lists(WORDS, max_size=2),
    "attributes": st.dictionaries(st.sampled_from(["status", "location", "usersIds"]), VALUES, max_size=2),
    "entity_type": st.sampled_from(["Meeting", "Call"]),
    "record": st.dictionaries(
        st.sampled_from(["id", "dateStart", "dateEnd", "dateStartDate", "assignedUserId", "usersIds"]),
        st.one_of(VALUES, st.just("2026-12-01 09:00:00"), st.just(ALICE), st.just([ALICE])),
    ).map(lambda record: {**RECORD, **record}),
}
GOOD: dict[str, dict[str, Any]] = {
    "bookings": {"name": "Demo"},
    "collisions": {"entity_type": "Meeting", "record": RECORD},
}
NAMES = {"bookings": BODY.keys() - {"record"}, "collisions": {"entity_type", "record"}}


@given(data=st.data(), path=st.sampled_from(sorted(NAMES)))
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_body_about_known_users_breaks_it(client: Client, data: st.DataObject, path: str) -> None:
    other = data.draw(changes({name: BODY[name] for name in sorted(NAMES[path])}, VALUES))
    whom = data.draw(st.sampled_from(WHOM)) if path == "bookings" else {}
    start = {"start": data.draw(STARTS)} if path == "bookings" else {}
    body = {**GOOD[path], **whom, **start, **other}
    answer = client.post(f"/api/v1/{path}", json=body, headers=BEARER)
    assert answer.status_code < 500, (body, answer.text)
