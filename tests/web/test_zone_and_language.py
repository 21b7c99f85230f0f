"""The time zone and language in which a user is spoken to: the CRM's word at the sign-in comes first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask_login import current_user

from calsync_plugin.state import CrmUser
from calsync_plugin.web.app import create_app
from tests.pages import Browser
from tests.world import ADMIN_ID, ALICE, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def prefer(world: World, user_id: str, **preferences: str) -> None:
    """What a user chose in the CRM."""
    world.crm.store.tables["User"].rows[user_id]["preferences"] = preferences


def kept(world: World, user_id: str = ALICE) -> tuple[str, str]:
    user = world.app.store.crm_users.many([user_id]).get(user_id, CrmUser(user_id=user_id))
    return user.zone, user.language


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        pytest.param(
            {"timeZone": "Asia/Kolkata", "language": "de_DE"}, ("Asia/Kolkata", "de_DE"), id="the-users-own"
        ),
        pytest.param({}, ("Europe/Vienna", "fr_FR"), id="the-installations"),
        pytest.param({"timeZone": "Asia/Kolkata"}, ("Asia/Kolkata", "fr_FR"), id="one-of-each"),
        pytest.param({"timeZone": "Mars/Base", "language": "<b>"}, ("", "fr_FR"), id="not-to-be-used"),
    ],
)
def test_what_the_crm_says_at_the_sign_in_is_kept(
    world: World, preferences: dict[str, str], expected: tuple[str, str]
) -> None:
    world.crm.settings.time_zone, world.crm.settings.language = "Europe/Vienna", "fr_FR"
    prefer(world, ALICE, **preferences)
    Browser(world).sign_in("alice")
    assert kept(world) == expected


def test_the_configuration_says_the_installations_zone(tmp_path: Path, world: World) -> None:
    crm = replace(world.settings.crm, time_zone="Europe/Vienna")
    folder = tmp_path / "configured"
    folder.mkdir()
    other = World(folder, crm=crm)
    prefer(other, ALICE)
    Browser(other).sign_in("alice")
    assert kept(other) == ("Europe/Vienna", "en_US")
    other.close()


def test_pages_know_the_zone_and_language_of_their_visitor(world: World) -> None:
    prefer(world, ALICE, timeZone="Asia/Kolkata", language="de_DE")
    app, seen = create_app(world.app), []

    @app.route("/who")
    def who() -> str:
        seen.append((current_user.time_zone, current_user.language))
        return ""

    page = Browser(world, app)
    page.sign_in("alice")
    page.get("/who")
    assert seen == [("Asia/Kolkata", "de_DE")]


def test_an_account_has_the_zone_and_language_of_its_user(world: World) -> None:
    world.connect(ALICE)
    assert (world.account(ALICE).user_zone, world.account(ALICE).language) == ("", "")
    prefer(world, ALICE, timeZone="Asia/Kolkata", language="de_DE")
    Browser(world).sign_in("alice")
    assert (world.account(ALICE).user_zone, world.account(ALICE).language) == ("Asia/Kolkata", "de_DE")
    world.app.store.accounts.save(world.account(ALICE))
    assert world.account(ALICE).user_zone == "Asia/Kolkata"
    assert world.app.store.listing.page()[0].account == world.account(ALICE)


def test_a_change_in_the_crm_is_known_at_the_next_check(world: World) -> None:
    page = Browser(world)
    page.sign_in("alice")
    prefer(world, ALICE, timeZone="Asia/Kolkata", language="de_DE")
    world.clock.advance(601)
    page.get("/external-account")
    assert kept(world) == ("Asia/Kolkata", "de_DE")


def zones_shown(page: Browser, path: str) -> set[str]:
    return set(re.findall(r'<time datetime="[^"]*" title="([^"]*)">', page.get(path).text))


@pytest.mark.parametrize("path", ["/admin/audit", "/admin/accounts"])
def test_admin_pages_show_times_in_the_admins_zone(world: World, path: str) -> None:
    world.connect(ALICE)
    prefer(world, ADMIN_ID, timeZone="Asia/Kolkata")
    page = Browser(world)
    page.sign_in("admin")
    assert zones_shown(page, path) == {"Asia/Kolkata"}


def test_an_admin_without_a_choice_reads_the_installations_times(world: World) -> None:
    world.connect(ALICE)
    world.crm.settings.time_zone = "America/New_York"
    page = Browser(world)
    page.sign_in("admin")
    assert zones_shown(page, "/admin/audit") == {"America/New_York"}


@pytest.mark.parametrize(
    ("of_the_mailbox", "wall"),
    [
        pytest.param("", "2026-12-01T15:30:00", id="the-users"),
        pytest.param("Samoa Standard Time", "2026-12-01T23:00:00", id="the-mailboxes-first"),
    ],
)
def test_r15_an_event_is_made_in_the_users_zone_if_the_mailbox_has_none(
    world: World, of_the_mailbox: str, wall: str
) -> None:
    prefer(world, ALICE, timeZone="Asia/Kolkata")
    Browser(world).sign_in("alice")
    world.graph("PATCH", ALICE, "mailboxSettings", json={"timeZone": of_the_mailbox or "UTC"})
    world.connect(ALICE)
    if not of_the_mailbox:
        # A custom zone of Outlook: the mailbox's answer names none that anybody knows.
        world.app.store.accounts.save(replace(world.account(ALICE), zone=""))
    world.save(dateStart="2026-12-01 10:00:00", dateEnd="2026-12-01 11:00:00", assignedUserId=ALICE)
    world.settle()
    (event,) = world.events(ALICE)
    zone = event.json["originalStartTimeZone"]
    shown = world.graph("GET", ALICE, f"events/{event.json['id']}", prefer=f'outlook.timezone="{zone}"')
    assert shown["start"]["dateTime"][:19] == wall
