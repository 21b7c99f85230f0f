"""Which side is there: presence, link states, removal on one side, and what only a proven removal may do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from calsync_plugin.domain.links import CopyState, Link, LinkState, Origin, Presence, Role
from calsync_plugin.domain.meeting import Field, Meeting, Response
from calsync_plugin.domain.operations import DeleteEvent, DeleteRecord, Detach
from calsync_plugin.domain.planner import Ours, Theirs, plan
from calsync_plugin.domain.policy import ClashRule, Mode, Policy
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    ABSENT_RECORD,
    AS_IN_BASE,
    BOB,
    DAY,
    FAR_EVENT,
    FAR_RECORD,
    GONE_EVENT,
    GONE_RECORD,
    NOW,
    UNKNOWN_EVENT,
    UNKNOWN_RECORD,
    A,
    B,
    C,
    attendee_copy,
    home,
    kinds,
    leaving,
    linked,
    meeting,
    not_syncing,
    ours,
    policy,
    suspended,
    theirs,
    waiting,
    writes,
)

RECORDS = {
    "present": ours(),
    "gone": GONE_RECORD,
    "far": FAR_RECORD,
    "unknown": UNKNOWN_RECORD,
    "absent": ABSENT_RECORD,
}
EVENTS = {
    "present": theirs(),
    "gone": GONE_EVENT,
    "far": FAR_EVENT,
    "unknown": UNKNOWN_EVENT,
    "absent": ABSENT_EVENT,
}

ACTIVE = {
    ("present", "present"): [],
    ("present", "gone"): ["Detach"],
    ("present", "far"): ["Suspend"],
    ("present", "unknown"): [],
    ("present", "absent"): [],
    ("gone", "present"): ["DeleteEvent"],
    ("gone", "gone"): ["DropLink"],
    ("gone", "far"): [],
    ("gone", "unknown"): [],
    ("gone", "absent"): ["DropLink"],
    **{("far", event): ["Suspend"] for event in EVENTS},
    **{("unknown", event): [] for event in EVENTS},
    **{("absent", event): [] for event in EVENTS},
}
UNLINKED = {
    ("present", "absent"): ["CreateEvent"],
    ("absent", "present"): ["CreateRecord"],
    ("present", "present"): ["SaveBase"],
}
EVERY = list(product(RECORDS, EVENTS))


@pytest.mark.parametrize(("record", "event"), EVERY, ids=["-".join(p) for p in EVERY])
def test_presence(record: str, event: str) -> None:
    """The whole matrix for each state of a link that the CRM bore, and for none."""
    sides = RECORDS[record], EVENTS[event]
    assert kinds(plan(linked(), *sides, policy())) == ACTIVE[record, event]
    assert kinds(plan(None, *sides, policy())) == UNLINKED.get((record, event), [])
    assert plan(replace(linked(), state=LinkState.DETACHED), *sides, policy()) == ()
    resumes = {record, event}.isdisjoint({"far", "unknown"})
    assert kinds(plan(suspended(linked()), *sides, policy())) == (
        ["Resume", *ACTIVE[record, event]] if resumes else []
    )


PAUSES = [policy(suspended="paused"), policy(entity_enabled=False)]


@pytest.mark.parametrize("pause", PAUSES, ids=["account", "entity"])
@pytest.mark.parametrize(("record", "event"), EVERY, ids=["-".join(p) for p in EVERY])
def test_a_pause_touches_nothing(record: str, event: str, pause: Policy) -> None:
    """R12: suspended once, and nothing more while the reason lasts."""
    sides = RECORDS[record], EVENTS[event]
    assert kinds(plan(linked(), *sides, pause)) == ["Suspend"]
    assert plan(suspended(linked()), *sides, pause) == ()
    assert kinds(plan(None, *sides, pause)) == ["Wait"]
    assert plan(replace(linked(), state=LinkState.DETACHED), *sides, pause) == ()


def test_a_suspended_link_is_compared_before_it_resumes() -> None:
    """R12: never assume; an event that nobody read is read first."""
    edited, event = ours(meeting(subject="Ours")), theirs(meeting(location="Wien"))
    assert kinds(plan(suspended(linked()), edited, AS_IN_BASE, policy())) == ["Wait"]
    got = plan(suspended(linked()), edited, event, policy())
    assert kinds(got) == ["Resume", "UpdateEvent", "UpdateRecord"]


def test_a_suspended_link_resumes_into_the_present_assignment() -> None:
    """Reassigned while suspended: removed or kept as if it had happened now."""
    assert kinds(plan(suspended(linked()), ours(assignee=not_syncing()), theirs(), policy())) == [
        "Resume",
        "DeleteEvent",
    ]
    assert kinds(plan(suspended(linked()), ours(assignee=waiting()), theirs(), policy())) == [
        "Resume",
        "Wait",
    ]


ENTITIES = list(product(Mode, Origin, Role, [False, True]))
NAMES = ["-".join(map(str, p)) for p in ENTITIES]
OTHER_SIDE: dict[str, Meeting | None] = {
    "unread": None,
    "unchanged": meeting(),
    "answered": meeting(attendees=(replace(BOB, response=Response.ACCEPTED),)),
    "edited": meeting(subject="Edited"),
    "people": meeting(attendees=(BOB,)),
}


def based(side: str, chosen: Policy, origin: Origin, role: Role) -> Link:
    """A link whose base knows bob where only his answer is to be new."""
    base = meeting(attendees=(BOB,)) if side == "answered" else meeting()
    return linked(base, by=chosen, origin=origin, role=role, copies=(home(), attendee_copy(B)))


@pytest.mark.parametrize("side", OTHER_SIDE)
@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=NAMES)
def test_record_gone(mode: Mode, origin: Origin, role: Role, setting: bool, side: str) -> None:
    """R9: the event goes only if the CRM bore it or the setting says so, and nobody edited it."""
    chosen = policy(mode=mode, delete_outlook_born_event=setting)
    link = based(side, chosen, origin, role)
    got = plan(link, GONE_RECORD, Theirs(presence=Presence.PRESENT, meeting=OTHER_SIDE[side]), chosen)
    deletes = (
        mode is not Mode.OUTLOOK_TO_CRM
        and role is Role.ORGANIZER
        and (origin is Origin.CRM or setting)
        and side in {"unread", "unchanged", "answered"}
    )
    assert kinds(got) == (["DeleteEvent"] if deletes else ["Detach"])
    assert not deletes or got == (
        DeleteEvent(
            mailbox_id=A, event_id="event-1", reason="the record was removed in the CRM", drops_link=True
        ),
    )


@pytest.mark.parametrize("side", [s for s in OTHER_SIDE if s != "unread"])
@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=NAMES)
def test_event_gone(mode: Mode, origin: Origin, role: Role, setting: bool, side: str) -> None:
    """R10, R3: the record goes only if Outlook bore it or the setting says so, and nobody edited it."""
    chosen = policy(mode=mode, delete_crm_born_record=setting)
    link = based(side, chosen, origin, role)
    got = plan(link, ours(OTHER_SIDE[side]), GONE_EVENT, chosen)
    deletes = (
        mode is not Mode.CRM_TO_OUTLOOK
        and role is Role.ORGANIZER
        and (origin is Origin.OUTLOOK or setting)
        and side in {"unchanged", "answered"}
    )
    assert kinds(got) == (["DeleteRecord"] if deletes else ["Detach"])


EDITED = meeting(subject="Edited")
TWO_ORDERS = {
    "record edited, event gone": (ours(EDITED), GONE_EVENT),
    "record gone, event edited": (GONE_RECORD, theirs(EDITED)),
}


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("order", TWO_ORDERS)
def test_the_edited_side_stays_whichever_was_known_first(order: str, origin: Origin) -> None:
    """With every deletion setting on, an edit still saves its side."""
    chosen = policy(delete_outlook_born_event=True, delete_crm_born_record=True)
    got = plan(linked(origin=origin), *TWO_ORDERS[order], chosen)
    assert [type(o) for o in got] == [Detach]


SIDES: list[tuple[Ours, Theirs]] = list(product(RECORDS.values(), [*EVENTS.values(), AS_IN_BASE]))
LOST = {
    "crm": {"crm_base": None},
    "outlook": {"outlook_base": None},
    "both": {"crm_base": None, "outlook_base": None},
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=NAMES)
def test_a_lost_base_deletes_nothing(
    mode: Mode, origin: Origin, role: Role, setting: bool, lost: str
) -> None:
    """Compare everything, never delete everything."""
    chosen = policy(mode=mode, delete_outlook_born_event=setting, delete_crm_born_record=setting)
    for link, (record, event) in product([linked(origin=origin, role=role, **LOST[lost])], SIDES):
        for state in (link, suspended(link)):
            got = plan(state, record, event, chosen)
            assert not [o for o in got if isinstance(o, DeleteEvent | DeleteRecord)]


def test_a_lost_base_is_rebuilt_by_comparing() -> None:
    """Equal: remembered. Different: the clash rule. Not read: read first."""
    link = linked(crm_base=None, outlook_base=None)
    assert kinds(plan(link, ours(), AS_IN_BASE, policy())) == ["Wait"]
    assert kinds(plan(link, ours(), theirs(), policy())) == ["SaveBase"]
    got = plan(link, ours(meeting(subject="Ours")), theirs(meeting(subject="Theirs")), policy())
    assert kinds(got) == ["RecordClash", "UpdateEvent", "SaveBase"]
    one = replace(linked(), crm_base=None)
    assert kinds(plan(one, ours(), theirs(), policy())) == ["SaveBase"]


def test_a_lost_base_unites_the_people() -> None:
    """Nobody is taken off either side, because nobody can say who was removed."""
    link = linked(crm_base=None, outlook_base=None)
    got = plan(link, ours(meeting(attendees=(BOB,))), theirs(meeting()), policy())
    assert writes(got) == ["UpdateEvent"]
    got = plan(link, ours(meeting()), theirs(meeting(attendees=(BOB,))), policy())
    assert writes(got) == ["UpdateRecord"]


def test_a_lost_base_waits_for_the_back_fill_as_a_whole() -> None:
    """Half a base would make the other half look as if it had just entered."""
    chosen = policy(push_from=policy().now)
    link = linked(crm_base=None, outlook_base=None)
    old = ours(meeting(subject="Ours"), modified_at=NOW - DAY)
    assert kinds(plan(link, old, theirs(), chosen)) == ["Wait"]


INTENDED = linked(copies=(home(A, CopyState.INTENDED),), crm_base=None, outlook_base=None)
BEGUN = [
    pytest.param(INTENDED, ours(), ABSENT_EVENT, ["CreateEvent"], id="nothing came of it"),
    pytest.param(INTENDED, ours(), UNKNOWN_EVENT, ["Wait"], id="not looked up yet"),
    pytest.param(INTENDED, ours(), GONE_EVENT, ["Detach"], id="created and removed again"),
    pytest.param(INTENDED, ours(), theirs(), ["SaveBase"], id="found"),
    pytest.param(INTENDED, GONE_RECORD, ABSENT_EVENT, ["DropLink"], id="record gone before the create"),
    pytest.param(INTENDED, GONE_RECORD, UNKNOWN_EVENT, [], id="record gone, outcome unknown"),
    pytest.param(
        INTENDED, ours(assignee=not_syncing()), ABSENT_EVENT, ["DropLink"], id="unassigned before it"
    ),
    pytest.param(suspended(INTENDED), ours(), ABSENT_EVENT, ["Resume", "CreateEvent"], id="after a pause"),
    pytest.param(linked(copies=()), ours(), ABSENT_EVENT, ["CreateEvent"], id="linked without an event"),
    pytest.param(linked(copies=()), GONE_RECORD, ABSENT_EVENT, ["DropLink"], id="removed before any event"),
    pytest.param(
        linked(copies=(), origin=Origin.OUTLOOK), ours(), ABSENT_EVENT, [], id="an import is not recreated"
    ),
    pytest.param(
        replace(INTENDED, copies=(home(B, CopyState.INTENDED), leaving(A))),
        GONE_RECORD,
        ABSENT_EVENT,
        ["DeleteEvent"],
        id="record gone in the middle of a move",
    ),
]


@pytest.mark.parametrize(("link", "record", "event", "expected"), BEGUN)
def test_a_create_that_was_begun(link: Link, record: Ours, event: Theirs, expected: list[str]) -> None:
    """An interrupted create is looked up, repeated or dropped, never taken for a removal."""
    assert kinds(plan(link, record, event, policy())) == expected


def test_an_event_found_after_its_record_went_is_deleted() -> None:
    """A create of unknown outcome, and the record removed meanwhile: no orphan stays."""
    found = replace(INTENDED, copies=(replace(home(), state=CopyState.INTENDED),))
    assert kinds(plan(found, GONE_RECORD, theirs(), policy())) == ["DeleteEvent"]


@pytest.mark.parametrize("clash", ClashRule)
def test_an_event_found_after_its_create_was_begun_is_our_own_writing(clash: ClashRule) -> None:
    """What the record says else is newer, whoever wins clashes; nothing of it is a clash."""
    found = replace(INTENDED, copies=(replace(home(), state=CopyState.INTENDED),))
    got = plan(found, ours(meeting(subject="Newer")), theirs(), policy(clash=clash))
    assert kinds(got) == ["UpdateEvent", "SaveBase"]


def test_a_record_whose_create_was_begun() -> None:
    """The event of an import is never deleted because its record is not there yet."""
    link = linked(record_id="", origin=Origin.OUTLOOK, crm_base=None, outlook_base=None)
    chosen = policy(delete_outlook_born_event=True)
    assert kinds(plan(link, ABSENT_RECORD, theirs(), chosen)) == ["CreateRecord"]
    assert kinds(plan(link, ABSENT_RECORD, GONE_EVENT, chosen)) == ["DropLink"]
    assert plan(link, ABSENT_RECORD, UNKNOWN_EVENT, chosen) == ()


def test_attendee_copies_are_never_written() -> None:
    """R1: the organizer's delete cancels the meeting for the others."""
    link = linked(copies=(home(), attendee_copy(B), attendee_copy(C)))
    for record in (GONE_RECORD, ours(assignee=not_syncing())):
        got = plan(link, record, theirs(), policy())
        assert [o.mailbox_id for o in got if isinstance(o, DeleteEvent)] == [A]


