"""Published files with lines added, lost and changed by lot: each is answered or refused."""

from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.errors import FeedError
from calsync_plugin.feeds.laying_out import laid_out
from tests.unit.feeds.calendars import BERLIN, window
from tests.unit.feeds.test_published_files import SAMPLES

FILES = sorted(SAMPLES.glob("*.ics"))
LINES = """DTSTART:20261120|DTSTART:20261120T080000|DTSTART;TZID="":20261120T080000|DTSTART;VALUE=TIME:080000
DTSTART:P1D|DTSTART:20261120T080000Z/PT1H|DTSTART:00010101T000000Z|DTEND;VALUE=DATE:20261121|DTEND:PT1H
DTEND:99991231T235959Z|DURATION:P1W|DURATION:-P1D|DURATION:20261120|DURATION:20261120T080000Z/PT1H
RECURRENCE-ID:20261120T080000Z|RECURRENCE-ID;RANGE=THISANDFUTURE:20261120|RECURRENCE-ID:080000|RECURRENCE-ID:P1D
RDATE;VALUE=PERIOD:20261120T080000Z/PT1H|RDATE:20261122|RDATE:080000|EXDATE:20261120|EXDATE:PT1H
RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY;BYDAY=XX|RRULE:FREQ=MONTHLY;BYDAY=5MO;COUNT=0|RRULE:UNTIL=20261130;FREQ=DAILY
RRULE:FREQ=YEARLY;BYWEEKNO=60|RRULE:FREQ=DAILY;BYSETPOS=0|RRULE:FREQ=DAILY;UNTIL=99991231|RRULE:FREQ=DAILY;COUNT=-1
UID:1|SEQUENCE:x|SEQUENCE:-5|STATUS;X=y:CANCELLED|FREEBUSY:x/y|TZOFFSETTO:+9999|TZOFFSETFROM:x
BEGIN:VEVENT|END:VEVENT|BEGIN:VFREEBUSY|END:VFREEBUSY|BEGIN:VTIMEZONE|END:VTIMEZONE|END:VCALENDAR|BEGIN:VALARM"""
ADDED = [line.encode() for row in LINES.splitlines() for line in row.split("|")]


def mangled(lots: random.Random) -> bytes:
    """One of the files, no longer as it was."""
    lines = lots.choice(FILES).read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for _change in range(lots.randint(1, 6)):
        at = lots.randrange(len(lines))
        match lots.randrange(5):
            case 0:
                del lines[at]
            case 1:
                line = bytearray(lines[at] or b"x")
                line[lots.randrange(len(line))] = lots.randrange(256)
                lines[at] = bytes(line)
            case _:
                lines.insert(at, lots.choice(ADDED))
    return b"\r\n".join(lines)


@pytest.mark.parametrize("seed", range(10))
def test_a_mangled_file_is_answered_or_refused(seed: int) -> None:
    lots = random.Random(seed)
    for _file in range(20):
        data = mangled(lots)
        try:
            found = laid_out(data, window("2026-10-25", "2026-12-20"), ZoneInfo(BERLIN))
        except FeedError:
            continue
        assert all(block.start < block.end and block.id.isprintable() for block in found.blocks.values())
        assert all(len(block.id) < 250 for block in found.blocks.values())
