"""The truth table of section 4.1: every row in every mode, clash rule, origin and role, stated anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import pytest

from calsync_plugin.domain.links import Link, LinkState, Origin, Presence, Role
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.operations import RecordClash, UpdateEvent, UpdateRecord
from calsync_plugin.domain.planner import Ours, Theirs, plan
from calsync_plugin.domain.policy import ClashRule, Mode, Policy
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    ABSENT_RECORD,
    AS_IN_BASE,
    FAR_EVENT,
    FAR_RECORD,
    GONE_EVENT,
    GONE_RECORD,
    UNKNOWN_EVENT,
    UNKNOWN_RECORD,
    kinds,
    linked,
    meeting,
    ours,
    policy,
    suspended,
    theirs,
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One cell of the table, with what follows from it for every row."""

    mode: Mode
    clash: ClashRule
    origin: Origin
    role: Role
    setting: bool
    """Both deletion settings."""

    @property
    def policy(self) -> Policy:
        """As the planner is given it."""
        return policy(
            mode=self.mode,
            clash=self.clash,
            delete_outlook_born_event=self.setting,
            delete_crm_born_record=self.setting,
        )

    @property
    def out(self) -> bool:
        """Whether content goes out."""
        return self.mode is not Mode.OUTLOOK_TO_CRM and self.role is Role.ORGANIZER

    @property
    def into(self) -> bool:
        """Whether content comes in."""
        return self.mode is not Mode.CRM_TO_OUTLOOK

    @property
    def winner(self) -> str:
        """Whose value stays where both sides changed it."""
        if not (self.out and self.into):
            return "crm" if self.out else "outlook" if self.into else "nobody"
        if self.clash is ClashRule.ORIGIN:
            return "crm" if self.origin is Origin.CRM else "outlook"
        return self.clash.value


CELLS = [
    Setting(mode=mode, clash=clash, origin=origin, role=role, setting=setting)
    for mode, clash, origin, role, setting in product(Mode, ClashRule, Origin, Role, [False, True])
]
NAMES = ["-".join([c.mode, c.clash, c.origin, c.role, str(c.setting)]) for c in CELLS]

SUBJECT = frozenset({Field.SUBJECT})
MINE, YOURS = ours(meeting("Ours")), theirs(meeting("Theirs"))
SAME, ELSEWHERE = theirs(meeting("Ours")), theirs(meeting(location="Wien"))


def update_event(cell: Setting) -> list[str]:
    """An edit of the record: goes out, or is kept and shown as not sent."""
    if cell.role is Role.ATTENDEE:
        return ["Wait"] if cell.into else []
    return ["UpdateEvent"] if cell.out else []


def update_record(cell: Setting) -> list[str]:
    """An edit of the event."""
    return ["UpdateRecord"] if cell.into else []


def merge_both(cell: Setting) -> list[str]:
    """Different fields: each side is given the other's."""
    parts = [*update_event(cell), *update_record(cell)]
    return sorted(parts, key=["UpdateEvent", "UpdateRecord", "Wait"].index)


def clash_of(cell: Setting) -> list[str]:
    """One field, two values."""
    if cell.winner == "nobody":
        return []
    return ["RecordClash", "UpdateEvent" if cell.winner == "crm" else "UpdateRecord"]


def record_gone(cell: Setting) -> list[str]:
    """R9."""
    deletes = cell.out and (cell.origin is Origin.CRM or cell.setting)
    return ["DeleteEvent"] if deletes else ["Detach"]


def event_gone(cell: Setting) -> list[str]:
    """R10."""
    organizer = cell.role is Role.ORGANIZER
    deletes = cell.into and organizer and (cell.origin is Origin.OUTLOOK or cell.setting)
    return ["DeleteRecord"] if deletes else ["Detach"]


def both_gone(cell: Setting) -> list[str]:
    """Nothing is left; of somebody else's meeting only one copy is known to be gone (R3)."""
    return ["DropLink"] if cell.role is Role.ORGANIZER else ["Detach"]


def always(*expected: str) -> Callable[[Setting], list[str]]:
    """The same in every cell."""
    return lambda _: list(expected)


Row = tuple[Ours, Theirs, Callable[[Setting], list[str]]]

