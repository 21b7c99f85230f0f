"""R12: grants of users, teams and roles: given, taken, and followed when the CRM changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.accounts import entitled, giving
from calsync_plugin.accounts.entitled import ROLE, TEAM, USER
from calsync_plugin.accounts.grants import ACCOUNT, CALENDAR, NEEDED
from calsync_plugin.errors import UserError
from calsync_plugin.hookspecs import hookimpl
from calsync_plugin.sandbox.crm.identities import ROLE_BRIDGE_ID, ROLE_SALES_ID, TEAM_SALES_ID
from calsync_plugin.state import Account, Subject
from tests.world import ADMINISTRATOR, ALICE, BOB, CAROL, World

SALES_TEAM, SALES_ROLE = Subject(TEAM, TEAM_SALES_ID), Subject(ROLE, ROLE_SALES_ID)
DAY = 86_401


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Nobody has a grant yet."""
    made = World(tmp_path)
    for user_id in (ALICE, BOB, CAROL):
        for name in NEEDED:
            made.app.store.given_grants.take(Subject(USER, user_id), name)
    yield made
    made.close()


def give(world: World, *subjects: Subject) -> None:
    for subject in subjects:
        giving.give(world.app, ADMINISTRATOR, subject)


def member(world: World, user_id: str, **values: Any) -> None:
    """Change a user in the CRM; nobody is told of it."""
    world.crm.store.change("User", user_id, values)


def sign_in(world: World, user_id: str) -> None:
    page = world.app.connections.begin(user_id, login_hint=f"{_NAMES[user_id]}@example.com", prompt="none")
    world.app.connections.finish(world.signed_in(page))
    world.settle()


_NAMES = {ALICE: "alice", BOB: "bob", CAROL: "carol"}
TABLE = [
    pytest.param([], {}, set(), id="none-by-default"),
    pytest.param([Subject(USER, ALICE)], {}, {ALICE}, id="a-user"),
    pytest.param([SALES_TEAM], {}, {ALICE, BOB}, id="a-team"),
    pytest.param([SALES_ROLE], {}, {ALICE, BOB, CAROL}, id="a-role"),
    pytest.param([SALES_TEAM, Subject(USER, CAROL)], {}, {ALICE, BOB, CAROL}, id="together"),
    pytest.param([Subject(TEAM, "t9")], {"teamsIds": ["t9"]}, {CAROL}, id="another-team"),
    pytest.param([SALES_TEAM], {"isActive": False, "teamsIds": [TEAM_SALES_ID]}, {ALICE, BOB}, id="who-left"),
]


@pytest.mark.parametrize(("given", "carol", "may"), TABLE)
def test_what_users_may(world: World, given: list[Subject], carol: dict[str, object], may: set[str]) -> None:
    world.crm.store.insert("Team", {"id": "t9", "name": "Service", "deleted": False})
    member(world, CAROL, **carol)
    give(world, *given)
    named = {user: entitled.effective(world.app, user) for user in (ALICE, BOB, CAROL)}
    assert {user for user, names in named.items() if names == NEEDED} == may
    assert {names for user, names in named.items() if user not in may} <= {frozenset()}


def test_without_a_grant_nobody_connects(world: World) -> None:
    with pytest.raises(UserError, match="not allowed by an administrator"):
        sign_in(world, CAROL)
    assert world.app.store.accounts.get(CAROL) is None


@pytest.mark.parametrize(
    "subject", [SALES_TEAM, SALES_ROLE, Subject(USER, ALICE)], ids=["team", "role", "user"]
)
def test_taken_and_given_back_at_once(world: World, subject: Subject) -> None:
    give(world, subject)
    sign_in(world, ALICE)
    record = world.save()
    world.settle()
    giving.take(world.app, ADMINISTRATOR, subject)
    assert (world.account(ALICE).status, world.link(record).state) == ("off", "suspended")
    world.change(record, name="Meanwhile")
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    give(world, subject)
    world.settle()
    assert (world.account(ALICE).status, world.link(record).state) == ("connected", "active")


