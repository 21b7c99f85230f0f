"""Three-way merge through both services: who changed what decides, never who was later (section 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.markup import html_to_text
from tests.world import ALICE, World

WINNERS = {
    ("origin", "crm"): "crm",
    ("origin", "outlook"): "outlook",
    ("crm", "crm"): "crm",
    ("crm", "outlook"): "crm",
    ("outlook", "crm"): "outlook",
    ("outlook", "outlook"): "outlook",
}
"""Who wins a clash, by policy and by where the meeting was born."""


@dataclass(frozen=True)
class Side:
    """One field in the words of both sides; `shown` are what a person reads in the log."""

    name: str
    crm: Callable[[str], dict[str, Any]]
    outlook: Callable[[str], dict[str, Any]]
    of_record: Callable[[dict[str, Any]], str]
    values: tuple[str, str, str] = ("First", "Second", "Third")
    shown: Callable[[str], str] = str


def _body(text: str) -> dict[str, Any]:
    return {"body": f"<div>{text}</div>"}


def _hour(day: str) -> dict[str, Any]:
    return {"dateStart": f"{day} 10:00:00", "dateEnd": f"{day} 11:00:00"}


FIELDS = [
    Side("subject", lambda v: {"name": v}, lambda v: {"subject": f"V: {v}"}, lambda r: str(r["name"])),
    Side("location", lambda v: {"location": v}, lambda v: {"location": v}, lambda r: str(r["location"])),
    Side("description", lambda v: {"description": v}, _body, lambda r: str(r["description"])),
    Side(
        "span",
        _hour,
        lambda v: {"start": f"{v}T10:00:00", "end": f"{v}T11:00:00"},
        lambda r: str(r["dateStart"])[:10],
        values=("2026-12-01", "2026-12-03", "2026-12-07"),
        shown=lambda v: f"['timed', '{v}T10:00:00Z', '{v}T11:00:00Z']",
    ),
]
FIELD = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
BORN = pytest.mark.parametrize("born", ["crm", "outlook"])


def _all(side: str, number: int) -> dict[str, Any]:
    """The value of that number of every field, in the words of one side."""
    words = [(field.crm if side == "crm" else field.outlook)(field.values[number]) for field in FIELDS]
    return {name: value for one in words for name, value in one.items()}


def _both(world: World, born: str, **settings: Any) -> str:
    """A visit that both sides know, with the first values; returns its record."""
    world.choose(ALICE, description_both_ways=True, **settings)
    if born == "crm":
        world.save("Visit", **_all("crm", 0))
    else:
        world.outlook_create(ALICE, **_all("outlook", 0))
    world.pull()
    return str(world.only_record("Visit")["id"])


def _in_outlook(world: World, field: Side) -> str:
    event = world.event(ALICE)
    shown: dict[str, str] = {
        "subject": event.subject.removeprefix("V: "),
        "location": event.location["displayName"],
        "description": html_to_text(event.body["content"]),
        "span": event.start[:10],
    }
    return shown[field.name]


def _agree(world: World, record: str, values: Mapping[str, int]) -> None:
    """Assert that both sides have these values of the fields, the first ones of all others."""
    saved = world.record(record, "Visit")
    expected = {field.name: field.values[values.get(field.name, 0)] for field in FIELDS}
    assert {field.name: field.of_record(saved) for field in FIELDS} == expected
    assert {field.name: _in_outlook(world, field) for field in FIELDS} == expected


def _every(number: int) -> dict[str, int]:
    return {field.name: number for field in FIELDS}


@FIELD
@BORN
def test_a_change_of_one_side_reaches_the_other_and_only_that(world: World, field: Side, born: str) -> None:
    record = _both(world, born)
    world.edit(ALICE, **field.outlook(field.values[1]))
    with world.writes() as seen:
        world.pull()
    _agree(world, record, {field.name: 1})
    assert [line.split("/")[0:4] for line in seen] == [["PUT ", "api", "v1", "Visit"]]
    world.change(record, "Visit", **field.crm(field.values[2]))
    with world.writes() as seen:
        world.settle()
    _agree(world, record, {field.name: 2})
    assert [line.split("/")[0] for line in seen] == ["PATCH "]
    world.quiet()
    assert world.app.store.log.clashes(ALICE) == []
    assert world.mails() == []


@BORN
def test_the_same_change_on_both_sides_is_written_to_nobody(world: World, born: str) -> None:
    record = _both(world, born)
    world.edit(ALICE, **_all("outlook", 1))
    world.change(record, "Visit", **_all("crm", 1))
    before = (world.event(ALICE).changeKey, world.record(record, "Visit")["modifiedAt"])
    world.clock.advance(60)
    world.pull()
    assert (world.event(ALICE).changeKey, world.record(record, "Visit")["modifiedAt"]) == before
    _agree(world, record, _every(1))
    # Both are the base now: a change of one side alone is no clash.
    world.edit(ALICE, **_all("outlook", 2))
    world.pull()
    _agree(world, record, _every(2))
    world.quiet()
    assert world.app.store.log.clashes(ALICE) == []


@pytest.mark.parametrize(("policy", "born"), list(WINNERS), ids="-".join)
@pytest.mark.parametrize("last", ["crm", "outlook"], ids=lambda side: f"{side}-edited-last")
def test_a_clash_is_settled_by_the_policy_and_never_by_clocks(
    world: World, policy: str, born: str, last: str
) -> None:
    record = _both(world, born, clash=policy)
    for side in ("outlook", "crm") if last == "crm" else ("crm", "outlook"):
        if side == "crm":
            world.change(record, "Visit", **_all("crm", 1))
        else:
            world.edit(ALICE, **_all("outlook", 2))
        world.clock.advance(60)
    world.pull()
    winner = WINNERS[policy, born]
    _agree(world, record, _every(1 if winner == "crm" else 2))
    clashes = world.app.store.log.clashes(ALICE)
    assert {clash.winner for clash in clashes} == {winner}
    assert {clash.field: (clash.crm, clash.outlook) for clash in clashes} == {
        field.name: (field.shown(field.values[1]), field.shown(field.values[2])) for field in FIELDS
    }
    world.quiet()
    assert len(world.app.store.log.clashes(ALICE)) == len(FIELDS)


def test_both_values_of_a_clash_are_kept_encrypted(world: World) -> None:
    record = _both(world, "crm")
    world.edit(ALICE, body="<div>Secret of Outlook</div>")
    world.change(record, "Visit", description="Secret of the CRM")
    world.pull()
    (clash,) = world.app.store.log.clashes(ALICE)
    assert (clash.crm, clash.outlook) == ("Secret of the CRM", "Secret of Outlook")
    with world.app.store._database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM clashes").all()
    assert len(rows) == 1
    assert "Secret" not in repr(rows)


@pytest.mark.parametrize("policy", ["crm", "outlook"])
@BORN
def test_different_fields_of_both_sides_are_merged_without_a_clash(
    world: World, policy: str, born: str
) -> None:
    record = _both(world, born, clash=policy)
    world.edit(ALICE, location="Hall 7", start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.change(record, "Visit", name="Trade fair", description="Bring the banner")
    world.pull()
    event, saved = world.event(ALICE), world.record(record, "Visit")
    assert (event.subject, event.location["displayName"], event.start) == (
        "V: Trade fair",
        "Hall 7",
        "2026-12-03T10:00:00",
    )
    assert (saved["name"], saved["location"], saved["dateStart"]) == (
        "Trade fair",
        "Hall 7",
        "2026-12-03 10:00:00",
    )
    assert "Bring the banner" in event.body["content"]
    assert world.app.store.log.clashes(ALICE) == []
    world.quiet()


def test_start_and_end_are_one_field(world: World) -> None:
    record = _both(world, "crm")
    world.edit(ALICE, end="2026-12-01T12:00:00")
    world.change(record, "Visit", dateStart="2026-12-01 09:00:00", dateEnd="2026-12-01 11:00:00")
    world.pull()
    assert (world.event(ALICE).start, world.event(ALICE).end) == (
        "2026-12-01T09:00:00",
        "2026-12-01T11:00:00",
    )
    (clash,) = world.app.store.log.clashes(ALICE)
    assert clash.field == "span"
    world.quiet()


def test_a_clash_in_one_field_keeps_the_other_changes_of_the_loser(world: World) -> None:
    record = _both(world, "crm")
    world.edit(ALICE, subject="V: Of Outlook", location="Hall 7")
    world.change(record, "Visit", name="Of the CRM")
    world.pull()
    saved = world.record(record, "Visit")
    assert (saved["name"], saved["location"]) == ("Of the CRM", "Hall 7")
    assert world.event(ALICE).subject == "V: Of the CRM"
    assert [clash.field for clash in world.app.store.log.clashes(ALICE)] == ["subject"]
    world.quiet()


def test_changed_and_changed_back_is_no_change(world: World) -> None:
    record = _both(world, "crm")
    world.edit(ALICE, subject="V: Other")
    world.edit(ALICE, subject="V: First")
    world.change(record, "Visit", name="Of the CRM")
    world.pull()
    assert world.event(ALICE).subject == "V: Of the CRM"
    assert world.app.store.log.clashes(ALICE) == []
    world.quiet()


@BORN
def test_only_crm_to_outlook_an_edit_in_outlook_stays_until_the_record_changes_that_field(
    world: World, born: str
) -> None:
    record = _both(world, born)
    choose(
        world.app.store, world.app.gateway, ALICE, {"mode": "crm_to_outlook", "description_both_ways": False}
    )
    world.settle()
    world.clock.advance(1)
    world.edit(ALICE, **_all("outlook", 1))
    with world.writes() as seen:
        world.pull()
    assert seen == []
    for number, field in enumerate(FIELDS):
        world.change(record, "Visit", **field.crm(field.values[2]))
        world.settle()
        went = [f.values[2] if f in FIELDS[: number + 1] else f.values[1] for f in FIELDS]
        if born == "outlook" and FIELDS[2] in FIELDS[: number + 1]:
            # It goes from the side of its origin only.
            went[2] = FIELDS[2].values[1]
        assert [_in_outlook(world, f) for f in FIELDS] == went
        known = [f.values[2] if f in FIELDS[: number + 1] else f.values[0] for f in FIELDS]
        assert [f.of_record(world.record(record, "Visit")) for f in FIELDS] == known
    world.quiet()


@BORN
def test_only_outlook_to_crm_an_edit_in_the_crm_stays_until_outlook_changes_that_field(
    world: World, born: str
) -> None:
    record = _both(world, born)
    choose(
        world.app.store, world.app.gateway, ALICE, {"mode": "outlook_to_crm", "description_both_ways": False}
    )
    world.settle()
    world.change(record, "Visit", **_all("crm", 1))
    with world.writes() as seen:
        world.pull()
    assert seen == []
    for number, field in enumerate(FIELDS):
        world.edit(ALICE, **field.outlook(field.values[2]))
        with world.writes() as seen:
            world.pull()
        assert [line for line in seen if "/Visit/" not in line] == []
        came = [f.values[2] if f in FIELDS[: number + 1] else f.values[1] for f in FIELDS]
        if born == "crm" and FIELDS[2] in FIELDS[: number + 1]:
            came[2] = FIELDS[2].values[1]
        assert [f.of_record(world.record(record, "Visit")) for f in FIELDS] == came
        known = [f.values[2] if f in FIELDS[: number + 1] else f.values[0] for f in FIELDS]
        assert [_in_outlook(world, f) for f in FIELDS] == known
    world.quiet()


@pytest.mark.parametrize("one_way", ["outlook_to_crm", "crm_to_outlook"])
@BORN
def test_switching_the_mode_writes_nothing_of_what_was_edited_meanwhile_and_tells_it(
    world: World, one_way: str, born: str
) -> None:
    record = _both(world, born)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": one_way})
    world.pull()
    world.clock.advance(5)
    if one_way == "outlook_to_crm":
        world.change(record, "Visit", name="Of the CRM")
    else:
        world.edit(ALICE, subject="V: Of Outlook")
    world.quiet()
    world.clock.advance(5)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": "both"})
    world.quiet()
    assert "differs in both places since the settings were changed, and stays so: subject" in world.notes(
        ALICE
    )
    # Edits of other fields cross again and take the old difference nowhere.
    world.clock.advance(5)
    world.change(record, "Visit", location="Hall 7")
    world.settle()
    world.edit(ALICE, start="2026-12-05T10:00:00", end="2026-12-05T11:00:00")
    world.pull()
    saved, event = world.record(record, "Visit"), world.event(ALICE)
    assert (event.location["displayName"], saved["dateStart"]) == ("Hall 7", "2026-12-05 10:00:00")
    names = ("Of the CRM", "V: First") if one_way == "outlook_to_crm" else ("First", "V: Of Outlook")
    assert (saved["name"], event.subject) == names
    world.change(record, "Visit", name="Agreed")
    world.settle()
    assert world.event(ALICE).subject == "V: Agreed"
    world.quiet()
