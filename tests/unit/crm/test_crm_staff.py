"""EspoCRM's users with their teams and roles, as far as the bridge may read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from calsync_plugin.crm.gateway import SimpleGateway
from calsync_plugin.crm.staff import Colleague, ColleaguePage, Group
from calsync_plugin.sandbox.crm import identities as ids
from tests.unit.crm.sandbox import SETTINGS, World, world_of

SALES = frozenset({ids.TEAM_SALES_ID})
SALES_ROLE = frozenset({ids.ROLE_SALES_ID})


@pytest.fixture
def narrow() -> Iterator[World]:
    """A bridge whose role says nothing of teams."""
    made = world_of(SETTINGS)
    data = dict(made.crm.store.tables["Role"].rows[ids.ROLE_BRIDGE_ID]["data"])
    del data["Team"]
    made.crm.store.change("Role", ids.ROLE_BRIDGE_ID, {"data": data})
    yield made
    made.crm.close()


def change(world: World, user_id: str, **values: Any) -> None:
    world.crm.store.change("User", user_id, values)


def test_a_user_is_known_with_teams_and_roles(world: World) -> None:
    assert world.gateway.staff.by_ids([ids.ALICE_ID, "nobody"]) == {
        ids.ALICE_ID: Colleague(
            id=ids.ALICE_ID,
            user_name="alice",
            name="Alice Able",
            addresses=("alice@example.com",),
            team_ids=SALES,
            role_ids=SALES_ROLE,
        )
    }


@pytest.mark.parametrize(
    ("search", "found"),
    [
        pytest.param("", ["admin", "alice", "bob", "carol"], id="all-but-programs"),
        pytest.param("able", ["alice"], id="name"),
        pytest.param("BOB", ["bob"], id="user-name"),
        pytest.param(" carol@ ", ["carol"], id="address"),
        pytest.param("a", ["admin", "alice", "bob", "carol"], id="several"),
        pytest.param("nobody", [], id="none"),
    ],
)
def test_users_are_searched(world: World, search: str, found: list[str]) -> None:
    page = world.gateway.staff.users(search=search)
    assert [user.user_name for user in page.users] == found
    assert [user.user_name for user in page.users if user.admin] == found[:1] * ("admin" in found)


def test_users_come_in_pages(world: World) -> None:
    staff = world.gateway.staff
    first, second = staff.users(limit=3), staff.users(offset=3, limit=3)
    assert ([u.user_name for u in first.users], first.more) == (["admin", "alice", "bob"], True)
    assert ([u.user_name for u in second.users], second.more) == (["carol"], False)


def test_who_left_is_not_listed(world: World) -> None:
    change(world, ids.BOB_ID, isActive=False)
    assert "bob" not in [user.user_name for user in world.gateway.staff.users().users]
    assert world.gateway.staff.by_ids([ids.BOB_ID]) == {}


def test_the_roles_of_a_team_are_its_members(world: World) -> None:
    world.crm.store.change("Team", ids.TEAM_SALES_ID, {"rolesIds": ["r9"]})
    (alice,) = world.gateway.staff.by_ids([ids.ALICE_ID]).values()
    assert alice.role_ids == SALES_ROLE | {"r9"}


def test_teams_are_listed_and_roles_are_learnt(world: World) -> None:
    groups = world.gateway.staff.groups()
    assert groups.teams == (Group(ids.TEAM_SALES_ID, "Sales"),)
    assert groups.roles == (Group(ids.ROLE_SALES_ID, "Sales"),)
    assert groups.teams_lack == ""
    assert "only administrators can read roles" in groups.roles_lack


def test_without_the_right_teams_are_learnt_from_users(narrow: World) -> None:
    narrow.crm.store.insert("Team", {"id": "t9", "name": "Empty", "deleted": False})
    groups = narrow.gateway.staff.groups()
    assert groups.teams == (Group(ids.TEAM_SALES_ID, "Sales"),)
    assert "the right to read all teams" in groups.teams_lack
    assert narrow.gateway.staff.by_ids([ids.ALICE_ID])[ids.ALICE_ID].team_ids == SALES


def test_a_simple_crm_has_no_staff() -> None:
    staff = SimpleGateway().staff
    assert (staff.users(), staff.by_ids(["1"])) == (ColleaguePage(()), {})
    groups = staff.groups()
    assert (groups.teams, groups.roles) == ((), ())
    assert "single users" in groups.teams_lack
    assert "single users" in groups.roles_lack
