"""The published examples of recurrence rules: RFC 5545, section 3.8.5.3, all of them, with their dates.

One is as its erratum 3883 has it: the end of "every 3 hours from 9:00 AM to 5:00 PM" is a time of New York,
which the text gives as one of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.feeds.laying_out import laid_out
from tests.unit.feeds.calendars import NEW_YORK, calendar, event

ZONE = ZoneInfo(NEW_YORK)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
EVERY_TUESDAY_UNTIL = "1997 Sep 2,9,16,23,30 Oct 7,14,21,28 Nov 4,11,18,25 Dec 2,9,16,23"
EVERY_JANUARY = " ".join(f"{year} Jan 1-31" for year in (1998, 1999, 2000))
FIVE_WEEKS = "1997 Sep 2,4,9,11,16,18,23,25,30 Oct 2"
TWENTY_MINUTES = [f"{hour:02}:{minute:02}" for hour in range(9, 17) for minute in (0, 20, 40)]

# First date, rule, the dates. With "..." the rule goes on for ever.
RULES = [
    ("daily-10", "19970902", "FREQ=DAILY;COUNT=10", "1997 Sep 2-11"),
    (
        "daily-until",
        "19970902",
        "FREQ=DAILY;UNTIL=19971224T000000Z",
        "1997 Sep 2-30 Oct 1-31 Nov 1-30 Dec 1-23",
    ),
    (
        "every-other-day",
        "19970902",
        "FREQ=DAILY;INTERVAL=2",
        (
            "1997 Sep 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 Oct 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 "
            "Nov 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29 Dec 1,3 ..."
        ),
    ),
    ("every-10-days", "19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997 Sep 2,12,22 Oct 2,12"),
    (
        "every-day-in-january-yearly",
        "19980101",
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        EVERY_JANUARY,
    ),
    ("every-day-in-january-daily", "19980101", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", EVERY_JANUARY),
    ("weekly-10", "19970902", "FREQ=WEEKLY;COUNT=10", "1997 Sep 2,9,16,23,30 Oct 7,14,21,28 Nov 4"),
    ("weekly-until", "19970902", "FREQ=WEEKLY;UNTIL=19971224T000000Z", EVERY_TUESDAY_UNTIL),
    (
        "every-other-week",
        "19970902",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997 Sep 2,16,30 Oct 14,28 Nov 11,25 Dec 9,23 1998 Jan 6,20 Feb 3,17 ...",
    ),
    (
        "tuesday-thursday-until",
        "19970902",
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        FIVE_WEEKS,
    ),
    ("tuesday-thursday-count", "19970902", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", FIVE_WEEKS),
    (
        "every-other-week-3-days",
        "19970901",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997 Sep 1,3,5,15,17,19,29 Oct 1,3,13,15,17,27,29,31 Nov 10,12,14,24,26,28 Dec 8,10,12,22",
    ),
    (
        "every-other-week-8",
        "19970902",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997 Sep 2,4,16,18,30 Oct 2,14,16",
    ),
    (
        "first-friday-10",
        "19970905",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997 Sep 5 Oct 3 Nov 7 Dec 5 1998 Jan 2 Feb 6 Mar 6 Apr 3 May 1 Jun 5",
    ),
    (
        "first-friday-until",
        "19970905",
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997 Sep 5 Oct 3 Nov 7 Dec 5",
    ),
    (
        "first-and-last-sunday",
        "19970907",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997 Sep 7,28 Nov 2,30 1998 Jan 4,25 Mar 1,29 May 3,31",
    ),
    (
        "second-to-last-monday",
        "19970922",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997 Sep 22 Oct 20 Nov 17 Dec 22 1998 Jan 19 Feb 16",
    ),
    (
        "third-to-last-day",
        "19970928",
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997 Sep 28 Oct 29 Nov 28 Dec 29 1998 Jan 29 Feb 26 ...",
    ),
    (
        "2nd-and-15th",
        "19970902",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997 Sep 2,15 Oct 2,15 Nov 2,15 Dec 2,15 1998 Jan 2,15",
    ),
    (
        "first-and-last-day",
        "19970930",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997 Sep 30 Oct 1,31 Nov 1,30 Dec 1,31 1998 Jan 1,31 Feb 1",
    ),
    (
        "every-18-months",
        "19970910",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997 Sep 10-15 1999 Mar 10-13",
    ),
    (
        "tuesdays-every-other-month",
        "19970902",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997 Sep 2,9,16,23,30 Nov 4,11,18,25 1998 Jan 6,13,20,27 Mar 3,10,17,24,31 ...",
    ),
    (
        "june-and-july",
        "19970610",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997 Jun 10 Jul 10 1998 Jun 10 Jul 10 1999 Jun 10 Jul 10 2000 Jun 10 Jul 10 2001 Jun 10 Jul 10",
    ),
    (
        "every-other-year",
        "19970310",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997 Mar 10 1999 Jan 10 Feb 10 Mar 10 2001 Jan 10 Feb 10 Mar 10 2003 Jan 10 Feb 10 Mar 10",
    ),
    (
        "days-of-the-year",
        "19970101",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997 Jan 1 Apr 10 Jul 19 2000 Jan 1 Apr 9 Jul 18 2003 Jan 1 Apr 10 Jul 19 2006 Jan 1",
    ),
    ("20th-monday", "19970519", "FREQ=YEARLY;BYDAY=20MO", "1997 May 19 1998 May 18 1999 May 17 ..."),
    (
        "monday-of-week-20",
        "19970512",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997 May 12 1998 May 11 1999 May 17 ...",
    ),
    (
        "thursdays-in-march",
        "19970313",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997 Mar 13,20,27 1998 Mar 5,12,19,26 1999 Mar 4,11,18,25 ...",
    ),
    (
        "thursdays-in-summer",
        "19970605",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        (
            "1997 Jun 5,12,19,26 Jul 3,10,17,24,31 Aug 7,14,21,28 "
            "1998 Jun 4,11,18,25 Jul 2,9,16,23,30 Aug 6,13,20,27 "
            "1999 Jun 3,10,17,24 Jul 1,8,15,22,29 Aug 5,12,19,26 ..."
        ),
    ),
    (
        "friday-the-13th",
        "19970902",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13\nEXDATE;TZID=America/New_York:19970902T090000",
        "1998 Feb 13 Mar 13 Nov 13 1999 Aug 13 2000 Oct 13 ...",
    ),
    (
        "saturday-after-the-first-sunday",
        "19970913",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997 Sep 13 Oct 11 Nov 8 Dec 13 1998 Jan 10 Feb 7 Mar 7 Apr 11 May 9 Jun 13 ...",
    ),
    (
        "election-day",
        "19961105",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996 Nov 5 2000 Nov 7 2004 Nov 2 ...",
    ),
    (
        "third-of-three-weekdays",
        "19970904",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997 Sep 4 Oct 7 Nov 6",
    ),
    (
        "second-to-last-weekday",
        "19970929",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997 Sep 29 Oct 30 Nov 27 Dec 30 1998 Jan 29 Feb 26 Mar 30 ...",
    ),
    (
        "every-3-hours",
        "19970902",
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
        "1997 Sep 2@09:00,12:00,15:00",
    ),
    (
        "every-15-minutes",
        "19970902",
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "1997 Sep 2@09:00,09:15,09:30,09:45,10:00,10:15",
    ),
    (
        "every-90-minutes",
        "19970902",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
        "1997 Sep 2@09:00,10:30,12:00,13:30",
    ),
    (
        "every-20-minutes-daily",
        "19970902",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        f"1997 Sep 2@{','.join(TWENTY_MINUTES)} Sep 3@{','.join(TWENTY_MINUTES)} ...",
    ),
    (
        "every-20-minutes-minutely",
        "19970902",
        "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
        f"1997 Sep 2@{','.join(TWENTY_MINUTES)} Sep 3@{','.join(TWENTY_MINUTES)} ...",
    ),
    (
        "week-from-monday",
        "19970805",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997 Aug 5,10,19,24",
    ),
    (
        "week-from-sunday",
        "19970805",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997 Aug 5,17,19,31",
    ),
    (
        "no-30th-of-february",
        "20070115",
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007 Jan 15,30 Feb 15 Mar 15,30",
    ),
]


def dates(text: str) -> Iterator[datetime]:
    """The times that a row means: `1997 Sep 2,9-11 Oct 3@09:00,12:00`, at 9:00 unless said otherwise."""
    year = month = 0
    for word in text.removesuffix("...").split():
        if word in MONTHS:
            month = MONTHS.index(word) + 1
        elif re.fullmatch(r"\d{4}", word):
            year = int(word)
        else:
            days, _at, times = word.partition("@")
            for part in days.split(","):
                first, _dash, last = part.partition("-")
                for day in range(int(first), int(last or first) + 1):
                    for time in (times or "09:00").split(","):
                        hour, minute = map(int, time.split(":"))
                        yield datetime(year, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(("first", "rule", "expected"), [pytest.param(*row[1:], id=row[0]) for row in RULES])
def test_a_published_rule_has_its_published_dates(first: str, rule: str, expected: str) -> None:
    wanted = list(dates(expected))
    start = f"DTSTART;TZID={NEW_YORK}:{first}T090000"
    data = calendar(event(start, "DURATION:PT5M", f"RRULE:{rule}"))
    # A rule that ends is looked at for years more.
    after = timedelta(hours=7) if expected.endswith("...") else timedelta(days=2000)
    from_second = int(datetime.strptime(first, "%Y%m%d").replace(tzinfo=UTC).timestamp()) - 86_400 * 2000
    found = laid_out(data, (from_second, int((wanted[-1] + after).timestamp())), ZONE)
    assert [block.start for block in sorted(found.blocks.values(), key=lambda block: block.start)] == [
        int(moment.timestamp()) for moment in wanted
    ]
    assert found.left_out == 0
    assert {block.end - block.start for block in found.blocks.values()} == {300}
