"""Occurrences of a series that moved or was split: which of the new slots goes on with which old one (R13).

Decides pairs only, so that a record follows its meeting instead of being removed and created anew. Does not
read series, and does not decide what becomes of a slot that stays alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from calsync_plugin.domain.meeting import fold_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One occurrence by its place in a series. Times are in UTC."""

    series_uid: str
    """The master's iCalUId."""
    original_start: datetime
    """When it would start by the rule of its series."""
    organizer: str
    """The organizer's address; empty if the event names none."""
    subject: str
    start: datetime
    """When it does start."""
    key: str
    """What the caller knows it by."""
    fresh: bool = True
    """Of one that appeared: its series was not known before. Only such a one can have been split off."""
    idle: bool = False
    """Of one that vanished: nobody follows it any more. It goes along with those that are followed."""


Pair = tuple[Slot, Slot]
Kin = Callable[[Slot], Hashable]

SLACK = timedelta(hours=2)
"""How far a slot may lie from where its series went: clocks change between two dates."""


def relink(vanished: Sequence[Slot], appeared: Sequence[Slot]) -> list[Pair]:
    """Pairs of a vanished slot and the appeared one that goes on with it; what is left over stays alone.

    Within one series first: its rule moved. Then across series of the same organizer, because Outlook splits
    "this and all following" into a series of its own: of the same name, or, renamed, at the very same
    instants. Anything looser would give one meeting's record to another meeting.
    """
    pairs: list[Pair] = []
    for kin in (_series, _namesake, _place):
        gone = [s for s in vanished if not s.idle and all(s is not old for old, _ in pairs)]
        come = [s for s in appeared if kin is _series or s.fresh]
        pairs += _pair(gone, _left(come, pairs), kin)
    for slot in sorted((s for s in vanished if s.idle), key=_when):
        pairs += _along(slot, _left(appeared, pairs), pairs)
    return pairs


def _left(appeared: Sequence[Slot], pairs: Sequence[Pair]) -> list[Slot]:
    return [s for s in appeared if all(s is not new for _, new in pairs)]


def _along(slot: Slot, appeared: Sequence[Slot], pairs: Sequence[Pair]) -> list[Pair]:
    """A slot that nobody follows goes as far as the nearest one of its series that is followed."""
    guides = [pair for pair in pairs if pair[0].series_uid == slot.series_uid]
    if not guides:
        return []
    old, new = min(guides, key=lambda pair: (abs(pair[0].original_start - slot.original_start), pair[0].key))
    there = slot.original_start + (new.original_start - old.original_start)
    near = [s for s in appeared if s.series_uid == new.series_uid and abs(s.original_start - there) <= SLACK]
    return [(slot, min(near, key=lambda s: (abs(s.original_start - there), s.key)))] if near else []


def _pair(vanished: Sequence[Slot], appeared: Sequence[Slot], kin: Kin) -> list[Pair]:
    families: dict[Hashable, tuple[list[Slot], list[Slot]]] = {}
    for index, slots in enumerate((vanished, appeared)):
        for slot in slots:
            families.setdefault(kin(slot), ([], []))[index].append(slot)
    return [pair for name, both in families.items() if name for pair in _in_order(*both)]


def _in_order(vanished: Sequence[Slot], appeared: Sequence[Slot]) -> list[Pair]:
    """As many pairs as there can be, in order, and of all such pairings the one that moves slots least.

    Slots at the same instant go on with each other whatever the others do: a split moves nothing by itself.
    """
    unmoved: list[Pair] = []
    old, new = [], sorted(appeared, key=_when)
    for slot in sorted(vanished, key=_when):
        same = next((s for s in new if s.original_start == slot.original_start), None)
        if same is None:
            old.append(slot)
        else:
            unmoved.append((slot, same))
            new.remove(same)
    if len(old) <= len(new):
        return [*unmoved, *_least_moved(old, new)]
    return [*unmoved, *((first, second) for second, first in _least_moved(new, old))]


def _least_moved(few: Sequence[Slot], many: Sequence[Slot]) -> list[Pair]:
    """Each of `few` with one of `many`, both in order, at the least distance in all."""
    spare = len(many) - len(few)
    # costs[i][d]: the first i of `few` are paired and d of `many` were passed over.
    costs = [[0.0] * (spare + 1)]
    for index, slot in enumerate(few):
        row: list[float] = []
        for passed in range(spare + 1):
            far = abs((slot.original_start - many[index + passed].original_start).total_seconds())
            here = costs[index][passed] + far
            row.append(min(here, row[-1]) if row else here)
        costs.append(row)
    pairs: list[Pair] = []
    passed = spare
    for index in range(len(few), 0, -1):
        while passed and costs[index][passed] == costs[index][passed - 1]:
            passed -= 1
        pairs.append((few[index - 1], many[index - 1 + passed]))
    return pairs[::-1]


def _when(slot: Slot) -> tuple[datetime, str]:
    return slot.original_start, slot.key


def _series(slot: Slot) -> Hashable:
    return slot.series_uid


def _namesake(slot: Slot) -> Hashable:
    named = slot.organizer and fold_line(slot.subject)
    return (slot.organizer.lower(), fold_line(slot.subject).casefold()) if named else ""


def _place(slot: Slot) -> Hashable:
    return (slot.organizer.lower(), slot.original_start) if slot.organizer else ""
