"""`/api/v1/accounts/USER/busy-sources`: what makes a user busy is seen and changed by that user."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.booking.features import Feature
from calsync_plugin.state import Subject
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ADMINISTRATOR, ALICE, BOB, CAROL, World

PATH = f"/accounts/{ALICE}/busy-sources"
SECRET = "private-0123456789abcdef"
FEED: dict[str, Any] = {
    "kind": "feed",
    "address": f"https://calendar.example.com/{SECRET}/basic.ics",
    "name": "Family",
}
COLLEAGUE: dict[str, Any] = {"kind": "schedule", "address": "Carol@example.com"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice, who has two calendars, is connected, and bob."""
    made = World(tmp_path)
    made.calendar(ALICE, "Private")
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, Sessions())


def sources(program: Program, headers: dict[str, str]) -> list[tuple[str, str, str, bool]]:
    found = program.ask("GET", PATH, headers).get_json()["sources"]
    return [(one["kind"], one["name"], one["shown"], one["removable"]) for one in found]


def test_addresses_are_added_listed_and_taken_off(program: Program) -> None:
    added = program.ask("POST", PATH, user(ALICE), json=FEED)
    colleague = program.ask("POST", PATH, user(ALICE), json=COLLEAGUE)
    assert [added.status_code, colleague.status_code] == [201, 201]
    linked, *others = sources(program, user(ALICE))
    assert (linked[0], linked[3]) == ("linked", False)
    assert others == [
        ("feed", "Family", "calendar.example.com/\u2026/basic.ics", True),
        ("schedule", "carol@example.com", "carol@example.com", True),
    ]
    for one in (added, colleague):
        source = one.get_json()["id"]
        answer = program.ask("DELETE", f"{PATH}/{source}", user(ALICE))
        assert (answer.status_code, answer.get_json()) == (200, {"removed": source})
    assert sources(program, user(ALICE)) == [linked]


def test_an_address_is_never_told_again(world: World, program: Program) -> None:
    answers = [program.ask("POST", PATH, user(ALICE), json=FEED) for _ in range(2)]
    answers += [program.ask("GET", path, ADMIN) for path in (PATH, "/audit", f"/accounts/{ALICE}")]
    assert [answer.status_code for answer in answers] == [201, 400, 200, 200, 200]
    assert not any(SECRET in answer.text for answer in answers)
    assert SECRET not in world.notes(ALICE)


@pytest.mark.parametrize("headers", [user(ALICE), ADMIN], ids=["the-user", "administrator"])
def test_one_is_read_on_request(world: World, program: Program, headers: dict[str, str]) -> None:
    source = program.ask("POST", PATH, user(ALICE), json=FEED).get_json()["id"]
    with world.app.store.save(None) as tx:
        tx.busy.failed(source, "its server does not answer")
    world.app.store.feeds.answered(source, next_in=3600, failures=1)
    world.clock.advance(61)
    assert (world.app.store.feeds.next_due_in() or 0) > 0
    assert program.ask("POST", f"{PATH}/{source}/read", headers, json={}).status_code == 202
    assert (world.app.store.feeds.next_due_in() or 0) <= 0


@pytest.mark.parametrize(
    ("headers", "reads", "changes"),
    [
        pytest.param({}, 401, 401, id="nobody"),
        pytest.param(user(BOB), 403, 403, id="another"),
        pytest.param(ADMIN, 200, 403, id="token"),
        pytest.param(user(f"+{ADMIN_ID}"), 200, 403, id="administrator"),
    ],
)
def test_nobody_changes_what_is_anothers(
    program: Program, headers: dict[str, str], reads: int, changes: int
) -> None:
    source = program.ask("POST", PATH, user(ALICE), json=FEED).get_json()["id"]
    before = sources(program, user(ALICE))
    answer = program.ask("GET", PATH, headers)
    assert (answer.status_code, "Family" in answer.text) == (reads, reads == 200)
    assert program.ask("POST", PATH, headers, json=COLLEAGUE).status_code == changes
    assert program.ask("DELETE", f"{PATH}/{source}", headers).status_code == changes
    asked = program.ask("POST", f"{PATH}/{source}/read", headers, json={})
    assert asked.status_code == (202 if reads == 200 else reads)
    assert sources(program, user(ALICE)) == before


