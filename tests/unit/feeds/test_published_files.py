"""Files in the forms in which services publish calendars (tests/samples/feeds), and files that are odd."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.feeds.laying_out import laid_out
from tests.unit.feeds.calendars import BERLIN, calendar, event, said, window

SAMPLES = Path(__file__).parents[2] / "samples" / "feeds"
NOVEMBER = window("2026-10-25", "2026-12-20", BERLIN)

FILES = [
    pytest.param(
        "google.ics",
        "alice@example.com",
        0,
        [
            ("2026-11-02 09:15-09:30", "busy"),
            ("2026-11-05 09:15-09:30", "busy"),
            ("2026-11-09 09:15-09:30", "busy"),
            ("2026-11-17 10:00-10:15", "busy"),
            ("2026-11-18 14:00-15:00", "free"),
            ("2026-11-19 09:15-09:30", "busy"),
            ("2026-11-23 09:15-09:30", "busy"),
            ("2026-11-23 to 2026-11-25", "free"),
            ("2026-11-26 09:15-09:30", "busy"),
        ],
        id="google",
    ),
    pytest.param(
        "icloud.ics",
        "Home & family",
        0,
        [
            ("2026-11-19 23:00-2026-11-20 00:00", "busy"),
            ("2026-11-20 20:00-23:00", "tentative"),
            ("2026-11-21 to 2026-11-22", "free"),
        ],
        id="icloud",
    ),
    pytest.param(
        "outlook.ics",
        "Calendar",
        0,
        [
            ("2026-11-06 09:00-10:00", "busy"),
            ("2026-11-18 11:00-11:30", "busy"),
            ("2026-11-19 08:00-12:00", "workingElsewhere"),
            ("2026-11-20 14:00-15:00", "tentative"),
            ("2026-11-24 to 2026-11-26", "oof"),
            ("2026-11-27 09:00-10:00", "busy"),
        ],
        id="outlook",
    ),
    pytest.param(
        "nextcloud.ics",
        "Dienst",
        0,
        [
            ("2026-10-31 22:00-2026-11-01 06:00", "busy"),
            ("2026-11-07 22:00-2026-11-08 06:00", "busy"),
            ("2026-11-14 22:00-2026-11-15 06:00", "busy"),
        ],
        id="nextcloud",
    ),
    pytest.param(
        "exported-by-hand.ics",
        "Verein",
        2,
        [
            ("2026-11-18 19:00-21:00", "busy"),
            ("2026-11-21 to 2026-11-22", "busy"),
            ("2026-11-25 19:00-21:00", "busy"),
        ],
        id="by-hand",
    ),
]


@pytest.mark.parametrize(("file", "name", "left_out", "expected"), FILES)
def test_a_published_file_is_read(
    file: str, name: str, left_out: int, expected: list[tuple[str, str]]
) -> None:
    found = laid_out((SAMPLES / file).read_bytes(), NOVEMBER, ZoneInfo(BERLIN))
    assert sorted((said(block, BERLIN), block.show_as.value) for block in found.blocks.values()) == expected
    assert (found.name, found.left_out) == (name, left_out)


PLAIN = calendar(event("DTSTART:20261124T080000Z\nDURATION:PT1H"), head="X-WR-CALNAME:Bücher\\, Büro")
FOLDED = b"\r\n ".join(PLAIN[at : at + 1] for at in range(len(PLAIN)))
ODD = [
    pytest.param(PLAIN, id="plain"),
    pytest.param(PLAIN.replace(b"\r\n", b"\n"), id="line-feeds"),
    pytest.param(PLAIN.replace(b"\r\n", b"\r"), id="carriage-returns"),
    pytest.param(PLAIN.replace(b"\r\n", b"\r\r\n"), id="too-many-carriage-returns"),
    pytest.param(PLAIN.replace(b"\r\n", b"\r\n\r\n"), id="empty-lines"),
    pytest.param(PLAIN.replace(b"\r\n", b"  \r\n"), id="spaces-at-the-ends"),
    pytest.param(b"\xef\xbb\xbf" + PLAIN, id="byte-order-mark"),
    pytest.param(PLAIN.decode().encode("utf-16"), id="utf-16"),
    pytest.param(PLAIN.replace(b"\xc3\xbc", b"\xc3\r\n \xbc"), id="folded-within-a-letter"),
    pytest.param(PLAIN.replace(b"DTSTART:2026", b"DTSTART:20\r\n\t26"), id="folded-with-a-tab"),
    pytest.param(PLAIN.replace(b"VEVENT", b"vEvent").replace(b"DTSTART", b"dtstart"), id="small-letters"),
    pytest.param(PLAIN.replace(b"UID", b"no property\r\n:::\r\n;;\r\nUID"), id="lines-that-are-none"),
    pytest.param(PLAIN.replace(b"UID", b"ATTENDEE;CN=\"a:b;c\":x\r\nUID"), id="quoted-signs"),
    pytest.param(PLAIN.replace(b"END:VCALENDAR\r\n", b""), id="no-end"),
    pytest.param(b"Date: today\r\nX: y\r\n" + PLAIN + b"thank you\r\n", id="something-around-it"),
    pytest.param(PLAIN.replace(b"UID", b"BEGIN:X-A\r\nBEGIN:X-B\r\nEND:X-B\r\nDTSTART:x\r\nEND:X-A\r\nUID"),
                 id="components-of-somebody"),
    pytest.param(PLAIN.replace(b"UID:one", b"UID:one\r\nSUMMARY:BEGIN:VEVENT"), id="words-like-lines"),
]  # fmt: skip


@pytest.mark.parametrize("data", ODD)
def test_an_odd_file_is_read(data: bytes) -> None:
    found = laid_out(data, NOVEMBER, ZoneInfo(BERLIN))
    assert [said(block, BERLIN) for block in found.blocks.values()] == ["2026-11-24 09:00-10:00"]
    assert (found.name, found.left_out) == ("Bücher, Büro", 0)


def test_an_alarm_without_an_end_spoils_its_event_only() -> None:
    bad = event("BEGIN:VALARM\nTRIGGER:-PT5M\nDTSTART:20261123T080000Z", uid="bad")
    found = laid_out(
        calendar(bad, event("DTSTART:20261124T080000Z\nDURATION:PT1H")), NOVEMBER, ZoneInfo(BERLIN)
    )
    assert (list(found.blocks), found.left_out) == (["one"], 1)
