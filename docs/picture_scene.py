"""What the pictures show: a week of three colleagues in a real sandbox, and what can go wrong in it.

Decides meetings, answers and troubles. All of it happens by the sandbox's own pages and interfaces, pushed by
calsync itself. Knows no browser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import requests

from calsync_plugin.accounts import giving
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.follow_again import detached
from calsync_plugin.booking.features import Feature
from calsync_plugin.demo import Sandbox
from calsync_plugin.domain.lag import bucket
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.sandbox.crm.identities import (
    ADMIN_ID,
    ALICE_ID,
    BOB_ID,
    CAROL_ID,
    DAVE_ID,
    ERIN_ID,
    ROLE_SALES_ID,
    TEAM_SALES_ID,
)
from calsync_plugin.state import Account, AccountStatus, BookingCalendar, CalendarKind, Subject
from calsync_plugin.state.database import Database
from calsync_plugin.state.figures import Figures

ZONE = "Europe/Berlin"
REVIEW = "Review with Contoso"
AGENDA = "Agenda\n1. Figures of the quarter\n2. Open tickets\n3. Plan for the spring"
ADMINISTRATOR = Actor(ADMIN_ID, "Admin")
HOUR = 3600

Values = dict[str, object]


class Scene:
    """A sandbox with a week full of meetings."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.crm = f"http://127.0.0.1:{sandbox.ports.crm}"
        self.outlook = f"http://127.0.0.1:{sandbox.ports.outlook}"
        self.bridge = f"http://127.0.0.1:{sandbox.ports.bridge}"
        self.calsync = sandbox.calsync
        self.sandbox = sandbox
        today = datetime.now(UTC).date()
        self.monday = today + timedelta(days=7 - today.weekday())

    def day(self, number: int) -> date:
        """The day so many days after the week's Monday."""
        return self.monday + timedelta(days=number)

    def at(self, number: int, start: str, end: str) -> Values:
        """The span of a timed record on one day, as the CRM's form sends it."""
        return {"dateStart": f"{self.day(number)}T{start}", "dateEnd": f"{self.day(number)}T{end}"}

    def whole_days(self, first: int, last: int) -> Values:
        """The span of an all-day record."""
        return {
            "isAllDay": True,
            "dateStartDate": str(self.day(first)),
            "dateEndDate": str(self.day(last)),
        }

    def save(self, entity_type: str, name: str, owner: str, span: Values, **values: object) -> str:
        """Save a record as its owner, through the CRM's page; returns its id."""
        body = {"name": name, "status": "Planned", "assignedUserId": owner, "zone": ZONE, **span, **values}
        saved = _send("POST", f"{self.crm}/page/records/{entity_type}", {"X-Acting-As": owner}, body)
        return str(saved["id"])

    def change(self, record_id: str, **values: object) -> None:
        """Change a meeting of alice's in the CRM."""
        _send("PUT", f"{self.crm}/api/v1/Meeting/{record_id}", {"X-Api-Key": "sandbox"}, values)

    def remove(self, record_id: str) -> None:
        """Remove a meeting of alice's from the CRM."""
        _send("DELETE", f"{self.crm}/page/records/Meeting/{record_id}", {"X-Acting-As": ALICE_ID}, None)

    def graph(self, person: str, method: str, path: str, body: Values | None = None) -> Mapping[str, object]:
        """Do something in a person's Outlook."""
        token = {"Authorization": f"Bearer sandbox:{person}@example.com"}
        return _send(method, f"{self.outlook}/v1.0/me/{path}", token, body)

    def events(self, person: str) -> dict[str, str]:
        """Ids of a person's events by their subjects."""
        found = self.graph(person, "GET", "events?$top=100&$select=subject")["value"]
        assert isinstance(found, list)
        return {event["subject"]: event["id"] for event in found}

    def records(self) -> dict[str, str]:
        """Ids of the meetings in the CRM by their names."""
        url = f"{self.crm}/api/v1/Meeting?maxSize=100&select=name"
        found = _send("GET", url, {"X-Api-Key": "sandbox"}, None)["list"]
        assert isinstance(found, list)
        return {record["name"]: record["id"] for record in found}

    def wait_for(self, person: str, *subjects: str) -> None:
        """Wait until calsync has pushed these meetings."""
        wait(lambda: set(subjects) <= set(self.events(person)))

    def answer(self, person: str, subject: str, answer: str) -> None:
        """Answer an invitation in a person's Outlook."""
        self.wait_for(person, subject)
        event_id = self.events(person)[subject]
        self.graph(person, "POST", f"events/{event_id}/{answer}", {"sendResponse": True})

    def published(self, person: str) -> str:
        """Address of a person's published calendar."""
        return f"{self.outlook}/published/{person}@example.com/calendar.ics"

    def crm_page(self, user_id: str = "") -> str:
        """Address of the CRM's week."""
        return f"{self.crm}/?week={self.monday}&zone={ZONE}&user={user_id}"

    def outlook_page(self, person: str) -> str:
        """Address of a person's week in Outlook."""
        return f"{self.outlook}/?mailbox={person}@example.com&week={self.monday}"


