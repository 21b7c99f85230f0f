"""The page of feature gates: what is off for whom, by whom and since when, and what people read then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from calsync_plugin.booking.features import NOT_FOR_YOU, Feature
from calsync_plugin.crm.staff import Groups
from calsync_plugin.errors import FeatureOff
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.sandbox.crm.identities import ROLE_SALES_ID, TEAM_SALES_ID
from calsync_plugin.state import Subject
from tests.pages import Browser
from tests.world import ADMINISTRATOR, ALICE, World

EVERYBODY = {"kind": "installation", "id": ""}
SALES = {"kind": "team", "id": TEAM_SALES_ID}
SALES_ROLE = {"kind": "role", "id": ROLE_SALES_ID}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    made = Browser(world)
    made.sign_in("admin")
    return made


def text_of(html: str) -> str:
    """What is read of a page's content."""
    inner = html.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inner)).split())


def switch(page: Browser, do: str, feature: Feature, whom: dict[str, str]) -> str:
    answer = page.post("/admin/features", {"feature": feature.value, "do": do, **whom})
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


def gates(world: World) -> list[tuple[str, str]]:
    return [(gate.feature, gate.subject.kind) for gate in world.app.store.gates.closed()]


def test_all_is_on_at_first_and_an_example_is_shown(page: Browser) -> None:
    text = text_of(page.get("/admin/features").text)
    for feature in Feature:
        assert feature.shown in text
    assert "Off" not in re.findall(r"\bOff\b(?!:)", text)
    assert "Nothing is off now." in text
    assert NOT_FOR_YOU in text


@pytest.mark.parametrize(
    ("whom", "named"),
    [
        pytest.param(EVERYBODY, "everybody", id="installation"),
        pytest.param(SALES, "the team Sales", id="team"),
        pytest.param(SALES_ROLE, "the role Sales", id="role"),
    ],
)
def test_a_feature_is_switched_off_and_on(
    world: World, page: Browser, whom: dict[str, str], named: str
) -> None:
    text = switch(page, "off", Feature.BOOKINGS, whom)
    assert gates(world) == [("bookings", whom["kind"])]
    assert "Bookings: switched off." in text
    assert "by Admin, Mon 23 Nov 2026" in text
    assert f"Bookings are switched off for {named}; switch them on again on the page Features." in text
    text = switch(page, "on", Feature.BOOKINGS, whom)
    assert gates(world) == []
    assert "Bookings: switched on again." in text


def test_it_stands_in_the_audit_log(page: Browser) -> None:
    switch(page, "off", Feature.FEEDS, SALES)
    switch(page, "on", Feature.FEEDS, SALES)
    log = text_of(page.get("/admin/audit").text)
    assert "Admin the team Sales switched off calendar addresses" in log
    assert "Admin the team Sales switched on calendar addresses again" in log


def test_whom_it_concerns_is_kept_out_and_reads_what_was_shown(world: World, page: Browser) -> None:
    switch(page, "off", Feature.AVAILABILITY, EVERYBODY)
    with pytest.raises(FeatureOff, match=re.escape(NOT_FOR_YOU)):
        world.app.desk.features.check(Feature.AVAILABILITY, ALICE)


def test_where_further_calendars_are_off_the_settings_take_none(world: World, page: Browser) -> None:
    """Those that were chosen before may stay, and may go."""
    mailbox_id = world.account(ALICE).mailbox_id or 0
    rows = world.app.store.calendars.for_mailbox(mailbox_id)
    further = [replace(rows[0], id=one, name=one, is_default=False) for one in ("first", "second")]
    world.app.store.calendars.replace(mailbox_id, [*rows, *further])
    world.choose(ALICE, conflict_calendars=["first"])
    switch(page, "off", Feature.CONFLICT_CALENDARS, EVERYBODY)
    alice = Browser(world)
    alice.sign_in("alice")
    form = alice.fields("/external-account/settings")
    refused = alice.post("/external-account/settings", {**form, "conflict_calendars": ["first", "second"]})
    assert refused.status_code == 422
    assert NOT_FOR_YOU in text_of(refused.text)
    assert "Nothing was saved yet." in text_of(refused.text)
    for kept in (["first"], []):
        taken = alice.post("/external-account/settings", {**form, "conflict_calendars": kept})
        assert taken.status_code == 200
        assert "Nothing was saved yet." not in text_of(taken.text)


def test_a_group_for_which_it_is_off_is_not_offered_again(page: Browser) -> None:
    switch(page, "off", Feature.BOOKINGS, SALES)
    html = page.get("/admin/features").text
    offered = html.count(f'<option value="{TEAM_SALES_ID}">')
    assert offered == len(Feature) - 1


def test_without_a_choice_nothing_is_changed(world: World, page: Browser) -> None:
    text = switch(page, "off", Feature.BOOKINGS, {"kind": "team", "id": ""})
    assert "Nobody was chosen, so nothing was changed." in text
    assert gates(world) == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({}, 404, id="nothing"),
        pytest.param({"feature": "wings", **EVERYBODY}, 404, id="no-such-feature"),
        pytest.param({"feature": "bookings", "kind": "planet", "id": "x"}, 409, id="no-such-kind"),
        pytest.param({"feature": "bookings", "kind": "user", "id": ALICE}, 409, id="a-single-user"),
        pytest.param({"feature": "bookings", "kind": "team", "id": "unknown"}, 409, id="no-such-team"),
        pytest.param({"feature": "bookings", "kind": "installation", "id": "x"}, 409, id="half-of-us"),
    ],
)
def test_what_is_not_there_is_explained(
    world: World, page: Browser, sent: dict[str, str], status: int
) -> None:
    answer = page.post("/admin/features", {"do": "off", **sent})
    assert answer.status_code == status
    assert gates(world) == []


def test_while_the_crm_is_away_it_says_so_and_can_switch_on(world: World, page: Browser) -> None:
    switch(page, "off", Feature.BOOKINGS, SALES)
    world.crm.faults.add(FaultRule(path="Team", status=503))
    text = text_of(page.get("/admin/features").text)
    assert "The CRM does not answer now" in text
    assert "Sales" in text
    switch(page, "on", Feature.BOOKINGS, SALES)
    assert gates(world) == []


class _NoTeams:
    """A CRM that tells neither teams nor roles."""

    def groups(self) -> Groups:
        return Groups(teams_lack="this CRM does not tell calsync its teams")


def test_a_lack_of_teams_is_said_in_words(
    world: World, page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(world.app.gateway), "staff", property(lambda _: _NoTeams()))
    text = text_of(page.get("/admin/features").text)
    assert "This CRM does not tell calsync its teams." in text
    assert "The CRM names none." in text


def test_a_hostile_name_is_text(world: World, page: Browser) -> None:
    name = '<script>alert("x")</script>'
    world.app.desk.features.close(ADMINISTRATOR, Feature.BOOKINGS, Subject("team", "t"), name)
    html = page.get("/admin/features").text
    assert name not in html
    assert "&lt;script&gt;" in html
