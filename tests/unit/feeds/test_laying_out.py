"""What events of a calendar mean for its owner's time: kinds of events, zones, nights of a change, series."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.domain.availability import TOLD
from calsync_plugin.errors import FeedError
from calsync_plugin.feeds.laying_out import laid_out
from tests.unit.feeds.calendars import BERLIN, calendar, event, said, window

NOVEMBER = window("2026-10-20", "2026-12-20", BERLIN)
START = "DTSTART;TZID=Europe/Berlin:20261124T090000"
END = "DTEND;TZID=Europe/Berlin:20261124T100000"
TIMED = f"{START}\n{END}"
WEEKLY = f"{TIMED}\nRRULE:FREQ=WEEKLY;COUNT=3"
ONE = "2026-11-24 09:00-10:00"
THREE = [ONE, "2026-12-01 09:00-10:00", "2026-12-08 09:00-10:00"]

TIMES = [
    pytest.param(TIMED, [ONE], id="timed"),
    pytest.param("DTSTART:20261124T080000Z\nDTEND:20261124T090000Z", [ONE], id="in-utc"),
    pytest.param("DTSTART:20261124T090000\nDTEND:20261124T100000", [ONE], id="floating"),
    pytest.param(f"{START}\nDURATION:PT1H", [ONE], id="duration"),
    pytest.param(START, [], id="no-end-takes-no-time"),
    pytest.param(f"{START}\nDTEND;TZID=Europe/Berlin:20261126T100000", ["2026-11-24 09:00-2026-11-26 10:00"],
                 id="several-days"),
    pytest.param("DTSTART;VALUE=DATE:20261124", ["2026-11-24 to 2026-11-25"], id="day"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125", ["2026-11-24 to 2026-11-25"],
                 id="day-with-end"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261124", ["2026-11-24 to 2026-11-25"],
                 id="day-that-ends-as-it-starts"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261127", ["2026-11-24 to 2026-11-27"],
                 id="days"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nDURATION:P2D", ["2026-11-24 to 2026-11-26"], id="days-long"),
    pytest.param("DTSTART:20261124\nDTEND:20261125", ["2026-11-24 to 2026-11-25"], id="days-by-length"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY;COUNT=2",
                 ["2026-11-24 to 2026-11-25", "2026-11-25 to 2026-11-26"], id="days-that-recur"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY;UNTIL=20261125T225959Z",
                 ["2026-11-24 to 2026-11-25", "2026-11-25 to 2026-11-26"], id="days-until-an-instant"),
    pytest.param("DTSTART;TZID=W. Europe Standard Time:20261124T090000\nDURATION:PT1H", [ONE],
                 id="windows-zone"),
    pytest.param('DTSTART;TZID="Eastern Standard Time":20261124T030000\nDURATION:PT1H', [ONE],
                 id="windows-zone-quoted"),
    pytest.param("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/London:20261124T080000\nDURATION:PT1H",
                 [ONE], id="zone-of-a-vendor"),
    pytest.param("DTSTART;TZID=Customized Time Zone:20261124T090000\nDURATION:PT1H", [ONE],
                 id="unknown-zone"),
    pytest.param("DTSTART;TZID=Europe:20261124T090000\nDURATION:PT1H", [ONE], id="zone-is-a-folder"),
    pytest.param("DTSTART;TZID=../../../etc/passwd:20261124T090000\nDURATION:PT1H", [ONE],
                 id="zone-is-a-path"),
    pytest.param("DTSTART;TZID=Europe/Berlin;X-VOBJ-FLOATINGTIME-ALLOWED=TRUE:20261124T090000\nDURATION:PT1H",
                 [ONE], id="parameter-of-somebody"),
    pytest.param(WEEKLY, THREE, id="weekly"),
    pytest.param(f"{TIMED}\nRRULE:FREQ=WEEKLY;UNTIL=20261208", THREE, id="until-a-day"),
    pytest.param(f"{TIMED}\nRRULE:FREQ=WEEKLY;UNTIL=20261208T090000", THREE, id="until-a-floating-time"),
    pytest.param("DTSTART;TZID=America/New_York:20261124T030000\nDURATION:PT1H\n"
                 "RRULE:FREQ=WEEKLY;UNTIL=20261208T030000", THREE, id="until-a-floating-time-in-the-west"),
    pytest.param(f"{TIMED}\nRRULE:FREQ=WEEKLY;UNTIL=20261208T080000Z", THREE, id="until-the-last-date"),
    pytest.param(f"{TIMED}\nRRULE:FREQ=WEEKLY;UNTIL=20261208T075959Z", THREE[:2], id="until-just-before"),
    pytest.param(f"{WEEKLY}\nEXDATE;TZID=Europe/Berlin:20261201T090000", [THREE[0], THREE[2]], id="exdate"),
    pytest.param(f"{WEEKLY}\nEXDATE:20261201T080000Z", [THREE[0], THREE[2]], id="exdate-in-utc"),
    pytest.param(f"{WEEKLY}\nEXDATE;VALUE=DATE:20261201", [THREE[0], THREE[2]], id="exdate-is-a-day"),
    pytest.param(f"{WEEKLY}\nEXDATE:rubbish", THREE, id="exdate-is-rubbish"),
    pytest.param(f"{WEEKLY}\nEXDATE:", THREE, id="exdate-is-empty"),
    pytest.param(f"{TIMED}\nRDATE;TZID=Europe/Berlin:20261201T090000,20261208T090000", THREE, id="rdate"),
    pytest.param(f"{TIMED}\nRDATE;VALUE=PERIOD:20261201T080000Z/PT2H", [ONE, "2026-12-01 09:00-11:00"],
                 id="rdate-is-a-period"),
    # The clock shows half past two twice on 25 October 2026 in Berlin, and never on 28 March 2027.
    pytest.param("DTSTART;TZID=Europe/Berlin:20261024T230000\nDTEND;TZID=Europe/Berlin:20261025T070000",
                 ["2026-10-24 23:00-2026-10-25 07:00"], id="night-with-an-hour-more"),
    pytest.param("DTSTART;TZID=Europe/Berlin:20261024T230000\nDURATION:PT8H",
                 ["2026-10-24 23:00-2026-10-25 06:00"], id="eight-hours-in-that-night"),
    pytest.param("DTSTART;TZID=Europe/Berlin:20261023T233000\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=3",
                 ["2026-10-23 23:30-2026-10-24 07:30", "2026-10-24 23:30-2026-10-25 06:30",
                  "2026-10-25 23:30-2026-10-26 07:30"], id="eight-hours-every-night"),
    pytest.param("DTSTART;TZID=America/New_York:20261020T093000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4",
                 ["2026-10-20 15:30-16:30", "2026-10-27 14:30-15:30", "2026-11-03 15:30-16:30",
                  "2026-11-10 15:30-16:30"], id="weeks-in-which-only-one-has-changed"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), TIMES)
def test_an_event_takes_up_its_time(lines: str, expected: list[str]) -> None:
    found = laid_out(calendar(event(lines)), NOVEMBER, ZoneInfo(BERLIN))
    assert sorted(said(block, BERLIN) for block in found.blocks.values()) == expected
    assert found.left_out == 0


def test_a_time_that_the_clocks_skip_counts_with_the_offset_before() -> None:
    lines = "DTSTART;TZID=Europe/Berlin:20270327T023000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=3"
    found = laid_out(calendar(event(lines)), window("2027-03-20", "2027-04-01"), ZoneInfo(BERLIN))
    assert [said(block, BERLIN) for block in found.blocks.values()] == [
        "2027-03-27 02:30-03:00",
        "2027-03-28 03:30-04:00",
        "2027-03-29 02:30-03:00",
    ]


SHOWN = [
    pytest.param("", "busy", id="nothing-said"),
    pytest.param("TRANSP:OPAQUE", "busy", id="opaque"),
    pytest.param("TRANSP:TRANSPARENT", "free", id="transparent"),
    pytest.param("STATUS:CONFIRMED", "busy", id="confirmed"),
    pytest.param("STATUS:TENTATIVE", "tentative", id="tentative"),
    pytest.param("STATUS:TENTATIVE\nTRANSP:TRANSPARENT", "free", id="tentative-and-transparent"),
    pytest.param("STATUS:CANCELLED", "", id="cancelled"),
    pytest.param("status:cancelled", "", id="small-letters"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "free", id="outlook-free"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "tentative", id="outlook-tentative"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:BUSY", "busy", id="outlook-busy"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "oof", id="outlook-away"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "workingElsewhere", id="outlook-elsewhere"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:OOF\nTRANSP:TRANSPARENT", "oof", id="outlook-knows-better"),
    pytest.param("X-MICROSOFT-CDO-BUSYSTATUS:LUNCH", "busy", id="outlook-unknown"),
    pytest.param("ATTENDEE;CN=Me;PARTSTAT=DECLINED:mailto:Me@example.com", "free", id="declined"),
    pytest.param("ATTENDEE;PARTSTAT=DECLINED:mailto:you@example.com", "busy", id="declined-by-another"),
    pytest.param("ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@example.com", "busy", id="accepted"),
    pytest.param(
        "BEGIN:VALARM\nTRIGGER:-PT5M\nSTATUS:CANCELLED\nEND:VALARM", "busy", id="only-an-alarm-says-so"
    ),
]


@pytest.mark.parametrize(("line", "expected"), SHOWN)
def test_an_event_is_shown_as_it_says(line: str, expected: str) -> None:
    data = calendar(event(TIMED, line), head="X-WR-CALNAME:me@example.com")
    found = laid_out(data, NOVEMBER, ZoneInfo(BERLIN))
    assert [block.show_as.value for block in found.blocks.values()] == ([expected] if expected else [])


MOVED = "RECURRENCE-ID;TZID=Europe/Berlin:20261201T090000\nDTSTART;TZID=Europe/Berlin:{}\nDURATION:PT1H"
LATER = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261201T090000\n"
EXCEPTIONS = [
    pytest.param([MOVED.format("20261202T150000")], [ONE, "2026-12-02 15:00-16:00", THREE[2]], id="moved"),
    pytest.param([MOVED.format("20270202T150000")], [ONE, THREE[2]], id="moved-out-of-the-window"),
    pytest.param([MOVED.format("20261201T090000") + "\nSTATUS:CANCELLED"], [ONE, THREE[2]], id="cancelled"),
    pytest.param(
        ["RECURRENCE-ID:20261201T080000Z\nDTSTART:20261201T110000Z\nDTEND:20261201T120000Z"],
        [ONE, "2026-12-01 12:00-13:00", THREE[2]],
        id="named-in-utc",
    ),
    pytest.param(
        [MOVED.format("20261202T150000") + "\nSEQUENCE:1", MOVED.format("20261203T150000") + "\nSEQUENCE:2"],
        [ONE, "2026-12-03 15:00-16:00", THREE[2]],
        id="moved-twice",
    ),
    pytest.param(
        [LATER + "DTSTART;TZID=Europe/Berlin:20261201T110000\nDTEND;TZID=Europe/Berlin:20261201T113000"],
        [ONE, "2026-12-01 11:00-11:30", "2026-12-08 11:00-11:30"],
        id="all-from-then-on",
    ),
    pytest.param(["RECURRENCE-ID:20261201T080000Z\nDTSTART:rubbish"], THREE, id="broken"),
]


@pytest.mark.parametrize(("exceptions", "expected"), EXCEPTIONS)
def test_a_series_has_its_exceptions(exceptions: list[str], expected: list[str]) -> None:
    for events in ([WEEKLY, *exceptions], [*exceptions, WEEKLY]):
        found = laid_out(calendar(*map(event, events)), NOVEMBER, ZoneInfo(BERLIN))
        assert sorted(said(block, BERLIN) for block in found.blocks.values()) == expected


def test_an_exception_alone_is_an_event() -> None:
    found = laid_out(calendar(event(MOVED.format("20261202T150000"))), NOVEMBER, ZoneInfo(BERLIN))
    assert [said(block, BERLIN) for block in found.blocks.values()] == ["2026-12-02 15:00-16:00"]


def test_dates_keep_their_ids_when_they_are_moved() -> None:
    before = laid_out(calendar(event(WEEKLY)), NOVEMBER, ZoneInfo(BERLIN))
    after = laid_out(
        calendar(event(WEEKLY), event(MOVED.format("20261202T150000"))), NOVEMBER, ZoneInfo(BERLIN)
    )
    assert (
        set(before.blocks)
        == set(after.blocks)
        == {
            "one/2026-11-24T08:00:00+00:00",
            "one/2026-12-01T08:00:00+00:00",
            "one/2026-12-08T08:00:00+00:00",
        }
    )
    assert {block.series_id for block in after.blocks.values()} == {"one"}


IDS = [
    pytest.param([event(TIMED)], {"one"}, id="uid"),
    pytest.param([event(TIMED), event(TIMED)], {"one"}, id="twice-the-same"),
    pytest.param([event(TIMED, "SEQUENCE:1"), event("DTSTART:20261125T090000Z\nDURATION:PT1H", "SEQUENCE:2")],
                 {"one"}, id="an-older-state"),
    pytest.param([event(TIMED), event("DTSTART:20261125T090000Z\nDURATION:PT1H")],
                 {"one", "one/2026-11-25T09:00:00+00:00"}, id="two-events-of-one-uid"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "expected"), IDS)
def test_an_event_is_known_by_its_uid(events: list[str], expected: set[str]) -> None:
    assert set(laid_out(calendar(*events), NOVEMBER, ZoneInfo(BERLIN)).blocks) == expected


@pytest.mark.parametrize(
    "uid", ["", "x" * 5000, "a\x00b", "\u202e"], ids=["none", "long", "null", "backwards"]
)
def test_an_odd_uid_is_replaced_by_one_that_stays(uid: str) -> None:
    data = calendar(
        event(TIMED, uid=uid), event("DTSTART:20261125T090000Z\nDURATION:PT1H", uid=uid + "2" * 3)
    )
    found = [set(laid_out(data, NOVEMBER, ZoneInfo(BERLIN)).blocks) for _time in range(2)]
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert all(len(name) <= 200 and name.isprintable() for name in found[0])


EDGES = [
    pytest.param("20261124T000000Z", "20261124T010000Z", 1, id="begins-with-the-window"),
    pytest.param("20261123T230000Z", "20261124T000000Z", 0, id="ends-as-the-window-begins"),
    pytest.param("20261123T230000Z", "20261124T000001Z", 1, id="reaches-into-it"),
    pytest.param("20261125T000000Z", "20261125T010000Z", 0, id="begins-as-it-ends"),
    pytest.param("20260101T000000Z", "20270101T000000Z", 1, id="around-it"),
]


@pytest.mark.parametrize(("start", "end", "count"), EDGES)
@pytest.mark.parametrize("rule", ["", "RRULE:FREQ=YEARLY;COUNT=1"], ids=["single", "series"])
def test_only_what_touches_the_window_is_there(rule: str, start: str, end: str, count: int) -> None:
    data = calendar(event(f"DTSTART:{start}\nDTEND:{end}\n{rule}"))
    assert len(laid_out(data, window("2026-11-24", "2026-11-25"), ZoneInfo(BERLIN)).blocks) == count


@pytest.mark.parametrize(
    ("zone", "count"),
    [("Pacific/Kiritimati", 0), ("UTC", 1), ("Pacific/Niue", 1)],
    ids=["east", "utc", "west"],
)
def test_days_are_those_of_the_owner(zone: str, count: int) -> None:
    data = calendar(event("DTSTART;VALUE=DATE:20261124"))
    first, _last = window("2026-11-24", "2026-11-25")
    found = laid_out(data, (first + 11 * 3600, first + 12 * 3600), ZoneInfo(zone))
    assert len(found.blocks) == count


WEST = [
    pytest.param("DTSTART;VALUE=DATE:20261124", id="day"),
    pytest.param("DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=DAILY;COUNT=1", id="day-of-a-series"),
    pytest.param(
        "DTSTART;TZID=Pacific/Niue:20261124T220000\nDTEND;TZID=Pacific/Niue:20261124T230000", id="timed"
    ),
    pytest.param(
        "DTSTART:20261124T220000\nDTEND:20261124T230000\nRRULE:FREQ=DAILY;COUNT=1", id="floating-series"
    ),
]
EAST = [
    pytest.param("DTSTART;VALUE=DATE:20261126", id="day"),
    pytest.param("DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=DAILY;COUNT=1", id="day-of-a-series"),
    pytest.param("DTSTART:20261126T000000\nDTEND:20261126T010000", id="floating"),
    pytest.param("DTSTART:20261126T000000\nDTEND:20261126T010000\nRRULE:FREQ=DAILY;COUNT=1", id="series"),
]


@pytest.mark.parametrize("lines", WEST)
def test_the_evening_before_is_still_today_in_the_west(lines: str) -> None:
    first, _last = window("2026-11-25", "2026-11-26")
    found = laid_out(calendar(event(lines)), (first + 9 * 3600, first + 10 * 3600), ZoneInfo("Pacific/Niue"))
    assert len(found.blocks) == 1


@pytest.mark.parametrize("lines", EAST)
def test_the_morning_after_is_today_in_the_east(lines: str) -> None:
    first, _last = window("2026-11-25", "2026-11-26")
    found = laid_out(
        calendar(event(lines)), (first + 10 * 3600, first + 11 * 3600), ZoneInfo("Pacific/Kiritimati")
    )
    assert len(found.blocks) == 1


BROKEN = [
    pytest.param("SUMMARY:no start", id="no-start"),
    pytest.param("DTSTART:rubbish\nDTEND:20261124T100000Z", id="start-is-rubbish"),
    pytest.param("DTSTART:20261131T090000Z", id="no-such-day"),
    pytest.param("DTSTART:20261124T090000Z\nDTSTART:20261125T090000Z", id="two-starts"),
    pytest.param("DTSTART:20261124T090000Z\nDTEND:20261124T080000Z", id="ends-before-it-starts"),
    pytest.param("DTSTART:20261124T090000Z\nDURATION:-PT1H", id="lasts-less-than-nothing"),
    pytest.param("DTSTART:20261124T090000Z\nDURATION:PT1H\nRRULE:FREQ=SOMETIMES", id="unknown-rule"),
    pytest.param("DTSTART:20261124T090000Z\nDURATION:PT1H\nRRULE:COUNT=3", id="rule-without-measure"),
    pytest.param(
        "DTSTART:20261124T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=0", id="rule-stands-still"
    ),
    pytest.param("DTSTART:20261124T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=soon", id="until-soon"),
    pytest.param("DTSTART:99991231T235959Z\nDURATION:P99999D", id="past-the-end-of-time"),
]


@pytest.mark.parametrize("lines", BROKEN)
def test_a_broken_event_is_left_out_and_the_others_stay(lines: str) -> None:
    found = laid_out(calendar(event(lines, uid="bad"), event(TIMED)), NOVEMBER, ZoneInfo(BERLIN))
    assert list(found.blocks) == ["one"]
    assert found.left_out == 1


REFUSED = [
    pytest.param(b"", "not_a_calendar", id="empty"),
    pytest.param(b"<!DOCTYPE html><p>Sign in", "not_a_calendar", id="page"),
    pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "not_a_calendar", id="picture"),
    pytest.param(b"BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n", "not_a_calendar", id="card"),
    pytest.param(
        calendar(*[event(TIMED, uid=str(n)) for n in range(20_001)]), "too_many_events", id="events"
    ),
    pytest.param(
        calendar(event(TIMED, f"RDATE:{'20261124T090000Z,' * 20_001}20261124T090000Z")),
        "too_many_events",
        id="dates",
    ),
    pytest.param(calendar(event(TIMED, "RRULE:FREQ=SECONDLY")), "too_many_events", id="every-second"),
    pytest.param(calendar(event(TIMED, "RRULE:FREQ=MINUTELY")), "too_many_events", id="every-minute"),
]


@pytest.mark.parametrize(("data", "reason"), REFUSED)
def test_what_is_no_calendar_or_too_much_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FeedError) as caught:
        laid_out(data, NOVEMBER, ZoneInfo(BERLIN))
    assert caught.value.reason == reason


PERIODS = [
    pytest.param("FREEBUSY:20261124T080000Z/PT1H", [(ONE, "busy")], id="duration"),
    pytest.param("FREEBUSY:20261124T080000Z/20261124T090000Z", [(ONE, "busy")], id="end"),
    pytest.param(
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261124T080000Z/PT1H", [(ONE, "tentative")], id="tentative"
    ),
    pytest.param("FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261124T080000Z/PT1H", [(ONE, "oof")], id="away"),
    pytest.param("FREEBUSY;FBTYPE=FREE:20261124T080000Z/PT1H", [], id="free"),
    pytest.param(
        "FREEBUSY:20261124T080000Z/PT1H,20261125T080000Z/PT1H\nFREEBUSY:20261126T080000Z/PT1H",
        [(f"2026-11-{day} 09:00-10:00", "busy") for day in (24, 25, 26)],
        id="several",
    ),
]


@pytest.mark.parametrize(("lines", "expected"), PERIODS)
def test_periods_of_a_published_free_busy_time_count(lines: str, expected: list[tuple[str, str]]) -> None:
    data = calendar(f"BEGIN:VFREEBUSY\nUID:x\nDTSTART:20261101T000000Z\n{lines}\nEND:VFREEBUSY")
    found = laid_out(data, NOVEMBER, ZoneInfo(BERLIN))
    assert [(said(block, BERLIN), block.show_as.value) for block in found.blocks.values()] == expected
    assert found.left_out == 0


OWN_ZONE = """
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
OWN = "DTSTART;TZID=Customized Time Zone:20261020T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2"