ACTIVE: dict[str, Row] = {
    "unchanged, unchanged": (ours(), theirs(), always()),
    "unchanged, unread": (ours(), AS_IN_BASE, always()),
    "changed, unchanged": (MINE, theirs(), update_event),
    "changed, unread": (MINE, AS_IN_BASE, update_event),
    "unchanged, changed": (ours(), YOURS, update_record),
    "changed, changed elsewhere": (MINE, ELSEWHERE, merge_both),
    "changed, changed alike": (MINE, SAME, lambda c: ["SaveBase"] if c.out or c.into else []),
    "changed, changed otherwise": (MINE, YOURS, clash_of),
    "unchanged, gone": (ours(), GONE_EVENT, event_gone),
    "changed, gone": (MINE, GONE_EVENT, lambda c: ["Detach"] if c.out or c.into else event_gone(c)),
    "gone, unchanged": (GONE_RECORD, theirs(), record_gone),
    "gone, unread": (GONE_RECORD, AS_IN_BASE, record_gone),
    "gone, changed": (GONE_RECORD, YOURS, lambda c: ["Detach"] if c.out or c.into else record_gone(c)),
    "gone, gone": (GONE_RECORD, GONE_EVENT, both_gone),
    "unchanged, far": (ours(), FAR_EVENT, always("Suspend")),
    "changed, far": (MINE, FAR_EVENT, always("Suspend")),
    "far, unchanged": (FAR_RECORD, theirs(), always("Suspend")),
    "far, changed": (FAR_RECORD, YOURS, always("Suspend")),
    "far, gone": (FAR_RECORD, GONE_EVENT, always("Suspend")),
    "changed, unknown": (MINE, UNKNOWN_EVENT, always()),
    "unknown, changed": (UNKNOWN_RECORD, YOURS, always()),
    "unknown, gone": (UNKNOWN_RECORD, GONE_EVENT, always()),
    "gone, unknown": (GONE_RECORD, UNKNOWN_EVENT, always()),
    "gone, far": (GONE_RECORD, FAR_EVENT, always()),
}


def link_of(cell: Setting) -> Link:
    """A link whose sides were in step under this policy."""
    return linked(by=cell.policy, origin=cell.origin, role=cell.role)


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_active(cell: Setting) -> None:
    """Every row; where something is written, the value that won is."""
    for name, (record, event, expected) in ACTIVE.items():
        got = plan(link_of(cell), record, event, cell.policy)
        assert kinds(got) == expected(cell), name
        for operation in got:
            if isinstance(operation, UpdateEvent):
                assert (operation.fields, operation.meeting.subject) == (SUBJECT, "Ours"), name
            if isinstance(operation, UpdateRecord) and "elsewhere" not in name:
                assert (operation.fields, operation.meeting.subject) == (SUBJECT, "Theirs"), name
            if isinstance(operation, RecordClash):
                assert (operation.ours, operation.theirs) == ("Ours", "Theirs")
                assert operation.winner == cell.winner


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_suspended(cell: Setting) -> None:
    """Nothing while the reason lasts; then the row of an active link, with open eyes."""
    for name, (record, event, expected) in ACTIVE.items():
        for pause in (replace(cell.policy, suspended="paused"), replace(cell.policy, entity_enabled=False)):
            assert plan(suspended(link_of(cell)), record, event, pause) == (), name
        got = kinds(plan(suspended(link_of(cell)), record, event, cell.policy))
        if "far" in name or "unknown" in name:
            assert got == [], name
        elif event == AS_IN_BASE:
            assert got == ["Wait"], name
        else:
            assert got == ["Resume", *expected(cell)], name


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_detached(cell: Setting) -> None:
    """Nothing, whatever is seen in full reads and resets; only a person ends it."""
    link = replace(link_of(cell), state=LinkState.DETACHED)
    lost = replace(link, crm_base=None, outlook_base=None)
    for record, event, _ in ACTIVE.values():
        for settings in (cell.policy, replace(cell.policy, backfill_confirmed=True)):
            assert plan(link, record, event, settings) == ()
            assert plan(lost, record, event, settings) == ()


UNLINKED: dict[str, Row] = {
    "present, absent": (
        ours(),
        ABSENT_EVENT,
        lambda c: [] if c.mode is Mode.OUTLOOK_TO_CRM else ["CreateEvent"],
    ),
    "absent, present": (ABSENT_RECORD, theirs(), lambda c: ["CreateRecord"] if c.into else []),
    "matched, equal": (ours(), theirs(), always("SaveBase")),
    "matched, different": (
        MINE,
        YOURS,
        lambda c: ["RecordClash", "UpdateRecord", "SaveBase"] if c.into else ["SaveBase"],
    ),
    "absent, gone": (ABSENT_RECORD, GONE_EVENT, always()),
    "gone, present": (GONE_RECORD, theirs(), always()),
    "far, present": (FAR_RECORD, theirs(), always()),
    "unknown, present": (UNKNOWN_RECORD, theirs(), always()),
    "present, far": (ours(), FAR_EVENT, always()),
    "present, unknown": (ours(), UNKNOWN_EVENT, always()),
    "present, gone": (ours(), GONE_EVENT, always()),
}


@pytest.mark.parametrize("cell", CELLS, ids=NAMES)
def test_unlinked(cell: Setting) -> None:
    """Only what was never there is created; a match is adopted."""
    for name, (record, event, expected) in UNLINKED.items():
        got = plan(None, record, event, cell.policy)
        assert kinds(got) == expected(cell), name
        for pause in (replace(cell.policy, suspended="paused"), replace(cell.policy, entity_enabled=False)):
            assert kinds(plan(None, record, event, pause)) == ["Wait"]


def test_every_row_is_there() -> None:
    """Each presence of either side is met."""
    rows = [*ACTIVE.values(), *UNLINKED.values()]
    assert {r.presence for r, _, _ in rows} == set(Presence)
    assert {e.presence for _, e, _ in rows} == set(Presence)