ADOPTED = [
    pytest.param(Mode.BOTH, meeting(), [], id="equal"),
    pytest.param(Mode.BOTH, meeting(subject="Theirs"), ["UpdateRecord"], id="different"),
    pytest.param(Mode.OUTLOOK_TO_CRM, meeting(subject="Theirs"), ["UpdateRecord"], id="inward"),
    pytest.param(Mode.CRM_TO_OUTLOOK, meeting(subject="Theirs"), [], id="outward mails nobody"),
]


@pytest.mark.parametrize(("mode", "event", "expected"), ADOPTED)
def test_adoption_writes_to_the_crm_only(mode: Mode, event: Meeting, expected: list[str]) -> None:
    """R8, R21: a match is linked, its differences go to the record."""
    got = plan(None, ours(), theirs(event), policy(mode=mode))
    assert kinds(got) == [*expected, "SaveBase"]


def test_adoption_takes_nobody_off_the_record() -> None:
    """Nobody knows whether bob was removed in Outlook or never invited."""
    got = plan(None, ours(meeting(attendees=(BOB,))), theirs(meeting()), policy())
    assert kinds(got) == ["SaveBase"]


@pytest.mark.parametrize("mode", Mode)
def test_import(mode: Mode) -> None:
    """An event without a record is imported unless the account takes nothing from Outlook."""
    got = plan(None, ABSENT_RECORD, theirs(), policy(mode=mode))
    assert kinds(got) == ([] if mode is Mode.CRM_TO_OUTLOOK else ["CreateRecord"])
    assert all(Field.ONLINE not in o.fields for o in got if hasattr(o, "fields"))
