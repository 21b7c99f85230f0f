"""R3: an event of a known meeting joins its link, whichever mailbox is read when: never a second record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations, product

import pytest

from calsync_plugin.domain.links import CopyPurpose, LinkState, Role
from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.hookspecs import hookimpl
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, CAROL, World

KINDS = [("Meeting", ""), ("Call", "C: "), ("Visit", "V: ")]
ORDERS = [(ALICE, BOB), (BOB, ALICE)]


def _pull_in(world: World, order: Iterable[str]) -> None:
    for user in order:
        world.pull(user)


def _all_three(make_world: MakeWorld) -> World:
    world = make_world()
    for user in (ALICE, BOB, CAROL):
        world.connect(user)
    return world


@pytest.mark.parametrize(
    "order", list(permutations((ALICE, BOB, CAROL))), ids=lambda o: "".join(u[-1] for u in o)
)
def test_pain_02_three_users_of_one_outside_meeting_have_one_record(
    make_world: MakeWorld, order: tuple[str, str, str]
) -> None:
    world = _all_three(make_world)
    theirs = world.invite_from_outside(ALICE, BOB, CAROL, subject="Roadmap")
    for user in order:
        world.pull(user)
    record = world.only_record()
    assert record["assignedUserId"] == order[0]
    assert set(record["usersIds"]) == {ALICE, BOB, CAROL}
    purposes = [copy.purpose for copy in world.link(record["id"]).copies]
    assert sorted(purposes) == [CopyPurpose.ATTENDEE, CopyPurpose.ATTENDEE, CopyPurpose.HOME]
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.mails()
    for user in order[::-1]:
        world.pull(user)
    assert world.only_record()["name"] == "Roadmap 2027"
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize(("kind", "label"), KINDS, ids=[kind for kind, _ in KINDS])
@pytest.mark.parametrize("first", [ALICE, BOB, CAROL], ids=["organizer-first", "bob-first", "carol-first"])
def test_pain_02_a_connected_organizers_meeting_is_one_record(
    make_world: MakeWorld, kind: str, label: str, first: str
) -> None:
    world = _all_three(make_world)
    world.outlook_create(
        ALICE, subject=f"{label}Planning", attendees=["bob@example.com", "carol@example.com"]
    )
    world.mails()
    world.pull(first)
    world.pull()
    record = world.only_record(kind)
    assert (record["name"], record["assignedUserId"]) == ("Planning", ALICE)
    assert world.link(record["id"], kind).role is Role.ORGANIZER
    world.quiet()
    assert world.mails() == []


class _Meanwhile:
    """While one mailbox brings an event in, others run: what two workers do at the same time."""

    def __init__(self) -> None:
        self.world: World | None = None

    @property
    def waits(self) -> bool:
        """Whether nobody came in yet."""
        return self.world is not None

    @hookimpl
    def calsync_inbound(self, meeting: Meeting, event: Mapping[str, object]) -> None:
        """Let the others run, once."""
        del meeting, event
        world, self.world = self.world, None
        if world is not None:
            world.drain()


def test_r03_two_mailboxes_that_find_the_same_meeting_at_the_same_time(make_world: MakeWorld) -> None:
    """Only the run that inserted the link creates the record; the other joins it."""
    world = make_world()
    meanwhile = _Meanwhile()
    world.open(meanwhile)
    world.connect(ALICE)
    world.connect(BOB)
    world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    meanwhile.world = world
    world.pull()
    assert not meanwhile.waits
    record = world.only_record()
    assert len(world.link(record["id"]).copies) == 2
    world.quiet()


def test_r03_the_organizer_and_an_attendee_at_the_same_time(make_world: MakeWorld) -> None:
    world = make_world()
    meanwhile = _Meanwhile()
    world.open(meanwhile)
    world.connect(ALICE)
    world.connect(BOB)
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.mails()
    meanwhile.world = world
    world.pull()
    record = world.only_record()
    assert record["assignedUserId"] == ALICE
    assert world.link(record["id"]).role is Role.ORGANIZER
    assert len(world.link(record["id"]).copies) == 2
    world.quiet()
    assert world.mails() == []


def test_pain_09_an_id_is_only_ever_used_in_its_own_mailbox(world: World) -> None:
    world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.outlook.log.clear()
    world.pull()
    world.change(record, name="Renamed")
    world.settle()
    world.pull()
    own = {user: {event.id for event in world.events(user)} for user in (ALICE, BOB)}
    for entry in world.outlook.log.as_json()["requests"]:
        other = BOB if entry["mailbox"] == "alice@example.com" else ALICE
        assert not any(event_id in entry["path"] for event_id in own[other]), entry["path"]
        assert entry["status"] != 404, entry["path"]


def test_pain_10_who_is_invited_through_a_group_has_a_copy_of_the_same_meeting(world: World) -> None:
    """Bob is a member of the invited group: he is on nobody's list of attendees."""
    theirs = world.invite_from_outside(ALICE, subject="Roadmap", attendees=["team@example.com"])
    world.forward(ALICE, world.event(ALICE).id, "bob@example.com")
    people = ["alice@example.com", "team@example.com"]
    world.outside_patch(theirs, attendees=people)
    world.mails()
    world.pull()
    record = world.only_record()
    assert record["name"] == "Roadmap"
    world.quiet()
    assert world.mails() == []


