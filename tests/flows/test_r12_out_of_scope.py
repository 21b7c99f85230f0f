"""R12: what is out of reach is left alone: nothing is deleted or cancelled, nothing that waits is lost."""

from __future__ import annotations

from tests.world import ALICE, BOB, World


def test_r12_a_paused_account_keeps_its_marks_and_goes_on_afterwards(world: World) -> None:
    kept = world.save(name="Kept")
    changed = world.save(name="Before")
    removed = world.save(name="Removed")
    world.settle()
    world.app.connections.pause(ALICE)
    world.change(changed, name="After")
    world.remove(removed)
    world.save(name="New")
    world.save(name="Of bob", assignedUserId=BOB)
    world.outlook.log.clear()
    world.settle()
    assert [e.subject for e in world.events(BOB)] == ["Of bob"]
    assert [e.subject for e in world.events(ALICE)] == ["Before", "Kept", "Removed"]
    world.app.connections.resume(ALICE)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["After", "Kept", "New"]
    assert world.link(kept).state == "active"


def test_r12_a_paused_account_is_not_asked_for_anything(world: World) -> None:
    world.app.connections.pause(ALICE)
    world.save()
    with world.watched() as sent:
        world.settle()
    assert sent == []


def test_r12_a_deactivated_user_keeps_the_calendar_as_it_is(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.plugins.hook.calsync_user_deactivated(user_id=ALICE)
    world.change(record, name="Renamed")
    world.remove(record)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.mails() == []
    assert world.account(ALICE).status == "off"


def test_r12_a_disconnected_account_is_compared_when_it_comes_back(world: World) -> None:
    record = world.save()
    gone = world.save(name="Gone")
    world.settle()
    world.app.connections.disconnect(ALICE)
    assert world.link(record).state == "suspended"
    world.change(record, name="Renamed")
    world.remove(gone)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Gone", "Kick-off"]
    world.connect(ALICE)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Renamed"]
    assert world.link(record).state == "active"


def test_pain_13_a_record_that_we_may_no_longer_read_is_left_alone(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    role = world.crm.store.tables["Role"].rows["5f0000000000b0001"]
    full = role["data"]
    world.crm.store.change("Role", role["id"], {"data": {**full, "Meeting": {"read": "no"}}})
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=None)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.mails() == []
    assert world.link(record).state == "suspended"
    world.crm.store.change("Role", role["id"], {"data": full})
    world.change(record, name="Readable again")
    world.settle()
    assert world.event(ALICE).subject == "Readable again"
    assert world.link(record).state == "active"


def test_r12_an_entity_type_that_is_switched_off_is_suspended_and_compared_on_return(world: World) -> None:
    record = world.save("Call")
    world.settle()
    entities = world.account(ALICE).settings["entities"]
    world.choose(ALICE, entities=[{"entity_type": "Meeting"}])
    world.change(record, "Call", name="Renamed")
    world.settle()
    assert world.event(ALICE).subject == "C: Kick-off"
    world.choose(ALICE, entities=entities)
    world.change(record, "Call", description="On again")
    world.settle()
    assert world.event(ALICE).subject == "C: Renamed"
