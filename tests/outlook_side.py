"""Outlook's side of a world: what its users, and organizers elsewhere, do to the simulated mailboxes.

People act through Graph as Outlook does for them; what Graph has no request for goes through the simulator's
control API. Events are written in short: `start="2026-12-02T10:00"`, `attendees=["bob@example.com"]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import requests

from calsync_plugin.sandbox.crm import identities as crm_people
from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook import faults as outlook_faults
from calsync_plugin.sandbox.outlook.ids import immutable_id

OUTLOOK = "http://127.0.0.1:2"
ADDRESS = {
    crm_people.ALICE_ID: "alice@example.com",
    crm_people.BOB_ID: "bob@example.com",
    crm_people.CAROL_ID: "carol@example.com",
}
EVE = "eve@partner.example"
"""An organizer whose mailbox is elsewhere, and whom the CRM does not know."""
START, END = "2026-12-02T10:00:00", "2026-12-02T11:00:00"
YEAR = ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")


class Clock(Protocol):
    """What the hands need of time."""

    def advance(self, seconds: float) -> None:
        """Move it."""
        ...


@dataclass(slots=True)
class Event:
    """An event as a test reads it from the simulator by Graph."""

    json: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.json[name]

    @property
    def attendees(self) -> set[str]:
        """Addresses of the attendees."""
        return {a["emailAddress"]["address"].lower() for a in self.json["attendees"]}

    @property
    def responses(self) -> dict[str, str]:
        """What each attendee answered, by address."""
        return {a["emailAddress"]["address"].lower(): a["status"]["response"] for a in self.json["attendees"]}

    @property
    def start(self) -> str:
        """Start as Graph says it, without the fraction."""
        return str(self.json["start"]["dateTime"])[:19]

    @property
    def end(self) -> str:
        """End as Graph says it, without the fraction."""
        return str(self.json["end"]["dateTime"])[:19]


def event_json(*, zone: str = "UTC", **properties: Any) -> dict[str, Any]:
    """Graph's JSON of an event in short; what is already Graph's stays as it is."""
    made = dict(properties)
    for name in ("start", "end"):
        if isinstance(made.get(name), str):
            made[name] = {"dateTime": made[name], "timeZone": zone}
    if isinstance(made.get("body"), str):
        made["body"] = {"contentType": "html", "content": made["body"]}
    if isinstance(made.get("location"), str):
        made["location"] = {"displayName": made["location"]}
    if "attendees" in made:
        made["attendees"] = [
            {"type": "required", "emailAddress": {"address": one}} if isinstance(one, str) else one
            for one in made["attendees"] or []
        ]
    return made


def new_event(**properties: Any) -> dict[str, Any]:
    """An event with a subject and an hour, unless they are given."""
    return event_json(**{"subject": "Visit", "start": START, "end": END, **properties})


def repeats(
    kind: str = "weekly",
    *,
    start: str = START,
    count: int = 0,
    until: str = "",
    interval: int = 1,
    **more: Any,
) -> dict[str, Any]:
    """A recurrence from the day of `start` on: so many times, until a day, or without an end."""
    first = date.fromisoformat(start[:10])
    pattern: dict[str, Any] = {"type": kind, "interval": interval, **more}
    if kind == "weekly" and "daysOfWeek" not in more:
        pattern["daysOfWeek"] = [first.strftime("%A").lower()]
    if kind.startswith("absolute"):
        pattern.setdefault("dayOfMonth", first.day)
    limits: dict[str, Any] = {"type": "noEnd", "startDate": first.isoformat()}
    if count:
        limits |= {"type": "numbered", "numberOfOccurrences": count}
    elif until:
        limits |= {"type": "endDate", "endDate": until}
    return {"pattern": pattern, "range": limits}


class OutlookSide:
    """The hands of Outlook's users. Ids are immutable ones, as calsync keeps them."""

    clock: Clock
    outlook: Simulator
    session: requests.Session

    # --- by Graph, as Outlook does for its users

    def graph(self, method: str, user_id: str, path: str, *, prefer: str = "", **kwargs: Any) -> Any:
        """Call Graph as a user of Outlook would."""
        preferences = ['IdType="ImmutableId"', *filter(None, [prefer])]
        headers = {"Authorization": f"Bearer sandbox:{ADDRESS[user_id]}", "Prefer": ", ".join(preferences)}
        answer = self.session.request(
            method, f"{OUTLOOK}/v1.0/me/{path}", headers=headers, timeout=5, **kwargs
        )
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def events(self, user_id: str, *, calendar: str = "") -> list[Event]:
        """All single events and series of a user's main calendar, or of another one, by subject."""
        home = f"calendars/{calendar}/events" if calendar else "events"
        found = self.graph("GET", user_id, f"{home}?$top=999")["value"]
        return [Event(json) for json in sorted(found, key=lambda e: str(e["subject"]))]

    def event(self, user_id: str) -> Event:
        """The only event of a user's calendar."""
        events = self.events(user_id)
        assert len(events) == 1, [e.subject for e in events]
        return events[0]

    def event_at(self, user_id: str, event_id: str) -> Event:
        """An event by its id."""
        return Event(self.graph("GET", user_id, f"events/{event_id}"))

    def event_of(self, user_id: str, subject: str) -> Event:
        """The only event of a user's calendar that has this subject."""
        (found,) = [event for event in self.events(user_id) if event.subject == subject]
        return found

    def edit(self, user_id: str, **properties: Any) -> None:
        """Change the only event of a user's calendar in Outlook, as its owner would."""
        self.outlook_patch(user_id, self.event(user_id).id, **properties)

    def discard(self, user_id: str) -> None:
        """Delete the only event of a user's calendar in Outlook."""
        self.outlook_delete(user_id, self.event(user_id).id)

    def outlook_create(self, user_id: str, *, calendar: str = "", **properties: Any) -> str:
        """A user makes an event in Outlook (`new_event`); returns its id."""
        self.clock.advance(1)
        home = f"calendars/{calendar}/events" if calendar else "events"
        return str(self.graph("POST", user_id, home, json=new_event(**properties))["id"])

    def outlook_patch(self, user_id: str, event_id: str, **properties: Any) -> None:
        """A user changes an event, a series or one occurrence of it."""
        self.clock.advance(1)
        self.graph("PATCH", user_id, f"events/{event_id}", json=event_json(**properties))

    def outlook_delete(self, user_id: str, event_id: str) -> None:
        """A user deletes an event, a series or one occurrence of it."""
        self.clock.advance(1)
        self.graph("DELETE", user_id, f"events/{event_id}")

    def outlook_cancel(self, user_id: str, event_id: str, comment: str = "") -> None:
        """An organizer cancels a meeting, a series or one occurrence of it."""
        self.clock.advance(1)
        self.graph("POST", user_id, f"events/{event_id}/cancel", json={"comment": comment})

    def respond(self, user_id: str, event_id: str, answer: str, *, send: bool = True) -> None:
        """A user answers an invitation through the own copy: accept, tentativelyAccept or decline."""
        self.clock.advance(1)
        self.graph("POST", user_id, f"events/{event_id}/{answer}", json={"sendResponse": send})

    def forward(self, user_id: str, event_id: str, *addresses: str) -> None:
        """A user forwards a meeting to others."""
        people = [{"emailAddress": {"address": address}} for address in addresses]
        self.graph("POST", user_id, f"events/{event_id}/forward", json={"toRecipients": people})

    def series(self, user_id: str, kind: str = "weekly", *, calendar: str = "", **properties: Any) -> str:
        """A user makes a series (`repeats` takes count, until, interval, daysOfWeek, ...); returns its id."""
        rule = {
            name: properties.pop(name)
            for name in ("count", "until", "interval", "daysOfWeek", "dayOfMonth", "month", "index")
            if name in properties
        }
        start = properties.get("start", START)
        recurrence = repeats(kind, start=start, **rule)
        return self.outlook_create(user_id, calendar=calendar, recurrence=recurrence, **properties)

    def occurrences(self, user_id: str, master_id: str, *, span: Sequence[str] = YEAR) -> list[Event]:
        """The occurrences and exceptions of a series, in order."""
        first, last = span
        path = f"events/{master_id}/instances?startDateTime={first}&endDateTime={last}&$top=999"
        return [Event(json) for json in self.graph("GET", user_id, path)["value"]]

    def end_series(self, user_id: str, master_id: str, last_day: str) -> None:
        """A series ends with this day: the first half of "this and following"."""
        known = self.event_at(user_id, master_id).recurrence
        limits = {"type": "endDate", "startDate": known["range"]["startDate"], "endDate": last_day}
        self.outlook_patch(user_id, master_id, recurrence={"pattern": known["pattern"], "range": limits})

    def split_series(self, user_id: str, occurrence: Event, **properties: Any) -> str:
        """Change "this and following" as Outlook does: the old series ends before, a new one begins here.

        The new one has an iCalUId of its own and lasts until the old one's end; returns its id.
        """
        master = self.event_at(user_id, occurrence.seriesMasterId)
        every = self.occurrences(user_id, master.id)
        place = [one.id for one in every].index(occurrence.id)
        old = master.recurrence
        self.end_series(user_id, master.id, every[place - 1].start[:10])
        limits = {**old["range"], "startDate": occurrence.start[:10]}
        if limits["type"] == "numbered":
            limits |= {"type": "endDate", "endDate": every[-1].start[:10]}
        kept = {
            name: master.json[name]
            for name in ("subject", "body", "location", "attendees", "showAs", "sensitivity")
        }
        times = {"start": occurrence.json["start"], "end": occurrence.json["end"]}
        recurrence = {"pattern": old["pattern"], "range": limits}
        return self.outlook_create(user_id, **{**kept, **times, "recurrence": recurrence, **properties})

    # --- what Graph has no request for

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the simulator's control API."""
        answer = self.session.request(method, f"{OUTLOOK}/control/{path}", json=body, timeout=5)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def _on_events(self, user_id: str, what: str, **body: Any) -> Any:
        self.clock.advance(1)
        given = {name: value for name, value in body.items() if value is not None and value != ""}
        return self.control("POST", f"mailboxes/{ADDRESS[user_id]}/events/{what}", **given)

    def move_event(self, user_id: str, event_id: str, calendar: str) -> None:
        """A user drags an event into another calendar; its immutable id stays."""
        self._on_events(user_id, "move", id=event_id, calendar=calendar)

    def copy_event(self, user_id: str, event_id: str, *, calendar: str = "", attendees: bool = False) -> str:
        """A user copies an event: a new id and iCalUId, extended properties come along; returns the id."""
        made = self._on_events(user_id, "copy", id=event_id, calendar=calendar, attendees=attendees)
        return str(made["immutableId"])

    def plant(self, user_id: str, *, calendar: str = "", **properties: Any) -> str:
        """An event lies there as it is given, null and nonsense included; returns its id."""
        event = new_event(**properties)
        return str(self._on_events(user_id, "raw", event=event, calendar=calendar)["immutableId"])

    def spoil(self, user_id: str, event_id: str, **properties: Any) -> None:
        """An event is told otherwise from now on than any client could write it."""
        self.clock.advance(1)
        mailbox = self.outlook.state.mailboxes[ADDRESS[user_id]]
        (item,) = [i for i in mailbox.items.values() if immutable_id(mailbox.number, 0, i.number) == event_id]
        item.planted = properties
        self.outlook.state.touch(mailbox, item)
        self.outlook.changed(mailbox, item, "updated")

    def twins(self, user_id: str, *, differ: str = "case", **properties: Any) -> tuple[str, str]:
        """Two equal events whose ids differ in the case of a letter, or (`dash`) in - and _."""
        made = self._on_events(user_id, "twins", event=new_event(**properties), differ=differ)["events"]
        return made[0]["immutableId"], made[1]["immutableId"]

    def calendar(self, user_id: str, name: str) -> str:
        """A user makes a calendar; returns its id."""
        return str(self.graph("POST", user_id, "calendars", json={"name": name})["id"])

    def share(
        self, owner_id: str, to_id: str, role: str = "write", *, calendar: str = "", add: bool = True
    ) -> str:
        """A user shares a calendar, the main one unless named; returns its id in the other one's list.

        Role none takes a share away again.
        """
        body: dict[str, Any] = {"owner": ADDRESS[owner_id], "to": ADDRESS[to_id], "role": role, "add": add}
        if calendar:
            body["calendar"] = calendar
        return str(self.control("POST", "shares", **body).get("id", ""))

    def invite_from_outside(self, *user_ids: str, organizer: str = EVE, **properties: Any) -> str:
        """An organizer elsewhere invites people; returns the id of the organizer's own event.

        Series too (`recurrence=repeats(...)`), and an iCalUId of their system's (`iCalUId=...`).
        """
        self.clock.advance(1)
        people = [*(ADDRESS[one] for one in user_ids), *properties.pop("attendees", [])]
        event = new_event(attendees=people, **properties)
        return str(self.control("POST", f"outside/{organizer}/events", **event)["id"])

    def outside_patch(self, event_id: str, *, organizer: str = EVE, **properties: Any) -> None:
        """An organizer elsewhere changes a meeting, a series or one occurrence of it."""
        self.clock.advance(1)
        self.control("PATCH", f"outside/{organizer}/events/{event_id}", **event_json(**properties))

    def outside_cancel(self, event_id: str, *, organizer: str = EVE) -> None:
        """An organizer elsewhere cancels a meeting, a series or one occurrence of it."""
        self.clock.advance(1)
        self.control("POST", f"outside/{organizer}/events/{event_id}/cancel")

    def outside_event(self, event_id: str, *, organizer: str = EVE) -> Event:
        """The meeting as its organizer elsewhere sees it, for instance who answered what."""
        return Event(self.control("GET", f"outside/{organizer}/events/{event_id}"))

    def outside_occurrences(self, event_id: str, *, organizer: str = EVE) -> list[Event]:
        """The occurrences of a series of an organizer elsewhere, in order."""
        first, last = YEAR
        path = f"events/{event_id}/instances?startDateTime={first}&endDateTime={last}&$top=999"
        return [Event(json) for json in self.control("GET", f"outside/{organizer}/{path}")["value"]]

    # --- the service itself

    def mails(self) -> list[tuple[str, str]]:
        """What Outlook mailed since this was last asked: kind and address, in order of the addresses."""
        mails = [(mail.kind, mail.to) for mail in self.outlook.state.mails]
        self.outlook.state.mails.clear()
        return sorted(mails, key=lambda mail: mail[1])

    @contextmanager
    def watched(self, *user_ids: str) -> Iterator[list[str]]:
        """Collect the methods of what is sent to Graph within, for these users or for anybody.

        Members of batches are collected one by one.
        """
        self.outlook.log.clear()
        seen: list[str] = []
        yield seen
        wanted = {ADDRESS[user_id] for user_id in user_ids}
        seen += [one["method"] for one in self._requests() if not wanted or one["mailbox"] in wanted]

    def _requests(self) -> list[dict[str, Any]]:
        entries = self.outlook.log.as_json()["requests"]
        return [entry for entry in entries if "$batch" not in entry["path"]]

    def switch(self, **switches: Any) -> None:
        """Turn switches of the Outlook simulator."""
        self.outlook.switches = self.outlook.switches.changed(switches)

    def fail(self, **rule: Any) -> None:
        """Let the Outlook simulator fail (the rules of its control API)."""
        self.outlook.faults.add(outlook_faults.parse(rule))

    def revoke(self, user_id: str) -> None:
        """Microsoft no longer accepts a user's tokens."""
        self.outlook.logins.revoke(ADDRESS[user_id])
        self.outlook.logins.revoked.add(ADDRESS[user_id])

    def permit(self, user_id: str) -> None:
        """The user may log in again."""
        self.outlook.logins.revoked.discard(ADDRESS[user_id])

    def expire_cursors(self) -> None:
        """Every delta link that exists is worth nothing from now on."""
        self.outlook.expire_cursors()

    def lifecycle(self, event: str, user_id: str = "") -> int:
        """Graph has news of subscriptions: missed, subscriptionRemoved, reauthorizationRequired."""
        return self.outlook.send_lifecycle(event, ADDRESS.get(user_id))
