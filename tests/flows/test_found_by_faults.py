"""What the fault matrix of `tests/faults` found, each reduced to a few steps."""

from __future__ import annotations

from tests.world import ADDRESS, ALICE, BOB, World


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


def _refuse(world: World, user_id: str, method: str, path: str) -> None:
    world.fail(match={"mailbox": ADDRESS[user_id], "method": f"^{method}$", "path": path}, status=403)


def test_what_is_parked_with_the_new_assignee_stays_so_whatever_the_former_ones_mailbox_runs_for(
    world: World,
) -> None:
    record = world.save()
    world.settle()
    _refuse(world, BOB, "POST", "/events")
    world.reassign(record, BOB)
    world.settle()
    assert record in world.parked()
    world.edit(ALICE, subject="Edited in the calendar that it leaves")
    world.pull(ALICE)
    assert record in world.parked()
    world.outlook.faults.replace([])
    world.change(record, description="Once more")
    world.settle()
    assert (world.parked(), len(world.events(ALICE)), len(world.events(BOB))) == ({}, 0, 1)
    world.quiet()


def test_what_is_parked_with_somebody_invited_stays_so_whatever_the_organizers_mailbox_runs_for(
    world: World,
) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    _refuse(world, BOB, "GET", "/events/")
    world.change(record, usersColumns={BOB: {"status": "Accepted"}})
    world.settle()
    assert record in world.parked()
    world.edit(ALICE, location="Room 1")
    world.pull(ALICE)
    assert record in world.parked()
    world.outlook.faults.replace([])
    world.change(record, description="Once more")
    world.settle()
    assert world.parked() == {}
    assert world.event(ALICE).responses["bob@example.com"] == "accepted"
    world.mails()
    world.quiet()
