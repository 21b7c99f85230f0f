"""The scenarios of the push: what was there before, and what is then to be carried across.

Decides what is pushed. Each scenario ends with a mark in the store and nothing done about it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.faults.course import Call, Course, Killed
from tests.faults.strikes import Fault, once, strike
from tests.faults.yard import Yard
from tests.world import ALICE, BOB, DAVE

Prepare = Callable[[Yard], Sequence[str]]
"""Prepares a yard and returns the ids of the records that it is about."""
Later = Callable[[Yard], None]
LATER: Mapping[str, Any] = {"dateStart": "2026-12-02 10:00:00", "dateEnd": "2026-12-02 11:00:00"}
GUESTS: Mapping[str, Any] = {"contactsIds": [DAVE], "usersIds": [ALICE, BOB]}


def _every(_call: Call) -> bool:
    """It is about every call."""
    return True


def _nothing(_yard: Yard) -> None:
    """Nothing happens."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`name` of a scenario, and how it comes about."""

    name: str
    prepare: Prepare
    later: Later = _nothing
    """What happens between the end of the run and the look at what is left."""
    concerns: Callable[[Call], bool] = _every
    """Which calls are what the scenario is about; others are struck elsewhere."""


def _saved(yard: Yard, **attributes: Any) -> str:
    record_id = yard.save(**attributes)
    yard.settle()
    return record_id


def _create(yard: Yard) -> list[str]:
    return [yard.save(description="Bring the plans")]


def _create_invited(yard: Yard) -> list[str]:
    yard.act_on([ALICE], push_contacts=True)
    return [yard.save(**GUESTS)]


def _create_online(yard: Yard) -> list[str]:
    yard.act_on([ALICE], teams_for_new=True)
    return [yard.save()]


def _create_two(yard: Yard) -> list[str]:
    yard.act_on([ALICE], push_contacts=True)
    return [yard.save(name="First", **GUESTS), yard.save(name="Second", **LATER)]


def _update(yard: Yard, **attributes: Any) -> list[str]:
    yard.act_on([ALICE], push_contacts=True)
    record_id = _saved(yard, **GUESTS)
    yard.change(record_id, **attributes)
    return [record_id]


def _update_two(yard: Yard) -> list[str]:
    ids = [*_create_two(yard)]
    yard.settle()
    for record_id in ids:
        yard.change(record_id, dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00")
    return ids


def _describe_online(yard: Yard) -> list[str]:
    yard.act_on([ALICE], teams_for_new=True)
    record_id = _saved(yard)
    yard.change(record_id, description="Bring the plans")
    return [record_id]


def _reassign(yard: Yard) -> list[str]:
    yard.act_on([ALICE, BOB], push_contacts=True)
    record_id = _saved(yard, contactsIds=[DAVE])
    yard.reassign(record_id, BOB)
    return [record_id]


def _delete(yard: Yard) -> list[str]:
    yard.act_on([ALICE], push_contacts=True)
    record_id = _saved(yard, **GUESTS)
    yard.remove(record_id)
    return [record_id]


def _delete_two(yard: Yard) -> list[str]:
    ids = [*_create_two(yard)]
    yard.settle()
    for record_id in ids:
        yard.remove(record_id)
    return ids


def _delete_moved(yard: Yard) -> list[str]:
    """The former home is not cleared away yet when the record is removed."""
    record_id = _saved(yard, contactsIds=[DAVE])
    yard.app.connections.pause(ALICE)
    yard.reassign(record_id, BOB)
    yard.settle()
    assert yard.link(record_id).leaving
    yard.remove(record_id)
    yard.app.connections.resume(ALICE)
    return [record_id]


def _begun(yard: Yard, *, arrived: bool) -> list[str]:
    """A process died over a create; the event came into being or not."""
    yard.act_on([ALICE], push_contacts=True)
    record_id = yard.save(**GUESTS)
    counted = Course()
    kept = yard.keep("begun")
    yard.begin(counted)
    yard.settle()
    number = next(c.number for c in counted.calls if c.service == "graph" and c.method == "POST")
    yard.put_back(kept)
    fault = Fault("timeout" if arrived else "reset")
    course = Course(strike_of=once(number, strike(fault, yard.outlook, yard.crm)))
    step = next(n for n, s in enumerate(counted.steps, 1) if s.startswith(f"call {number}:"))
    course.stop_after = step
    yard.begin(course)
    with pytest.raises(Killed):
        yard.settle()
    yard.begin()
    assert yard.link(record_id).home
    return [record_id]


def _refresh(yard: Yard) -> list[str]:
    yard.clock.advance(7200)
    return [yard.save()]


CREATES = (
    Scenario("create", _create),
    Scenario("create with attendees", _create_invited),
    Scenario("create with Teams", _create_online),
    Scenario("create two", _create_two),
    Scenario("look up a create that arrived", partial(_begun, arrived=True)),
    Scenario("look up a create that did not arrive", partial(_begun, arrived=False)),
    Scenario("token refresh", _refresh),
)
CHANGES = (
    Scenario("update of the subject", partial(_update, name="Moved on")),
    Scenario("update of the attendees", partial(_update, usersIds=[ALICE], usersColumns={})),
    Scenario("update of two times", _update_two),
    Scenario("description of an online meeting", _describe_online),
    Scenario("reassign", _reassign),
    Scenario("delete", _delete),
    Scenario("delete two", _delete_two),
    Scenario("delete with a leaving copy", _delete_moved),
)
SCENARIOS = CREATES + CHANGES
