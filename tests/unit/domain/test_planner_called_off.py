"""Meetings that their organizer called off, and occurrences of series (R5, R13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from calsync_plugin.domain.links import CopyState, Link, LinkState, Origin, Role
from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.domain.operations import CancelRecord, Detach
from calsync_plugin.domain.planner import Assignee, Theirs, governing_mailbox, plan
from calsync_plugin.domain.policy import Mode
from calsync_plugin.domain.timespan import TimeSpan
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    AS_IN_BASE,
    BOB,
    ENTITIES,
    ENTITY_NAMES,
    GONE_EVENT,
    GONE_RECORD,
    OVER,
    SOON,
    UNKNOWN_EVENT,
    A,
    B,
    home,
    kinds,
    linked,
    meeting,
    not_syncing,
    ours,
    policy,
    suspended,
    syncing,
    theirs,
)

RECORD = meeting(attendees=(BOB,))
CALLED_OFF = meeting("Canceled: Kick-off", cancelled=True, attendees=(BOB,))


@pytest.mark.parametrize(("mode", "origin", "role", "setting"), ENTITIES, ids=ENTITY_NAMES)
def test_called_off(mode: Mode, origin: Origin, role: Role, setting: bool) -> None:
    """Ahead: the record is Not Held and no longer followed. At its organizer's an event is what it is."""
    chosen = policy(mode=mode, delete_crm_born_record=setting, delete_outlook_born_event=setting)
    link = linked(RECORD, by=chosen, origin=origin, role=role)
    got = plan(link, ours(RECORD), theirs(CALLED_OFF), chosen)
    if role is Role.ATTENDEE:
        assert kinds(got) == (["Detach"] if mode is Mode.CRM_TO_OUTLOOK else ["CancelRecord", "Detach"])
    else:
        assert kinds(got) == ([] if mode is Mode.CRM_TO_OUTLOOK else ["UpdateRecord"])
        same = theirs(replace(RECORD, cancelled=True))
        assert plan(link, ours(RECORD), same, chosen) == ()


@pytest.mark.parametrize("mode", Mode)
def test_called_off_when_it_was_over_changes_nothing(mode: Mode) -> None:
    """It took place; whoever tidies up a calendar does not undo that."""
    record = replace(RECORD, span=OVER)
    link = linked(record, by=policy(mode=mode), role=Role.ATTENDEE, origin=Origin.OUTLOOK)
    assert plan(link, ours(record), theirs(replace(CALLED_OFF, span=OVER)), policy(mode=mode)) == ()


EDITED = [RECORD, replace(RECORD, subject="Ours"), replace(RECORD, span=OVER)]


@pytest.mark.parametrize("record", EDITED, ids=["same", "renamed", "moved into the past"])
def test_an_edit_of_the_record_does_not_bring_it_back(record: Meeting) -> None:
    """Only the event tells when it is."""
    link = linked(RECORD, role=Role.ATTENDEE, origin=Origin.OUTLOOK)
    got = plan(link, ours(record), theirs(CALLED_OFF), policy())
    reason = "the organizer called the meeting off"
    assert got == (CancelRecord(reason=reason), Detach(reason=reason))


def test_called_off_while_not_followed() -> None:
    """Compared when the pause ends; a detached link stays as it is."""
    link = linked(RECORD, role=Role.ATTENDEE, origin=Origin.OUTLOOK)
    sides = ours(RECORD), theirs(CALLED_OFF)
    assert plan(suspended(link), *sides, policy(suspended="paused")) == ()
    assert kinds(plan(suspended(link), *sides, policy())) == ["Resume", "CancelRecord", "Detach"]
    assert plan(replace(link, state=LinkState.DETACHED), *sides, policy()) == ()
    assert kinds(plan(link, GONE_RECORD, theirs(CALLED_OFF), policy())) == ["Detach"]


def occurrence(record: Meeting | None = None, **parts: Any) -> Link:
    """A link of one occurrence of a series."""
    slot = datetime(2026, 11, 21, 12, tzinfo=UTC)
    return linked(record, original_start=slot, series_ical_uid="uid", **parts)


@pytest.mark.parametrize("assignee", [syncing(B), not_syncing()], ids=["to bob", "to nobody"])
@pytest.mark.parametrize(("mode", "origin"), list(product(Mode, Origin)), ids=str)
def test_an_occurrence_never_moves(mode: Mode, origin: Origin, assignee: Assignee) -> None:
    """R2, R13: it stays in its series, whoever the record goes to, and is updated there."""
    chosen = policy(mode=mode)
    link = occurrence(by=chosen, origin=origin)
    for event in (theirs(), AS_IN_BASE):
        edited = ours(meeting(location="Graz"), assignee=assignee)
        expected = [] if mode is Mode.OUTLOOK_TO_CRM else ["UpdateEvent"]
        assert kinds(plan(link, edited, event, chosen)) == expected
        assert plan(link, ours(assignee=assignee), event, chosen) == ()
    assert governing_mailbox(link, ours(assignee=assignee)) == A


VANISHED = {Origin.CRM: "Detach", Origin.OUTLOOK: "DeleteRecord", Origin.ADOPTED: "Detach"}


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("span", [SOON, OVER], ids=["ahead", "over"])
def test_a_vanished_occurrence_is_an_ordinary_removal(origin: Origin, span: TimeSpan) -> None:
    """R10, R13."""
    record = meeting(span=span)
    link = occurrence(record, origin=origin)
    assert kinds(plan(link, ours(record), GONE_EVENT, policy())) == [VANISHED[origin]]
    edited = ours(replace(record, subject="Ours"))
    assert kinds(plan(link, edited, GONE_EVENT, policy())) == ["Detach"]


@pytest.mark.parametrize(
    "event", [ABSENT_EVENT, GONE_EVENT, UNKNOWN_EVENT], ids=["absent", "gone", "unknown"]
)
@pytest.mark.parametrize("origin", Origin)
def test_an_occurrence_is_never_created_again(origin: Origin, event: Theirs) -> None:
    """Its series makes it; whatever was lost, no event is sent for it."""
    for copies in ((), (home(),), (home(A, CopyState.INTENDED),)):
        link = occurrence(origin=origin, copies=copies, crm_base=None, outlook_base=None)
        assert "CreateEvent" not in kinds(plan(link, ours(), event, policy()))
