"""An outsider sends an invitation under the iCalUId of somebody's meeting: it is another meeting."""

from __future__ import annotations

import pytest

from tests.attack.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ADDRESS, ALICE, BOB, CAROL, World

EVE = "eve@evil.example"
PARTNER = "pat@partner.example"


def _forged(world: World, *victims: str, uid: str, **properties: object) -> str:
    given = {"subject": "Forged", "body": "Call +1 900 now", **properties}
    return world.invite_from_outside(*victims, organizer=EVE, iCalUId=uid, **given)


def _by_name(world: World) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in world.records()}


@pytest.mark.parametrize("victims", [(BOB,), (ALICE,), (ALICE, BOB)], ids=["invited", "organizer", "both"])
def test_a_crm_born_meeting_is_not_taken_over(world: World, victims: tuple[str, ...]) -> None:
    record = world.save(name="Real", usersIds=[ALICE, BOB], assignedUserId=ALICE)
    world.settle()
    before = world.record(record)
    copies = len(world.link(record).copies)
    forged = _forged(world, *victims, uid=world.event_of(ALICE, "Real").iCalUId)
    world.mails()
    world.pull()
    assert world.record(record) == before
    assert sorted(_by_name(world)) == ["Forged", "Real"]
    assert len(world.link(record).copies) == max(copies, 2)
    world.outside_patch(forged, organizer=EVE, subject="Forged again")
    world.pull()
    world.outside_cancel(forged, organizer=EVE)
    world.pull()
    assert world.record(record) == before
    world.quiet()
    # What was mailed is what Eve herself sent.
    assert {to for _, to in world.mails()} <= {ADDRESS[one] for one in victims}


@pytest.mark.parametrize("victims", [(BOB,), (ALICE,), (CAROL,)], ids=["invited", "organizer", "neither"])
def test_an_outlook_born_meeting_is_not_taken_over(make_world: MakeWorld, victims: tuple[str, ...]) -> None:
    world = make_world()
    for user in (ALICE, BOB, CAROL):
        world.connect(user)
    world.outlook_create(ALICE, subject="Real", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record()
    _forged(world, *victims, uid=world.event(ALICE).iCalUId)
    world.mails()
    world.pull()
    assert world.record(record["id"]) == record
    assert sorted(_by_name(world)) == ["Forged", "Real"]
    assert _by_name(world)["Forged"]["assignedUserId"] == victims[0]
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("victim", [ALICE, BOB], ids=["home", "other"])
def test_an_outside_meeting_is_not_taken_over_by_another_outsider(world: World, victim: str) -> None:
    theirs = world.invite_from_outside(ALICE, organizer=PARTNER, subject="Real", iCalUId="1@partner.example")
    world.pull()
    record = world.only_record()
    _forged(world, victim, uid="1@partner.example")
    world.pull()
    assert world.record(record["id"]) == record
    assert sorted(_by_name(world)) == ["Forged", "Real"]
    # The true organizer still reaches the record.
    world.outside_patch(theirs, organizer=PARTNER, subject="Real, moved")
    world.pull()
    assert world.record(record["id"])["name"] == "Real, moved"
    world.quiet()


def test_who_claims_the_id_first_does_not_get_the_meeting_of_its_organizer(make_world: MakeWorld) -> None:
    """The forged invitation is read before its true organizer is connected."""
    world = make_world()
    world.connect(BOB)
    world.outlook_create(ALICE, subject="Real", attendees=["carol@example.com"])
    _forged(world, BOB, uid=world.event(ALICE).iCalUId)
    world.pull()
    forged = world.only_record()
    world.connect(ALICE)
    world.pull()
    records = _by_name(world)
    assert sorted(records) == ["Forged", "Real"]
    assert records["Real"]["assignedUserId"] == ALICE
    assert world.record(forged["id"])["assignedUserId"] == BOB
    world.quiet()


def test_a_series_is_not_taken_over(world: World) -> None:
    world.series(ALICE, "weekly", count=3, subject="Real")
    world.pull()
    before = world.records()
    assert len(before) == 3
    master = world.event(ALICE)
    forged = _forged(world, BOB, uid=master.iCalUId, recurrence=repeats("weekly", count=2))
    world.pull()
    assert [r for r in world.records() if r["name"] == "Real"] == before
    assert len([r for r in world.records() if r["name"] == "Forged"]) == 2
    world.outside_cancel(forged, organizer=EVE)
    world.pull()
    assert [r for r in world.records() if r["name"] == "Real"] == before
    world.quiet()


@pytest.mark.parametrize("shared", [True, False], ids=["shared-uid", "own-uids"])
def test_an_invitation_to_one_date_joins_that_date_also_of_a_series_with_anothers_uid(
    make_world: MakeWorld, shared: bool
) -> None:
    world = make_world()
    world.switch(occurrences_share_icaluid=shared)
    for user in (ALICE, BOB, CAROL):
        world.connect(user)
    world.series(ALICE, "weekly", count=3, subject="Real")
    world.pull()
    rule = repeats("weekly", count=3)
    forged = _forged(world, BOB, uid=world.event(ALICE).iCalUId, recurrence=rule)
    world.pull()
    third = world.outside_occurrences(forged, organizer=EVE)[2]
    both = [{"type": "required", "emailAddress": {"address": ADDRESS[one]}} for one in (BOB, CAROL)]
    world.outside_patch(third.id, organizer=EVE, attendees=both)
    world.pull()
    theirs = [one for one in world.records() if one["name"] == "Forged"]
    assert [len(world.link(one["id"]).copies) for one in theirs] == [1, 1, 2]
    assert [CAROL in one["usersIds"] for one in theirs] == [False, False, True]
    world.mails()
    world.quiet()


@pytest.mark.parametrize("first", [True, False], ids=["in-the-first-reading", "later"])
def test_the_id_of_an_invitation_that_the_crm_mailed_opens_no_record(
    make_world: MakeWorld, first: bool
) -> None:
    """Every guest of the CRM's knows it; the record's owner is not connected."""
    world = make_world()
    for role in list(world.crm.store.tables["Role"].rows.values()):
        readable = {"Meeting": {"uid": {"read": "yes", "edit": "no"}}}
        world.crm.store.change("Role", role["id"], {"fieldData": readable})
    record = world.save(name="Real", assignedUserId=CAROL, usersIds=[CAROL, BOB])
    world.clock.advance(60)
    if not first:
        world.connect(BOB)
    before = world.record(record)
    forged = _forged(world, BOB, uid=str(before["uid"]))
    if first:
        world.connect(BOB)
    world.pull()
    assert world.records() == [before]
    world.outside_patch(forged, organizer=EVE, subject="Forged again")
    world.pull()
    world.outside_cancel(forged, organizer=EVE)
    world.pull()
    assert world.records() == [before]
    world.quiet()
