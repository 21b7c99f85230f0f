"""Which id names an event, what is left of a deleted one, and what guards a repeated write."""

from __future__ import annotations

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import IMMUTABLE, Person, attendee, code_of, event, json_of


def test_both_ids_name_one_event(alice: Person) -> None:
    made = alice.create()
    immutable = json_of(alice.get(f"events/{made['id']}", headers=IMMUTABLE))["id"]
    assert immutable != made["id"]
    assert json_of(alice.get(f"events/{immutable}"))["id"] == made["id"]
    body = {"inputIds": [made["id"], "x"], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
    values = json_of(alice.post("translateExchangeIds", body))["value"]
    assert values[0]["targetId"] == immutable
    assert values[1]["errorDetails"]["code"] == "ErrorInvalidIdMalformed"


def test_a_move_changes_the_default_id_only(alice: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))
    made = alice.create(headers=IMMUTABLE)
    default = json_of(alice.get(f"events/{made['id']}"))["id"]
    moved = alice.post(
        "/control/mailboxes/alice@example.com/events/move", {"id": made["id"], "calendar": other["id"]}
    )
    assert alice.get(f"events/{default}").status_code == 404
    assert alice.get(f"events/{json_of(moved)['id']}").status_code == 200
    assert alice.get(f"calendars/{other['id']}/events/{made['id']}").status_code == 200
    assert alice.get(f"calendar/events/{made['id']}").status_code == 200
    assert alice.events() == []


def test_ids_are_case_sensitive(alice: Person) -> None:
    ids = [alice.create(f"{number}")["id"] for number in range(60)]
    twins = {one.lower(): one for one in ids}
    assert len(set(ids)) == 60
    assert len(twins) < 60, "some ids have to differ in case only, as Exchange's do"
    subjects = [json_of(alice.get(f"events/{one}"))["subject"] for one in ids]
    assert subjects == [f"{number}" for number in range(60)]


@pytest.mark.parametrize("text", ["x", "AAMkAGI1", "AAMkAG!!", "%20"])
def test_a_malformed_id(alice: Person, text: str) -> None:
    answer = alice.get(f"events/{text}")
    assert (answer.status_code, code_of(answer)) == (400, "ErrorInvalidIdMalformed")


def test_an_id_of_another_mailbox(alice: Person, bob: Person) -> None:
    made = alice.create()
    answer = bob.get(f"events/{made['id']}")
    assert (answer.status_code, code_of(answer)) == (404, "ErrorItemNotFound")


# Deletion


@pytest.mark.parametrize(("setting", "status"), [(404, 404), (200, 200)])
def test_a_deleted_event_by_its_immutable_id(
    alice: Person, sim: Simulator, setting: int, status: int
) -> None:
    sim.switches = sim.switches.changed({"deleted_by_immutable_id": setting})
    made = alice.create(headers=IMMUTABLE)
    assert alice.delete(f"events/{made['id']}").status_code == 204
    assert alice.get(f"events/{made['id']}").status_code == status
    calendar = json_of(alice.get("calendar"))["id"]
    assert alice.get(f"calendars/{calendar}/events/{made['id']}").status_code == 404
    assert alice.events() == []


def test_a_permanent_delete_leaves_nothing(alice: Person, sim: Simulator) -> None:
    sim.switches = sim.switches.changed({"deleted_by_immutable_id": 200})
    made = alice.create(headers=IMMUTABLE)
    assert alice.post(f"events/{made['id']}/permanentDelete").status_code == 204
    assert alice.get(f"events/{made['id']}").status_code == 404


def test_a_replay_gives_the_same_event(alice: Person) -> None:
    first, again = (
        alice.create(transactionId="t1", attendees=[attendee("dave@contoso.example")]) for _ in range(2)
    )
    assert first["id"] == again["id"]
    assert again["transactionId"] == "t1"
    assert len(alice.events()) == 1
    assert len(json_of(alice.get("/control/mails"))["mails"]) == 1


@pytest.mark.parametrize("status", [400, 409])
def test_a_transaction_id_for_another_event(alice: Person, sim: Simulator, status: int) -> None:
    sim.switches = sim.switches.changed({"duplicate_transaction_status": status})
    made = alice.create(transactionId="t1")
    answer = alice.post("events", event("Other", transactionId="t1"))
    assert (answer.status_code, code_of(answer)) == (status, "ErrorDuplicateTransactionId")
    assert json_of(answer)["error"]["@event.existingEventId"] == made["id"]
    alice.delete(f"events/{made['id']}")
    assert alice.post("events", event(transactionId="t1")).status_code == status


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("enforce", "tag", "refused"),
    [
        (True, "old", True),
        (True, "new", False),
        (True, "*", False),
        (False, "old", False),
    ],
)
def test_if_match(alice: Person, sim: Simulator, method: str, enforce: bool, tag: str, refused: bool) -> None:
    sim.switches = sim.switches.changed({"enforce_if_match": enforce})
    old = alice.create()
    new = json_of(alice.patch(f"events/{old['id']}", {"subject": "New"}))
    headers = {"If-Match": {"old": old["@odata.etag"], "new": new["@odata.etag"], "*": "*"}[tag]}
    path = f"events/{old['id']}"
    answer = (
        alice.patch(path, {"subject": "X"}, headers=headers)
        if method == "PATCH"
        else alice.delete(path, headers=headers)
    )
    assert (answer.status_code == 412) == refused
    if refused:
        assert code_of(answer) == "ErrorIrresolvableConflict"
