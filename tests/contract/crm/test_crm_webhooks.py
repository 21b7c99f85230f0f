"""Webhooks: what fires, for whom, in which portions, and what an answer means."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID, DAVE_ID, ROLE_BRIDGE_ID
from tests.contract.crm.conftest import MEETING, Sandbox
from tests.contract.crm.recordings import load

CODES = load("webhook-answer-codes.json")
TEN_MINUTES = 600


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        pytest.param("Meeting.nope", "Not supported event.", id="kind"),
        pytest.param("Meeting.create.x", "Not supported event.", id="field of create"),
        pytest.param("Opportunity.create", "Entity type is forbidden.", id="entity"),
        pytest.param("Meeting.fieldUpdate.assignedUserId", "Field does not exist.", id="attribute"),
    ],
)
def test_unknown_events(sandbox: Sandbox, event: str, reason: str) -> None:
    response = sandbox.call("POST", "Webhook", {"event": event, "url": "http://x.invalid/"})

    assert (response.status_code, response.headers["X-Status-Reason"]) == (403, reason)


def test_hooks_are_for_api_users_and_their_own(sandbox: Sandbox) -> None:
    hook = sandbox.hook("Meeting.create")
    body = {"event": "Meeting.create", "url": "http://x.invalid/"}

    refused = sandbox.call("POST", "Webhook", body, by="alice")
    assert refused.headers["X-Status-Reason"] == "No access to 'Webhook'."
    sandbox.ok("POST", "Webhook", body, by="admin")
    assert [line["id"] for line in sandbox.ok("GET", "Webhook")["list"]] == [hook["id"]]
    assert sandbox.ok("GET", f"Webhook/{hook['id']}")["secretKey"] == hook["secretKey"]


def test_a_hook_changes_its_address_but_not_its_event(sandbox: Sandbox) -> None:
    hook = sandbox.hook("Meeting.create")
    wanted = {"event": "Call.create", "secretKey": "mine", "url": "http://y.invalid/", "isActive": False}

    found = sandbox.ok("PUT", f"Webhook/{hook['id']}", wanted)

    assert (found["event"], found["secretKey"]) == (hook["event"], hook["secretKey"])
    assert (found["url"], found["isActive"]) == ("http://y.invalid/", False)
    sandbox.meeting()
    assert sandbox.delivered() == []


def test_fifty_hooks_are_the_limit(sandbox: Sandbox) -> None:
    hooks = [sandbox.hook("Meeting.create") for _ in range(50)]
    body = {"event": "Meeting.create", "url": "http://x.invalid/"}
    assert sandbox.call("POST", "Webhook", body).status_code == 403

    sandbox.ok("DELETE", f"Webhook/{hooks[0]['id']}")

    assert sandbox.call("POST", "Webhook", body).status_code == 201


def test_update_has_what_changed(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.update")
    record_id = sandbox.meeting(by="alice")
    for body in ({"name": "two"}, {"name": "two"}, {"assignedUserId": BOB_ID}):
        sandbox.ok("PUT", f"Meeting/{record_id}", body, by="admin")

    [(_, first_three)] = sandbox.delivered()

    assert first_three[0].keys() == {"name", "reminders", "modifiedById", "modifiedByName", "id"}
    assert first_three[1] == {"reminders": [], "id": record_id}
    assert first_three[2] == {
        "reminders": [],
        "usersIds": [ALICE_ID, BOB_ID],
        "usersNames": {ALICE_ID: "Alice Able", BOB_ID: "Bob Baker"},
        "assignedUserId": BOB_ID,
        "assignedUserName": "Bob Baker",
        "id": record_id,
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "by"),
    [
        pytest.param("POST", "Meeting/ID/contacts", {"id": DAVE_ID}, "api", id="link"),
        pytest.param("DELETE", "Meeting/ID/users", {"id": ALICE_ID}, "admin", id="unlink"),
        pytest.param(
            "POST",
            "Meeting/action/setAcceptanceStatus",
            {"id": "ID", "status": "Accepted"},
            "alice",
            id="answer",
        ),
    ],
)
def test_what_fires_nothing(sandbox: Sandbox, method: str, path: str, body: dict[str, Any], by: str) -> None:
    record_id = sandbox.meeting()
    for event in ("Meeting.update", "Meeting.fieldUpdate.users", "Meeting.fieldUpdate.contacts"):
        sandbox.hook(event)

    filled = {key: record_id if value == "ID" else value for key, value in body.items()}
    sandbox.ok(method, path.replace("ID", record_id), filled, by=by)

    assert sandbox.delivered() == []


def test_restore_fires_nothing_and_removal_only_the_id(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()
    for kind in ("create", "update", "delete"):
        sandbox.hook(f"Meeting.{kind}")
    sandbox.ok("DELETE", f"Meeting/{record_id}")
    sandbox.ok("POST", "Meeting/action/restoreDeleted", {"id": record_id}, by="admin")

    assert sandbox.delivered() == [("Meeting.delete", [{"id": record_id}])]


def test_skip_own(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create", skipOwn=True)
    sandbox.meeting(name="own")
    sandbox.meeting(name="Alice's", by="alice")

    [(_, items)] = sandbox.delivered()

    assert [item["name"] for item in items] == ["Alice's"]


def test_what_the_owner_may_not_read_is_dropped(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    sandbox.meeting()
    access = {"Meeting": {"read": "own"}, "Webhook": True}
    sandbox.ok("PUT", f"Role/{ROLE_BRIDGE_ID}", {"data": access}, by="admin")

    assert sandbox.delivered() == []
    assert sandbox.crm.queue.items == {}


@pytest.mark.parametrize("visible", [False, True])
def test_uid_is_cut_from_the_payload(sandbox: Sandbox, visible: bool) -> None:
    if visible:
        fields = {"Meeting": {"uid": {"read": "yes", "edit": "no"}}}
        sandbox.ok("PUT", f"Role/{ROLE_BRIDGE_ID}", {"fieldData": fields}, by="admin")
    sandbox.hook("Meeting.create")
    sandbox.meeting()

    [(_, [item])] = sandbox.delivered()

    assert ("uid" in item) is visible


def test_a_run_takes_twenty_events(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    for _ in range(70):
        sandbox.meeting()

    sizes = []
    for _ in range(4):
        sandbox.crm.dispatcher.run_once()
        sizes = [len(items) for _, items in sandbox.received()]
    assert sizes == [20, 20, 20, 10]


def test_an_array_holds_fifty(sandbox: Sandbox) -> None:
    sandbox.crm.settings.webhook_portion = 200
    sandbox.hook("Meeting.create")
    for _ in range(70):
        sandbox.meeting()

    assert [len(items) for _, items in sandbox.delivered()] == [50, 20]


def test_hooks_are_sent_one_after_the_other(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    sandbox.hook("Meeting.update")
    for _ in range(2):
        sandbox.ok("PUT", f"Meeting/{sandbox.meeting()}", {"name": "x"})

    assert [(event, len(items)) for event, items in sandbox.delivered()] == [
        ("Meeting.create", 2),
        ("Meeting.update", 2),
    ]


@pytest.mark.parametrize("code", [pytest.param(code, id=code) for code in CODES])
def test_answers(sandbox: Sandbox, code: str) -> None:
    """The recorded table: status and attempts of the item, when it comes again, whether the hook lives."""
    hook = sandbox.hook("Meeting.create")
    sandbox.receiver.status = 0 if code == "refused" else int(code)
    sandbox.meeting()
    sandbox.delivered()

    items = sandbox.crm.queue.listing()["items"]
    recorded = CODES[code]["queue_item"]
    if recorded is None:
        assert items == []
    else:
        status, attempts, process_at = recorded
        assert [(item["status"], str(item["attempts"])) for item in items] == [(status, attempts)]
        assert (items[0]["process_at"] is None) is (process_at == "NULL")
    alive = sandbox.call("GET", f"Webhook/{hook['id']}").status_code == 200
    assert alive is CODES[code]["webhook_kept"]


def test_four_attempts_ten_minutes_apart(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    sandbox.receiver.status = 503
    sandbox.meeting()
    sandbox.crm.deliver_now()
    for attempts in (2, 3, 4):
        sandbox.later(TEN_MINUTES - 1)
        sandbox.crm.deliver_now()
        assert len(sandbox.receiver.requests) == attempts - 1
        sandbox.later(1)
        sandbox.crm.deliver_now()
        assert len(sandbox.receiver.requests) == attempts
    sandbox.later(TEN_MINUTES)

    assert sandbox.delivered() == []
    assert [item["status"] for item in sandbox.crm.queue.listing()["items"]] == ["Failed"]


def test_a_retry_comes_with_what_is_new(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    sandbox.receiver.status = 500
    sandbox.meeting(name="old")
    sandbox.crm.deliver_now()
    sandbox.receiver.status = 200
    sandbox.meeting(name="new")
    sandbox.later(TEN_MINUTES)

    [(_, items)] = sandbox.delivered()

    assert [item["name"] for item in items] == ["old", "new"]


def test_an_address_that_is_none_fails_like_a_refused_connection(sandbox: Sandbox) -> None:
    sandbox.ok("POST", "Webhook", {"event": "Meeting.create", "url": "not a url"})
    sandbox.meeting()
    sandbox.crm.deliver_now()

    [delivery] = sandbox.crm.dispatcher.deliveries
    assert (delivery.status, delivery.error) == (0, "InvalidURL")


def test_the_thread_delivers_at_once(sandbox: Sandbox) -> None:
    sandbox.crm.settings.webhook_interval = 0
    sandbox.crm.dispatcher.start()
    sandbox.hook("Meeting.create")
    sandbox.ok("POST", "Meeting", MEETING)

    sandbox.receiver.wait_for(1)


def test_the_thread_runs_at_the_interval_of_the_moved_clock(sandbox: Sandbox) -> None:
    sandbox.crm.settings.webhook_interval = 120
    sandbox.crm.dispatcher.start()
    sandbox.hook("Meeting.create")
    sandbox.meeting()
    sandbox.later(119)
    sandbox.meeting()
    assert sandbox.receiver.requests == []
    sandbox.later(1)

    sandbox.receiver.wait_for(1)
    assert [len(items) for _, items in sandbox.received()] == [2]
