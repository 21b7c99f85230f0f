"""Makes the pictures of README and documentation from a real sandbox: `python docs/make_pictures.py`.

Decides what the pictures show: the coming week of three colleagues, pushed by calsync itself. Needs Chromium
at /usr/bin/chromium and what `make test` installs; the folder to write to may be given as an argument.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from calsync_plugin.demo import Sandbox
from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID, CAROL_ID, DAVE_ID, ERIN_ID
from calsync_plugin.settings import LogSettings

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
SIZE: ViewportSize = {"width": 1240, "height": 820}
ZONE = "Europe/Berlin"
REVIEW = "Review with Contoso"
AGENDA = "Agenda\n1. Figures of the quarter\n2. Open tickets\n3. Plan for the spring"

Values = dict[str, object]


class Scene:
    """A sandbox with a week full of meetings."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.crm = f"http://127.0.0.1:{sandbox.ports.crm}"
        self.outlook = f"http://127.0.0.1:{sandbox.ports.outlook}"
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

    def save(self, entity_type: str, name: str, owner: str, span: Values, **values: object) -> None:
        """Save a record as its owner, through the CRM's page."""
        body = {"name": name, "status": "Planned", "assignedUserId": owner, "zone": ZONE, **span, **values}
        _send("POST", f"{self.crm}/page/records/{entity_type}", {"X-Acting-As": owner}, body)

    def graph(self, person: str, method: str, path: str, body: Values | None = None) -> Mapping[str, object]:
        """Do something in a person's Outlook."""
        token = {"Authorization": f"Bearer sandbox:{person}@example.com"}
        return _send(method, f"{self.outlook}/v1.0/me/{path}", token, body)

    def events(self, person: str) -> dict[str, str]:
        """Ids of a person's events by their subjects."""
        found = self.graph(person, "GET", "events?$top=100&$select=subject")["value"]
        assert isinstance(found, list)
        return {event["subject"]: event["id"] for event in found}

    def wait_for(self, person: str, *subjects: str) -> None:
        """Wait until calsync has pushed these meetings."""
        _wait(lambda: set(subjects) <= set(self.events(person)))

    def answer(self, person: str, subject: str, answer: str) -> None:
        """Answer an invitation in a person's Outlook."""
        self.wait_for(person, subject)
        event_id = self.events(person)[subject]
        self.graph(person, "POST", f"events/{event_id}/{answer}", {"sendResponse": True})

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


def _wait(ready: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit("calsync did not push the pictures' meetings in time")
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


def take(browser: Browser, scene: Scene, folder: Path) -> None:
    """Open both pages and take the pictures."""
    page = browser.new_page(viewport=SIZE)
    page.goto(scene.crm_page())
    _shoot(page, folder / "crm.png")
    page.click(f"[data-record-name='{REVIEW}']")
    _shoot(page, folder / "crm-record.png")
    page.goto(scene.outlook_page("alice"))
    _shoot(page, folder / "outlook.png")
    page.click(f"[data-event-subject='{REVIEW}']")
    _shoot(page, folder / "outlook-event.png")


def _shoot(page: Page, file: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file)


def main(folder: Path = PICTURES) -> None:
    """Start a sandbox, fill it, and write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        sandbox = Sandbox(Path(data), 0, LogSettings(level="warning"))
        sandbox.start()
        try:
            scene = Scene(sandbox)
            fill(scene)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            take(browser, scene, folder)
            browser.close()
        finally:
            sandbox.stop()


if __name__ == "__main__":
    main(*[Path(argument) for argument in sys.argv[1:]])
