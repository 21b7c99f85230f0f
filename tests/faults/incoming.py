"""The scenarios of the pull: what lies in Outlook and in the CRM, and what is then to be carried across.

Decides what is pulled. Each scenario ends with mailboxes that are due to be read and nothing done about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tests.faults.course import Call
from tests.faults.scenarios import Scenario
from tests.faults.yard import Yard
from tests.outlook_side import repeats
from tests.world import ALICE, BOB, CAROL, DAVE

DAY = 24 * 3600.0
STRANGER = "nobody@elsewhere.example"
SPAN = {"start": "2026-12-01T10:00:00", "end": "2026-12-01T11:00:00"}


def _imported(yard: Yard, **properties: Any) -> tuple[str, str]:
    """An event of alice's and its record; returns their ids."""
    event_id = yard.outlook_create(ALICE, body="Bring the plans", **properties)
    yard.pull()
    return event_id, str(yard.only_record()["id"])


def _import(yard: Yard) -> list[str]:
    yard.outlook_create(ALICE, body="Bring the plans")
    return yard.due(ALICE)


def _import_unmarked(yard: Yard) -> list[str]:
    """Without an attribute for the marker a record that was begun is looked up by what it holds."""
    entities = tuple(replace(entity, marker="") for entity in yard.settings.crm.entities)
    yard.settings = replace(yard.settings, crm=replace(yard.settings.crm, entities=entities))
    return _import(yard)


def _import_invited(yard: Yard) -> list[str]:
    """Somebody of the CRM in both ways, and somebody whom it does not know; bob's copy joins."""
    yard.outlook_create(ALICE, attendees=["bob@example.com", "dave@contoso.example", STRANGER])
    return yard.due(ALICE, BOB)


def _import_series(yard: Yard) -> list[str]:
    yard.series(ALICE, count=3)
    return yard.due(ALICE)


def _edit(yard: Yard) -> list[str]:
    event_id, _ = _imported(yard)
    yard.outlook_patch(ALICE, event_id, subject="Moved on", location="Room 7")
    return yard.due(ALICE)


def _import_strangers(yard: Yard) -> list[str]:
    """Nobody of the CRM, who is to become a contact of it, and somebody who is one already."""
    yard.act_on([ALICE], create_contacts=True)
    yard.outlook_create(ALICE, attendees=["dave@contoso.example", STRANGER])
    return yard.due(ALICE)


def _edit_all(yard: Yard, *, versions: bool) -> list[str]:
    """Everything that a record takes in at once, from times to whole days; both have what the other lacks."""
    yard.crm.set_concurrency("Meeting", versions)
    event_id, record_id = _imported(yard, attendees=["dave@contoso.example"])
    yard.api("PUT", f"Meeting/{record_id}", json={"parentType": "Contact", "parentId": DAVE})
    yard.outlook_patch(
        ALICE,
        event_id,
        subject="a < b = c " * 30,
        body="Bring more plans",
        isAllDay=True,
        start="2026-12-03T00:00:00",
        end="2026-12-06T00:00:00",
        attendees=["bob@example.com", STRANGER],
    )
    return yard.due(ALICE)


def _edit_occurrence(yard: Yard) -> list[str]:
    series_id = yard.series(ALICE, count=3)
    yard.pull()
    (_, second, _) = yard.occurrences(ALICE, series_id)
    yard.outlook_patch(ALICE, second.id, start="2026-12-10T15:00:00", end="2026-12-10T16:00:00")
    return yard.due(ALICE)


def _replace_occurrence(yard: Yard) -> list[str]:
    """One date was taken out and another one added: the record of the former is not the latter's."""
    series_id = yard.series(ALICE, count=3)
    yard.pull()
    yard.outlook_patch(ALICE, series_id, recurrence=repeats(count=4))
    (_, second, _, _) = yard.occurrences(ALICE, series_id)
    yard.outlook_delete(ALICE, second.id)
    return yard.due(ALICE)


def _invited(yard: Yard) -> str:
    """A record of alice's with bob and dave, in both calendars, and read."""
    yard.act_on([ALICE], push_contacts=True)
    record_id = yard.save(usersIds=[ALICE, BOB], contactsIds=[DAVE])
    yard.settle()
    yard.pull()
    return record_id


def _answer_in_outlook(yard: Yard) -> list[str]:
    _invited(yard)
    yard.respond(BOB, yard.event(BOB).id, "accept")
    return yard.due(ALICE, BOB)


def _answer_in_crm(yard: Yard) -> list[str]:
    record_id = _invited(yard)
    columns = yard.record(record_id)["usersColumns"]
    yard.clock.advance(1)
    answers = {**columns, BOB: {"status": "Accepted"}}
    yard.api("PUT", f"Meeting/{record_id}", json={"usersColumns": answers})
    yard.plugins.hook.calsync_attendance_changed(entity_type="Meeting", record_id=record_id)
    return [record_id]


