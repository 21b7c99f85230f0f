"""R8: what makes records that lay still wait for a person, and what does not."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.settings import user_mapping, user_settings
from calsync_plugin.state import AccountStatus
from tests.world import ALICE, DAVE, World

CHOICES = [
    pytest.param({"mode": "crm_to_outlook"}, True, id="another-mode"),
    pytest.param({"push_contacts": True}, True, id="contacts-pushed"),
    pytest.param({"push_leads": True}, True, id="leads-pushed"),
    pytest.param({"sync_since": "2026-01-01"}, True, id="sync-since-moved-back"),
    pytest.param({"sync_since": "2026-12-01"}, False, id="sync-since-moved-ahead"),
    pytest.param({"clash": "crm"}, False, id="who-wins"),
    pytest.param({"teams_for_new": True}, False, id="teams"),
]


@pytest.mark.parametrize(("changes", "waits"), CHOICES)
def test_r08_a_choice_that_sends_more_resets_push_from(
    world: World, changes: dict[str, JsonValue], waits: bool
) -> None:
    record = world.save(contactsIds=[DAVE])
    world.settle()
    world.mails()
    world.clock.advance(60)
    choose(world.app.store, world.app.gateway, ALICE, changes)
    world.plugins.hook.calsync_attendance_changed(entity_type="Meeting", record_id=record)
    world.settle()
    assert world.mails() == []
    before = world.account(ALICE).connected_at
    reset = world.account(ALICE).push_from
    assert before is not None
    assert reset is not None
    assert (reset > before.replace(microsecond=0)) is waits


def test_r08_an_entity_type_that_is_enabled_later(world: World) -> None:
    only = user_mapping(user_settings(dict(world.account(ALICE).settings)))["entities"]
    assert isinstance(only, list)
    world.choose(ALICE, entities=only[:1])
    world.save("Call", name="Old call")
    world.settle()
    world.clock.advance(60)
    choose(world.app.store, world.app.gateway, ALICE, {"entities": only})
    world.save("Call", name="New call")
    world.sweep()
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["C: New call"]


@pytest.mark.parametrize(
    ("days", "pushed"), [pytest.param(1, True, id="a-day"), pytest.param(8, False, id="more-than-a-week")]
)
def test_r08_a_long_reconnect_does_not_push_what_lay_still(world: World, days: int, pushed: bool) -> None:
    world.save(name="Before")
    world.settle()
    world.app.store.accounts.set_status(ALICE, AccountStatus.RECONNECT, "Microsoft wants you")
    world.clock.advance(60)
    world.save(name="Meanwhile")
    world.clock.advance(days * 86_400)
    world.connect(ALICE)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == (["Before", "Meanwhile"] if pushed else ["Before"])


def test_r12_what_was_filtered_out_is_compared_when_it_is_chosen_again(world: World) -> None:
    """Suspended, not deleted; on return the record as it is now goes out once it is confirmed or edited."""
    entities = list(world.account(ALICE).settings["entities"])  # type: ignore[arg-type]
    call = world.save("Call", name="Ring Dave")
    world.settle()
    choose(world.app.store, world.app.gateway, ALICE, {"entities": entities[:1]})
    world.change(call, "Call", name="Ring Dave later")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["C: Ring Dave"]
    choose(world.app.store, world.app.gateway, ALICE, {"entities": entities})
    world.settle()
    assert world.link(call, "Call").state.value == "active"
    world.change(call, "Call", name="Ring Dave soon")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["C: Ring Dave soon"]
