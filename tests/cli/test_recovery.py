"""Commands by which a person brings something back: numbers, a question, nothing of what meetings hold."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from calsync_plugin.cli import main
from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from calsync_plugin.state import AccountStatus
from tests.world import ALICE, BOB, DAVE

PATIENCE = 30.0


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running sandbox with meetings older than its accounts, whose mailboxes were read to their end."""
    folder = tmp_path_factory.mktemp("sandbox")
    made = Sandbox(folder, 0, LogSettings(level="error"))
    for user_id in (ALICE, BOB):
        made.crm.insert("Meeting", old("Old", user_id, usersIds=[ALICE, BOB], contactsIds=[DAVE]))
        made.crm.insert("Meeting", old("Old, too", user_id))
    made.start()
    store = made.calsync.store
    wait(lambda: all(one.pulled_at is not None for one in store.accounts.all()))
    yield made
    made.stop()


def meeting(name: str, user_id: str, **attributes: Any) -> dict[str, Any]:
    """Attributes of a meeting in three days."""
    start = datetime.now(UTC) + timedelta(days=3)
    times = {
        "dateStart": f"{start:%Y-%m-%d %H:%M:%S}",
        "dateEnd": f"{start + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
    }
    return {"name": name, "assignedUserId": user_id, "usersIds": [user_id], **times, **attributes}


def old(name: str, user_id: str, **attributes: Any) -> dict[str, Any]:
    """Attributes of one that nobody has touched for years."""
    return meeting(name, user_id, modifiedAt="2020-01-01 10:00:00", **attributes)


