"""To whom a slot is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from calsync_plugin.booking.giving import Offer, given
from calsync_plugin.booking.owners import owner_of
from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.slots import Mode, Wanted
from calsync_plugin.state import BusySource, BusyTime, SourceKind, Standing, Turn
from tests.unit.booking.office import DAY, HOUR, at

TEN = at("2026-12-01T10:00")
SLOT = (TEN, TEN + HOUR)
ALL = ("anna", "ben", "cleo")
SOURCES = [
    BusySource(id=number, user_id=user_id, kind=SourceKind.LINKED) for number, user_id in enumerate(ALL)
]


def an_offer(
    mode: Mode = Mode.ROUND_ROBIN, *, priorities: dict[str, int] | None = None, **more: Any
) -> Offer:
    """The slot, for all of them."""
    wanted = Wanted(window=SLOT, duration=HOUR, zone=UTC, mode=mode, **more)
    owners = {one: owner_of(one, None, user_zone="", crm_zone=lambda: "Europe/Berlin") for one in ALL}
    days = (TEN - 10 * HOUR, TEN + 14 * HOUR)
    return Offer(slot=SLOT, wanted=wanted, owners=owners, priorities=priorities or {}, days=days, since=0.0)


def busy(user_id: str, start: int, end: int, shown: str = "busy", whole_days: int = 0) -> BusyTime:
    """A row of the user's calendar."""
    return ALL.index(user_id), start, end, whole_days, shown


def standing(
    *times: BusyTime,
    taken: dict[str, list[Interval]] | None = None,
    booked: dict[str, list[Interval]] | None = None,
    turns: dict[str, Turn] | None = None,
) -> Standing:
    """What was read under the locks."""
    return Standing(
        taken=taken or {}, booked=booked or {}, turns=turns or {}, sources=SOURCES, times=list(times)
    )


TURNS = [
    pytest.param({}, {}, "anna", id="all-alike"),
    pytest.param({"anna": Turn(1, 5.0)}, {}, "ben", id="fewest-lately"),
    pytest.param({"anna": Turn(1, 5.0)}, {"anna": 9}, "ben", id="fewest-before-priority"),
    pytest.param({}, {"cleo": 9, "ben": 3}, "cleo", id="priority"),
    pytest.param(
        {"anna": Turn(0, 5.2), "ben": Turn(0, 5.1), "cleo": Turn(0, 5.3)}, {}, "ben", id="longest-idle"
    ),
    pytest.param({"anna": Turn(0, 5.0), "ben": Turn(0, 6.0)}, {}, "cleo", id="never-before-long-ago"),
    pytest.param({"anna": Turn(0, 5.0), "ben": Turn(0, None)}, {"anna": 1}, "anna", id="priority-first"),
]


@pytest.mark.parametrize(("turns", "priorities", "whose"), TURNS)
def test_whose_turn_it_is(turns: dict[str, Turn], priorities: dict[str, int], whose: str) -> None:
    assert given(an_offer(priorities=priorities), standing(turns=turns)) == [whose]


TAKEN = [
    pytest.param(standing(busy("anna", *SLOT)), {}, id="event"),
    pytest.param(standing(busy("anna", TEN + HOUR - 1, TEN + 2 * HOUR)), {}, id="event-at-the-end"),
    pytest.param(standing(busy("anna", *SLOT, "oof")), {}, id="out-of-office"),
    pytest.param(
        standing(busy("anna", at("2026-12-01T00:00"), at("2026-12-02T00:00"), "busy", 1)), {}, id="day-off"
    ),
    pytest.param(standing(taken={"anna": [SLOT]}), {}, id="booking"),
    pytest.param(standing(busy("anna", TEN + HOUR, TEN + 2 * HOUR)), {"after": 60}, id="no-time-after"),
    pytest.param(standing(taken={"anna": [(TEN - HOUR, TEN)]}), {"before": 60}, id="no-time-before"),
    pytest.param(
        standing(booked={"anna": [(TEN + 3 * HOUR, TEN + 4 * HOUR)]}), {"daily_limit": 1}, id="enough"
    ),
]


@pytest.mark.parametrize(("read", "rules"), TAKEN)
def test_who_was_taken_meanwhile_is_passed_over(read: Standing, rules: dict[str, Any]) -> None:
    assert given(an_offer(**rules), read) == ["ben"]
    assert given(an_offer(Mode.COLLECTIVE, **rules), read) is None
    only = an_offer(Mode.SINGLE, **rules).without(["ben", "cleo"])
    assert given(only, read) is None


FREE = [
    pytest.param(standing(busy("anna", *SLOT, "free")), {}, id="shown-as-free"),
    pytest.param(
        standing(busy("anna", TEN - HOUR, TEN), busy("anna", TEN + HOUR, TEN + DAY)), {}, id="beside"
    ),
    pytest.param(
        standing(booked={"anna": [(TEN - DAY, TEN - DAY + HOUR)]}),
        {"daily_limit": 1},
        id="booked-on-another-day",
    ),
    pytest.param(
        standing(busy("anna", at("2026-12-02T00:00"), at("2026-12-03T00:00"), "busy", 1)), {}, id="next-day"
    ),
]


@pytest.mark.parametrize(("read", "rules"), FREE)
def test_who_is_free_still_gets_it(read: Standing, rules: dict[str, Any]) -> None:
    assert given(an_offer(**rules), read) == ["anna"]


@pytest.mark.parametrize(
    ("booked", "apart", "whose"),
    [
        pytest.param((TEN - HOUR, TEN), (0, 60), ["ben"], id="free-after-it"),
        pytest.param((TEN - HOUR, TEN - 60), (0, 60), ["anna"], id="long-enough-after-it"),
        pytest.param((TEN + HOUR, TEN + 2 * HOUR), (60, 0), ["ben"], id="free-before-it"),
        pytest.param((TEN + HOUR, TEN + 2 * HOUR), (0, 60), ["anna"], id="nothing-before-it"),
    ],
)
def test_other_bookings_keep_their_distance(booked: Interval, apart: Interval, whose: list[str]) -> None:
    offer = replace(an_offer(), apart=apart)
    assert given(offer, standing(booked={"anna": [booked]})) == whose


def test_all_of_a_team_come_and_one_of_them_in_turn_is_assigned() -> None:
    turns = {"anna": Turn(2, 5.0), "ben": Turn(1, 6.0)}
    assert given(an_offer(Mode.COLLECTIVE), standing(turns=turns)) == ["cleo", "ben", "anna"]


def test_who_has_it_keeps_it_while_free() -> None:
    offer = an_offer(priorities={"anna": 9})
    assert given(offer, standing(), keeps="cleo") == ["cleo"]
    assert given(offer, standing(busy("cleo", *SLOT)), keeps="cleo") == ["anna"]
    assert given(offer.without(["cleo"]), standing(), keeps="cleo") == ["anna"]


def test_nobody_is_left() -> None:
    assert given(an_offer().without(ALL), standing()) is None


@pytest.mark.parametrize(
    ("last", "keeps", "expected"),
    [
        pytest.param({"anna"}, "", "ben", id="others-come-first"),
        pytest.param({"anna", "ben"}, "", "cleo", id="whoever-is-left"),
        pytest.param({"anna", "ben", "cleo"}, "", "anna", id="nobody-is-left"),
        pytest.param({"anna"}, "anna", "anna", id="who-has-it-keeps-it"),
    ],
)
def test_who_could_not_be_asked_about_comes_last(last: set[str], keeps: str, expected: str) -> None:
    offer = replace(an_offer(), last=frozenset(last))
    assert given(offer, standing(), keeps=keeps) == [expected]
