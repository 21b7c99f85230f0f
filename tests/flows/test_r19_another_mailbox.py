"""R19, as far as a push meets it: a user who connects another Outlook mailbox later."""

from __future__ import annotations

from tests.world import ALICE, CAROL, World


def test_r19_what_lies_in_the_former_mailbox_stays_there(world: World) -> None:
    old = world.save(name="Old")
    world.settle()
    page = world.app.connections.begin(ALICE, login_hint="carol@example.com", prompt="none")
    world.app.connections.finish(world.signed_in(page))
    world.change(old, name="Old, renamed")
    world.save(name="New")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Old"]
    assert [e.subject for e in world.events(CAROL)] == ["New"]
    assert world.mails() == []
