"""The lines of an iCalendar file that availability needs, put back together and sorted by component.

Decides what of a file is looked at: what events say is dropped here, before anybody reads it. Forgives what
real files get wrong: byte order marks, line ends, lost folds, components that never end. Reads no values.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

_WANTED = {
    "VEVENT": frozenset({
        "UID", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
        "STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS",
    }),
    "VFREEBUSY": frozenset({"FREEBUSY"}),
    "VTIMEZONE": frozenset({"TZID"}),
    # The parts of a VTIMEZONE.
    "STANDARD": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}),
    "DAYLIGHT": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}),
}  # fmt: skip
_WHOLE = frozenset({"VCALENDAR", "VEVENT", "VFREEBUSY", "VTIMEZONE"})
"""What never lies within something that is skipped: whose end is lost if it seems so."""
_FOLD = re.compile(rb"[\r\n]+[ \t]")
_PROPERTY = re.compile(r"([A-Za-z0-9-]+)[;:]")
_DECLINED = re.compile(r"ATTENDEE;(?:.*;)?PARTSTAT=\"?DECLINED\b.*:mailto:(.*)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")
_LONGEST_NAME = 200


@dataclass(slots=True)
class Component:
    """A component: the lines that are wanted of it, each with the name of its property in capitals."""

    kind: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)
    """The addresses of those who will not come."""

    def has(self, *names: str) -> bool:
        """Whether it has one of these properties."""
        return any(name in names for name, _line in self.lines)

    def text(self) -> str:
        """As a file has it."""
        inner = "".join(part.text() for part in self.parts)
        lines = "".join(f"{line}\r\n" for _name, line in self.lines)
        return f"BEGIN:{self.kind}\r\n{lines}{inner}END:{self.kind}\r\n"


@dataclass(slots=True)
class Calendar:
    """One VCALENDAR."""

    name: str = ""
    zone: str = ""
    """The zone of times that name none, if it says so (X-WR-TIMEZONE)."""
    components: list[Component] = field(default_factory=list)
    unended: int = 0
    """How many components were begun and not ended."""


def calendars(data: bytes) -> list[Calendar]:
    """Every calendar of a file; none if it is something else."""
    found: list[Calendar] = []
    stack: list[Component] = []
    skipped = ""
    for whole in _unfolded(data):
        line = whole.rstrip()
        match = _PROPERTY.match(line)
        if match is None:
            continue
        name, value = match[1].upper(), line[match.end() :]
        if name in ("BEGIN", "END"):
            kind = value.strip().upper()
            if skipped and kind not in _WHOLE:
                skipped = "" if (name, kind) == ("END", skipped) else skipped
            elif name == "BEGIN":
                skipped = _begun(kind, found, stack)
            else:
                skipped = ""
                _ended(kind, found, stack)
        elif found and not skipped:
            _taken(name, line, value, found[-1], stack)
    if found:
        found[-1].unended += len(stack[:1])
    return found


def _begun(kind: str, found: list[Calendar], stack: list[Component]) -> str:
    """Begin a component; the name of one that is skipped, with all that lies in it."""
    if kind == "VCALENDAR":
        found.append(Calendar())
        stack.clear()
        return ""
    if not found or kind not in _WANTED:
        return kind
    if kind in _WHOLE:
        # An event within an event: the first one has lost its end.
        found[-1].unended += len(stack[:1])
        stack.clear()
    elif not stack or stack[-1].kind != "VTIMEZONE":
        return kind
    stack.append(Component(kind))
    return ""


def _ended(kind: str, found: list[Calendar], stack: list[Component]) -> None:
    if kind == "VCALENDAR" and stack:
        found[-1].unended += 1
        stack.clear()
    elif stack and stack[-1].kind == kind:
        ended = stack.pop()
        (stack[-1].parts if stack else found[-1].components).append(ended)


def _taken(name: str, line: str, value: str, calendar: Calendar, stack: list[Component]) -> None:
    """Keep a line, if it is wanted where it stands."""
    if stack:
        if name in _WANTED[stack[-1].kind]:
            stack[-1].lines.append((name, line))
        elif name == "ATTENDEE" and (declined := _DECLINED.match(line)):
            stack[-1].declined.append(declined[1].strip().casefold())
    elif name == "X-WR-CALNAME" or (name == "NAME" and not calendar.name):
        calendar.name = _text(value)
    elif name == "X-WR-TIMEZONE":
        calendar.zone = value.strip()


def _text(value: str) -> str:
    plain = _ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], value)
    return "".join(letter for letter in plain if letter.isprintable()).strip()[:_LONGEST_NAME]


def _unfolded(data: bytes) -> list[str]:
    """The lines of a file; one that begins with a space goes on with the one before it.

    Folds are looked for in bytes: some programs fold within a letter.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    whole = _FOLD.sub(b"", data.removeprefix(codecs.BOM_UTF8))
    # Not splitlines, which splits at signs of Unicode that stand in texts.
    return whole.decode("utf-8", "replace").replace("\r", "\n").split("\n")
