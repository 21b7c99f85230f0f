"""Slots of series that moved or were split (R13): which goes on with which."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.series import Slot, relink
from tests.unit.domain.cases import DAY, HOUR, NOW

WEEK = 7 * DAY


def slots(
    *days: float, series: str = "s", by: str = "alice@example.com", subject: str = "Standup"
) -> list[Slot]:
    """Slots so many days from now."""
    starts = [NOW + d * DAY for d in days]
    return [
        Slot(series_uid=series, original_start=s, organizer=by, subject=subject, start=s, key=f"{series}{d}")
        for d, s in zip(days, starts, strict=True)
    ]


def pairs(vanished: list[Slot], appeared: list[Slot]) -> set[tuple[str, str]]:
    """The pairs by key, from any order of the slots."""
    found = relink(vanished, appeared)
    again = relink(vanished[::-1], appeared[::-1])
    assert {(a.key, b.key) for a, b in found} == {(a.key, b.key) for a, b in again}
    return {(a.key, b.key) for a, b in found}


CASES = [
    pytest.param([1, 8, 15], [2, 9, 16], {(1, 2), (8, 9), (15, 16)}, id="moved by a day"),
    pytest.param([1, 8, 15], [3, 17], {(1, 3), (15, 17)}, id="every second one is left"),
    pytest.param(
        [1, 8, 9, 15], [8.1, 9.1, 15.1], {(8, 8.1), (9, 9.1), (15, 15.1)}, id="moved, the first removed"
    ),
    pytest.param([8, 15], [1.1, 8.1, 15.1, 22.1], {(8, 8.1), (15, 15.1)}, id="moved and prolonged"),
    pytest.param([1, 2], [8, 9], {(1, 8), (2, 9)}, id="far away, still in order"),
    pytest.param([1, 2], [], set(), id="removed"),
    pytest.param([], [1, 2], set(), id="new"),
]


@pytest.mark.parametrize(("gone", "come", "expected"), CASES)
@pytest.mark.parametrize("split", [False, True], ids=["one series", "split off"])
def test_in_order(
    gone: list[float], come: list[float], expected: set[tuple[float, float]], split: bool
) -> None:
    """Within a series and into one that was split off it."""
    other = "t" if split else "s"
    got = pairs(slots(*gone), slots(*come, series=other))
    assert got == {(f"s{a}", f"{other}{b}") for a, b in expected}


def test_a_split_leaves_what_did_not_move() -> None:
    """The first was removed, the others go on in another series: nobody moves up."""
    got = pairs(slots(1, 8, 15), slots(8, 15, 22, series="t"))
    assert got == {("s8", "t8"), ("s15", "t15"), ("s1", "t22")}
    assert pairs(slots(1, 8, 15), slots(8, 15, series="t")) == {("s8", "t8"), ("s15", "t15")}


def test_the_same_series_comes_first() -> None:
    """A namesake takes only what its series left over."""
    got = pairs(slots(1, 8), [*slots(1.1, 8.1), *slots(1, 8, series="t")])
    assert got == {("s1", "s1.1"), ("s8", "s8.1")}
    got = pairs(slots(1, 8), [*slots(8.1), *slots(1.2, series="t")])
    assert got == {("s8", "s8.1"), ("s1", "t1.2")}


def test_a_split_that_renames_keeps_its_instants() -> None:
    """Renamed and moved at once is another meeting."""
    assert pairs(slots(1, 8), slots(8, series="t", subject="Daily")) == {("s8", "t8")}
    assert pairs(slots(1, 8), slots(8.1, series="t", subject="Daily")) == set()


NO_KIN = {
    "another organizer": {"by": "bob@example.com"},
    "an organizer who is not told": {"by": ""},
}


@pytest.mark.parametrize("how", NO_KIN)
def test_never_across_organizers(how: str) -> None:
    """Whatever the name and the time."""
    assert pairs(slots(1, 8), slots(1, 8, series="t", **NO_KIN[how])) == set()
    assert pairs(slots(1, 8, **NO_KIN[how]), slots(1, 8, series="t")) == set()


def test_organizers_who_are_not_told_are_nobody() -> None:
    """Two unknown ones need not be the same; without a series uid nor are two series."""
    assert pairs(slots(1, by=""), slots(1, series="t", by="")) == set()
    assert pairs(slots(1, by="", series=""), slots(1.1, by="", series="")) == set()


@pytest.mark.parametrize("spelling", ["STANDUP", " standup\u00a0"])
def test_spelling_does_not_matter(spelling: str) -> None:
    """Neither that of the name nor that of the address."""
    assert pairs(slots(1), slots(1.1, series="t", by="ALICE@example.com", subject=spelling)) == {
        ("s1", "t1.1")
    }


def test_series_without_a_name_are_no_namesakes() -> None:
    """An empty subject says nothing."""
    assert pairs(slots(1, subject=""), slots(1.1, series="t", subject=" ")) == set()


def test_two_of_one_name_at_one_time_are_paired_once_each() -> None:
    """Two equal series that are split off two equal ones."""
    gone = [*slots(1, 8), *slots(1, 8, series="u")]
    come = [*slots(1, 8, series="t"), *slots(1, 8, series="v")]
    found = relink(gone, come)
    assert len({a.key for a, _ in found}) == len({b.key for _, b in found}) == 4
    assert all(a.start == b.start for a, b in found)


def test_a_year_of_days_is_quick_enough() -> None:
    """A daily meeting that moves by an hour, the first days of it over."""
    found = relink(slots(*range(300)), slots(*(d + 1 / 24 for d in range(20, 320)), series="t"))
    assert len(found) == 300


SLOTS = st.lists(
    st.builds(
        lambda series, by, subject, day, key: Slot(
            series_uid=series,
            original_start=NOW + day * HOUR,
            organizer=by,
            subject=subject,
            start=NOW + timedelta(hours=day),
            key=str(key),
        ),
        st.sampled_from(["", "s", "t"]),
        st.sampled_from(["", "a@x.example", "b@x.example"]),
        st.sampled_from(["", "Standup", "Review"]),
        st.integers(0, 6),
        st.integers(),
    ),
    max_size=8,
)


@given(SLOTS, SLOTS)
def test_laws_of_pairs(gone: list[Slot], come: list[Slot]) -> None:
    """Nothing twice, nothing new, and across series nobody else's."""
    found = relink(gone, come)
    for side, given_slots in ((0, gone), (1, come)):
        ids = [id(pair[side]) for pair in found]
        assert len(ids) == len(set(ids))
        assert set(ids) <= {id(s) for s in given_slots}
    for old, new in found:
        assert (old.series_uid == new.series_uid != "") or (old.organizer == new.organizer != "")
    free = (
        {id(s) for s in gone} - {id(a) for a, _ in found},
        {id(s) for s in come} - {id(b) for _, b in found},
    )
    for old, new in product(gone, come):
        if id(old) in free[0] and id(new) in free[1]:
            assert old.series_uid != new.series_uid or not old.series_uid


