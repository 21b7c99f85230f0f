"""What an administrator does with accounts, and how it reads in the audit log."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from calsync_plugin.accounts import administration, holds
from calsync_plugin.accounts.changes_in_words import changes_in_words
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.errors import SettingsError, UserError
from calsync_plugin.state import AccountStatus
from tests.world import ADMINISTRATOR, ALICE, BOB, World


def texts(world: World) -> list[tuple[str, str]]:
    return [(one.actor_name or one.actor_id, one.text) for one in world.app.store.audit.entries()]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param({}, {}, "", id="nothing"),
        pytest.param({}, {"mode": "both"}, "", id="the-default-is-no-change"),
        pytest.param(
            {"mode": "both"},
            {"mode": "outlook_to_crm"},
            "Direction: Both ways -> Outlook to CRM",
            id="direction",
        ),
        pytest.param({}, {"push_leads": True}, "Invite leads: no -> yes", id="yes-or-no"),
        pytest.param({"months_ahead": 3}, {}, "Months ahead: 3 -> 12", id="number"),
        pytest.param(
            {}, {"main_calendar": "A1"}, "Main calendar: your default calendar -> Work", id="calendar"
        ),
        pytest.param(
            {"main_calendar": "A1"}, {"main_calendar": "none"}, "Main calendar: Work -> none", id="none"
        ),
        pytest.param(
            {},
            {"other_calendars": ["A1", "?"]},
            "Other calendars: none -> Work, another calendar",
            id="several",
        ),
        pytest.param(
            {},
            {"entities": [{"entity_type": "Meeting"}, {"entity_type": "Call", "label": "C"}]},
            "What to sync: Meeting -> Meeting, Call (C)",
            id="kinds",
        ),
    ],
)
def test_changes_are_told_in_words(
    before: Mapping[str, object], after: Mapping[str, object], words: str
) -> None:
    assert changes_in_words(before, after, {"A1": "Work"}) == words


def test_an_administrator_chooses_direction_and_calendars(world: World) -> None:
    app, calendar = world.app, world.calendar(ALICE, "Projects")
    world.connect(ALICE)
    administration.choose_for(
        app.store, app.gateway, ADMINISTRATOR, ALICE, {"mode": "crm_to_outlook", "main_calendar": calendar}
    )
    assert world.account(ALICE).settings["main_calendar"] == calendar
    assert texts(world)[0] == (
        "Admin",
        (
            "changed settings: Direction: Both ways -> CRM to Outlook; "
            "Main calendar: your default calendar -> Projects"
        ),
    )


@pytest.mark.parametrize("changes", [{"push_contacts": True}, {"main_calendar": "elsewhere"}])
def test_the_rest_is_the_users_own(world: World, changes: dict[str, bool | str]) -> None:
    world.connect(ALICE)
    with pytest.raises(SettingsError):
        administration.choose_for(world.app.store, world.app.gateway, ADMINISTRATOR, ALICE, changes)


def test_nobody_chooses_for_who_is_not_connected(world: World) -> None:
    world.connect(ALICE)
    world.app.connections.disconnect(ALICE, by=ADMINISTRATOR)
    for user_id in (ALICE, BOB):
        with pytest.raises(UserError, match="only the user can connect"):
            administration.choose_for(
                world.app.store, world.app.gateway, ADMINISTRATOR, user_id, {"mode": "both"}
            )


def test_what_is_off_cannot_be_paused(world: World) -> None:
    world.connect(ALICE)
    world.app.connections.disconnect(ALICE, by=ADMINISTRATOR)
    with pytest.raises(UserError, match="nothing to pause"):
        world.app.connections.pause(ALICE, by=ADMINISTRATOR)
    assert world.account(ALICE).status is AccountStatus.OFF
    assert texts(world)[0] == ("Admin", "disconnected Outlook")


def test_what_was_deleted_is_counted_not_shown(world: World) -> None:
    world.connect(ALICE)
    record = world.save(name="Secret", usersIds=[ALICE, BOB])
    world.settle()
    world.remove(record)
    world.settle()
    app = world.app
    restorer = Restorer(app.store, app.gateway, app.open_mailbox, app.entities)
    seen = administration.deleted(restorer.entries(world.account(ALICE)))
    assert (seen.counts, seen.invited, len(seen.ids)) == ({"event": 1}, 1, 1)
    assert seen.first == seen.last
    assert "Secret" not in repr(seen)
    restorer.restore(world.account(ALICE), seen.ids, with_attendees=False, by=ADMINISTRATOR)
    assert texts(world)[0] == ("Admin", "restored 1 of 1 deleted items")


@pytest.mark.parametrize(
    ("decide", "text"),
    [(holds.confirm, "confirmed held changes: 0"), (holds.discard, "discarded held changes: 0")],
    ids=["confirm", "discard"],
)
def test_a_decision_on_what_is_held_is_noted(world: World, decide: object, text: str) -> None:
    world.connect(ALICE)
    assert callable(decide)
    decide(world.app.store, world.account(ALICE), by=ADMINISTRATOR)
    assert texts(world)[0] == ("Admin", text)
