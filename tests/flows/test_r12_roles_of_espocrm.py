"""R12 where EspoCRM has scopes of our names: its roles alone say who may use Outlook."""

from __future__ import annotations

from html import unescape

import pytest

from calsync_plugin.accounts import crm_grants, entitled, giving
from calsync_plugin.accounts.entitled import USER
from calsync_plugin.accounts.grants import ACCOUNT, CALENDAR, NEEDED
from calsync_plugin.errors import UserError
from calsync_plugin.sandbox.crm.identities import ROLE_SALES_ID
from calsync_plugin.settings import ServeSettings
from calsync_plugin.state import Subject
from calsync_plugin.web.app import create_app
from tests.flows.conftest import MakeWorld
from tests.pages import Browser, path_of
from tests.world import ADMINISTRATOR, ALICE, BOB, CAROL, PUBLIC, World

DAY, TEN_MINUTES = 86_401, 601


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """EspoCRM has the scopes, and the role of all salespeople says yes. What was given here says so, too."""
    made = make_world()
    made.crm.store.extension_scopes.append(CALENDAR)
    allow(made, yes=True)
    return made


def allow(world: World, *, yes: bool | None, scope: str = CALENDAR) -> None:
    """What the role says of a scope: yes, no, or nothing."""
    data = world.crm.store.tables["Role"].rows[ROLE_SALES_ID]["data"]
    kept = {name: value for name, value in data.items() if name != scope}
    said = {} if yes is None else {scope: yes}
    world.crm.store.change("Role", ROLE_SALES_ID, {"data": {**kept, **said}})


def visit(world: World, name: str) -> Browser:
    page = Browser(world)
    assert path_of(page.sign_in(name)) == "/external-account"
    return page


def next_day(world: World) -> None:
    world.clock.advance(DAY)
    world.sweep()


@pytest.mark.parametrize(
    ("calendar", "account", "expected"),
    [
        pytest.param(True, True, NEEDED, id="both"),
        pytest.param(True, None, {CALENDAR}, id="no-account"),
        pytest.param(False, True, {ACCOUNT}, id="refused"),
        pytest.param(None, True, {ACCOUNT}, id="not-set"),
    ],
)
def test_a_users_sign_in_tells_what_the_user_may(
    world: World, calendar: bool | None, account: bool | None, expected: set[str]
) -> None:
    allow(world, yes=calendar)
    allow(world, yes=account, scope=ACCOUNT)
    world.sweep()
    visit(world, "alice")
    assert crm_grants.decides(world.app.store)
    assert entitled.effective(world.app, ALICE) == expected


def test_a_user_connects_with_what_the_roles_give(world: World) -> None:
    for name in NEEDED:
        world.app.store.given_grants.take(Subject(USER, ALICE), name)
    page = visit(world, "alice")
    page.connect("alice@example.com")
    assert world.account(ALICE).status.value in {"connected", "paused"}


def test_nobody_connects_without_whatever_was_given_here(world: World) -> None:
    allow(world, yes=None)
    world.sweep()
    page = visit(world, "alice")
    answer = page.post("/external-account/connect")
    assert "oauth2" not in answer.text
    assert world.app.store.accounts.get(ALICE) is None


@pytest.mark.parametrize("way", ["the-user-visits", "an-administrator-visits"])
def test_the_scope_taken_away_suspends_and_given_back_goes_on(world: World, way: str) -> None:
    world.connect(ALICE)
    world.sweep()
    visitor = visit(world, "alice" if way == "the-user-visits" else "admin")
    world.sweep()
    record = world.save()
    world.settle()
    assert (world.account(ALICE).status, world.link(record).state) == ("connected", "active")

    allow(world, yes=False)
    world.clock.advance(TEN_MINUTES)
    visitor.get("/external-account")
    world.sweep()
    assert (world.account(ALICE).status, world.link(record).state) == ("off", "suspended")
    world.change(record, name="Meanwhile")
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"

    allow(world, yes=True)
    world.clock.advance(TEN_MINUTES)
    visitor.get("/external-account")
    world.sweep()
    assert (world.account(ALICE).status, world.link(record).state) == ("connected", "active")
    assert world.event(ALICE).subject == "Meanwhile"


def test_who_loses_the_role_is_found_by_the_daily_look(world: World) -> None:
    """Nobody visits: an administrator did once, so what each role gives is known."""
    world.connect(ALICE)
    world.sweep()
    visit(world, "admin")
    world.sweep()
    world.crm.store.change("User", ALICE, {"rolesIds": []})
    next_day(world)
    assert world.account(ALICE).status == "off"
    world.crm.store.change("User", ALICE, {"rolesIds": [ROLE_SALES_ID]})
    next_day(world)
    assert world.account(ALICE).status == "connected"


def test_a_role_of_the_team_is_one_of_its_members(world: World) -> None:
    world.connect(ALICE)
    world.sweep()
    visit(world, "admin")
    team = world.crm.store.tables["User"].rows[ALICE]["teamsIds"][0]
    world.crm.store.change("User", ALICE, {"rolesIds": []})
    world.crm.store.change("Team", team, {"rolesIds": [ROLE_SALES_ID]})
    next_day(world)
    assert world.account(ALICE).status == "connected"


def test_a_role_that_is_not_known_is_no_refusal(world: World) -> None:
    world.connect(ALICE)
    world.sweep()
    visit(world, "admin")
    world.crm.store.insert("Role", {"id": "r9", "name": "New", "data": {}, "fieldData": {}, "deleted": False})
    world.crm.store.change("User", ALICE, {"rolesIds": ["r9"]})
    next_day(world)
    assert world.account(ALICE).status == "connected"


