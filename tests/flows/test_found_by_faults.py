"""What the fault matrix of `tests/faults` found, each reduced to a few steps."""

from __future__ import annotations

from tests.world import ALICE, World


def _clashing(world: World) -> tuple[str, str]:
    """A meeting of Outlook's whose subject both sides changed: Outlook's is to stay."""
    event = world.outlook_create(ALICE, subject="Planning")
    world.pull()
    record = str(world.only_record()["id"])
    return event, record


def test_an_edit_that_was_seen_while_the_record_could_not_be_read_is_not_overwritten(world: World) -> None:
    event, record = _clashing(world)
    world.change(record, name="By the CRM")
    world.outlook_patch(ALICE, event, subject="By Outlook")
    # The mark of the record and the one of the event are struck; the record's comes first after that.
    world.crm_fails(method="GET", path=f"/Meeting/{record}", status=404, reason="", times=2)
    world.pull()
    assert world.event_at(ALICE, event).subject == "By Outlook"
    assert world.only_record()["name"] == "By Outlook"
    world.quiet()


def test_an_edit_that_was_seen_while_the_record_was_parked_is_not_overwritten(world: World) -> None:
    event, record = _clashing(world)
    times = {name: world.record(record)[name] for name in ("dateStart", "dateEnd")}
    world.crm.store.change("Meeting", record, dict.fromkeys(times))
    world.outlook_patch(ALICE, event, subject="By Outlook")
    world.pull()
    assert world.parked() != {}
    world.change(record, name="By the CRM", **times)
    world.pull()
    assert world.event_at(ALICE, event).subject == "By Outlook"
    assert world.only_record()["name"] == "By Outlook"
    assert world.parked() == {}
    world.quiet()
