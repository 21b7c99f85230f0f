"""Somebody else's busy times, names made to be read as something else, and addresses that give access."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from calsync_plugin.domain.availability import Block
from calsync_plugin.state import SourceKind
from tests.pages import Browser, path_of
from tests.world import ALICE, START, World

PAGE = "/external-account/availability"
SECRET = "5up3rs3cr3t"
ADDRESS = f"https://127.0.0.1:9/private-{SECRET}/basic.ics?key={SECRET}"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "%(name)s",
)


def feed(world: World, name: str = "Chess club") -> int:
    """An address of alice's, which takes an hour of the week that is shown first."""
    found = world.app.store.feeds.add(ALICE, SourceKind.FEED, ADDRESS, shown="127.0.0.1/…", name=name, most=9)
    second = int(START.timestamp())
    with world.app.store.save(None) as tx:
        tx.busy.put(found, [Block(id="e", start=second, end=second + 3600)])
        tx.busy.was_read(found, known_from=START, known_until=START)
    return found


def visitor(world: World, name: str) -> Browser:
    page = Browser(world)
    page.sign_in(name)
    return page


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        pytest.param("name", {"name": "Mine"}, id="rename"),
        pytest.param("read", {}, id="read-now"),
        pytest.param("remove", {}, id="remove"),
    ],
)
def test_somebody_elses_source_is_not_there(world: World, path: str, sent: dict[str, Any]) -> None:
    number = feed(world)
    (before,) = world.app.store.feeds.of(ALICE)
    bob = visitor(world, "bob")
    answer = bob.post(f"{PAGE}/{path}", {"source": number, **sent})
    assert answer.status_code == 404
    assert "Chess club" not in answer.text
    assert world.app.store.feeds.of(ALICE) == [before]


def test_somebody_elses_source_cannot_be_looked_at(world: World) -> None:
    number = feed(world)
    bob = visitor(world, "bob")
    assert bob.get(f"{PAGE}/remove?source={number}").status_code == 404
    assert "Chess club" not in bob.get(f"{PAGE}?user={ALICE}&source={number}").text


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 19, "²", "٣", "-1", "", "1 OR 1=1", "1.0"])
def test_a_source_is_named_by_a_number(world: World, number: str) -> None:
    feed(world)
    alice = visitor(world, "alice")
    assert alice.post(f"{PAGE}/remove", {"source": number}).status_code == 404
    assert len(world.app.store.feeds.of(ALICE)) == 1


def test_a_calendar_of_the_mailbox_is_not_removed_as_an_address(world: World) -> None:
    (linked,) = world.app.store.busy.sources([ALICE])
    assert visitor(world, "alice").post(f"{PAGE}/remove", {"source": linked.id}).status_code == 404
    assert world.app.store.busy.sources([ALICE]) == [linked]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_it_was_typed(world: World, name: str) -> None:
    number = feed(world, name)
    alice = visitor(world, "alice")
    for path in (PAGE, f"{PAGE}/remove?source={number}"):
        page = alice.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "49" not in page.partition("Where this comes from")[2][:500]
    answer = alice.post(f"{PAGE}/name", {"source": number, "name": name})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    removed = alice.post(f"{PAGE}/remove", {"source": number}).text
    assert "<script>alert" not in removed
    assert "no longer makes you busy" in removed


@pytest.mark.parametrize("name", HOSTILE)
def test_what_was_entered_wrongly_is_shown_as_it_was_typed(world: World, name: str) -> None:
    alice = visitor(world, "alice")
    answer = alice.post(f"{PAGE}/addresses", {"name": name, "address": f"ftp://{SECRET}/{name}"})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "week", ["<script>alert(1)</script>", "2026-11-23<script>", "//evil.example", "x" * 5000]
)
def test_a_week_leads_nowhere_else(world: World, week: str) -> None:
    number = feed(world)
    alice = visitor(world, "alice")
    for answer in (
        alice.get(PAGE, query_string={"week": week}),
        alice.get(f"{PAGE}/remove", query_string={"source": number, "week": week}),
        alice.post(f"{PAGE}/read", {"source": number, "week": week}),
    ):
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
    assert path_of(answer) == PAGE
    assert "week" not in answer.request.url


def test_an_address_is_on_no_page_and_in_no_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    alice = visitor(world, "alice")
    seen = [alice.post(f"{PAGE}/addresses", {"name": "Family", "address": ADDRESS}).text]
    seen.append(alice.post(f"{PAGE}/addresses", {"name": "Again", "address": ADDRESS}).text)
    (added,) = world.app.store.feeds.of(ALICE)
    assert added.address == ADDRESS
    number = added.source.id
    # Nobody answers at that port.
    world.settle()
    seen += [
        alice.post(f"{PAGE}/name", {"source": number, "name": "Club"}).text,
        alice.post(f"{PAGE}/read", {"source": number}).text,
    ]
    boss = visitor(world, "admin")
    seen += [page.get(path).text for page, path in ((alice, PAGE), (alice, f"{PAGE}/remove?source={number}"))]
    seen += [alice.get("/external-account").text, alice.get("/external-account/disconnect").text]
    seen += [boss.get(path).text for path in (f"/admin/accounts/{ALICE}", "/admin/audit", "/admin")]
    seen.append(alice.post(f"{PAGE}/remove", {"source": number}).text)
    audit = " ".join(f"{one.text} {one.subject}" for one in world.app.store.audit.entries())
    assert [text for text in (*seen, audit, world.notes(ALICE), caplog.text) if SECRET in text] == []
    assert "Club" in audit or "calendar" in audit
