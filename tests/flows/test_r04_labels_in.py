"""R4 the other way: a label in Outlook picks the kind of record once; people write it as they like."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.domain.links import Role
from tests.world import ALICE, BOB, CAROL, World

ALL_DAY: dict[str, Any] = {"isAllDay": True, "start": "2026-12-02T00:00:00", "end": "2026-12-03T00:00:00"}
LABELS = [{"entity_type": "Meeting"}, {"entity_type": "Call", "label": "Tel"}, {"entity_type": "Visit"}]


@pytest.mark.parametrize(
    ("subject", "entity_type", "name"),
    [
        pytest.param("Dave", "Meeting", "Dave", id="none"),
        pytest.param("C: Dave", "Call", "Dave", id="as-configured"),
        pytest.param("c: Dave", "Call", "Dave", id="other-case"),
        pytest.param("  C :Dave", "Call", "Dave", id="odd-blanks"),
        pytest.param("V: Dave", "Visit", "Dave", id="another-kind"),
        pytest.param("C: V: Dave", "Call", "V: Dave", id="two-labels"),
        pytest.param("C: C: Dave", "Call", "C: Dave", id="twice"),
        pytest.param("Dave C: now", "Meeting", "Dave C: now", id="not-at-the-start"),
        pytest.param("CC: Dave", "Meeting", "CC: Dave", id="longer-word"),
        pytest.param("C Dave", "Meeting", "C Dave", id="without-colon"),
        pytest.param("C:", "Call", "﹙no subject﹚", id="nothing-else"),
    ],
)
def test_r04_a_label_picks_the_kind_of_record(
    world: World, subject: str, entity_type: str, name: str
) -> None:
    event = world.outlook_create(ALICE, subject=subject)
    world.pull()
    assert world.only_record(entity_type)["name"] == name
    assert [e.subject for e in world.events(ALICE)] == [subject]
    world.quiet()
    world.outlook_patch(ALICE, event, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull()
    record = world.only_record(entity_type)
    assert (record["name"], record["dateStart"]) == (name, "2026-12-03 10:00:00")
    world.quiet()
    assert world.mails() == []


def test_r04_the_users_default_kind_takes_what_has_no_label(world: World) -> None:
    world.choose(ALICE, default_entity="Visit")
    world.outlook_create(ALICE, subject="At Dave's")
    world.outlook_create(BOB, subject="Talk")
    world.pull()
    assert world.only_record("Visit")["name"] == "At Dave's"
    assert world.only_record("Meeting")["name"] == "Talk"
    assert world.event(ALICE).subject == "At Dave's"
    world.quiet()


def test_r04_a_rename_in_the_crm_restores_the_label_once(world: World) -> None:
    world.outlook_create(ALICE, subject="c:Dave")
    world.pull()
    record = world.only_record("Call")["id"]
    world.change(record, "Call", name="Dave again")
    world.settle()
    assert world.event(ALICE).subject == "C: Dave again"
    world.quiet()
    assert world.record(record, "Call")["name"] == "Dave again"


@pytest.mark.parametrize("subject", ["C: Erin", "c:  Erin", "Erin"], ids=["kept", "retyped", "lost"])
def test_r04_a_subject_edited_in_outlook_keeps_or_loses_its_label(world: World, subject: str) -> None:
    record = world.save("Call", name="Dave")
    world.settle()
    world.edit(ALICE, subject=subject)
    world.pull()
    assert world.only_record("Call")["id"] == record
    assert world.record(record, "Call")["name"] == "Erin"
    world.quiet()
    assert world.event(ALICE).subject == subject
    world.change(record, "Call", name="Frank")
    world.settle()
    assert world.event(ALICE).subject == "C: Frank"
    world.quiet()


def test_r04_a_label_that_is_taken_off_alone_is_no_change(world: World) -> None:
    record = world.save("Call", name="Dave")
    world.settle()
    world.edit(ALICE, subject="Dave")
    with world.writes() as seen:
        world.pull()
    assert seen == []
    assert world.record(record, "Call")["name"] == "Dave"


def test_r04_a_label_typed_later_changes_no_kind(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Dave")
    world.pull()
    world.outlook_patch(ALICE, event, subject="C: Dave")
    world.pull()
    assert world.records("Call") == []
    assert world.only_record()["name"] == "C: Dave"
    world.quiet()


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r04_a_label_changed_in_the_settings_applies_at_the_next_write_of_the_subject(
    world: World, born: str
) -> None:
    if born == "crm":
        world.save("Call", name="Dave")
    else:
        world.outlook_create(ALICE, subject="C: Dave")
    world.pull()
    record = world.only_record("Call")["id"]
    choose(world.app.store, world.app.gateway, ALICE, {"entities": LABELS})
    world.quiet()
    # Another field of it is edited in Outlook, where the former label still stands.
    world.edit(ALICE, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull()
    assert world.record(record, "Call")["name"] == "Dave"
    assert world.record(record, "Call")["dateStart"] == "2026-12-03 10:00:00"
    assert world.event(ALICE).subject == "C: Dave"
    world.quiet()
    world.change(record, "Call", name="Erin")
    world.settle()
    assert world.event(ALICE).subject == "Tel: Erin"
    world.quiet()
    others = [{"entity_type": "Meeting"}, {"entity_type": "Call", "label": "Ph"}]
    choose(world.app.store, world.app.gateway, ALICE, {"entities": others})
    choose(world.app.store, world.app.gateway, ALICE, {"private_events": "busy"})
    world.quiet()
    world.edit(ALICE, subject="Tel: Erin and Dave")
    world.pull()
    assert world.record(record, "Call")["name"] == "Erin and Dave"
    world.quiet()


def test_r04_an_all_day_event_with_a_calls_label_becomes_the_default_kind_with_a_note(world: World) -> None:
    world.outlook_create(ALICE, subject="C: Call everybody", **ALL_DAY)
    world.pull()
    assert world.records("Call") == []
    record = world.only_record()
    assert (record["isAllDay"], record["dateStartDate"]) == (True, "2026-12-02")
    assert "all-day" in world.notes(ALICE)
    world.quiet()


def test_r04_an_all_day_event_becomes_a_kind_that_has_days_if_the_default_has_none(world: World) -> None:
    world.choose(ALICE, default_entity="Call")
    world.outlook_create(ALICE, subject="Fair", **ALL_DAY)
    world.outlook_create(ALICE, subject="Dave")
    world.pull()
    assert world.only_record("Call")["name"] == "Dave"
    assert world.only_record()["name"] == "Fair"
    assert world.app.store.parked.all() == []
    world.quiet()


def test_r04_a_linked_call_that_becomes_all_day_waits_with_a_reason_until_it_has_times_again(
    world: World,
) -> None:
    record = world.save("Call", name="Dave")
    world.settle()
    world.edit(ALICE, subject="C: Dave all day", **ALL_DAY)
    world.pull()
    before = world.record(record, "Call")
    assert before["dateStart"] == "2026-12-01 10:00:00"
    (parked,) = world.app.store.parked.all()
    assert (parked.reason, parked.record_id) == ("all_day_unsupported", record)
    assert world.event(ALICE).isAllDay is True
    world.quiet()
    world.edit(ALICE, isAllDay=False, start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.pull()
    after = world.record(record, "Call")
    assert (after["name"], after["dateStart"]) == ("Dave all day", "2026-12-02 09:00:00")
    assert world.app.store.parked.all() == []
    world.quiet()


@pytest.mark.parametrize("label", ["C", "Tel"], ids=["same-label", "another-label"])
def test_r04_the_label_is_taken_off_the_event_that_joins_a_known_meeting(world: World, label: str) -> None:
    """The organizer connects later: content flows through her own event from then on."""
    world.outlook_create(CAROL, subject="C: Planning", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record("Call")["id"]
    if label != "C":
        world.connect(CAROL, mode="crm_to_outlook")
        choose(world.app.store, world.app.gateway, CAROL, {"entities": LABELS, "mode": "both"})
        world.outlook_patch(CAROL, world.event(CAROL).id, subject="Tel: Planning")
        world.pull()
    else:
        world.connect(CAROL)
    assert world.link(record, "Call").role is Role.ORGANIZER
    assert world.record(record, "Call")["name"] == "Planning"
    assert world.event(CAROL).subject == f"{label}: Planning"
    world.mails()
    world.quiet()
    world.change(record, "Call", name="Planning 2")
    world.settle()
    assert world.event(CAROL).subject == f"{label}: Planning 2"
    assert world.records() == []


def test_r04_a_kind_that_the_user_does_not_sync_has_no_label(world: World) -> None:
    world.choose(ALICE, entities=[{"entity_type": "Meeting"}])
    world.outlook_create(ALICE, subject="C: Dave")
    world.pull()
    assert world.only_record()["name"] == "C: Dave"
    assert world.records("Call") == []
    world.quiet()


def test_r04_a_person_syncs_no_meetings_at_all(world: World) -> None:
    world.choose(ALICE, entities=[{"entity_type": "Call"}], default_entity="Call")
    world.outlook_create(ALICE, subject="Dave")
    world.outlook_create(ALICE, subject="C: Erin")
    world.pull()
    assert [r["name"] for r in world.records("Call")] == ["Dave", "Erin"]
    assert world.records() == []
    world.quiet()