def test_r03_a_user_who_connects_later_joins_the_meetings_that_are_there(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB, CAROL])
    world.settle()
    theirs = world.invite_from_outside(ALICE, CAROL, subject="Roadmap")
    world.pull()
    world.mails()
    world.connect(CAROL)
    world.pull()
    assert sorted(one["name"] for one in world.records()) == ["Kick-off", "Roadmap"]
    assert {copy.mailbox_id for copy in world.link(record).copies} == {
        world.account(user).mailbox_id for user in (ALICE, BOB, CAROL)
    }
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.mails()
    world.pull(CAROL)
    world.pull()
    assert sorted(one["name"] for one in world.records()) == ["Kick-off", "Roadmap 2027"]
    world.quiet()
    assert world.mails() == []


def test_r03_a_copy_that_joins_a_detached_meeting_brings_no_second_record(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.remove(record)
    world.settle()
    assert world.link(record).state is LinkState.DETACHED
    world.outside_patch(theirs, attendees=["alice@example.com", "bob@example.com"])
    world.mails()
    world.pull()
    assert world.records() == []
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize(
    "orders",
    list(product(ORDERS, repeat=3)),
    ids=lambda orders: "-".join("".join(user[-1] for user in order) for order in orders),
)
def test_r03_an_invitation_that_was_withdrawn_and_sent_again_is_the_same_meeting(
    world: World, orders: Sequence[tuple[str, str]]
) -> None:
    """Invited, taken off, invited again; whose mailbox is read first each time."""
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    _pull_in(world, orders[0])
    record = world.only_record()["id"]
    world.outside_patch(theirs, attendees=["alice@example.com"])
    world.mails()
    _pull_in(world, orders[1])
    found = world.only_record()
    assert (found["id"], found["status"], found["assignedUserId"]) == (record, "Planned", ALICE)
    assert found["usersIds"] == [ALICE]
    link = world.link(record)
    assert link.state is LinkState.ACTIVE
    assert [copy.mailbox_id for copy in link.copies] == [world.account(ALICE).mailbox_id]
    assert world.mails() == []
    world.outside_patch(theirs, attendees=["alice@example.com", "bob@example.com"])
    world.mails()
    _pull_in(world, orders[2])
    assert world.only_record()["id"] == record
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    world.quiet()
    assert world.mails() == []


def test_r03_an_outside_organizer_invites_a_second_user_later(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.outside_patch(theirs, attendees=["alice@example.com", "bob@example.com"])
    world.mails()
    world.pull(BOB)
    world.pull(ALICE)
    assert world.only_record()["id"] == record
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    world.quiet()
    assert world.mails() == []


def test_r03_two_meetings_of_one_organizer_that_look_alike_stay_two(world: World) -> None:
    world.invite_from_outside(ALICE, BOB, subject="Weekly")
    world.invite_from_outside(ALICE, BOB, subject="Weekly")
    world.pull()
    assert [one["name"] for one in world.records()] == ["Weekly", "Weekly"]
    assert {len(world.link(one["id"]).copies) for one in world.records()} == {2}
    world.quiet()


@pytest.mark.parametrize("uid", ["20261202T100000Z-1@partner.example", "A" * 300], ids=["foreign", "long"])
def test_r03_a_foreign_systems_uid_joins_copies_too(world: World, uid: str) -> None:
    world.invite_from_outside(ALICE, BOB, subject="Roadmap", iCalUId=uid)
    world.pull()
    record = world.only_record()
    assert len(world.link(record["id"]).copies) == 2
    world.quiet()


def test_r03_uids_that_differ_in_case_are_two_meetings(world: World) -> None:
    world.invite_from_outside(ALICE, subject="One", iCalUId="abc@partner.example")
    world.invite_from_outside(BOB, subject="Two", iCalUId="ABC@partner.example")
    world.pull()
    assert sorted(one["name"] for one in world.records()) == ["One", "Two"]
    world.quiet()


@pytest.mark.parametrize("differ", ["case", "dash"])
def test_pain_25_events_whose_ids_differ_in_one_character_are_two(world: World, differ: str) -> None:
    first, second = world.twins(ALICE, differ=differ, subject="Twin")
    world.pull()
    assert [one["name"] for one in world.records()] == ["Twin", "Twin"]
    world.outlook_patch(ALICE, first, subject="Castor")
    world.outlook_delete(ALICE, second)
    world.pull()
    assert world.only_record()["name"] == "Castor"
    world.quiet()
