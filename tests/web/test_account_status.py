"""What a user sees of the calendar's health, and what can be done about it by the user alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync_plugin.domain.links import LinkState
from calsync_plugin.state import AccountStatus
from tests.outlook_side import OutlookSide
from tests.pages import Browser, path_of
from tests.world import ALICE, BOB, CAROL, DAVE, World

HOME = "/external-account"
PAGES = {
    "backfill": "Nothing waits for you",
    "held": "Nothing is held back",
    "parked": "Everything could be synced",
    "clashes": "Nothing was changed in both places",
    "detached": "All meetings that are in both places are followed",
    "restore": "calsync deleted nothing",
    "reset": "Nothing is deleted and nothing appears twice",
    "disconnect": "Nothing is deleted",
    "settings": "What to sync",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture
def alice(world: World) -> Browser:
    page = Browser(world)
    page.sign_in("alice")
    return page


def text_of(page: Browser, path: str = "") -> str:
    """A page's text as it is read: without tags and line ends."""
    main = page.get(HOME + path).text.partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


# --- status


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        pytest.param(AccountStatus.CONNECTED, "", "In step", id="connected"),
        pytest.param(AccountStatus.RECONNECT, "x", "Microsoft wants you to sign in again", id="reconnect"),
        pytest.param(
            AccountStatus.NEEDS_ATTENTION, "no licence", "No licence. Your changes wait", id="attention"
        ),
        pytest.param(AccountStatus.PAUSED, "paused", "An administrator paused your calendar", id="paused"),
    ],
)
def test_a_status_in_words(
    world: World, alice: Browser, status: AccountStatus, reason: str, said: str
) -> None:
    world.app.store.accounts.set_status(ALICE, status, reason)
    assert said in text_of(alice)


def test_the_last_success_is_told_in_the_users_zone(world: World, alice: Browser) -> None:
    at = world.account(ALICE).last_success_at
    assert at is not None
    page = alice.get(HOME).text
    assert at.isoformat(timespec="seconds") in page
    assert f"{at.hour + 1:02}:{at.minute:02}</time>" in page  # Berlin in winter


@pytest.mark.parametrize(("name", "said"), PAGES.items(), ids=PAGES)
def test_an_empty_page_says_what_it_is_for(alice: Browser, name: str, said: str) -> None:
    assert said in text_of(alice, f"/{name}")


@pytest.mark.parametrize("name", PAGES)
def test_without_an_account_there_is_only_the_overview(world: World, name: str) -> None:
    carol = Browser(world)
    carol.sign_in("carol")
    assert path_of(carol.get(f"{HOME}/{name}")) == HOME
    if name != "clashes":
        assert path_of(carol.post(f"{HOME}/{name}")) == HOME
    assert carol.get(f"{HOME}/status.json").status_code == 404
    assert world.app.store.accounts.get(CAROL) is None


def test_sync_now_shows_how_far_it_is(world: World, alice: Browser) -> None:
    assert alice.get(f"{HOME}/status.json").get_json()["busy"] is False
    world.outlook_create(ALICE, subject="Later")
    assert "<progress" in alice.post(f"{HOME}/sync").text
    told = alice.get(f"{HOME}/status.json").get_json()
    assert (told["busy"], told["first"], told["done"]) == (True, False, 0)
    world.settle()
    told = alice.get(f"{HOME}/status.json").get_json()
    assert (told["busy"], told["done"], told["title"]) == (False, 1, "In step")
    assert world.only_record()["name"] == "Later"


def test_a_user_switches_off_and_on(world: World, alice: Browser) -> None:
    alice.post(f"{HOME}/switch", {"on": "no"})
    assert world.account(ALICE).status == "paused"
    world.save()
    world.settle()
    assert world.events(ALICE) == []
    assert "You switched your calendar off" in text_of(alice)
    alice.post(f"{HOME}/switch", {"on": "yes"})
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_what_an_administrator_paused_is_not_the_users_to_resume(world: World, alice: Browser) -> None:
    world.app.connections.pause(ALICE)
    assert alice.post(f"{HOME}/switch", {"on": "yes"}).status_code == 409
    assert world.account(ALICE).status == "paused"


def test_what_needed_attention_is_tried_again(world: World, alice: Browser) -> None:
    world.app.store.accounts.set_status(ALICE, AccountStatus.NEEDS_ATTENTION, "no licence")
    world.save()
    alice.post(f"{HOME}/switch", {"on": "yes"})
    world.settle()
    assert world.account(ALICE).status == "connected"
    assert world.event(ALICE).subject == "Kick-off"