@pytest.mark.parametrize("first", [True, False], ids=["before-it-is-used", "after-it-is-used"])
def test_a_zone_that_a_file_describes_is_that_zone(first: bool) -> None:
    zone = OWN_ZONE.format(name="Customized Time Zone")
    parts = [zone, event(OWN)] if first else [event(OWN), zone]
    found = laid_out(calendar(*parts), window("2026-10-01", "2026-12-01"), ZoneInfo("America/New_York"))
    assert [said(block, BERLIN) for block in found.blocks.values()] == [
        "2026-10-20 09:00-10:00",
        "2026-10-27 09:00-10:00",
    ]


def test_a_zone_is_that_of_its_own_calendar() -> None:
    """Two calendars of one file describe different zones by one name."""
    east = OWN_ZONE.replace("+01", "+05").replace("+02", "+06").format(name="Mine")
    lines = "DTSTART;TZID=Mine:20261124T090000\nDURATION:PT1H"
    data = calendar(OWN_ZONE.format(name="Mine"), event(lines)) + calendar(east, event(lines, uid="two"))
    found = laid_out(data, NOVEMBER, ZoneInfo("America/New_York"))
    assert [said(block, BERLIN) for block in found.blocks.values()] == [ONE, "2026-11-24 05:00-06:00"]


