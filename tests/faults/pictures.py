"""What both sides and the store hold when all rests, as plain values that can be compared.

Decides what counts: everything that a person could see, and what the store believes of it. Ids and times of
change do not.
"""

from __future__ import annotations

from typing import Any

from calsync_plugin.domain.links import Base, Copy, CopyPurpose, Link
from tests.faults.yard import Yard
from tests.outlook_side import Event
from tests.world import ADDRESS, ALICE, BOB, CAROL

Picture = dict[str, Any]
_VOLATILE = {
    "id", "modifiedAt", "createdAt", "versionNumber", "cOutlookJoinUrl", "cOutlookEventId", "uid",
    "streamUpdatedAt", "modifiedById", "modifiedByName",
}  # fmt: skip


def picture(yard: Yard) -> Picture:
    """Everything that a person could see on either side, and what the store believes of it."""
    store, records = yard.app.store, _records(yard)
    mailboxes = _mailboxes(yard)
    linked = store.links.by_records([("Meeting", row["id"]) for row in records])
    links = {link.id: link for m in mailboxes for link in store.links.for_mailbox(m)}
    links |= {link.id: link for link in linked.values()}
    names = {row["id"]: f"{row['name']} at {row['dateStart']}" for row in records}
    return {
        "events": {
            user_id: [_event(e.json) for e in yard.events(user_id)] for user_id in (ALICE, BOB, CAROL)
        },
        "made": {address: len(yard.outlook.state.mailboxes[address].items) for address in ADDRESS.values()},
        "mails": sorted((mail.kind, mail.to, mail.subject) for mail in yard.outlook.state.mails),
        "contacts": sorted(str(row.get("emailAddress")) for row in yard.crm.dump()["records"]["Contact"]),
        "records": [_record(row, linked.get(("Meeting", row["id"]))) for row in records],
        "links": sorted(
            ((names.get(link.record_id, ""), *_link(yard, link, mailboxes)) for link in links.values()),
            key=repr,
        ),
        "links in all": {m: store.links.count(m) for m in (1, 2, 3, 4, 5)},
        "parked": sorted((p.reason, p.message) for p in store.parked.all()),
        "held": len(store.held.all()),
        "waiting": {**store.changes.waiting(), "events": store.events.waiting()},
        "to be read": [user_id for user_id in mailboxes.values() if yard.wants(user_id)],
        "cursors": {
            user_id: [(c.part, str(c.stage)) for c in store.cursors.for_mailbox(m)]
            for m, user_id in mailboxes.items()
        },
        "subscriptions": {user_id: _subscriptions(yard, m, user_id) for m, user_id in mailboxes.items()},
        "accounts": {u: str(yard.account(u).status) for u in mailboxes.values()},
    }


def bases(yard: Yard) -> Picture:
    """The bases of all links as they are, by what the picture calls a link."""
    names = {row["id"]: f"{row['name']} at {row['dateStart']}" for row in _records(yard)}
    return {
        f"{names.get(link.record_id, '')} {link.original_start}": [
            base and (dict(base.values), base.label, base.organizer)
            for base in (link.crm_base, link.outlook_base)
        ]
        for mailbox_id in _mailboxes(yard)
        for link in yard.app.store.links.for_mailbox(mailbox_id)
    }


def _mailboxes(yard: Yard) -> dict[int, str]:
    """Whose mailboxes there are."""
    every = yard.app.store.accounts.all()
    return {one.mailbox_id: one.user_id for one in every if one.mailbox_id is not None}


def _subscriptions(yard: Yard, mailbox_id: int, user_id: str) -> tuple[int, bool, bool]:
    """How many Outlook has, whether they are those that we know, and whether changes come by them."""
    alive = {one.id for one in yard.outlook.subscriptions.alive() if one.mailbox == ADDRESS[user_id]}
    known = {one.id for one in yard.app.store.subscriptions.for_mailbox(mailbox_id)}
    return len(alive), alive == known, yard.account(user_id).notify == "notifications"


def _record(row: dict[str, Any], link: Link | None) -> dict[str, Any]:
    """What a record holds. Ids differ from run to run; that it names its own link does not."""
    mark = str(row.get("cOutlookEventId") or "")
    named = bool(mark) and link is not None and mark.endswith(f":{link.id}")
    about = {"joins": bool(row.get("cOutlookJoinUrl")), "marked": bool(mark), "named": named}
    return {k: v for k, v in row.items() if k not in _VOLATILE} | about


def _link(yard: Yard, link: Link, mailboxes: dict[int, str]) -> tuple[Any, ...]:
    # Whether an invited user's mailbox was read meanwhile, and its copy joined, is no matter of the fault.
    copies = sorted(
        (c.mailbox_id, str(c.purpose), str(c.state), _seen(yard, c, mailboxes), str(c.response))
        for c in link.copies
        if c.purpose is not CopyPurpose.ATTENDEE
    )
    original = str(link.original_start or "")
    state = (str(link.state), link.reason, str(link.origin), str(link.role), original)
    return *state, copies, _values(link.crm_base), _values(link.outlook_base)


def _seen(yard: Yard, copy: Copy, mailboxes: dict[int, str]) -> str:
    """The event that a copy stands for, as its user sees it."""
    if not copy.event_id:
        return ""
    found = yard.event_json(mailboxes[copy.mailbox_id], copy.event_id)
    return f"{found['subject']} at {Event(found).start}" if found else "gone"


def _values(base: Base | None) -> dict[str, Any] | None:
    if base is None:
        return None
    values: dict[str, Any] = {str(name): base.values[name] for name in sorted(base.values)}
    # Whoever the CRM did not tell us of is known by the address; both name the same person.
    people = values.get("attendees") or {}
    if people:
        values["attendees"] = sorted(address or key for key, address in people.items())
    # Of somebody who is not invited any more, "none" is left or not; both say the same.
    answers = values.get("responses") or {}
    given = {people.get(key) or key: said for key, said in sorted(answers.items()) if said != "none"}
    return {**values, "responses": given}


def _records(yard: Yard) -> list[dict[str, Any]]:
    rows = yard.crm.dump()["records"]["Meeting"]
    live = (row for row in rows if not row.get("deleted"))
    return sorted(live, key=lambda row: (str(row["name"]), str(row["dateStart"])))


def _event(json: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject": json["subject"],
        "body": json["bodyPreview"],
        "start": json["start"],
        "end": json["end"],
        "attendees": sorted(
            (a["emailAddress"]["address"], a["status"]["response"]) for a in json["attendees"]
        ),
        "location": json["location"]["displayName"],
        "shown": (json["isAllDay"], json["isCancelled"], json["type"], json["showAs"], json["sensitivity"]),
        "reminder": json["isReminderOn"] and json["reminderMinutesBeforeStart"],
        "answer": json["responseStatus"]["response"],
        "online": json["isOnlineMeeting"],
        "joins": bool(json.get("onlineMeeting")),
        "organizer": json["organizer"]["emailAddress"]["address"],
    }


def differences(right: Picture, left: Picture) -> list[str]:
    """What differs, in words."""
    return [
        f"{name}: {left[name]!r}, expected {right[name]!r}" for name in right if left[name] != right[name]
    ]