def _send(method: str, url: str, headers: dict[str, str], body: Values | None) -> Mapping[str, object]:
    answer = requests.request(method, url, headers=headers, json=body, timeout=10)
    answer.raise_for_status()
    return answer.json() if answer.content else {}


def wait(ready: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is true; what never becomes true is an error."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError("calsync did not carry the pictures' meetings in time")
        time.sleep(0.1)


def fill(scene: Scene) -> None:
    """Save the week's records, let calsync push them, and let colleagues answer."""
    for save in (_meetings, _others):
        save(scene)
    scene.graph("alice", "POST", "events", _own_event(scene))
    scene.wait_for("alice", "C: Ring Dave Dunn", "V: Plant tour", "Inventory day")
    scene.wait_for("bob", "Trade fair, Hanover")
    for person, subject, answer in (
        ("bob", REVIEW, "accept"),
        ("carol", REVIEW, "tentativelyAccept"),
        ("bob", "Pipeline", "accept"),
        ("carol", "Pipeline", "decline"),
        ("alice", "Contract draft", "accept"),
        ("alice", "Kick-off Fabrikam", "tentativelyAccept"),
    ):
        scene.answer(person, subject, answer)


def _meetings(scene: Scene) -> None:
    scene.save(
        "Meeting",
        REVIEW,
        ALICE_ID,
        scene.at(1, "10:00", "12:00"),
        usersIds=[ALICE_ID, BOB_ID, CAROL_ID],
        contactsIds=[DAVE_ID, ERIN_ID],
        description=AGENDA,
    )
    for name, owner, guest, span in (
        ("Pipeline", ALICE_ID, CAROL_ID, scene.at(0, "13:00", "14:30")),
        ("Contract draft", BOB_ID, ALICE_ID, scene.at(1, "13:30", "15:00")),
        ("Demo for Grace", CAROL_ID, CAROL_ID, scene.at(2, "11:00", "12:30")),
        ("Kick-off Fabrikam", BOB_ID, ALICE_ID, scene.at(4, "10:00", "11:30")),
    ):
        scene.save("Meeting", name, owner, span, usersIds=sorted({owner, guest, BOB_ID}))


def _others(scene: Scene) -> None:
    span = scene.at(0, "09:00", "09:45")
    scene.save("Call", "Ring Dave Dunn", ALICE_ID, span, contactsIds=[DAVE_ID])
    span, users = scene.at(3, "11:00", "13:00"), [ALICE_ID, BOB_ID]
    scene.save("Visit", "Plant tour", ALICE_ID, span, location="Contoso, Hall 3", usersIds=users)
    scene.save("Meeting", "Trade fair, Hanover", BOB_ID, scene.whole_days(2, 3))
    scene.save("Meeting", "Inventory day", ALICE_ID, scene.whole_days(4, 4))


def _own_event(scene: Scene) -> Values:
    def at(time: str) -> Values:
        return {"dateTime": f"{scene.day(2)}T{time}:00", "timeZone": ZONE}

    return {"subject": "Dentist", "start": at("08:30"), "end": at("09:15")}


def trouble(scene: Scene) -> None:
    """What a user and an administrator are asked about: a clash, parked, deleted, held and detached items."""
    scene.save("Meeting", "Draft without an end", ALICE_ID, {"dateStart": f"{scene.day(3)}T16:00"})
    offer = scene.save("Meeting", "Offer for Erin", ALICE_ID, scene.at(0, "16:00", "17:00"))
    gone = scene.save("Meeting", "Cancelled visit", ALICE_ID, scene.at(9, "09:00", "10:00"))
    trainings = [f"Training {number}" for number in range(1, 8)]
    many = [scene.save("Meeting", name, ALICE_ID, scene.at(10, "09:00", "10:00")) for name in trainings]
    scene.wait_for("alice", "Offer for Erin", "Cancelled visit", *trainings)
    wait(lambda: "Dentist" in scene.records())
    imported = scene.records()["Dentist"]
    store = scene.calsync.store

    scene.remove(gone)
    wait(lambda: "Cancelled visit" not in scene.events("alice"))
    scene.remove(imported)
    scene.calsync.connections.pause(ALICE_ID)
    scene.graph(
        "alice", "PATCH", f"events/{scene.events('alice')['Offer for Erin']}", {"subject": "Offer, Erin"}
    )
    scene.change(offer, name="Second offer for Erin")
    for record_id in many:
        scene.remove(record_id)
    # All of them together are too many; one by one some would go.
    mailbox_id = _account(scene, ALICE_ID).mailbox_id or 0
    wait(lambda: store.changes.waiting_for(mailbox_id) > len(many))
    scene.calsync.connections.resume(ALICE_ID)
    wait(lambda: bool(store.log.clashes(ALICE_ID)) and bool(store.held.all()))
    wait(lambda: any(detached(store, _account(scene, ALICE_ID))))


def _account(scene: Scene, user_id: str) -> Account:
    found = scene.calsync.store.accounts.get(user_id)
    assert found is not None
    return found


def keep_busy(scene: Scene) -> None:
    """A private calendar of alice's in Outlook that makes her busy."""
    calendar = scene.graph("alice", "POST", "calendars", {"name": "Private"})["id"]
    for number, start, end in ((1, "16:30", "18:00"), (3, "08:00", "09:30"), (4, "12:00", "13:00")):
        span = {
            side: {"dateTime": f"{scene.day(number)}T{time}:00", "timeZone": ZONE}
            for side, time in (("start", start), ("end", end))
        }
        scene.graph("alice", "POST", f"calendars/{calendar}/events", {"subject": "Private", **span})
    scene.calsync.connections.read_again(ALICE_ID)
    choose(scene.calsync.store, scene.calsync.gateway, ALICE_ID, {"conflict_calendars": [str(calendar)]})


def allow_sales(scene: Scene) -> None:
    """Let everybody with the role Sales connect."""
    giving.give(scene.calsync, ADMINISTRATOR, Subject("role", ROLE_SALES_ID))


def sign_out_at_microsoft(scene: Scene) -> None:
    """Let Microsoft refuse bob's login, and calsync notice it."""
    scene.sandbox.outlook.logins.revoke("bob@example.com")
    mailbox_id = _account(scene, BOB_ID).mailbox_id
    assert mailbox_id is not None
    scene.calsync.store.queue.hint(mailbox_id)
    wait(lambda: _account(scene, BOB_ID).status is AccountStatus.RECONNECT)


def offer_times(scene: Scene) -> tuple[str, str]:
    """Set up booking calendars, and a feature that a team does without.

    Returns the id of the team's, and the address of its week.
    """
    desk = scene.calsync.desk
    hours: dict[str, JsonValue] = {"hours": "own", "start": "09:00", "end": "16:00", "zone": ZONE}
    team, *_others = [
        desk.calendars.save(
            ADMINISTRATOR,
            BookingCalendar(id="", name=name, kind=kind, members=dict.fromkeys(members, 0), rules=hours),
        )
        for name, kind, members in (
            ("Demo with sales", CalendarKind.ROUND_ROBIN, (ALICE_ID, BOB_ID, CAROL_ID)),
            ("Steering committee", CalendarKind.COLLECTIVE, (ALICE_ID, BOB_ID)),
            ("Webinar", CalendarKind.EVENT, ()),
        )
    ]
    desk.features.close(ADMINISTRATOR, Feature.FEEDS, Subject("team", TEAM_SALES_ID))
    return team.id, f"/booking-calendars/{team.id}?week={scene.monday}&zone={ZONE}"


def remember_a_day(scene: Scene) -> None:
    """Figures of the hours before: a sandbox that has just begun has none."""
    scene.calsync.counting.save()
    for ago in range(1, 24):
        clock = _Then(time.time() - ago * HOUR)
        database = Database(scene.calsync.settings.store.url, clock)
        busy = (ago * 7) % 11
        Figures(database).add(
            {
                ("writes", "outlook:update"): 3.0 * busy,
                ("writes", "crm:update"): 2.0 * ((ago * 5) % 7),
                ("lag", f"out:{bucket(0.1)}"): 20.0,
                ("lag", f"in:{bucket(0.4 + busy / 10)}"): 4.0,
                ("graph_requests", "429"): float(busy == 10),
            }
        )
        database.close()


@dataclass(frozen=True, slots=True)
class _Then:
    """A clock that stands still."""

    at: float

    def now(self) -> float:
        return self.at
