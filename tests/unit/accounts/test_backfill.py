"""The back-fill: what is previewed is what goes out, and nothing before a person confirmed it (R8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from calsync_plugin.accounts.backfill import EVERYTHING, Backfill
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.outgoing import Preview
from calsync_plugin.accounts.reading import forget_bases
from calsync_plugin.errors import UserError
from calsync_plugin.state import AccountStatus
from tests.world import ALICE, BOB, CAROL, DAVE, ERIN, World


def connected(world: World, **settings: Any) -> None:
    """Alice connects a minute after what was saved, and Outlook is read to its end."""
    world.clock.advance(60)
    world.connect(ALICE, **settings)
    world.settle()


def preview(world: World) -> Preview:
    return Backfill(world.app).preview(ALICE)


def records(found: Preview) -> set[str]:
    return {record.record_id for record in found.records}


def test_records_from_before_the_connection_wait_and_are_previewed(world: World) -> None:
    old = world.save(usersIds=[ALICE, BOB])
    connected(world)
    assert world.events(ALICE) == []
    found = preview(world)
    assert (records(found), found.creates, found.mailed, found.outsiders) == (
        {old},
        1,
        ["bob@example.com"],
        [],
    )
    world.settle()
    assert world.events(ALICE) == []
    assert world.mails() == []


def test_what_was_confirmed_goes_out_and_the_log_says_so(world: World) -> None:
    world.save(name="Old", usersIds=[ALICE, BOB])
    world.save("Call", name="Old call")
    connected(world)
    assert Backfill(world.app).confirm(preview(world)) == 2
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["C: Old call", "Old"]
    assert world.mails() == [("invitation", "bob@example.com")]
    assert "the back-fill was confirmed; records: 2, people Outlook may write to: 1" in world.notes(ALICE)
    assert preview(world).records == ()


def test_exactly_the_previewed_records_are_marked(world: World) -> None:
    world.save(name="Seen")
    connected(world)
    found = preview(world)
    world.crm.insert(
        "Meeting",
        {
            "name": "Behind our back",
            "assignedUserId": ALICE,
            "usersIds": [ALICE],
            "dateStart": "2026-12-02 10:00:00",
            "dateEnd": "2026-12-02 11:00:00",
            "modifiedAt": "2026-11-01 10:00:00",
        },
    )
    Backfill(world.app).confirm(found)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Seen"]


@pytest.mark.parametrize(
    ("attributes", "entity_type"),
    [
        pytest.param({"assignedUserId": BOB}, "Meeting", id="of-another-user"),
        pytest.param(
            {"dateStart": "2026-11-22 10:00:00", "dateEnd": "2026-11-22 11:00:00"},
            "Meeting",
            id="over-before-sync-since",
        ),
        pytest.param(
            {"isAllDay": True, "dateStartDate": "2026-11-22", "dateEndDate": "2026-11-22"},
            "Meeting",
            id="the-day-before-sync-since",
        ),
        pytest.param(
            {"dateStart": "2029-11-22 10:00:00", "dateEnd": "2029-11-22 11:00:00"}, "Meeting", id="far-ahead"
        ),
        pytest.param({}, "Visit", id="a-kind-that-is-not-synced"),
    ],
)
def test_what_is_not_wanted_in_this_calendar_is_left_out(
    world: World, attributes: dict[str, Any], entity_type: str
) -> None:
    world.save(entity_type, **attributes)
    kept = world.save(name="Kept")
    connected(world, entities=[{"entity_type": "Meeting"}, {"entity_type": "Call", "label": "C"}])
    assert records(preview(world)) == {kept}


def test_a_record_of_the_first_day_is_wanted_whatever_the_zone(world: World) -> None:
    """Alice's mailbox is an hour ahead of UTC: her day begins at 23:00 of the day before."""
    world.save(name="Late evening", dateStart="2026-11-22 22:00:00", dateEnd="2026-11-22 22:30:00")
    first = world.save(name="After midnight", dateStart="2026-11-22 23:10:00", dateEnd="2026-11-22 23:30:00")
    connected(world)
    assert records(preview(world)) == {first}


@pytest.mark.parametrize(
    ("settings", "mailed", "outsiders"),
    [
        pytest.param({}, ["bob@example.com"], [], id="users-only"),
        pytest.param(
            {"push_contacts": True},
            ["bob@example.com", "dave@contoso.example", "erin@contoso.example"],
            ["dave@contoso.example", "erin@contoso.example"],
            id="contacts-too",
        ),
    ],
)
def test_the_people_are_those_whom_outlook_would_write_to(
    world: World, settings: dict[str, Any], mailed: list[str], outsiders: list[str]
) -> None:
    world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE])
    world.save(usersIds=[ALICE, BOB], contactsIds=[ERIN])
    connected(world, **settings)
    found = preview(world)
    assert (found.mailed, found.outsiders) == (mailed, outsiders)
    Backfill(world.app).confirm(found)
    world.settle()
    assert sorted({to for _, to in world.mails()}) == mailed


def test_people_of_records_that_are_over_are_not_counted(world: World) -> None:
    over = world.save(usersIds=[ALICE, BOB], dateStart="2026-11-23 06:00:00", dateEnd="2026-11-23 07:00:00")
    connected(world)
    found = preview(world)
    assert (records(found), found.mailed) == ({over}, [])
    Backfill(world.app).confirm(found)
    world.settle()
    assert world.event(ALICE).attendees == set()
    assert world.mails() == []


