"""What a user sees of his or her own time: the sources apart, and together what everybody is told."""

from __future__ import annotations

from itertools import chain

import pytest

from calsync_plugin.booking.own_times import OwnTimes, own_times
from calsync_plugin.domain.availability import Block, joined
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.state import Booking, SourceKind
from tests.unit.booking.office import DAY, HOUR, Office, at, blocks

MONDAY = at("2026-11-23")
WEEK = (MONDAY, MONDAY + 7 * DAY)


def seen(office: Office) -> OwnTimes:
    account = office.store.accounts.get("alice")
    assert account is not None
    return own_times(office.store, account, WEEK, office.crm_zone)


def busy_office(office: Office) -> Office:
    main = office.connect("alice")
    other = office.calendar("alice", "private")
    feed = office.address("alice", SourceKind.FEED, "club")
    office.read(main, *blocks((MONDAY + 9 * HOUR, MONDAY + 10 * HOUR), (MONDAY - DAY, MONDAY + HOUR)))
    office.read(
        other,
        Block(id="fair", start=MONDAY + 2 * DAY, end=MONDAY + 3 * DAY, whole_days=True),
        Block(id="hint", start=MONDAY + 5 * HOUR, end=MONDAY + 6 * HOUR, show_as=ShowAs.FREE),
    )
    office.read(
        feed, *blocks((MONDAY + 9 * HOUR, MONDAY + 11 * HOUR), (MONDAY + 11 * HOUR, MONDAY + 12 * HOUR))
    )
    booking = Booking(id="b", start=MONDAY + 16 * HOUR, end=MONDAY + 17 * HOUR)
    assert office.store.bookings.reserve(
        booking, ["alice"], lambda _: ["alice"], around=WEEK, day=WEEK, since=0
    )
    return office


def test_each_source_tells_its_own_time(office: Office) -> None:
    found = seen(busy_office(office))
    assert [(one.source.name if one.source else "", one.spans) for one in found.sources] == [
        ("Calendar", ((MONDAY, MONDAY + HOUR), (MONDAY + 9 * HOUR, MONDAY + 10 * HOUR))),
        # The days are those of Berlin, an hour before those of UTC.
        ("private", ((MONDAY + 2 * DAY - HOUR, MONDAY + 3 * DAY - HOUR),)),
        ("club", ((MONDAY + 9 * HOUR, MONDAY + 12 * HOUR),)),
        ("", ((MONDAY + 16 * HOUR, MONDAY + 17 * HOUR),)),
    ]


def test_together_they_are_what_everybody_is_told(office: Office) -> None:
    own = seen(busy_office(office))
    (told,) = office.desk.availability.of(["alice"], *WEEK)
    together = joined(chain.from_iterable(one.spans for one in own.sources))
    assert (tuple(together), own.hours, own.owner.zone) == (told.busy, told.hours, told.zone)


@pytest.mark.parametrize(("setting", "spans"), [(True, 1), (False, 0)])
def test_settings_decide_what_blocks(office: Office, setting: bool, spans: int) -> None:
    source = office.connect("alice", settings={"tentative_blocks": setting})
    office.read(source, Block(id="e", start=MONDAY, end=MONDAY + HOUR, show_as=ShowAs.TENTATIVE))
    assert [len(one.spans) for one in seen(office).sources] == [spans]


def test_nobody_elses_time_is_among_it(office: Office) -> None:
    office.read(office.connect("bob"), *blocks((MONDAY, MONDAY + HOUR)))
    office.connect("alice")
    assert [one.spans for one in seen(office).sources] == [()]