def test_one_of_two_ways_is_enough(world: World) -> None:
    give(world, SALES_TEAM, SALES_ROLE)
    sign_in(world, ALICE)
    outcome = giving.take(world.app, ADMINISTRATOR, SALES_TEAM)
    assert (outcome.changed, world.account(ALICE).status) == ((), "connected")
    assert giving.take(world.app, ADMINISTRATOR, SALES_ROLE).changed == (ALICE,)
    assert world.account(ALICE).status == "off"


def test_a_user_who_has_it_by_a_team_keeps_it(world: World) -> None:
    give(world, SALES_TEAM, Subject(USER, ALICE))
    sign_in(world, ALICE)
    outcome = giving.take(world.app, ADMINISTRATOR, Subject(USER, ALICE))
    assert (outcome.still, outcome.changed) == (NEEDED, ())
    assert world.account(ALICE).status == "connected"


def test_half_of_it_is_not_enough(world: World) -> None:
    giving.give(world.app, ADMINISTRATOR, SALES_TEAM, [ACCOUNT])
    with pytest.raises(UserError, match="not allowed"):
        sign_in(world, ALICE)
    giving.give(world.app, ADMINISTRATOR, SALES_ROLE, [CALENDAR])
    sign_in(world, ALICE)
    assert world.account(ALICE).status == "connected"


class TestTheCrmChanges:
    @pytest.fixture
    def world(self, world: World) -> World:
        """Alice is connected because of her team; the first sweep is over."""
        give(world, SALES_TEAM)
        sign_in(world, ALICE)
        world.sweep()
        return world

    def test_who_left_a_team_is_found_by_the_daily_look(self, world: World) -> None:
        member(world, ALICE, teamsIds=[])
        world.sweep()
        assert world.account(ALICE).status == "connected"
        world.clock.advance(DAY)
        world.sweep()
        assert world.account(ALICE).status == "off"
        member(world, ALICE, teamsIds=[TEAM_SALES_ID])
        world.clock.advance(DAY)
        world.sweep()
        assert world.account(ALICE).status == "connected"

    def test_a_hook_lets_the_next_sweep_look(self, world: World) -> None:
        member(world, ALICE, teamsIds=[])
        world.crm.log.clear()
        world.plugins.hook.calsync_grants_changed(user_id=ALICE)
        assert not world.crm.log.requests
        world.settle()
        assert world.account(ALICE).status == "off"

    @pytest.mark.parametrize("status", [403, 500, 503])
    def test_a_crm_that_does_not_tell_changes_nothing(self, world: World, status: int) -> None:
        member(world, ALICE, teamsIds=[])
        world.crm_fails(path=".*/User.*", status=status, times=None)
        world.clock.advance(DAY)
        world.sweep()
        assert world.account(ALICE).status == "connected"
        world.crm.faults.clear()
        world.clock.advance(61)
        world.sweep()
        assert world.account(ALICE).status == "off"

    def test_who_was_deactivated_is_suspended_and_goes_on_when_active_again(self, world: World) -> None:
        record = world.save()
        world.settle()
        event = world.event(ALICE)
        member(world, ALICE, isActive=False)
        world.clock.advance(DAY)
        world.sweep()
        assert world.account(ALICE).status == "off"
        world.outlook_patch(ALICE, event.id, subject="Edited after the dismissal")
        world.settle()
        assert world.record(record)["name"] == "Kick-off"
        assert world.events(ALICE) != []
        member(world, ALICE, isActive=True)
        world.clock.advance(DAY)
        world.sweep()
        world.pull()
        assert world.account(ALICE).status == "connected"
        assert world.record(record)["name"] == "Edited after the dismissal"
        assert world.mails() == []

    def test_a_crm_that_lists_nobody_at_all_stops_nobody(self, world: World) -> None:
        world.connect(BOB)
        for user_id in (ALICE, BOB):
            member(world, user_id, isActive=False)
        world.clock.advance(DAY)
        world.sweep()
        assert {world.account(one).status for one in (ALICE, BOB)} == {"connected"}

    def test_who_sees_no_other_users_judges_nobody(self, world: World) -> None:
        member(world, ALICE, isActive=False)
        role = world.crm.store.tables["Role"].rows[ROLE_BRIDGE_ID]
        role["data"] = {**role["data"], "User": {"read": "own", "edit": "no"}}
        world.clock.advance(DAY)
        world.sweep()
        assert world.account(ALICE).status == "connected"

    def test_a_grant_taken_while_the_crm_is_away_is_followed_later(self, world: World) -> None:
        give(world, SALES_ROLE)
        world.crm_fails(path=".*/User.*", status=503, times=None)
        assert giving.take(world.app, ADMINISTRATOR, SALES_TEAM).later
        assert giving.take(world.app, ADMINISTRATOR, SALES_ROLE).changed == (ALICE,)