def test_all_calendars_wait_where_sync_is_switched_off(world: World, alice: Browser) -> None:
    world.app.store.installation.update(paused="the address changed")
    assert "All calendars wait" in text_of(alice)


@pytest.mark.parametrize("away", ["crm", "outlook"])
def test_a_side_that_does_not_answer_closes_no_page(world: World, alice: Browser, away: str) -> None:
    world.save()
    world.settle()
    world.discard(ALICE)
    world.pull()
    world.insert(name="Without an end", dateEnd=None)
    world.settle()
    if away == "crm":
        world.crm_fails(path=".*", status=503, times=None)
    else:
        world.fail(match={"path": "/"}, status=503, times=1000)
    answers = {name: alice.get(f"{HOME}/{name}".rstrip("/")).status_code for name in ("", *PAGES)}
    # What would be sent can only be told by the CRM.
    assert answers == dict.fromkeys(("", *PAGES), 200) | ({"backfill": 502} if away == "crm" else {})


# --- parked, clashes, held


def test_what_is_parked_is_named_with_its_reason(world: World, alice: Browser) -> None:
    world.insert(name="Without an end", dateEnd=None)
    world.settle()
    assert "1 could not be synced" in text_of(alice)
    shown = text_of(alice, "/parked")
    assert "Without an end" in shown
    assert "It has no end (dateEnd); enter one" in shown
    record = world.records()[0]["id"]
    world.api("PUT", f"Meeting/{record}", json={"dateEnd": "2026-12-01 11:00:00"})
    alice.post(f"{HOME}/parked")
    world.settle()
    assert world.event(ALICE).subject == "Without an end"
    assert "Everything could be synced" in text_of(alice, "/parked")


def test_a_clash_is_shown_with_both_values_to_its_user_alone(world: World, alice: Browser) -> None:
    record = world.save()
    world.settle()
    world.change(record, name="By the CRM", dateStart="2026-12-01 08:00:00", dateEnd="2026-12-01 09:00:00")
    world.edit(ALICE, subject="By Outlook", start="2026-12-01T14:00:00", end="2026-12-01T15:00:00")
    world.pull()
    shown = text_of(alice, "/clashes")
    assert "By the CRM" in shown
    assert "By Outlook" in shown
    assert "09:00" in shown  # 8 o'clock UTC in Berlin
    assert "15:00" in shown
    bob = Browser(world, alice.client.application)
    bob.sign_in("bob")
    assert "By Outlook" not in text_of(bob, "/clashes")


def test_held_deletions_are_confirmed_or_given_up(world: World, alice: Browser) -> None:
    records = [world.save(name=f"Meeting {n}") for n in range(12)]
    world.settle()
    for record in records:
        world.remove(record)
    world.settle()
    left = len(world.events(ALICE))
    assert left > 0
    assert f"{left} changes are held back" in text_of(alice)
    assert "Meeting 11" in text_of(alice, "/held")
    bob = Browser(world, alice.client.application)
    bob.sign_in("bob")
    bob.post(f"{HOME}/held", {"decision": "confirm"})
    world.settle()
    assert len(world.events(ALICE)) == left  # another user's decision is about that user's calendar
    alice.post(f"{HOME}/held", {"decision": "confirm"})
    world.settle()
    assert world.events(ALICE) == []


def test_held_deletions_that_are_given_up_stay(world: World, alice: Browser) -> None:
    records = [world.save(name=f"Meeting {n}") for n in range(12)]
    world.settle()
    for record in records:
        world.remove(record)
    world.settle()
    left = len(world.events(ALICE))
    alice.post(f"{HOME}/held", {"decision": "discard"})
    world.settle()
    assert len(world.events(ALICE)) == left
    assert "Nothing is held back" in text_of(alice, "/held")


# --- detached


def _link_of(page: Browser) -> str:
    found = re.search(r'name="link" value="([^"]+)"', page.get(f"{HOME}/detached").text)
    assert found
    return found[1]


def test_push_again(world: World, alice: Browser) -> None:
    record = world.save()
    world.settle()
    world.discard(ALICE)
    world.pull()
    assert world.link(record).state is LinkState.DETACHED
    shown = text_of(alice, "/detached")
    assert "Kick-off" in shown
    assert "Push again" in shown
    alice.post(f"{HOME}/detached", {"link": _link_of(alice)})
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.app.store.audit.entries()[0].actor_name == "Alice Able"


