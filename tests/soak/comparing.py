"""How a meeting must be seen on both sides, as the model has it, and how what is seen differs."""

from __future__ import annotations

from tests.soak.hands import Picture
from tests.soak.sides import LABELS, USERS, Event
from tests.soak.things import Meet


def different(name: str, found: list[Picture], expected: list[Picture]) -> list[str]:
    """How two lists of pictures differ, in words."""
    if len(found) != len(expected):
        return [f"{name}: {len(found)} found, {len(expected)} expected: {found}; {expected}"]
    return [
        f"{name} {one.get('in', '')} {key}: {one.get(key)!r}, expected {right.get(key)!r}"
        for one, right in zip(found, expected, strict=True)
        for key in {**one, **right}
        if one.get(key) != right.get(key)
    ]


def expected_record(meet: Meet) -> list[Picture]:
    """The record as it must be seen."""
    record = meet.record
    if record is None:
        return []
    return [
        {
            "kind": meet.kind,
            "owner": record.owner,
            "subject": record.subject,
            "span": str(record.span),
            "location": record.location,
            "text": record.text,
            "people": sorted(record.people),
            "status": record.status,
        }
    ]


def expected_events(meet: Meet) -> list[Picture]:
    """The event and its copies as they must be seen, and former events whose accounts are away."""
    present = [meet.event] if meet.event else []
    found = [one for event in [*present, *meet.left.values()] for one in _shown(event, meet.kind)]
    return sorted(found, key=place)


def place(one: Picture) -> tuple[str, bool, str]:
    """By what events are put in order."""
    return one["in"], one["hosts"], one["span"]


def _shown(event: Event, kind: str) -> list[Picture]:
    seen = {
        "subject": LABELS[kind] + event.subject,
        "span": str(event.span),
        "location": event.location,
        "text": event.text,
    }
    found = [{"in": name, "hosts": False, **seen} for name in event.copies]
    hosts = [event.host] if event.host in USERS else []
    return found + [{"in": name, "hosts": True, **seen, "guests": sorted(event.guests)} for name in hosts]