def wait(condition: Callable[[], bool]) -> None:
    """Until it is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


class Shell:
    """Runs commands about the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.store = sandbox.calsync.store

    def run(self, *words: str, says: str = "", code: int = 0) -> str:
        """Output of `calsync accounts ...`; `says` is typed in."""
        data = str(self.sandbox._data)
        answer = CliRunner().invoke(main, ["accounts", *words, "--data", data], input=says)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        assert answer.exit_code == code, answer.output
        return answer.output

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def crm(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's CRM as its administrator."""
        address = f"http://127.0.0.1:{self.sandbox.ports.crm}/api/v1/{path}"
        answer = requests.request(
            method, address, headers={"X-Api-Key": "sandbox"}, json=body or None, timeout=10
        )
        assert answer.ok, answer.text
        return answer.json()

    def names(self) -> set[str]:
        """What the CRM's meetings are called."""
        return {str(one["name"]) for one in self.crm("GET", "Meeting?maxSize=200")["list"]}

    def link_state(self, record: str) -> str:
        found = self.store.links.by_records([("Meeting", record)])
        return found[("Meeting", record)].state.value if found else ""


@pytest.fixture
def shell(sandbox: Sandbox) -> Shell:
    return Shell(sandbox)


class TestBackfill:
    def test_it_shows_numbers_and_people_and_pushes_nothing(self, shell: Shell) -> None:
        found = shell.json("backfill", ALICE)
        assert (found["records"], found["mailed"]) == (2, ["bob@example.com"])
        text = shell.run("backfill", "alice@example.com", "--show")
        assert f"{found['records']} records would be pushed: {found['creates']} new events" in text
        assert f"Outlook would write to {len(found['mailed'])} people" in text
        for address in found["mailed"]:
            assert f"{address}{' (outside)' if address in found['outsiders'] else ''}\n" in text
        assert shell.json("backfill", ALICE)["records"] == found["records"]

    def test_no_is_an_answer(self, shell: Shell) -> None:
        before = shell.store.accounts.get(ALICE)
        output = shell.run("backfill", ALICE, "--confirm", says="n\n", code=1)
        assert "would be pushed" in output
        assert "Aborted" in output
        assert before is not None
        after = shell.store.accounts.get(ALICE)
        assert after is not None
        assert after.push_from == before.push_from

    def test_a_program_is_not_asked(self, shell: Shell) -> None:
        assert "say --yes" in shell.run("backfill", ALICE, "--confirm", "--json", code=2)

    def test_yes_pushes_what_was_shown(self, shell: Shell) -> None:
        shown = shell.json("backfill", BOB)
        pushed = json.loads(shell.run("backfill", BOB, "--confirm", "--yes", "--json"))
        assert pushed == {**shown, "pushed": shown["records"]}
        account = shell.store.accounts.get(BOB)
        assert account is not None
        assert account.mailbox_id is not None
        mailbox_id = account.mailbox_id
        wait(lambda: shell.store.links.count(mailbox_id) >= shown["creates"])
        wait(lambda: shell.json("backfill", BOB)["records"] == 0)
        assert "there is nothing to confirm" in shell.run("backfill", BOB, "--confirm")


def test_taking_a_grant_away_and_giving_it_back(shell: Shell) -> None:
    assert "no longer allowed to sync" in shell.run("revoke", ALICE)
    assert shell.json("show", ALICE)["status"] == "off"
    assert "not allowed by an administrator" in shell.run("connect", ALICE, code=2)
    assert "allowed; accounts that changed: 1" in shell.run("grant", ALICE)
    assert shell.json("show", ALICE)["status"] == "connected"


def test_a_reset_is_asked_for_and_says_what_it_does(shell: Shell) -> None:
    assert "Aborted" in shell.run("reset", BOB, says="n\n", code=1)
    output = shell.run("reset", BOB, says="y\n")
    assert "Nothing is deleted" in output
    assert "links are compared" in output
    account = shell.store.accounts.get(BOB)
    assert account is not None
    wait(lambda: bool(shell.json("show", BOB)["read"]))


class TestRestore:
    def test_there_may_be_nothing(self, shell: Shell) -> None:
        assert shell.run("restore", BOB) == "nothing was deleted in the last 30 days\n"
        assert shell.json("restore", BOB, "--list") == []

    def test_what_was_deleted_is_listed_without_content_restored_and_followed_again(
        self, shell: Shell
    ) -> None:
        record = shell.crm("POST", "Meeting", **meeting("Takeover talks", ALICE, usersIds=[ALICE, BOB]))["id"]
        wait(lambda: shell.link_state(record) == "active")
        shell.crm("DELETE", f"Meeting/{record}")
        wait(lambda: bool(shell.json("restore", ALICE)))
        (entry,) = shell.json("restore", ALICE)
        assert set(entry) == {"entry", "at", "side"}
        text = shell.run("restore", ALICE, "--list")
        assert entry["entry"] in text
        assert "Takeover" not in text
        asked = shell.run("restore", ALICE, "--since", "2020-01-01", says="n\n", code=1)
        assert "1 events and 0 records would be restored." in asked
        assert "Outlook would invite 1 people again" in asked
        (done,) = shell.json("restore", ALICE, "--entry", entry["entry"], "--without-attendees", "--yes")
        assert done == {"entry": entry["entry"], "restored": True, "text": "restored"}
        assert shell.json("restore", ALICE) == []
        link, _, reason = shell.run("follow", ALICE).strip().partition(": ")
        assert reason == "restored by a person"
        assert "imported again" in shell.run("follow", ALICE, "--link", link)
        wait(lambda: "Takeover talks" in shell.names())

    def test_an_entry_of_nobody(self, shell: Shell) -> None:
        output = shell.run("restore", ALICE, "--entry", "no-such-entry", "--yes", code=2)
        assert "no-such-entry is no entry of this account" in output

    def test_a_program_is_not_asked(self, shell: Shell) -> None:
        assert "say --yes" in shell.run("restore", ALICE, "--since", "2020-01-01", "--json", code=2)

    def test_a_time_that_is_none(self, shell: Shell) -> None:
        assert "does not match the format" in shell.run("restore", ALICE, "--since", "yesterday", code=2)


class TestFollow:
    def test_an_unknown_record(self, shell: Shell) -> None:
        output = shell.run("follow", ALICE, "--record", "Meeting nowhere", code=2)
        assert "'Meeting nowhere' is not known" in output

    def test_nothing_is_detached(self, shell: Shell) -> None:
        assert shell.run("follow", BOB) == "nothing is detached\n"


def test_show_says_how_changes_become_known_and_what_to_do(shell: Shell) -> None:
    shell.store.accounts.set_status(BOB, AccountStatus.RECONNECT, "Microsoft wants a new login")
    text = shell.run("show", BOB)
    assert f"what_to_do: let the user sign in again: calsync accounts connect {BOB}" in text
    assert "reason: Microsoft wants a new login" in text
    assert "changes_by: notifications" in text
    assert re.search(r"^waiting: records \d+, events \d+$", text, re.MULTILINE)
    assert "grants: \n  - ExternalAccount\n  - OutlookCalendar" in text