def test_import_again(world: World, alice: Browser) -> None:
    world.outlook_create(ALICE)
    world.pull()
    world.remove(world.only_record()["id"])
    world.settle()
    assert "Import again" in text_of(alice, "/detached")
    alice.post(f"{HOME}/detached", {"link": _link_of(alice)})
    world.settle()
    assert world.only_record()["name"] == "Visit"


def test_another_users_meeting_is_out_of_reach(world: World, alice: Browser) -> None:
    record = world.save(assignedUserId=BOB, usersIds=[BOB])
    world.settle()
    world.discard(BOB)
    world.pull()
    link = world.link(record)
    assert link.state is LinkState.DETACHED
    assert alice.post(f"{HOME}/detached", {"link": link.id}).status_code == 404
    world.settle()
    assert world.link(record).state is LinkState.DETACHED


# --- deleted


def test_what_was_deleted_is_restored_with_or_without_invitations(world: World, alice: Browser) -> None:
    record = world.save(name="Lost", usersIds=[ALICE, BOB])
    world.settle()
    world.remove(record)
    world.settle()
    world.mails()
    page = alice.get(f"{HOME}/restore").text
    entry = re.search(r'name="entry" value="([^"]+)"', page)
    assert entry
    assert "Lost" in page
    bob = Browser(world, alice.client.application)
    bob.sign_in("bob")
    assert "Lost" not in text_of(bob, "/restore")
    bob.post(f"{HOME}/restore", {"entry": entry[1]})
    assert world.events(ALICE) == []
    alice.post(f"{HOME}/restore", {"entry": entry[1]})
    assert world.event(ALICE).subject == "Lost"
    assert world.mails() == []


# --- back-fill, reset


def test_the_back_fill_is_confirmed_as_it_was_seen(world: World) -> None:
    world.save(name="First", assignedUserId=CAROL, usersIds=[CAROL, BOB], contactsIds=[DAVE])
    world.settle()
    world.clock.advance(60)
    world.connect(CAROL, push_contacts=True)
    world.mails()
    page = Browser(world)
    page.sign_in("carol")
    shown = text_of(page, "/backfill")
    assert "First" in shown
    assert "Outlook writes to 2 people, 1 of them from outside" in shown
    seen = page.fields(f"{HOME}/backfill")
    world.crm.insert(
        "Meeting",
        {
            "name": "Second",
            "assignedUserId": CAROL,
            "usersIds": [CAROL],
            "dateStart": "2026-12-03 10:00:00",
            "dateEnd": "2026-12-03 11:00:00",
            "modifiedAt": "2026-11-01 10:00:00",
        },
    )
    overtaken = page.post(f"{HOME}/backfill", seen)
    assert overtaken.status_code == 409
    assert "Second" in overtaken.text
    world.settle()
    assert world.events(CAROL) == []
    page.post(f"{HOME}/backfill", page.fields(f"{HOME}/backfill"))
    world.settle()
    assert [event.subject for event in world.events(CAROL)] == ["First", "Second"]


def test_a_reset_tells_what_it_does_and_doubles_nothing(world: World, alice: Browser) -> None:
    world.save()
    world.outlook_create(ALICE)
    world.pull()
    assert "2 meetings" in text_of(alice, "/reset")
    assert world.account(ALICE).pulled_at is not None
    alice.post(f"{HOME}/reset")
    world.settle()
    assert len(world.events(ALICE)) == len(world.records()) == 2
    assert world.mails() == []


def test_the_banner_leads_back_to_microsoft(world: World, alice: Browser) -> None:
    OutlookSide.revoke(world, ALICE)
    world.save()
    world.settle()
    assert world.account(ALICE).status == "reconnect"
    for page in ("", "/settings", "/clashes"):
        assert "Reconnect" in text_of(alice, page)
    OutlookSide.permit(world, ALICE)
    alice.connect("alice@example.com")
    world.settle()
    assert "Reconnect" not in text_of(alice)
    assert world.event(ALICE).subject == "Kick-off"


def test_what_was_left_behind_is_named_to_who_is_off(world: World, alice: Browser) -> None:
    record = world.save(name="Given away")
    world.settle()
    world.app.connections.disconnect(ALICE)
    world.reassign(record, BOB)
    world.settle()
    shown = text_of(alice)
    assert "Left behind in your calendar" in shown
    # The record is bob's by now, and its name is not alice's to read.
    assert "Given away" not in shown