class Acl:
    """A CRM with an access control of its own."""

    def __init__(self, named: Collection[str] | None) -> None:
        self.named = named

    @hookimpl
    def calsync_grants(self, user_id: str) -> Collection[str] | None:
        """Whatever the test says."""
        return self.named


class Broken:
    """A plugin that fails."""

    @hookimpl
    def calsync_grants(self, user_id: str) -> Collection[str] | None:
        raise ValueError(user_id)


@pytest.mark.parametrize(
    ("host", "may"),
    [
        pytest.param(Acl([]), False, id="the-host-says-no"),
        pytest.param(Acl([*NEEDED, "OutlookMail"]), True, id="the-host-says-yes"),
        pytest.param(Acl(None), True, id="the-host-cannot-tell"),
        pytest.param(Broken(), False, id="the-host-fails"),
    ],
)
def test_the_host_goes_first(world: World, host: object, may: bool) -> None:
    give(world, *([] if isinstance(host, Acl) and host.named else [Subject(USER, ALICE)]))
    world.open(host)
    assert (entitled.effective(world.app, ALICE) == NEEDED) is may


def test_accounts_from_before_keep_what_they_have(world: World) -> None:
    store = world.app.store
    store.bookmarks.set(entitled.CARRIED, "")
    store.accounts.save(Account(user_id=BOB, grants=NEEDED, settings={"sync_since": "2026-11-23"}))
    give(world, Subject(USER, CAROL))
    assert world.account(BOB).grants == NEEDED
    given = {(g.subject.id, g.given_by) for g in giving.listed(world.app)}
    assert given == {(BOB, entitled.BEFORE), (CAROL, "Admin")}
    world.sweep()
    world.clock.advance(DAY)
    world.sweep()
    assert world.account(BOB).grants == NEEDED
    giving.take(world.app, ADMINISTRATOR, Subject(USER, BOB))
    assert world.account(BOB).grants == frozenset()


def test_every_change_is_in_the_log(world: World) -> None:
    give(world, SALES_TEAM, SALES_TEAM)
    giving.take(world.app, ADMINISTRATOR, SALES_TEAM, [CALENDAR])
    entries = world.app.store.audit.entries()
    assert [(one.actor_name, one.text) for one in entries] == [
        ("Admin", "took OutlookCalendar from team Sales"),
        ("Admin", "gave ExternalAccount and OutlookCalendar to team Sales"),
    ]


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        pytest.param(TEAM, "Sales", SALES_TEAM, id="team"),
        pytest.param(ROLE, "Sales", SALES_ROLE, id="role"),
        pytest.param(TEAM, TEAM_SALES_ID, SALES_TEAM, id="by-id"),
        pytest.param(TEAM, "Nobody", "names no team 'Nobody'; there are Sales", id="unknown"),
        pytest.param(ROLE, "Nobody", "only administrators can read roles", id="unknown-role"),
    ],
)
def test_a_group_is_called_by_name(world: World, kind: str, name: str, expected: Subject | str) -> None:
    if isinstance(expected, Subject):
        assert giving.group_called(world.app, kind, name) == expected
        return
    with pytest.raises(UserError, match=expected):
        giving.group_called(world.app, kind, name)


def test_teams_of_one_name_are_told_apart(world: World) -> None:
    world.crm.store.insert("Team", {"id": "t9", "name": "Sales", "deleted": False})
    with pytest.raises(UserError, match=f"say its id: {TEAM_SALES_ID}, t9"):
        giving.group_called(world.app, TEAM, "Sales")


def test_nobody_gets_what_there_is_not(world: World) -> None:
    with pytest.raises(UserError, match="there is no grant 'Everything'"):
        giving.give(world.app, ADMINISTRATOR, SALES_TEAM, ["Everything"])
    with pytest.raises(UserError, match="knows no team 'nowhere'"):
        give(world, Subject(TEAM, "nowhere"))
