"""Files that would keep a computer busy for ever, or fill it: and how each ends in an error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from calsync_plugin.errors import FeedError
from calsync_plugin.feeds.expanding import Limits, expanded
from calsync_plugin.feeds.reading import FeedRead, read_feed
from calsync_plugin.http.pinned import Rules
from tests.attack.feed_servers import answer, feed_server, says

BERLIN = "Europe/Berlin"
WINDOW = (1_793_487_600, 1_798_758_000)
TIGHT = Limits(cpu_seconds=1)
MB = 1024 * 1024
ONCE = "DTSTART:20261124T080000Z\r\nDURATION:PT1H\r\n"
LONG_AGO = "DTSTART:19700101T000000Z\r\nDURATION:PT1M\r\n"


def calendar(lines: str, before: str = "") -> bytes:
    event = f"BEGIN:VEVENT\r\nUID:one\r\n{lines}\r\nEND:VEVENT\r\n"
    return f"BEGIN:VCALENDAR\r\n{before}{event}END:VCALENDAR\r\n".encode()


def zone(lines: str) -> str:
    part = (
        f"BEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n{lines}\r\n"
    )
    both = f"{part}END:STANDARD\r\n{part}END:STANDARD\r\n"
    return f"BEGIN:VTIMEZONE\r\nTZID:Mine\r\n{both}END:VTIMEZONE\r\n"


# Without end or measure; what each costs is bounded by the limits, not by what it is.
ENDLESS = [
    pytest.param(calendar(f"{ONCE}RRULE:FREQ=SECONDLY"), "too_many_events", id="every-second"),
    pytest.param(
        calendar(f"{ONCE}RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"), "too_many_events", id="no-second"
    ),
    pytest.param(calendar(f"{LONG_AGO}RRULE:FREQ=MINUTELY"), "too_complex", id="every-minute-for-ever"),
    pytest.param(calendar(f"{ONCE}RRULE:FREQ=MINUTELY"), "too_many_events", id="every-minute"),
    pytest.param(
        calendar(f"{LONG_AGO}RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"), "too_complex", id="no-minute"
    ),
    pytest.param(calendar(f"{LONG_AGO}RRULE:FREQ=MINUTELY;COUNT=1000000000"), "too_complex", id="a-billion"),
    pytest.param(
        calendar(
            f"{LONG_AGO}RRULE:FREQ=YEARLY;BYHOUR={','.join(map(str, range(24)))};"
            f"BYMINUTE={','.join(map(str, range(60)))};BYSECOND={','.join(map(str, range(60)))}"
        ),
        "too_complex",
        id="all-seconds-of-days",
    ),
    pytest.param(
        calendar(f"{ONCE}RDATE:" + ",".join(["20261124T080000Z"] * 500_000)), "too_many_events", id="dates"
    ),
    pytest.param(
        calendar(ONCE + "\r\n".join(["EXDATE:20261124T080000Z"] * 20_001)), "too_many_events", id="lines"
    ),
    pytest.param(
        calendar("DTSTART;TZID=Mine:20261124T080000\r\nDURATION:PT1H", zone("RRULE:FREQ=SECONDLY")),
        "too_complex",
        id="zone-that-changes-every-second",
    ),
    pytest.param(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 700_000, "too_many_events", id="begins"),
    pytest.param(b"BEGIN:VCALENDAR\r\n" * 600_000, "too_many_events", id="calendars"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), ENDLESS)
def test_a_file_without_measure_is_given_up(data: bytes, reason: str) -> None:
    started = monotonic()
    with pytest.raises(FeedError) as caught:
        # What is only counted is counted in time on a slow machine, too.
        expanded(data, WINDOW, BERLIN, limits=TIGHT if reason == "too_complex" else None)
    assert caught.value.reason == reason
    assert monotonic() - started < 15
    assert caught.value.__context__ is None


HEAVY = [
    pytest.param(calendar(f"{ONCE}DESCRIPTION:" + "x" * 10 * MB), 1, 0, id="one-long-line"),
    pytest.param(calendar(f"{ONCE}DESCRIPTION:x\r\n" + " y\r\n" * 2_000_000), 1, 0, id="folds"),
    pytest.param(calendar(f"{ONCE}" + "X:y\r\n" * 900_000), 1, 0, id="lines"),
    pytest.param(calendar(f"{ONCE}UID:" + "u" * 9 * MB), 1, 0, id="a-second-uid"),
    pytest.param(calendar(f"{ONCE}" + "BEGIN:X\r\n" * 900_000), 1, 0, id="depth"),
    pytest.param(calendar("DTSTART:" + "2026112" * MB), 0, 1, id="a-long-date"),
    pytest.param(calendar(f"{ONCE}RRULE:" + "FREQ=DAILY;" * 300_000), 38, 0, id="a-long-rule"),
    pytest.param(calendar("DTSTART;TZID=" + "Z" * 9 * MB + ":20261124T080000"), 0, 0, id="a-long-zone"),
    pytest.param(
        calendar("DTSTART" + ';A="b"' * 300_000 + ":20261124T080000Z\r\nDURATION:PT1H"), 1, 0, id="parameters"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "blocks", "left_out"), HEAVY)
def test_megabytes_of_one_thing_do_no_harm(data: bytes, blocks: int, left_out: int) -> None:
    started = monotonic()
    found = expanded(data, WINDOW, BERLIN)
    assert (len(found.blocks), found.left_out) == (blocks, left_out)
    assert monotonic() - started < 20


def test_a_process_gets_no_more_memory_than_it_may_have() -> None:
    """As much text as the limit: it cannot even be read."""
    with pytest.raises(FeedError) as caught:
        expanded(calendar("X:" + "y" * 60 * MB), WINDOW, BERLIN, limits=Limits(memory=96 * MB))
    assert caught.value.reason == "too_complex"


def test_the_clock_on_the_wall_counts_too() -> None:
    started = monotonic()
    with pytest.raises(FeedError) as caught:
        expanded(calendar(f"{LONG_AGO}RRULE:FREQ=MINUTELY"), WINDOW, BERLIN, limits=Limits(wall_seconds=0.5))
    assert caught.value.reason == "too_complex"
    assert monotonic() - started < 10


@pytest.mark.skipif(not Path("/proc/thread-self/children").exists(), reason="asks Linux for the children")
def test_no_process_stays_behind() -> None:
    before = children()
    for limits in (Limits(wall_seconds=0.3), TIGHT):
        with pytest.raises(FeedError):
            expanded(calendar(f"{LONG_AGO}RRULE:FREQ=MINUTELY"), WINDOW, BERLIN, limits=limits)
    assert children() <= before


def children() -> set[str]:
    """The processes, dead ones included, that this one has begun."""
    return {
        name for task in Path("/proc/self/task").iterdir() for name in (task / "children").read_text().split()
    }


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
@pytest.mark.parametrize("what", ["cpu_seconds", "memory"])
def test_where_no_limits_can_be_set_the_process_watches_itself(what: str) -> None:
    """As in a unit of systemd that may not call setrlimit."""
    question = {"window": WINDOW, "zone": BERLIN, "cpu_seconds": 60, "memory": 8192 * MB}
    question[what] = 1 if what == "cpu_seconds" else 64 * MB
    ended = without_limits(question, calendar(f"{LONG_AGO}RRULE:FREQ=MINUTELY"))
    assert (ended.returncode, ended.stdout) == (1, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
def test_a_process_that_watches_itself_answers() -> None:
    question = {"window": WINDOW, "zone": BERLIN, "cpu_seconds": 60, "memory": 8192 * MB}
    ended = without_limits(question, calendar(f"{ONCE}RRULE:FREQ=HOURLY;COUNT=900"))
    assert ended.returncode == 0
    assert len(json.loads(ended.stdout)["blocks"]) == 900


def without_limits(question: dict[str, object], data: bytes) -> subprocess.CompletedProcess[bytes]:
    """The process, in a place where it may not set any."""
    code = (
        "import resource, sys\n"
        "def refuse(*_): raise OSError(1, 'not permitted')\n"
        "resource.setrlimit = refuse\n"
        "from calsync_plugin.feeds import child\n"
        "sys.exit(child.main())\n"
    )
    asked = json.dumps(question).encode() + b"\n" + data
    return subprocess.run(
        [sys.executable, "-c", code], input=asked, capture_output=True, timeout=60, check=False
    )


def test_nothing_of_this_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_SECRET_KEYS", "k1:secret")
    seen: list[dict[str, str]] = []
    real = subprocess.run

    def run(*what: object, **how: object) -> object:
        seen.append(how["env"])  # type: ignore[arg-type]
        return real(*what, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", run)
    expanded(calendar(ONCE), WINDOW, BERLIN)
    known = {"PYTHONPATH", "PYTHONUTF8", "TZ", "SYSTEMROOT", "PYTHONHOME", "PYTHONTZPATH", "LD_LIBRARY_PATH"}
    assert set(seen[0]) <= known
    assert "secret" not in json.dumps(seen)


def test_a_process_takes_no_module_from_the_folder_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "icalendar.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    assert len(expanded(calendar(ONCE), WINDOW, BERLIN).blocks) == 1


def test_a_host_that_names_itself_is_no_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """uWSGI says that it is sys.executable."""
    monkeypatch.setattr(sys, "executable", "/usr/sbin/uwsgi")
    assert len(expanded(calendar(ONCE), WINDOW, BERLIN).blocks) == 1


def test_an_address_becomes_blocks() -> None:
    body = calendar(f"{ONCE}RRULE:FREQ=DAILY;COUNT=3", "X-WR-CALNAME:Mine\r\n")
    with feed_server(says(answer(body, 'ETag: "1"'))) as server:
        found = read_feed(server.address(), window=WINDOW, zone=BERLIN, rules=Rules(allow_loopback=True))
    assert isinstance(found, FeedRead)
    assert (len(found.blocks), found.etag, found.name, found.left_out) == (3, '"1"', "Mine", 0)
    assert found.blocks[0].start == 1_795_507_200


def test_a_page_is_no_calendar() -> None:
    with feed_server(says(answer(b"<html>Sign in"))) as server, pytest.raises(FeedError) as caught:
        read_feed(server.address(), window=WINDOW, zone=BERLIN, rules=Rules(allow_loopback=True))
    assert caught.value.reason == "not_a_calendar"
