"""Real processes, real HTTP, SIGKILL: whatever is cut off, the next process brings to the right end.

The store's lease is a second. Each step is a case: before every commit (within its transaction) and before
every request that is no mere read, and while a request is being answered.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import MEMORY
from tests.faults.town import Town, before_step
from tests.world import ALICE

CREATE = {"match": {"method": "^POST$", "path": "/me/calendar/events"}}


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """Both simulators on ports."""
    with tempfile.TemporaryDirectory(prefix="calsync-kill-", dir=MEMORY) as folder:
        made = Town(Path(folder))
        yield made
        made.close()


def _right(town: Town, record_id: str, *mails: str, **properties: Any) -> None:
    """One event with what it should hold, each mail once, the record's join address, nothing parked."""
    (event,) = town.events(ALICE)
    expected = {"subject": "Kick-off", "isOnlineMeeting": True, **properties}
    assert {name: event[name] for name in expected} == expected
    assert [a["emailAddress"]["address"] for a in event["attendees"]] == ["dave@contoso.example"]
    _settled(town, "invitation", *mails)
    joins = town.api("GET", f"Meeting/{record_id}")["cOutlookJoinUrl"]
    assert joins == event["onlineMeeting"]["joinUrl"]


def _settled(town: Town, *mails: str) -> None:
    assert len(town.outlook.state.mailboxes["alice@example.com"].items) == 1
    assert [mail.kind for mail in town.outlook.state.mails] == list(mails)
    with town.store() as store:
        account = store.accounts.get(ALICE)
        assert account is not None
        assert (str(account.status), store.parked.all(), store.held.all()) == ("connected", [], [])


def _never(_number: int, _step: str) -> bool:
    return False


def test_a_process_killed_before_any_step_after_an_answer_was_lost_is_replaced(town: Town) -> None:
    killed = []
    for case in range(50):
        town.put_back()
        record_id = town.save()
        town.fail(**CREATE, drop_after_commit=True)
        killed.append(town.run_until(before_step(case)))
        assert town.run_until(_never) == ""
        _right(town, record_id)
        if not killed[-1]:
            break
    assert killed.count("commit") > 5, killed
    assert sum("/events" in step for step in killed) > 0, killed
    assert any(step.startswith("PUT") for step in killed), killed


def test_a_process_killed_while_a_create_is_answered_is_replaced(town: Town) -> None:
    town.put_back()
    record_id = town.save()
    town.fail(**CREATE, delay_after_ms=500)
    assert town.run_until(lambda *_: bool(town.outlook.state.mailboxes["alice@example.com"].items))
    assert town.run_until(_never) == ""
    _right(town, record_id)


def test_a_process_killed_while_an_update_is_answered_is_replaced(town: Town) -> None:
    town.put_back()
    record_id = town.save()
    assert town.run_until(_never) == ""
    town.api("PUT", f"Meeting/{record_id}", {"name": "Moved on"})
    town.mark(record_id)
    town.fail(match={"method": "^PATCH$"}, delay_after_ms=500)
    assert town.run_until(lambda *_: len(town.outlook.state.mails) == 2)
    assert town.run_until(_never) == ""
    _right(town, record_id, "update", subject="Moved on")


def test_a_process_killed_while_a_deletion_is_answered_is_replaced(town: Town) -> None:
    town.put_back()
    record_id = town.save()
    assert town.run_until(_never) == ""
    town.api("DELETE", f"Meeting/{record_id}")
    town.mark(record_id)
    town.fail(match={"method": "^DELETE$"}, delay_after_ms=500)
    assert town.run_until(lambda *_: len(town.outlook.state.mails) == 2)
    assert town.run_until(_never) == ""
    assert town.events(ALICE) == []
    _settled(town, "invitation", "cancellation")
