"""Nothing echoes: after a thousand changes on each side, not one write more (section 4.1, "unchanged").

Creates, edits, edits of the same meeting on both sides and deletions, of three kinds of records, in two
mailboxes; more of them at once than the breaker lets pass, so that a person confirms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calsync_plugin.accounts import holds
from calsync_plugin.domain.links import LinkState
from tests.world import ALICE, BOB, DAVE, DEFAULTS, World

KINDS = ("Meeting", "Call", "Visit")
LABELS = {"Meeting": "", "Call": "C: ", "Visit": "V: "}
OWNERS = (ALICE, BOB)
MADE, EDITED, BOTH, GONE = 400, 300, 200, 100
"""Of each side: creates, edits of one side alone, edits of a meeting on both sides at once, deletions."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A meeting as both sides have it."""

    kind: str
    record_id: str
    owner: str
    event_id: str


def test_pain_05_after_1000_changes_on_each_side_not_one_write_more(world: World) -> None:
    for user_id in OWNERS:
        world.choose(user_id, push_contacts=True, description_both_ways=True)
    for number in range(MADE):
        _create_record(world, number)
        _create_event(world, number)
    _come_to_rest(world)
    pairs = _pairs(world)
    assert len(pairs) == 2 * MADE
    for number, pair in enumerate(pairs[: 2 * EDITED]):
        _edit(world, pair, number, "crm" if number % 2 else "outlook")
    for number, pair in enumerate(pairs[2 * EDITED :]):
        _edit(world, pair, number, "crm")
        _edit(world, pair, number + number % 2, "outlook")
    assert len(pairs[2 * EDITED :]) == BOTH
    _come_to_rest(world)
    for number, pair in enumerate(pairs[: 2 * GONE]):
        if number % 2:
            world.remove(pair.record_id, pair.kind)
        else:
            world.outlook_delete(pair.owner, pair.event_id)
    assert _come_to_rest(world) > 0
    assert sum(len(world.app.store.log.clashes(user_id)) for user_id in OWNERS) == BOTH // 2
    assert _differences(world) == []
    world.mails()
    world.quiet()
    world.open()
    world.expire_cursors()
    world.quiet()
    assert world.mails() == []
    assert world.app.store.parked.all() == []


def _come_to_rest(world: World) -> int:
    """All that is due, and what a person confirms; returns how much that was."""
    world.pull()
    confirmed = 0
    while held := sum(holds.confirm(world.app.store, world.account(user_id)) for user_id in OWNERS):
        confirmed += held
        world.pull()
    return confirmed


def _day(number: int) -> str:
    return f"2027-{1 + number % 6:02}-{1 + number % 28:02}"


def _create_record(world: World, number: int) -> None:
    kind, owner = KINDS[number % 3], OWNERS[number % 2]
    values: dict[str, Any] = {
        **DEFAULTS,
        "name": f"Record {number}",
        "assignedUserId": owner,
        "usersIds": [ALICE, BOB] if number % 5 == 0 else [owner],
        "contactsIds": [DAVE] if number % 7 == 0 else [],
        "description": f"Agenda {number}",
        "dateStart": f"{_day(number)} 10:00:00",
        "dateEnd": f"{_day(number)} 11:00:00",
    }
    record = world.crm.insert(kind, values)
    world.plugins.hook.calsync_entity_created(entity_type=kind, record={"id": record["id"]})


def _create_event(world: World, number: int) -> None:
    owner, label = OWNERS[number % 2], LABELS[KINDS[number % 3]]
    people = ["dave@contoso.example", "sam@elsewhere.example"] if number % 7 == 0 else []
    people += ["bob@example.com"] if number % 10 == 0 else []
    world.outlook_create(
        owner,
        subject=f"{label}Event {number}",
        body=f"<p>Agenda <b>{number}</b></p>",
        attendees=people,
        start=f"{_day(number)}T12:00:00",
        end=f"{_day(number)}T13:00:00",
    )


def _edit(world: World, pair: Pair, number: int, side: str) -> None:
    """The same number is the same field, so that two sides with one number clash."""
    day, words = _day(number + 3), f"Edited by {side} {number}"
    hour = 14 if side == "crm" else 15
    in_crm: list[dict[str, Any]] = [
        {"name": words},
        {"dateStart": f"{day} {hour}:00:00", "dateEnd": f"{day} {hour}:30:00"},
        {"description": f"{words}\n- point"},
        {"usersIds": [ALICE, BOB]},
    ]
    in_outlook: list[dict[str, Any]] = [
        {"subject": f"{LABELS[pair.kind]}{words}"},
        {"start": f"{day}T{hour}:00:00", "end": f"{day}T{hour}:30:00"},
        {"body": f"<p>{words}</p><ul><li>point</li></ul>"},
        {"attendees": ["carol@example.com", "kim@elsewhere.example"]},
    ]
    if side == "crm":
        world.change(pair.record_id, pair.kind, **in_crm[number % 4])
    else:
        world.outlook_patch(pair.owner, pair.event_id, **in_outlook[number % 4])


def _pairs(world: World) -> list[Pair]:
    """The meetings that are followed, those born here and there mixed by the ends of their records' ids."""
    owner_of = {world.account(user_id).mailbox_id: user_id for user_id in OWNERS}
    found = {
        link.id: link
        for mailbox_id in owner_of
        for link in world.app.store.links.for_mailbox(mailbox_id or 0)
    }
    pairs = [
        Pair(link.entity_type, link.record_id, owner_of[link.home.mailbox_id], link.home.event_id)
        for link in found.values()
        if link.home and link.state is LinkState.ACTIVE
    ]
    return sorted(pairs, key=lambda pair: (pair.record_id[-3:], pair.record_id))


def _differences(world: World) -> list[tuple[str, str]]:
    """Subjects and times that are not the same on both sides."""
    events = {event.id: event for user_id in OWNERS for event in world.events(user_id)}
    wrong = []
    for pair in _pairs(world):
        row = world.crm.store.tables[pair.kind].get(pair.record_id)
        event = events.get(pair.event_id)
        assert row is not None
        assert event is not None
        ours = (f"{LABELS[pair.kind]}{row['name']}", row["dateStart"])
        theirs = (event.subject, event.start.replace("T", " "))
        wrong += [(str(ours), str(theirs))] if ours != theirs else []
    return wrong
