"""Meetings over several mailboxes: copies, responses, and who would be mailed, and why."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import Json, Person, attendee, code_of, json_of
from tests.contract.outlook.test_delta import FIRST, removed, round_of

BOB, CAROL, DAVE = "bob@example.com", "carol@example.com", "dave@contoso.example"


def people(*addresses: str) -> list[Json]:
    return [attendee(address) for address in addresses]


def mails(sim: Simulator) -> list[tuple[str, str]]:
    """Return kind and receiver of every mail, and forget them."""
    with sim.state.lock:
        found = [(mail.kind, mail.to) for mail in sim.state.mails]
        sim.state.mails = []
    return found


def responses(person: Person, identity: str) -> dict[str, str]:
    got = json_of(person.get(f"events/{identity}"))
    return {one["emailAddress"]["address"]: one["status"]["response"] for one in got["attendees"]}


def test_an_invitation_makes_copies(alice: Person, bob: Person, sim: Simulator) -> None:
    made = alice.create(attendees=people(BOB, DAVE))
    assert mails(sim) == [("invitation", BOB), ("invitation", DAVE)]
    (own,) = bob.events()
    assert own["iCalUId"] == made["iCalUId"]
    assert own["id"] != made["id"]
    assert (own["isOrganizer"], own["showAs"], own["responseStatus"]["response"]) == (
        False,
        "tentative",
        "none",
    )
    addresses = [one["emailAddress"]["address"] for one in own["attendees"]]
    assert addresses == ["alice@example.com", BOB, DAVE]
    assert own["organizer"]["emailAddress"]["address"] == "alice@example.com"


def test_without_attendees_nobody_is_mailed(alice: Person, sim: Simulator) -> None:
    made = alice.create()
    alice.patch(f"events/{made['id']}", {"subject": "New"})
    alice.delete(f"events/{made['id']}")
    assert mails(sim) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"subject": "New"}, [("update", BOB), ("update", DAVE)], id="content goes to all"),
        pytest.param({"subject": "Plan"}, [], id="nothing changed"),
        pytest.param({"attendees": people(BOB)}, [("cancellation", DAVE)], id="removed only"),
        pytest.param({"attendees": people(BOB, DAVE, CAROL)}, [("invitation", CAROL)], id="added only"),
        pytest.param(
            {"attendees": [attendee(BOB), attendee(DAVE, type="optional")]},
            [("update", DAVE)],
            id="changed only",
        ),
        pytest.param(
            {"attendees": people(BOB, CAROL), "subject": "New"},
            [("cancellation", DAVE), ("invitation", CAROL), ("update", BOB)],
            id="attendees and content",
        ),
        pytest.param({"categories": ["Red"]}, [], id="category"),
        pytest.param(
            {"showAs": "free", "reminderMinutesBeforeStart": 5, "sensitivity": "private"}, [], id="cosmetic"
        ),
        pytest.param({"location": {"displayName": "B"}}, [("update", BOB), ("update", DAVE)], id="location"),
        pytest.param(
            {"singleValueExtendedProperties": [{"id": "String 0x4001001E", "value": "x"}]},
            [],
            id="extended property",
        ),
    ],
)
def test_who_is_mailed(alice: Person, sim: Simulator, change: Json, expected: list[tuple[str, str]]) -> None:
    made = alice.create(attendees=people(BOB, DAVE))
    mails(sim)
    assert alice.patch(f"events/{made['id']}", change).status_code == 200
    assert mails(sim) == expected


def test_cosmetic_changes_may_mail(alice: Person, sim: Simulator) -> None:
    sim.switches = sim.switches.changed({"cosmetic_changes_mail": True})
    made = alice.create(attendees=people(DAVE))
    alice.patch(f"events/{made['id']}", {"showAs": "free"})
    assert mails(sim)[1:] == [("update", DAVE)]


@pytest.mark.parametrize("how", ["delete", "cancel", "permanentDelete"])
def test_the_end_of_a_meeting(alice: Person, bob: Person, sim: Simulator, how: str) -> None:
    made = alice.create(attendees=people(BOB, DAVE))
    mails(sim)
    path = f"events/{made['id']}"
    answer = (
        alice.delete(path)
        if how == "delete"
        else alice.post(f"{path}/{how}", {"Comment": "Sorry"} if how == "cancel" else None)
    )
    assert answer.status_code == (202 if how == "cancel" else 204)
    assert mails(sim) == [("cancellation", BOB), ("cancellation", DAVE)]
    (own,) = bob.events()
    assert (own["isCancelled"], own["subject"], own["showAs"]) == (True, "Canceled: Plan", "free")
    assert alice.events() == []


@pytest.mark.parametrize(
    ("action", "response", "show_as"),
    [("accept", "accepted", "busy"), ("tentativelyAccept", "tentativelyAccepted", "tentative")],
)
def test_a_response_travels_back(
    alice: Person, bob: Person, sim: Simulator, action: str, response: str, show_as: str
) -> None:
    made = alice.create(attendees=people(BOB, DAVE))
    (own,) = bob.events()
    mails(sim)
    assert bob.post(f"events/{own['id']}/{action}", {"sendResponse": True}).status_code == 202
    assert mails(sim) == [("response", "alice@example.com")]
    assert responses(alice, made["id"]) == {BOB: response, DAVE: "none"}
    got = json_of(bob.get(f"events/{own['id']}"))
    assert (got["responseStatus"]["response"], got["showAs"]) == (response, show_as)
    assert json_of(alice.get(f"events/{made['id']}"))["changeKey"] != made["changeKey"]


@pytest.mark.parametrize("moves", [True, False])
def test_both_mailboxes_hear_of_a_response(alice: Person, bob: Person, sim: Simulator, moves: bool) -> None:
    sim.switches = sim.switches.changed({"response_new_key": moves, "decline_removes_copy": False})
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    links = [round_of(person, FIRST)[1] for person in (alice, bob)]
    bob.post(f"events/{own['id']}/decline", {})
    (hosts,), (guests,) = (
        round_of(person, link)[0] for person, link in zip((alice, bob), links, strict=True)
    )
    assert hosts["attendees"][0]["status"]["response"] == "declined"
    assert guests["responseStatus"]["response"] == "declined"
    assert (hosts["changeKey"] != made["changeKey"]) is moves


def test_a_declined_copy_that_leaves_the_calendar(alice: Person, bob: Person) -> None:
    alice.create(attendees=people(BOB))
    (own,) = bob.events()
    _, link, _ = round_of(bob, FIRST)
    bob.post(f"events/{own['id']}/decline", {})
    assert removed(round_of(bob, link)[0]) == [own["id"]]


def test_a_cancelled_meeting_in_the_attendees_changes(alice: Person, bob: Person) -> None:
    made = alice.create(attendees=people(BOB))
    _, link, _ = round_of(bob, FIRST)
    alice.post(f"events/{made['id']}/cancel", {})
    (told,) = round_of(bob, link)[0]
    assert (told["isCancelled"], told["showAs"]) == (True, "free")


def test_a_response_kept_to_oneself(alice: Person, bob: Person, sim: Simulator) -> None:
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    mails(sim)
    bob.post(f"events/{own['id']}/accept", {"SendResponse": False})
    assert mails(sim) == []
    assert responses(alice, made["id"]) == {BOB: "none"}


@pytest.mark.parametrize(("removes", "left"), [(True, 0), (False, 1)])
def test_declining(alice: Person, bob: Person, sim: Simulator, removes: bool, left: int) -> None:
    sim.switches = sim.switches.changed({"decline_removes_copy": removes})
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    assert bob.post(f"events/{own['id']}/decline", {"comment": "No"}).status_code == 202
    assert len(bob.events()) == left
    assert responses(alice, made["id"]) == {BOB: "declined"}


def test_a_proposed_time(alice: Person, bob: Person) -> None:
    made = alice.create(attendees=people(BOB), allowNewTimeProposals=True)
    (own,) = bob.events()
    slot = {
        name: {"dateTime": f"2026-11-24T1{hour}:00:00", "timeZone": "UTC"}
        for name, hour in (("start", 4), ("end", 5))
    }
    refused = bob.post(f"events/{own['id']}/decline", {"proposedNewTime": slot, "sendResponse": False})
    assert refused.status_code == 400
    assert bob.post(f"events/{own['id']}/tentativelyAccept", {"proposedNewTime": slot}).status_code == 202
    (person,) = json_of(alice.get(f"events/{made['id']}"))["attendees"]
    assert person["proposedNewTime"]["start"]["dateTime"] == "2026-11-24T14:00:00"


def test_the_organizer_cannot_answer_and_an_attendee_cannot_cancel(alice: Person, bob: Person) -> None:
    made = alice.create(attendees=people(BOB))
    assert code_of(alice.post(f"events/{made['id']}/accept", {})) == "ErrorInvalidRequest"
    (own,) = bob.events()
    answer = bob.post(f"events/{own['id']}/cancel", {})
    assert answer.status_code == 400
    assert "organizer to cancel" in json_of(answer)["error"]["message"]


def test_an_attendees_own_changes_stay_local_until_the_next_update(
    alice: Person, bob: Person, sim: Simulator
) -> None:
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    mails(sim)
    bob.patch(f"events/{own['id']}", {"subject": "Mine", "categories": ["Red"]})
    assert mails(sim) == []
    assert json_of(alice.get(f"events/{made['id']}"))["subject"] == "Plan"
    alice.patch(f"events/{made['id']}", {"location": {"displayName": "B"}})
    (own,) = bob.events()
    assert (own["subject"], own["location"]["displayName"], own["categories"]) == ("Plan", "B", ["Red"])


@pytest.mark.parametrize(("declines", "expected"), [(False, []), (True, [("response", "alice@example.com")])])
def test_an_attendee_deletes_the_copy(
    alice: Person, bob: Person, sim: Simulator, declines: bool, expected: list[tuple[str, str]]
) -> None:
    sim.switches = sim.switches.changed({"attendee_delete_declines": declines})
    alice.create(attendees=people(BOB))
    (own,) = bob.events()
    mails(sim)
    bob.delete(f"events/{own['id']}")
    assert mails(sim) == expected
    assert len(alice.events()) == 1


def test_a_new_time_asks_again(alice: Person, bob: Person) -> None:
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    bob.post(f"events/{own['id']}/accept", {})
    moment: dict[str, Any] = {"timeZone": "UTC"}
    change = {
        "start": {**moment, "dateTime": "2026-11-25T09:00:00"},
        "end": {**moment, "dateTime": "2026-11-25T10:00:00"},
    }
    alice.patch(f"events/{made['id']}", change)
    assert responses(alice, made["id"]) == {BOB: "none"}
    (own,) = bob.events()
    assert (own["responseStatus"]["response"], own["showAs"]) == ("notResponded", "tentative")
    assert own["start"]["dateTime"] == "2026-11-25T09:00:00.0000000"


@pytest.mark.parametrize(
    ("keeps", "status", "expected"),
    [
        pytest.param(False, None, "none", id="without a status it falls to none"),
        pytest.param(True, None, "accepted", id="or stays, if so switched"),
        pytest.param(False, "accepted", "accepted", id="accepted is kept"),
        pytest.param(False, "declined", "notResponded", id="declined is not"),
    ],
)
def test_attendees_written_back(
    alice: Person, bob: Person, sim: Simulator, keeps: bool, status: str | None, expected: str
) -> None:
    sim.switches = sim.switches.changed({"attendee_without_status_keeps_response": keeps})
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    bob.post(f"events/{own['id']}/accept", {})
    person = attendee(BOB)
    if status:
        person["status"] = {"response": status, "time": "2026-11-23T08:00:00Z"}
    alice.patch(f"events/{made['id']}", {"attendees": [person, attendee(DAVE)]})
    assert responses(alice, made["id"])[BOB] == expected


def test_a_removed_attendee_sees_a_cancelled_copy(alice: Person, bob: Person, carol: Person) -> None:
    made = alice.create(attendees=people(BOB, CAROL))
    alice.patch(f"events/{made['id']}", {"attendees": people(CAROL)})
    assert [one["isCancelled"] for one in bob.events()] == [True]
    (own,) = carol.events()
    assert [one["emailAddress"]["address"] for one in own["attendees"]] == ["alice@example.com", CAROL]


def test_a_removed_attendee_who_is_invited_again_has_the_meeting_again(alice: Person, bob: Person) -> None:
    made = alice.create(attendees=people(BOB))
    alice.patch(f"events/{made['id']}", {"attendees": []})
    alice.patch(f"events/{made['id']}", {"attendees": people(BOB)})
    (own,) = bob.events()
    assert (own["isCancelled"], own["subject"]) == (False, made["subject"])
    assert own["responseStatus"]["response"] == "notResponded"


def test_hidden_attendees(alice: Person, bob: Person) -> None:
    alice.create(attendees=people(BOB, CAROL), hideAttendees=True)
    (own,) = bob.events()
    assert [one["emailAddress"]["address"] for one in own["attendees"]] == ["alice@example.com", BOB]


def test_forwarding(alice: Person, bob: Person, carol: Person, sim: Simulator) -> None:
    made = alice.create(attendees=people(BOB))
    (own,) = bob.events()
    mails(sim)
    body = {"ToRecipients": [{"emailAddress": {"address": CAROL}}], "Comment": "You too"}
    assert bob.post(f"events/{own['id']}/forward", body).status_code == 202
    assert mails(sim) == [("forward", CAROL), ("invitation", CAROL)]
    assert set(responses(alice, made["id"])) == {BOB, CAROL}
    assert len(carol.events()) == 1


def test_a_duplicate_attendee_counts_once(alice: Person, sim: Simulator) -> None:
    alice.create(attendees=people(DAVE, "Dave@Contoso.Example"))
    assert mails(sim) == [("invitation", DAVE)]


def test_only_the_primary_calendar_tallies(alice: Person, bob: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))
    assert other["isTallyingResponses"] is False
    made = json_of(
        alice.post(
            f"calendars/{other['id']}/events",
            {
                "subject": "Side",
                "start": {"dateTime": "2026-11-24T10:00:00", "timeZone": "UTC"},
                "end": {"dateTime": "2026-11-24T11:00:00", "timeZone": "UTC"},
                "attendees": people(BOB),
            },
        )
    )
    (own,) = bob.events()
    bob.post(f"events/{own['id']}/accept", {})
    assert responses(alice, made["id"]) == {BOB: "none"}