def test_another_users_calendar_is_none_of_ones_own(program: Program) -> None:
    alices = program.ask("POST", PATH, user(ALICE), json=FEED).get_json()["id"]
    mine = f"/accounts/{BOB}/busy-sources"
    for number in (alices, 999_999):
        answers = [
            program.ask("DELETE", f"{mine}/{number}", user(BOB)),
            program.ask("POST", f"{mine}/{number}/read", user(BOB), json={}),
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
    assert len(sources(program, user(ALICE))) == 2


def test_a_calendar_of_the_mailbox_is_a_setting(program: Program) -> None:
    linked = program.ask("GET", PATH, user(ALICE)).get_json()["sources"][0]["id"]
    answer = program.ask("DELETE", f"{PATH}/{linked}", user(ALICE))
    assert (answer.status_code, "settings" in answer.get_json()["error"]) == (409, True)


@pytest.mark.parametrize("off", [Feature.FEEDS, Feature.CONFLICT_CALENDARS])
def test_a_feature_that_is_off_is_refused(world: World, program: Program, off: Feature) -> None:
    world.app.desk.features.close(ADMINISTRATOR, off, Subject("installation", ""))
    answer = program.ask("POST", PATH, user(ALICE), json=FEED)
    assert (answer.status_code, "contact the administrator" in answer.get_json()["error"]) == (403, True)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        pytest.param(user(ALICE), "contact the administrator", id="the-user"),
        pytest.param(ADMIN, "on the page Features", id="administrator"),
    ],
)
def test_conflict_calendars_are_settings_unless_they_are_off(
    world: World, program: Program, headers: dict[str, str], words: str
) -> None:
    mailbox_id = world.account(ALICE).mailbox_id or 0
    calendars = world.app.store.calendars.for_mailbox(mailbox_id)
    (private,) = [one.id for one in calendars if one.name == "Private"]
    chosen = {"conflict_calendars": [private]}
    world.app.desk.features.close(ADMINISTRATOR, Feature.CONFLICT_CALENDARS, Subject("installation", ""))
    answer = program.ask("PUT", f"/accounts/{ALICE}/settings", headers, json=chosen)
    assert (answer.status_code, words in answer.get_json()["error"]) == (403, True)
    none = program.ask("PUT", f"/accounts/{ALICE}/settings", headers, json={"conflict_calendars": []})
    assert none.status_code == 200
    world.app.desk.features.open(ADMINISTRATOR, Feature.CONFLICT_CALENDARS, Subject("installation", ""))
    answer = program.ask("PUT", f"/accounts/{ALICE}/settings", headers, json=chosen)
    assert answer.status_code == 200, answer.text
    assert [kind for kind, *_ in sources(program, headers)] == ["linked", "conflict"]


def test_who_is_not_connected_has_none(world: World, program: Program) -> None:
    path = f"/accounts/{CAROL}/busy-sources"
    assert program.ask("GET", path, user(CAROL)).status_code == 404
    assert program.ask("POST", path, user(CAROL), json=FEED).status_code == 404
    world.app.connections.disconnect(ALICE)
    answer = program.ask("POST", PATH, user(ALICE), json=FEED)
    assert (answer.status_code, "Connect Outlook first" in answer.get_json()["error"]) == (409, True)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A bridge to which nothing is ever added."""
    made = World(tmp_path_factory.mktemp("refusing"))
    made.connect(ALICE)
    yield Program(made, Sessions())
    made.close()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"kind": "linked"}, "kind: must be one of feed, schedule", id="kind"),
        pytest.param({"kind": None}, "kind: must be one of feed, schedule", id="no-kind"),
        pytest.param({"address": ""}, "address: is missing", id="no-address"),
        pytest.param({"address": 5}, "address: must be a text", id="address-of-wrong-type"),
        pytest.param({"address": "ftp://example.com/x.ics"}, "cannot be used", id="ftp"),
        pytest.param({"address": "https://u:p@example.com/x.ics"}, "cannot be used", id="password"),
        pytest.param({"address": "not an address"}, "cannot be used", id="words"),
        pytest.param({"address": "https://e.com/" + "x" * 5000}, "at most 4096", id="long"),
        pytest.param({"name": "x" * 101}, "at most 100", id="long-name"),
        pytest.param({"name": "https://x.example/s"}, "without an address", id="address-as-name"),
        pytest.param({"url": "x"}, "'url' is not known", id="misspelt"),
        pytest.param({"kind": "schedule", "address": "carol"}, "e-mail address", id="no-colleague"),
        pytest.param({"kind": "schedule", "address": "alice@example.com"}, "your own address", id="oneself"),
    ],
)
def test_what_is_wrong_is_said(refusing: Program, changes: dict[str, Any], words: str) -> None:
    answer = refusing.send("POST", PATH, headers=user(ALICE), json={**FEED, **changes})
    assert (answer.status_code, answer.is_json) == (400, True), answer.text
    assert words in answer.get_json()["error"]
    assert len(sources(refusing, user(ALICE))) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"kind": "feed", "address": "https://e.com/s3cret\\ud800"}', id="half-a-character"),
        pytest.param('{"kind": "schedule", "address": "a\\udfff@example.com"}', id="its-other-half"),
        pytest.param('{"kind": "feed", "\\ud800": "https://e.com/s3cret"}', id="in-a-name"),
        pytest.param('{"kind": "feed", "address": "https://e.com/s3cret", "x": 1e400}', id="infinite"),
        pytest.param('{"kind": "feed", "address": "https://e.com/s3cret", "x": [-1e999]}', id="below"),
        pytest.param('{"kind": "feed", "address": "https://e.com/s3cret", "x": NaN}', id="not-a-number"),
    ],
)
def test_what_no_text_and_no_number_is_is_refused(
    refusing: Program, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    kind = "application/json"
    answer = refusing.send("POST", PATH, headers=user(ALICE), data=body, content_type=kind)
    assert (answer.status_code, "must be a JSON object" in answer.get_json()["error"]) == (400, True)
    assert "s3cret" not in answer.text + caplog.text
    assert len(sources(refusing, user(ALICE))) == 1


@pytest.mark.parametrize("source", ["x", "-1", "0", "1.5", "9" * 30])
def test_an_id_that_is_none(refusing: Program, source: str) -> None:
    answer = refusing.send("DELETE", f"{PATH}/{source}", headers=user(ALICE))
    assert (answer.status_code, answer.is_json) == (404, True)