def test_what_a_known_series_shows_more_of_was_not_split_off() -> None:
    """Two series of one name: the one is cut short while the other is prolonged."""
    known = [replace(slot, fresh=False) for slot in slots(22, series="t")]
    assert pairs(slots(8, 15), known) == set()
    assert pairs(slots(8, 15), [replace(slot, fresh=False) for slot in slots(9)]) == {("s8", "s9")}


def idle(*days: float) -> list[Slot]:
    """Slots that nobody follows any more."""
    return [replace(slot, idle=True) for slot in slots(*days)]


def test_a_slot_that_nobody_follows_goes_along_with_its_series() -> None:
    """By as much as the nearest one that is followed, an hour more or less where clocks change."""
    moved = pairs([*slots(1, 15), *idle(8)], slots(2, 9, 16))
    assert moved == {("s1", "s2"), ("s8", "s9"), ("s15", "s16")}
    summer = 9 + HOUR / DAY
    assert pairs([*slots(1, 15), *idle(8)], slots(2, summer, 16)) == {
        ("s1", "s2"),
        ("s8", f"s{summer}"),
        ("s15", "s16"),
    }
    split = pairs([*slots(15), *idle(8)], slots(9, 16, series="t"))
    assert split == {("s8", "t9"), ("s15", "t16")}


def test_a_slot_that_nobody_follows_takes_no_other_date() -> None:
    """Its event was removed long ago; what appears is a new date."""
    assert pairs(idle(8), slots(29)) == set()
    assert pairs([*slots(1, 15), *idle(8)], slots(2, 16, 23)) == {("s1", "s2"), ("s15", "s16")}
