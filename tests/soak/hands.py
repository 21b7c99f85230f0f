"""What people do to either side, as calls to the simulators; and what they see there.

Decides how plain values of the model are written in each side's dialect, and back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests import outlook_side
from tests.faults.yard import Yard
from tests.soak.sides import ADDRESSES, CONTACTS, EVE, LABELS, NAMES, USERS, Event, Record, Span

Picture = dict[str, Any]
_TAG = re.compile(r"\b[MS]\d+\b")
_USER = {user_id: name for name, user_id in USERS.items()}
_CONTACT = {contact_id: name for name, contact_id in CONTACTS.items()}


class Hands:
    """Acts on a yard."""

    def __init__(self, yard: Yard, tell: Callable[[Callable[[], object]], None]) -> None:
        self.yard = yard
        self._tell = tell

    # --- the CRM

    def create_record(self, record: Record, *, told: bool = True) -> str:
        """Somebody saves a new record; `told`: the hook is called."""
        body = self._attributes(record, *_RECORD_FIELDS)
        made = self.yard.api("POST", record.kind, json=body)
        if told:
            hook = self.yard.plugins.hook
            self._tell(lambda: hook.calsync_entity_created(entity_type=record.kind, record=made))
        return str(made["id"])

    def change_record(self, record_id: str, record: Record, *names: str, told: bool = True) -> None:
        """Somebody saves some values of a record."""
        self.yard.clock.advance(1)
        body = self._attributes(record, *names)
        made = self.yard.api("PUT", f"{record.kind}/{record_id}", json=body)
        if told:
            hook = self.yard.plugins.hook
            kind = record.kind
            if "owner" in names:
                self._tell(
                    lambda: hook.calsync_entity_reassigned(
                        entity_type=kind, record=made, previous_user_id=None
                    )
                )
            else:
                self._tell(
                    lambda: hook.calsync_entity_updated(entity_type=kind, record=made, changed=list(body))
                )

    def remove_record(self, record_id: str, kind: str, *, told: bool = True) -> None:
        """Somebody removes a record."""
        self.yard.api("DELETE", f"{kind}/{record_id}")
        if told:
            hook = self.yard.plugins.hook
            self._tell(lambda: hook.calsync_entity_deleted(entity_type=kind, record_id=record_id))

    @staticmethod
    def _attributes(record: Record, *names: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name in names:
            match name:
                case "subject":
                    body["name"] = record.subject
                case "span":
                    body |= _dates(record)
                case "location" if record.kind == "Visit":
                    body["location"] = record.location
                case "text":
                    body["description"] = record.text
                case "owner":
                    body["assignedUserId"] = USERS[record.owner]
                case "people":
                    body["usersIds"] = [USERS[n] for n in sorted(record.people) if n in USERS]
                    body["contactsIds"] = [CONTACTS[n] for n in sorted(record.people) if n in CONTACTS]
        return body

    # --- Outlook

    def create_event(self, event: Event, kind: str, *, private: bool = False) -> str:
        """An organizer makes an event; returns its id."""
        properties = self._properties(event, kind, *_EVENT_FIELDS)
        if private:
            properties["sensitivity"] = "private"
        if event.host == EVE:
            return self.yard.invite_from_outside(**properties)
        return self.yard.outlook_create(USERS[event.host], **properties)

    def change_event(self, event_id: str, event: Event, kind: str, *names: str) -> None:
        """Its organizer changes it."""
        properties = self._properties(event, kind, *names)
        if event.host == EVE:
            self.yard.outside_patch(event_id, **properties)
        else:
            self.yard.outlook_patch(USERS[event.host], event_id, **properties)

    def remove_event(self, event_id: str, event: Event) -> None:
        """Its organizer deletes it."""
        if event.host == EVE:
            self.yard.outside_cancel(event_id)
        else:
            self.yard.outlook_delete(USERS[event.host], event_id)

    def copy_event(self, event_id: str, event: Event, kind: str) -> str:
        """An organizer copies an event without its guests, and calls the copy as `event` is called."""
        made = self.yard.copy_event(USERS[event.host], event_id)
        self.yard.outlook_patch(USERS[event.host], made, **self._properties(event, kind, "subject"))
        return made

    def drop_copy(self, name: str, tag: str) -> None:
        """Somebody who is invited deletes the own copy."""
        self.yard.outlook_delete(USERS[name], self._own(name, tag).id)

    def _own(self, name: str, tag: str) -> outlook_side.Event:
        """Somebody's own event of a meeting."""
        events = self.yard.events(USERS[name])
        (found,) = [e for e in events if tag in e.subject.split() and not e.isCancelled]
        return found

    @staticmethod
    def _properties(event: Event, kind: str, *names: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name in names:
            match name:
                case "subject":
                    body["subject"] = LABELS[kind] + event.subject
                case "span":
                    body |= {
                        "start": event.span.start.isoformat(),
                        "end": event.span.end.isoformat(),
                        "isAllDay": event.span.whole_days,
                    }
                case "location":
                    body["location"] = {"displayName": event.location}
                case "text":
                    body["body"] = f"<p>{event.text}</p>" if event.text else ""
                case "guests":
                    body["attendees"] = [ADDRESSES[name] for name in sorted(event.guests)]
        return body

    # --- answers

    def answer_in_outlook(self, name: str, tag: str, how: str) -> None:
        """Somebody answers by the own copy."""
        self.yard.respond(USERS[name], self._own(name, tag).id, how)

    def answer_in_crm(self, name: str, kind: str, record_id: str, says: str) -> None:
        """Somebody answers on the record."""
        columns = self.yard.record(record_id, kind)["usersColumns"]
        self.yard.clock.advance(1)
        columns = {**columns, USERS[name]: {"status": says}}
        self.yard.api("PUT", f"{kind}/{record_id}", json={"usersColumns": columns})
        hook = self.yard.plugins.hook
        self._tell(lambda: hook.calsync_attendance_changed(entity_type=kind, record_id=record_id))

    def said_in_crm(self, name: str, kind: str, record_id: str) -> str:
        """Somebody's answer as the record has it."""
        return str(self.yard.record(record_id, kind)["usersColumns"].get(USERS[name], {}).get("status"))

    def said_in_outlook(self, name: str, tag: str) -> str:
        """Somebody's answer as the own copy has it."""
        return str(self._own(name, tag).json["responseStatus"]["response"])

    # --- what is seen

    def records(self) -> dict[str, list[Picture]]:
        """All records by tag."""
        found: dict[str, list[Picture]] = {}
        for kind in LABELS:
            for row in self.yard.records(kind):
                found.setdefault(_tag(row["name"]), []).append(_record(row, kind))
        return found

    def events(self) -> dict[str, list[Picture]]:
        """All events that are not called off, by tag."""
        found: dict[str, list[Picture]] = {}
        for name, user_id in USERS.items():
            for event in self.yard.events(user_id):
                if not event.isCancelled:
                    found.setdefault(_tag(event.subject), []).append(_event(event.json, name))
        return found

    def mailed(self) -> Counter[tuple[str, str, str]]:
        """What was mailed since this was last asked: kind, name, tag."""
        mails = self.yard.outlook.state.mails
        found = Counter((mail.kind, NAMES[mail.to], _tag(mail.subject)) for mail in mails)
        mails.clear()
        return found


_RECORD_FIELDS = ("subject", "span", "location", "text", "owner", "people")
_EVENT_FIELDS = ("subject", "span", "location", "text", "guests")


def _tag(text: str | None) -> str:
    found = _TAG.search(text or "")
    return found[0] if found else f"untagged {text!r}"


def _dates(record: Record) -> dict[str, Any]:
    span = record.span
    if span.whole_days:
        last = span.end - timedelta(days=1)
        return {
            "isAllDay": True,
            "dateStartDate": f"{span.start:%Y-%m-%d}",
            "dateEndDate": f"{last:%Y-%m-%d}",
        }
    days = {"isAllDay": False, "dateStartDate": None, "dateEndDate": None} if record.kind != "Call" else {}
    return {**days, "dateStart": f"{span.start}", "dateEnd": f"{span.end}"}


def _record(row: Mapping[str, Any], kind: str) -> Picture:
    if row.get("dateStartDate"):
        last = datetime.fromisoformat(row["dateEndDate"]) + timedelta(days=1)
        span = Span(datetime.fromisoformat(row["dateStartDate"]), last, whole_days=True)
    else:
        span = Span(datetime.fromisoformat(row["dateStart"]), datetime.fromisoformat(row["dateEnd"]))
    people = [_USER[i] for i in row["usersIds"]] + [_CONTACT[i] for i in row["contactsIds"]]
    return {
        "kind": kind,
        "owner": _USER[row["assignedUserId"]],
        "subject": row["name"],
        "span": str(span),
        "location": row.get("location") or "",
        "text": row["description"] or "",
        "people": sorted(people),
        "status": row["status"],
    }


def _event(json: Mapping[str, Any], name: str) -> Picture:
    start = datetime.fromisoformat(json["start"]["dateTime"][:19])
    end = datetime.fromisoformat(json["end"]["dateTime"][:19])
    seen: Picture = {
        "in": name,
        "hosts": json["isOrganizer"],
        "subject": json["subject"],
        "span": str(Span(start, end, json["isAllDay"])),
        "location": json["location"]["displayName"],
        "text": json["bodyPreview"].strip(),
    }
    if json["isOrganizer"]:
        seen["guests"] = sorted(NAMES[a["emailAddress"]["address"].lower()] for a in json["attendees"])
    return seen