def test_a_broken_zone_is_as_good_as_none() -> None:
    zone = "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nTZOFFSETTO:east\nEND:STANDARD\nEND:VTIMEZONE"
    data = calendar(zone, event("DTSTART;TZID=Mine:20261124T090000\nDURATION:PT1H"))
    found = laid_out(data, NOVEMBER, ZoneInfo(BERLIN))
    assert [said(block, BERLIN) for block in found.blocks.values()] == [ONE]


@pytest.mark.parametrize(
    ("said_zone", "expected"),
    [("Europe/London", "2026-11-24 10:00-11:00"), ("Nowhere/Land", ONE)],
    ids=["known", "unknown"],
)
def test_times_without_a_zone_are_in_that_of_the_calendar(said_zone: str, expected: str) -> None:
    lines = "DTSTART:20261124T090000\nDURATION:PT1H"
    data = calendar(event(lines), head=f"X-WR-TIMEZONE:{said_zone}")
    found = laid_out(data, NOVEMBER, ZoneInfo(BERLIN))
    assert [said(block, BERLIN) for block in found.blocks.values()] == [expected]


FOR_EVER = [
    pytest.param("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:99991231", id="all-days"),
    pytest.param(
        "DTSTART;TZID=Asia/Tokyo:00010101T000000\nDTEND;TZID=Asia/Tokyo:20991231T000000", id="from-the-year-1"
    ),
    pytest.param(
        "DTSTART:20261101T000000Z\nDTEND;TZID=America/New_York:99991231T235900", id="into-the-year-10000"
    ),
    pytest.param("DTSTART:20261101T000000Z\nDURATION:P2900000D", id="eight-thousand-years-long"),
]


@pytest.mark.parametrize("lines", FOR_EVER)
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_what_lasts_for_ever_is_cut_to_what_can_be_shown(lines: str, zone: str) -> None:
    (found,) = laid_out(calendar(event(lines)), NOVEMBER, ZoneInfo(zone)).blocks.values()
    assert TOLD[0] <= found.start <= NOVEMBER[0] or lines.startswith("DTSTART:2026")
    assert NOVEMBER[1] <= found.end <= TOLD[1]
