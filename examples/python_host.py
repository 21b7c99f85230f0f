"""A small CRM that loads calsync, saves meetings, finds free times and books them.

Start the sandbox's Outlook first:   calsync sandbox outlook --port 8702
then:                                python examples/python_host.py
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.request import Request, urlopen

import pluggy

from calsync_plugin import register
from calsync_plugin.booking.calls import Booked, Calls, Question
from calsync_plugin.crm.gateway import Found, Loaded, Missing, PersonCard, Record, SimpleGateway
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.hookspecs import hookimpl

USERS = {"7": "alice@example.com", "8": "bob@example.com"}


class TinyCrm(SimpleGateway):
    """Keeps meetings in a dictionary and tells its plugins what happens to them."""

    def __init__(self) -> None:
        self.plugins = pluggy.PluginManager("calsync")
        self.plugins.register(self)
        self.meetings: dict[str, dict[str, object]] = {}
        self._ids = itertools.count(1)

    @hookimpl
    def calsync_crm_gateway(self) -> TinyCrm:
        """Calsync reads and writes through this very object."""
        return self

    @hookimpl
    def calsync_grants(self, user_id: str) -> Collection[str]:
        """Everybody may connect Outlook here."""
        return ("ExternalAccount", "OutlookCalendar") if user_id in USERS else ()

    def save(self, **attributes: object) -> str:
        """Commit a meeting, then call the hook."""
        meeting = {"id": str(next(self._ids)), "modifiedAt": f"{datetime.now(UTC):%F %T}", **attributes}
        self.meetings[str(meeting["id"])] = meeting
        self.plugins.hook.calsync_entity_created(entity_type="Meeting", record=meeting)
        return str(meeting["id"])

    def load(self, entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """Give out meetings; one that was removed is gone for good."""
        gone = Missing(Presence.GONE, "removed")
        return {i: Found(self.meetings[i]) if i in self.meetings else gone for i in ids}

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        """Give out users; this CRM has no contacts and no leads."""
        found = USERS if kind is PersonKind.USER else {}
        return {i: PersonCard(id=i, addresses=(found[i],)) for i in ids if i in found}

    def create(self, entity_type: str, attributes: Record) -> str:
        """Take a meeting that was booked, as if a user had saved it."""
        return self.save(**attributes)

    def update(
        self, entity_type: str, record_id: str, attributes: Record, *, version: int | None = None
    ) -> None:
        """Take what calsync writes back, such as the address of a Teams meeting."""
        self.meetings[record_id].update(attributes)


def main(outlook: str = "http://127.0.0.1:8702") -> None:
    """Connect alice, save a meeting for her, read it back from her Outlook, and book a free time of hers."""
    crm = TinyCrm()
    with tempfile.TemporaryDirectory() as folder:
        store = {"url": f"sqlite:///{Path(folder) / 'calsync.db'}", "secret_keys": {"k1": "A" * 43 + "="}}
        graph = {"url": f"{outlook}/v1.0", "authority": f"{outlook}/common", "client_id": "tiny"}
        web = {"public_url": "http://127.0.0.1:8700"}
        calsync = register(crm.plugins, {"store": store, "graph": graph, "serve": web})
        login = calsync.connections.begin("7", login_hint=USERS["7"], prompt="none")
        page = unescape(urlopen(login).read().decode())  # a real host sends the user's browser there
        calsync.connections.finish(dict(re.findall(r'name="([^"]*)" value="([^"]*)"', page)))
        calsync.start()
        day = datetime.now(UTC).date() + timedelta(days=7)
        crm.save(
            name="Kick-off",
            assignedUserId="7",
            dateStart=f"{day} 10:00:00",
            dateEnd=f"{day} 11:00:00",
        )
        print("alice's Outlook now holds:", wait_for_event(f"{outlook}/v1.0/me/events"))
        booked = book_a_demo(calsync.desk.calls, datetime.now(UTC) + timedelta(days=7))
        print("alice is booked for half an hour:", crm.meetings[booked.record_id]["name"])
        calsync.stop()


def book_a_demo(calls: Calls, day: datetime) -> Booked:
    """Book the first half hour in which alice is free within a week."""
    week = day, day + timedelta(days=7)
    while not calls.busy(["7"], *week)[0].known:
        time.sleep(0.1)  # her calendar is being read for the first time
    demo = Question(users=["7"], duration=timedelta(minutes=30))
    first = calls.slots(demo, *week, limit=1).slots[0]
    return calls.book(demo, first.start, "Demo")


def wait_for_event(address: str) -> str:
    """Return the subject of the first event that appears in alice's calendar."""
    request = Request(address, headers={"Authorization": "Bearer sandbox:alice@example.com"})
    for _ in range(300):
        if events := json.load(urlopen(request))["value"]:
            return str(events[0]["subject"])
        time.sleep(0.1)
    raise SystemExit("no event appeared within half a minute")


if __name__ == "__main__":
    main(*sys.argv[1:])
