"""What people read about an account: how it stands, what is awaited, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from calsync_plugin.accounts import grants, report
from calsync_plugin.domain.links import LinkState
from calsync_plugin.state import AccountStatus, Notify
from tests.world import ALICE, BOB, START, World


def shown(world: World) -> dict[str, Any]:
    return report.account(world.app.store, ALICE)


def test_an_account_that_was_never_read_says_so(world: World, sign_in: Callable[[World, str], None]) -> None:
    sign_in(world, ALICE)
    found = shown(world)
    assert (found["read"], found["read_seconds_ago"], found["changes_by"]) == ("", None, "")
    assert found["next_reading"] == "2026-11-23T09:00:00+00:00"
    assert found["grants"] == sorted(grants.NEEDED)


def test_a_polled_mailbox_names_the_reason_and_the_next_look(world: World) -> None:
    world.connect(ALICE)
    world.settle()
    world.clock.advance(60)
    found = shown(world)
    assert found["changes_by"] == Notify.POLL.value
    assert "does not allow notifications" in found["changes_by_reason"]
    assert found["read"] == "2026-11-23T09:00:00+00:00"
    assert found["read_seconds_ago"] == 60
    next_look = START + timedelta(seconds=world.settings.graph.poll_seconds)
    assert found["next_reading"] == next_look.isoformat()
    assert found["stage"] == "idle"


def test_a_notified_mailbox_says_so(notified: World) -> None:
    notified.connect(ALICE)
    notified.settle()
    assert (shown(notified)["changes_by"], shown(notified)["changes_by_reason"]) == ("notifications", "")


def test_links_are_counted_by_state_and_marks_by_side(world: World) -> None:
    world.connect(ALICE)
    kept, put_aside = world.save(name="Kept"), world.save(name="Put aside")
    world.settle()
    store, mailbox_id = world.app.store, world.account(ALICE).mailbox_id or 0
    with store.save(None) as tx:
        tx.save_links([replace(world.link(put_aside), state=LinkState.DETACHED)])
        tx.mark_events(mailbox_id, ["one", "two"])
    world.app.connections.pause(ALICE)
    world.change(kept, name="Changed")
    world.settle()
    found = shown(world)
    assert found["links"] == {"active": 1, "suspended": 0, "detached": 1}
    assert found["waiting"] == {"records": 1, "events": 2}


@pytest.mark.parametrize(
    ("status", "help_"),
    [
        pytest.param(AccountStatus.RECONNECT, "calsync accounts connect", id="reconnect"),
        pytest.param(AccountStatus.NEEDS_ATTENTION, "calsync accounts resume", id="needs-attention"),
        pytest.param(AccountStatus.PAUSED, "calsync accounts resume", id="paused"),
        pytest.param(AccountStatus.CONNECTED, "", id="connected"),
    ],
)
def test_what_to_do_is_said(world: World, status: AccountStatus, help_: str) -> None:
    world.connect(ALICE)
    world.app.store.accounts.set_status(ALICE, status, "a reason")
    found = shown(world)
    assert (found["status"], found["reason"]) == (status.value, "a reason")
    assert help_ in found["what_to_do"]
    assert bool(found["what_to_do"]) is bool(help_)


def test_an_account_that_is_not_synced_has_no_next_look(world: World) -> None:
    world.connect(ALICE)
    world.settle()
    world.app.connections.pause(ALICE)
    assert shown(world)["next_reading"] == ""


def test_an_administrator_sees_no_content(world: World) -> None:
    world.connect(ALICE)
    world.save(name="Merger with Contoso", description="strictly confidential")
    world.settle()
    record = world.save(name="Layoffs", description="strictly confidential")
    world.settle()
    world.outlook_patch(ALICE, world.event_of(ALICE, "Layoffs").id, subject="Layoffs, edited")
    world.change(record, name="Layoffs, too")
    world.settle()
    assert shown(world)["clashes"] == 1
    text = str(shown(world))
    assert "Merger" not in text
    assert "Layoffs" not in text
    assert "confidential" not in text


def test_clashes_are_told_with_both_values(world: World) -> None:
    world.connect(ALICE)
    record = world.save()
    world.settle()
    world.edit(ALICE, subject="From Outlook")
    world.change(record, name="From the CRM")
    world.settle()
    (clash,) = report.clashes(world.app.store, world.account(ALICE))
    assert clash == {
        "at": clash["at"],
        "record": f"Meeting {record}",
        "field": "subject",
        "winner": "crm",
        "crm": "From the CRM",
        "outlook": "From Outlook",
    }
    assert shown(world)["clashes"] == 1


def test_accounts_come_in_pages(world: World) -> None:
    world.connect(ALICE)
    world.connect(BOB)
    first = report.some_accounts(world.app.store, limit=1)
    rest = report.some_accounts(world.app.store, after=first[0]["user"])
    assert [line["user"] for line in (*first, *rest)] == [ALICE, BOB]
    assert [line["user"] for line in report.accounts(world.app.store)] == [ALICE, BOB]
