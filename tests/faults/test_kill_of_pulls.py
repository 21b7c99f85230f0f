"""Real processes, real HTTP, SIGKILL while a page of Outlook comes in: nothing twice, nothing lost.

One page brings an event that is new, one that was edited and one that is gone. Each step is a case: before
every commit (after the page was read, after a record was written, before the cursor is saved), and before
every request that is no mere read; and while the CRM answers a create.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync_plugin.sandbox.crm.faults import FaultRule
from tests.faults.conftest import MEMORY
from tests.faults.town import Town, before_step, nothing_is_due
from tests.world import ALICE

EDITED, GONE = "To be edited", "To be deleted"


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """Two events of alice's are read and have their records."""
    with tempfile.TemporaryDirectory(prefix="calsync-kill-", dir=MEMORY) as folder:
        made = Town(Path(folder))
        for subject in (EDITED, GONE):
            made.visit(subject)
        assert made.run_until(_never, rests=nothing_is_due) == ""
        assert _records(made) == [GONE, EDITED]
        made.keep()
        yield made
        made.close()


def _never(_number: int, _step: str) -> bool:
    return False


def _records(town: Town) -> list[str]:
    return sorted(str(row["name"]) for row in town.api("GET", "Meeting")["list"])


def _changes(town: Town) -> None:
    """What the next page brings."""
    town.put_back()
    by_subject = {event["subject"]: event["id"] for event in town.events(ALICE)}
    town.graph("PATCH", ALICE, f"events/{by_subject[EDITED]}", {"subject": "Edited"})
    town.graph("DELETE", ALICE, f"events/{by_subject[GONE]}")
    town.visit("New")


def _right(town: Town) -> None:
    """A record for each event and a link for each record; Outlook is as its user left it."""
    assert _records(town) == ["Edited", "New"]
    assert sorted(event["subject"] for event in town.events(ALICE)) == ["Edited", "New"]
    assert town.outlook.state.mails == []
    with town.store() as store:
        account = store.accounts.get(ALICE)
        assert account is not None
        assert account.mailbox_id is not None
        links = list(store.links.for_mailbox(account.mailbox_id))
        assert {str(link.state) for link in links} == {"active"}
        assert {link.record_id for link in links} == {
            str(row["id"]) for row in town.api("GET", "Meeting")["list"]
        }
        assert (str(account.status), store.parked.all(), store.held.all()) == ("connected", [], [])


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_process_killed_before_any_step_of_a_page_is_replaced(town: Town) -> None:
    killed = []
    for case in range(60):
        _changes(town)
        killed.append(town.run_until(before_step(case), rests=nothing_is_due))
        if killed[-1]:
            assert town.run_until(_never, rests=nothing_is_due) == ""
        _right(town)
        if not killed[-1]:
            break
    assert killed.count("commit") > 5, killed
    assert any("/Meeting" in step for step in killed), killed


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_process_killed_before_it_writes_a_record_is_replaced(town: Town, method: str) -> None:
    _changes(town)
    writes = lambda _, step: step.startswith(method) and "/Meeting" in step  # noqa: E731
    assert town.run_until(writes, rests=nothing_is_due)
    assert town.run_until(_never, rests=nothing_is_due) == ""
    _right(town)


def test_a_process_killed_while_the_crm_answers_a_create_makes_no_second_record(town: Town) -> None:
    """The record is there, its id was never heard: its marker tells."""
    _changes(town)
    town.crm.faults.add(FaultRule(method="POST", path="/Meeting$", drop_after_commit=True))
    assert town.run_until(lambda *_: "New" in _records(town), rests=nothing_is_due)
    assert town.run_until(_never, rests=nothing_is_due) == ""
    _right(town)
