"""Organizers whose mailbox is elsewhere: what they send arrives, what is answered reaches them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.sandbox.outlook import Simulator, create_app
from calsync_plugin.sandbox.outlook.clock import MovableClock
from tests.contract.outlook.people import Json, Person, attendee, event, json_of, weekly
from tests.contract.outlook.test_delta import FIRST, removed, round_of

EVE = "eve@partner.example"
ALICE, BOB = "alice@example.com", "bob@example.com"
YEARS = "startDateTime=2026-01-01&endDateTime=2029-01-01&$top=1000"


class Outsider:
    """Requests of an organizer elsewhere, through the control API; paths are those below /me."""

    def __init__(self, person: Person, address: str = EVE) -> None:
        self._person, self._home = person, f"/control/outside/{address}/"

    def invite(self, *addresses: str, **more: Any) -> Json:
        body = event(attendees=[attendee(address) for address in addresses], **more)
        answer = self._person.post(self._home + "events", body)
        assert answer.status_code == 201, answer.text
        return json_of(answer)

    def __getattr__(self, verb: str) -> Any:
        call = getattr(self._person, verb)
        return lambda path, *body: call(self._home + path, *body)


@pytest.fixture
def eve(alice: Person) -> Outsider:
    return Outsider(alice)


def test_an_invitation_from_outside(alice: Person, eve: Outsider, sim: Simulator) -> None:
    made = eve.invite(ALICE, "frank@fabrikam.example")
    (own,) = alice.events()
    assert (own["isOrganizer"], own["iCalUId"], own["showAs"]) == (False, made["iCalUId"], "tentative")
    assert own["organizer"]["emailAddress"]["address"] == EVE
    assert [one["emailAddress"]["address"] for one in own["attendees"]] == [
        EVE,
        ALICE,
        "frank@fabrikam.example",
    ]
    assert sim.state.mails == [], "what others send is not Outlook's mail"
    assert [one["id"] for one in round_of(alice, FIRST)[0]] == [own["id"]]


def test_it_is_changed_and_cancelled_from_outside(alice: Person, eve: Outsider) -> None:
    made = eve.invite(ALICE)
    _, link, _ = round_of(alice, FIRST)
    eve.patch(f"events/{made['id']}", {"subject": "Another plan"})
    items, link, _ = round_of(alice, link)
    assert [one["subject"] for one in items] == ["Another plan"]
    assert eve.post(f"events/{made['id']}/cancel", {}).status_code == 202
    items, link, _ = round_of(alice, link)
    assert [(one["isCancelled"], one["subject"]) for one in items] == [(True, "Canceled: Another plan")]


def test_who_is_taken_off_the_list_outside_sees_it_cancelled(
    alice: Person, bob: Person, eve: Outsider
) -> None:
    made = eve.invite(ALICE, BOB)
    eve.patch(f"events/{made['id']}", {"attendees": [attendee(BOB)]})
    assert [one["isCancelled"] for one in alice.events()] == [True]
    assert [one["isCancelled"] for one in bob.events()] == [False]


def test_answers_travel_outside(alice: Person, eve: Outsider, sim: Simulator) -> None:
    made = eve.invite(ALICE)
    (own,) = alice.events()
    assert alice.post(f"events/{own['id']}/accept", {}).status_code == 202
    (guest,) = json_of(eve.get(f"events/{made['id']}"))["attendees"]
    assert guest["status"]["response"] == "accepted"
    assert [(mail.kind, mail.to) for mail in sim.state.mails] == [("response", EVE)]


def test_a_series_from_outside(alice: Person, eve: Outsider) -> None:
    made = eve.invite(ALICE, recurrence=weekly(count=3))
    (own,) = alice.events()
    _, link, _ = round_of(alice, FIRST)
    days = json_of(eve.get(f"events/{made['id']}/instances?{YEARS}"))["value"]
    eve.patch(f"events/{days[1]['id']}", {"subject": "Other"})
    eve.post(f"events/{days[0]['id']}/cancel", {})
    seen = json_of(alice.get(f"events/{own['id']}/instances?{YEARS}"))["value"]
    assert [(one["subject"], one["isCancelled"]) for one in seen] == [
        ("Canceled: Plan", True),
        ("Other", False),
        ("Plan", False),
    ]
    assert [one["originalStart"] for one in seen][1:] == [one["originalStart"] for one in days][1:]
    assert {one["type"] for one in round_of(alice, link)[0]} == {"exception"}
    eve.patch(f"events/{made['id']}", {"recurrence": weekly(count=1)})
    assert len(removed(round_of(alice, link)[0])) == 2


def test_one_occurrence_from_outside(alice: Person, eve: Outsider) -> None:
    made = eve.invite(recurrence=weekly(count=3))
    second = json_of(eve.get(f"events/{made['id']}/instances?{YEARS}"))["value"][1]
    eve.patch(f"events/{second['id']}", {"attendees": [attendee(ALICE)]})
    (own,) = alice.events()
    assert (own["type"], own["start"]) == ("singleInstance", second["start"])
    alice.post(f"events/{own['id']}/accept", {})
    (guest,) = json_of(eve.get(f"events/{second['id']}"))["attendees"]
    assert guest["status"]["response"] == "accepted"


def test_another_systems_icaluid_is_kept(alice: Person, eve: Outsider) -> None:
    eve.invite(ALICE, iCalUId="67a1b2c3d4e5f6a7b")
    made = eve.invite(ALICE, iCalUId="7kukuqrfedlm2f9t9vr4@google.example", recurrence=weekly(count=2))
    assert [one["iCalUId"] for one in alice.events()] == ["67a1b2c3d4e5f6a7b", made["iCalUId"]]
    (own,) = alice.events(filter=f"iCalUId eq '{made['iCalUId']}'")
    days = json_of(alice.get(f"events/{own['id']}/instances?{YEARS}"))["value"]
    assert {one["iCalUId"] for one in days} == {made["iCalUId"]}, "a series has one, whoever asks"
    second = json_of(eve.get(f"events/{made['id']}/instances?{YEARS}"))["value"][1]
    eve.patch(f"events/{second['id']}", {"subject": "Other"})
    seen = json_of(alice.get(f"events/{own['id']}/instances?{YEARS}"))["value"]
    assert [one["subject"] for one in seen] == ["Plan", "Other"]


def test_somebody_here_as_organizer_elsewhere(alice: Person, bob: Person) -> None:
    """A CRM mails invitations in the name of its user, whose mailbox does not know of them."""
    Outsider(bob, ALICE).invite(BOB, iCalUId="67a1b2c3d4e5f6a7b")
    assert alice.events() == []
    (own,) = bob.events()
    assert (own["organizer"]["emailAddress"]["address"], own["isOrganizer"]) == (ALICE, False)
    assert bob.post(f"events/{own['id']}/accept", {}).status_code == 202
    assert alice.events() == []


def test_a_forward_reaches_the_organizer_outside(alice: Person, bob: Person, eve: Outsider) -> None:
    made = eve.invite(ALICE)
    (own,) = alice.events()
    alice.post(f"events/{own['id']}/forward", {"toRecipients": [{"emailAddress": {"address": BOB}}]})
    listed = json_of(eve.get(f"events/{made['id']}"))["attendees"]
    assert [one["emailAddress"]["address"] for one in listed] == [ALICE, BOB]
    assert [one["iCalUId"] for one in bob.events()] == [made["iCalUId"]]


def test_nobody_logs_in_from_outside(alice: Person, eve: Outsider) -> None:
    eve.invite(ALICE)
    answer = alice.get("events", headers={"Authorization": f"Bearer sandbox:{EVE}"})
    assert answer.status_code == 401
    assert alice.get(f"/v1.0/users/{EVE}/calendar/events").status_code == 404
    assert EVE not in alice.get("/control/mailboxes").text


def test_organizers_outside_survive_a_restart(tmp_path: Path, clock: MovableClock) -> None:
    path = tmp_path / "outlook.json"
    first = create_app(clock=clock, data_file=path)
    eve = Outsider(Person(first, ALICE))
    made = eve.invite(ALICE, recurrence=weekly(count=3), iCalUId="uid-1")
    eve.patch(f"events/{made['id']}", {"recurrence": weekly(count=2)})
    first.extensions["outlook"].close()
    again = create_app(clock=clock, data_file=path)
    alice = Person(again, ALICE)
    assert Outsider(alice).patch(f"events/{made['id']}", {"subject": "Later"}).status_code == 200
    assert [(one["subject"], one["iCalUId"]) for one in alice.events()] == [("Later", "uid-1")]
    assert len(alice.events(filter="iCalUId eq 'uid-1'")) == 1
    again.extensions["outlook"].close()