def test_an_edit_that_waits_is_an_update_that_mails_everybody_on_the_event(world: World) -> None:
    connected(world, push_contacts=True)
    record = world.save(name="Before", usersIds=[ALICE, BOB], contactsIds=[DAVE])
    world.settle()
    world.mails()
    world.app.connections.pause(ALICE)
    world.change(record, name="After")
    world.clock.advance(60)
    choose(world.app.store, world.app.gateway, ALICE, {"push_leads": True})
    world.app.connections.resume(ALICE)
    world.settle()
    assert world.event(ALICE).subject == "Before"
    found = preview(world)
    assert (len(found.records), found.creates) == (1, 0)
    assert found.mailed == ["bob@example.com", "dave@contoso.example"]
    assert found.outsiders == ["dave@contoso.example"]
    Backfill(world.app).confirm(found)
    world.settle()
    assert world.event(ALICE).subject == "After"
    assert [to for _, to in world.mails()] == found.mailed


def test_a_link_without_bases_counts_as_one_that_may_be_changed(world: World) -> None:
    """After a reset both sides are compared; what differs in the CRM goes out with the confirmation only."""
    connected(world)
    record = world.save(name="Before", usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.app.connections.pause(ALICE)
    world.change(record, name="After")
    world.clock.advance(60)
    store = world.app.store
    store.accounts.set_push_from(ALICE, world.app.gateway.now().replace(microsecond=0))
    assert forget_bases(store, world.account(ALICE).mailbox_id or 0) == 1
    found = preview(world)
    assert (records(found), found.creates, found.mailed) == ({record}, 0, ["bob@example.com"])


def test_what_waits_to_be_compared_again_counts_too(world: World) -> None:
    """A kind that was switched off and on again while the account is paused: its link still waits."""
    connected(world)
    kinds = world.account(ALICE).settings["entities"]
    call = world.save("Call", name="Before")
    world.settle()
    choose(world.app.store, world.app.gateway, ALICE, {"entities": [{"entity_type": "Meeting"}]})
    world.change(call, "Call", name="After")
    world.settle()
    world.app.connections.pause(ALICE)
    world.clock.advance(60)
    choose(world.app.store, world.app.gateway, ALICE, {"entities": kinds})
    assert world.link(call, "Call").state == "suspended"
    found = preview(world)
    assert (records(found), found.creates) == ({call}, 0)


def test_before_outlook_was_read_nothing_can_be_confirmed(
    world: World, sign_in: Callable[[World, str], None]
) -> None:
    """What is in both places already must be matched first, or it would be there twice."""
    world.save()
    world.clock.advance(60)
    sign_in(world, ALICE)
    found = preview(world)
    assert not found.read
    assert any("not read to its end" in warning for warning in found.warnings)
    with pytest.raises(UserError, match="not read to its end"):
        Backfill(world.app).confirm(found)
    world.settle()
    assert world.events(ALICE) == []
    Backfill(world.app).confirm(preview(world))
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_a_confirmation_that_was_cut_short_can_be_repeated(world: World) -> None:
    """The process ended after the account was opened and before the records were marked."""
    old = world.save()
    connected(world)
    world.app.store.accounts.set_push_from(ALICE, EVERYTHING)
    found = preview(world)
    assert records(found) == {old}
    Backfill(world.app).confirm(found)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert preview(world).records == ()


def test_what_cannot_become_an_event_is_counted_and_left_out(world: World) -> None:
    world.insert(dateEnd=None)
    connected(world)
    found = preview(world)
    assert (found.records, found.unusable) == ((), 1)


def test_a_paused_account_can_be_confirmed_and_goes_on_later(world: World) -> None:
    world.save()
    connected(world)
    world.app.connections.pause(ALICE)
    Backfill(world.app).confirm(preview(world))
    world.settle()
    assert world.events(ALICE) == []
    world.app.connections.resume(ALICE)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_an_account_that_takes_nothing_has_nothing_to_confirm(world: World) -> None:
    world.save()
    connected(world, mode="outlook_to_crm")
    assert preview(world).records == ()


def test_an_account_that_is_off_is_refused(world: World) -> None:
    connected(world)
    world.app.store.accounts.set_status(ALICE, AccountStatus.OFF)
    with pytest.raises(UserError, match="connect it first"):
        preview(world)
    with pytest.raises(UserError, match="connect it first"):
        Backfill(world.app).preview(CAROL)


def test_meetings_of_a_former_mailbox_are_warned_of_and_stay(world: World) -> None:
    connected(world)
    old = world.save(name="Old", usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.app.connections.pause(ALICE)
    world.change(old, name="Edited before the mailbox was changed")
    world.clock.advance(60)
    page = world.app.connections.begin(ALICE, login_hint="carol@example.com", prompt="none")
    world.app.connections.finish(world.signed_in(page))
    world.settle()
    found = preview(world)
    assert (found.records, found.former) == ((), 1)
    assert any("already hold the old event" in warning for warning in found.warnings)
    Backfill(world.app).confirm(found)
    world.settle()
    assert world.events(CAROL) == []
    assert world.mails() == []


def test_another_preview_has_another_name(world: World) -> None:
    record = world.save()
    connected(world)
    first = preview(world)
    assert preview(world).fingerprint == first.fingerprint
    world.api("PUT", f"Meeting/{record}", json={"usersIds": [ALICE, BOB]})
    world.crm.store.change("Meeting", record, {"modifiedAt": "2026-11-01 10:00:00"})
    assert preview(world).fingerprint != first.fingerprint


def test_progress_is_told(world: World) -> None:
    for number in range(3):
        world.save(name=f"Meeting {number}")
    connected(world)
    seen: list[int] = []
    Backfill(world.app).preview(ALICE, seen.append)
    assert sum(seen) == 3
