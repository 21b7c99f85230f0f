"""Which side is there: presence, link states, removal on one side, and what only a proven removal may do."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from calsync_plugin.domain.links import Link, LinkState, Origin, Presence, Role
from calsync_plugin.domain.meeting import Meeting, Response
from calsync_plugin.domain.operations import DeleteEvent, Detach
from calsync_plugin.domain.planner import Theirs, plan
from calsync_plugin.domain.policy import Mode, Policy
from tests.unit.domain.cases import (
    AS_IN_BASE,
    BOB,
    ENTITIES,
    ENTITY_NAMES,
    EVENTS,
    GONE_EVENT,
    GONE_RECORD,
    RECORDS,
    A,
    B,
    C,
    attendee_copy,
    home,
    kinds,
    linked,
    meeting,
    not_syncing,
    ours,
    policy,
    suspended,
    theirs,
    waiting,
)

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
@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=ENTITY_NAMES)
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
@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=ENTITY_NAMES)
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


def test_attendee_copies_are_never_written() -> None:
    """R1: the organizer's delete cancels the meeting for the others."""
    link = linked(copies=(home(), attendee_copy(B), attendee_copy(C)))
    for record in (GONE_RECORD, ours(assignee=not_syncing())):
        got = plan(link, record, theirs(), policy())
        assert [o.mailbox_id for o in got if isinstance(o, DeleteEvent)] == [A]
