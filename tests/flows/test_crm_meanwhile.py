"""A colleague saves or removes a record between our reading and our writing it: nobody's edit is lost."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from tests.world import ALICE, CRM, World

Action = Callable[[], None]


class Meanwhile(BaseAdapter):
    """Carries calsync's requests; before its PUTs of a record something happens, so many times."""

    def __init__(self, world: World, happens: Action, *, times: int) -> None:
        super().__init__()
        self._inner = world.app.http.adapter_for(CRM)
        self._happens = happens
        self.times = times
        self.puts = 0
        world.app.http.mount(CRM, self)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Let it happen, and carry the request."""
        if request.method == "PUT":
            self.puts += 1
            if self.times > 0:
                self.times -= 1
                self._happens()
        return self._inner.send(request, *args, **kwargs)

    def close(self) -> None:
        """Nothing is open."""


def _linked(world: World, *, concurrency: bool = True) -> tuple[str, str]:
    """A meeting in both places; returns the ids of record and event."""
    world.crm.set_concurrency("Meeting", concurrency)
    world.choose(ALICE, description_both_ways=True)
    record = world.save(description="As it was")
    world.settle()
    world.pull()
    return record, world.event(ALICE).id


def _picture(world: World, record: str) -> tuple[str, str, str, str]:
    found, event = world.record(record), world.event(ALICE)
    return found["name"], event.subject, str(found["description"]).strip(), str(event.bodyPreview).strip()


@pytest.mark.parametrize("concurrency", [True, False], ids=["versions", "no-versions"])
def test_another_field_that_a_colleague_saves_meanwhile_is_kept(world: World, concurrency: bool) -> None:
    record, event = _linked(world, concurrency=concurrency)
    Meanwhile(world, lambda: world.change(record, description="By a colleague"), times=1)

    world.outlook_patch(ALICE, event, subject="By Outlook")
    world.pull()

    assert _picture(world, record) == ("By Outlook", "By Outlook", "By a colleague", "By a colleague")
    world.quiet()


@pytest.mark.parametrize(
    ("clash", "winner"), [("crm", "By a colleague"), ("outlook", "By Outlook")], ids=["crm", "outlook"]
)
def test_the_same_field_that_a_colleague_saves_meanwhile_is_a_clash(
    world: World, clash: str, winner: str
) -> None:
    record, event = _linked(world)
    world.choose(ALICE, clash=clash)
    Meanwhile(world, lambda: world.change(record, name="By a colleague"), times=1)

    world.outlook_patch(ALICE, event, subject="By Outlook")
    world.pull()

    assert _picture(world, record)[:2] == (winner, winner)
    (entry,) = world.app.store.log.clashes(ALICE)
    assert {entry.crm, entry.outlook} == {"By a colleague", "By Outlook"}
    world.quiet()


def test_a_field_that_went_out_before_the_conflict_is_not_taken_for_an_edit_in_outlook(world: World) -> None:
    """The event has the colleague's first edit when the record gets the second one."""
    record, event = _linked(world)
    world.choose(ALICE, clash="outlook")
    Meanwhile(world, lambda: world.change(record, name="Second"), times=1)

    world.change(record, name="First")
    world.outlook_patch(ALICE, event, body="By Outlook")
    world.pull()

    assert _picture(world, record) == ("Second", "Second", "By Outlook", "By Outlook")
    assert world.app.store.log.clashes(ALICE) == []
    world.quiet()


def test_a_record_removed_between_our_two_writes_takes_its_event_along(world: World) -> None:
    """What the event was given a moment ago is no edit of Outlook's that would have to survive (R9)."""
    world.choose(ALICE, teams_for_new=True)
    meanwhile = Meanwhile(world, lambda: world.remove(str(world.only_record()["id"])), times=1)

    world.save()
    world.settle()

    assert meanwhile.puts == 1
    assert world.events(ALICE) == []
    world.quiet()


def test_a_conflict_that_never_ends_is_tried_less_and_less_often(world: World) -> None:
    record, event = _linked(world)
    numbers = count()

    def saved() -> None:
        """By something that tells nobody."""
        world.api("PUT", f"Meeting/{record}", json={"status": ("Planned", "Held")[next(numbers) % 2]})

    meanwhile = Meanwhile(world, saved, times=1000)
    world.outlook_patch(ALICE, event, subject="By Outlook")
    world.app.store.queue.hint(world.account(ALICE).mailbox_id or 0)
    for _ in range(60):
        world.drain()
        world.clock.advance(5.0)

    assert 4 <= meanwhile.puts < 15
    meanwhile.times = 0
    world.settle()
    assert _picture(world, record)[:2] == ("By Outlook", "By Outlook")
    world.quiet()


@pytest.mark.parametrize("reverted", [False, True], ids=["new-value", "as-it-was"])
def test_what_both_sides_agreed_on_and_a_colleague_saves_meanwhile_goes_out(
    world: World, reverted: bool
) -> None:
    """The subject is the same edit on both sides, so that only the description is written."""
    record, event = _linked(world, concurrency=False)
    name = "Kick-off" if reverted else "By a colleague"
    Meanwhile(world, lambda: world.change(record, name=name), times=1)

    world.change(record, name="Agreed")
    world.outlook_patch(ALICE, event, subject="Agreed", body="By Outlook")
    world.pull()

    assert _picture(world, record) == (name, name, "By Outlook", "By Outlook")
    world.quiet()