def test_an_administrator_of_the_crm_may(world: World) -> None:
    world.connect(CAROL)
    world.sweep()
    visit(world, "admin")
    world.crm.store.change("User", CAROL, {"rolesIds": [], "type": "admin"})
    next_day(world)
    assert world.account(CAROL).status == "connected"


def test_who_never_signed_in_keeps_what_the_account_has(world: World) -> None:
    """The extension came to an installation that works: nobody is judged who is not known."""
    world.connect(BOB)
    allow(world, yes=None)
    next_day(world)
    next_day(world)
    assert crm_grants.decides(world.app.store)
    assert world.account(BOB).status == "connected"


def test_what_a_user_was_told_shows_that_the_roles_are_out_of_date(world: World) -> None:
    world.connect(ALICE)
    world.sweep()
    app = create_app(world.app)
    Browser(world, app).sign_in("admin")
    allow(world, yes=False)
    Browser(world, app).sign_in("alice")
    assert world.account(ALICE).status == "off"
    assert crm_grants.roles(world.app.store).by_id == {}
    Browser(world, app).sign_in("admin")
    assert CALENDAR not in crm_grants.roles(world.app.store).by_id[ROLE_SALES_ID].scopes


def test_roles_that_are_in_doubt_give_nobody_back_what_was_taken(world: World) -> None:
    """Alice lost her role; then somebody else's sign-in tells that another role was changed."""
    world.connect(ALICE)
    world.sweep()
    app = create_app(world.app)
    Browser(world, app).sign_in("alice")
    Browser(world, app).sign_in("admin")
    world.crm.store.change("User", ALICE, {"rolesIds": []})
    next_day(world)
    assert world.account(ALICE).status == "off"
    allow(world, yes=False)
    Browser(world, app).sign_in("bob")
    assert crm_grants.roles(world.app.store).by_id == {}
    next_day(world)
    assert world.account(ALICE).status == "off"


@pytest.mark.parametrize("path", ["Role", "Metadata", "User"])
def test_a_crm_that_does_not_tell_changes_nothing(world: World, path: str) -> None:
    world.connect(ALICE)
    world.sweep()
    visit(world, "admin")
    world.sweep()
    allow(world, yes=False)
    world.crm_fails(path=f"/{path}(/|$)", status=503, times=None)
    world.clock.advance(DAY)
    visit(world, "admin")
    world.sweep()
    assert world.account(ALICE).status == "connected"
    world.crm.faults.clear()
    world.clock.advance(TEN_MINUTES)
    visit(world, "admin")
    world.sweep()
    assert world.account(ALICE).status == "off"


def test_nothing_is_given_here_while_the_roles_decide(world: World) -> None:
    world.sweep()
    with pytest.raises(UserError, match="CRM's own roles"):
        giving.give(world.app, ADMINISTRATOR, Subject("role", ROLE_SALES_ID))
    giving.take(world.app, ADMINISTRATOR, Subject(USER, ALICE))


def test_what_was_given_here_counts_again_once_the_scope_is_gone(world: World) -> None:
    world.connect(ALICE)
    allow(world, yes=None)
    world.sweep()
    visit(world, "alice")
    assert world.account(ALICE).status == "off"
    world.crm.store.extension_scopes.clear()
    next_day(world)
    assert world.account(ALICE).status == "connected"


def test_an_espocrm_without_such_scopes_decides_nothing(world: World) -> None:
    world.crm.store.extension_scopes.clear()
    allow(world, yes=None)
    world.connect(ALICE)
    visit(world, "admin")
    visit(world, "alice")
    next_day(world)
    assert not crm_grants.decides(world.app.store)
    assert world.account(ALICE).status == "connected"
    assert not [one for one in world.crm.log.requests if one.path.endswith("/Role")]


def test_the_page_shows_the_roles_and_gives_nothing(world: World) -> None:
    world.sweep()
    page = visit(world, "admin")
    shown = page.get("/admin/grants").text
    assert "EspoCRM's roles say who may use Outlook" in unescape(shown)
    assert "Sales" in shown
    assert "Take away" not in shown
    given = page.post("/admin/grants", {"kind": "role", "id": ROLE_SALES_ID, "do": "give"})
    assert given.status_code == 409
    allow(world, yes=None, scope=ACCOUNT)
    world.clock.advance(TEN_MINUTES)
    assert "has only: OutlookCalendar" in page.get("/admin/grants").text


def test_the_page_says_if_the_roles_were_not_read_yet(world: World) -> None:
    world.crm_fails(path="/Role$", status=503)
    page = visit(world, "admin")
    assert "Not read yet" in page.get("/admin/grants").text
    world.clock.advance(61)
    assert "Not read yet" not in page.get("/admin/grants").text


def test_programs_are_told_that_the_roles_decide(make_world: MakeWorld) -> None:
    world = make_world(serve=ServeSettings(public_url=PUBLIC, api_token="t" * 40))
    world.crm.store.extension_scopes.append(CALENDAR)
    world.sweep()
    bearer = {"Authorization": f"Bearer {'t' * 40}"}
    client = create_app(world.app).test_client()
    listed = client.get("/api/v1/grants", headers=bearer)
    assert listed.json is not None
    assert listed.json["named_by_crm"] is True
    path = f"/api/v1/grants/role/{ROLE_SALES_ID}"
    assert client.put(path, json={"grants": [CALENDAR]}, headers=bearer).status_code == 409