def _delete(yard: Yard) -> list[str]:
    event_id, _ = _imported(yard)
    yard.outlook_delete(ALICE, event_id)
    return yard.due(ALICE)


def _clash(yard: Yard) -> list[str]:
    event_id, record_id = _imported(yard)
    yard.change(record_id, name="By the CRM", description="By the CRM")
    yard.outlook_patch(ALICE, event_id, subject="By Outlook", showAs="tentative")
    return yard.due(ALICE)


def _adopt(yard: Yard) -> list[str]:
    """Carol's meeting is in both places when she connects."""
    record_id = yard.save(assignedUserId=CAROL)
    yard.outlook_create(CAROL, subject="Kick-off", body="Bring the plans", **SPAN)
    yard.settle()
    yard.clock.advance(60)
    yard.join(CAROL)
    return [record_id]


def _first_read(yard: Yard) -> list[str]:
    """Carol's calendar holds more than a page when she connects."""
    yard.switch(delta_page_limit=3)
    for number in range(1, 6):
        day = f"2026-12-0{number}"
        yard.outlook_create(CAROL, subject=f"Visit {number}", start=f"{day}T10:00:00", end=f"{day}T11:00:00")
    yard.join(CAROL)
    return []


def _expired(yard: Yard) -> list[str]:
    """Of three events one was changed and one removed since; the cursor tells of neither any more."""
    for number in range(1, 4):
        day = f"2026-12-0{number}"
        yard.outlook_create(ALICE, subject=f"Visit {number}", start=f"{day}T10:00:00", end=f"{day}T11:00:00")
    yard.pull()
    yard.outlook_patch(ALICE, yard.event_of(ALICE, "Visit 2").id, subject="Visit 2, moved on")
    yard.outlook_delete(ALICE, yard.event_of(ALICE, "Visit 3").id)
    yard.expire_cursors()
    return yard.due(ALICE)


def _subscribe(yard: Yard) -> list[str]:
    yard.switch(refuse_subscriptions=False)
    yard.outlook_create(ALICE)
    return yard.due(ALICE)


def _renew(yard: Yard, *, forgotten: bool = False) -> list[str]:
    """More than half of a subscription's life is over, or Outlook has forgotten it unasked."""
    yard.switch(refuse_subscriptions=False)
    yard.pull(ALICE)
    yard.clock.advance(4.5 * DAY)
    if forgotten:
        yard.outlook.subscriptions.clear()
    yard.outlook_create(ALICE)
    return yard.due(ALICE)


def _next_day(yard: Yard) -> None:
    """What was refused or failed is asked for again by then, and whatever was missed is read."""
    yard.clock.advance(1.2 * DAY)
    yard.settle()
    yard.pull(ALICE)


def _of_subscriptions(call: Call) -> bool:
    return "/subscriptions" in call.path


def _own(call: Call) -> bool:
    """Not what begins every run: who we are in the CRM, where the login is, and subscriptions."""
    return not (_of_subscriptions(call) or "/App/user" in call.path or "/.well-known/" in call.path)


def _in_the_crm(call: Call) -> bool:
    return call.service == "crm" and _own(call)


IMPORTS: Sequence[Scenario] = (
    Scenario("import", _import),
    Scenario("import without a marker", _import_unmarked, concerns=_own),
    Scenario("import with attendees", _import_invited, concerns=_own),
    Scenario("import a series", _import_series, concerns=_own),
    Scenario("adopt a record", _adopt, concerns=_own),
    Scenario("first read of two pages", _first_read, concerns=_own),
    Scenario("expired cursor", _expired, concerns=_own),
)
IN_THE_CRM: Sequence[Scenario] = (
    Scenario("import with a contact to be made", _import_strangers, concerns=_in_the_crm),
    Scenario("edit of everything", partial(_edit_all, versions=False), concerns=_in_the_crm),
    Scenario("edit of everything under versions", partial(_edit_all, versions=True), concerns=_in_the_crm),
)
"""What only the CRM's side of a pull can get wrong."""
EDITS: Sequence[Scenario] = (
    Scenario("edit in Outlook", _edit, concerns=_own),
    Scenario("edit of an occurrence", _edit_occurrence, concerns=_own),
    Scenario("a date taken out and one added", _replace_occurrence, concerns=_own),
    Scenario("answer in Outlook", _answer_in_outlook, concerns=_own),
    Scenario("answer in the CRM", _answer_in_crm, later=Yard.pull, concerns=_own),
    Scenario("deleted in Outlook", _delete, concerns=_own),
    Scenario("clash on the subject", _clash, concerns=_own),
)
SUBSCRIPTIONS: Sequence[Scenario] = tuple(
    Scenario(name, prepare, later=_next_day, concerns=_of_subscriptions)
    for name, prepare in (
        ("subscription made", _subscribe),
        ("subscription renewed", _renew),
        ("subscription forgotten", partial(_renew, forgotten=True)),
    )
)
INCOMING = (*IMPORTS, *IN_THE_CRM, *EDITS, *SUBSCRIPTIONS)
