"""What people do in Outlook."""

from __future__ import annotations

from typing import Any

from hypothesis.stateful import precondition, rule

from tests.soak.drawn import FIELDS, GUESTS, HOSTS, KINDS, MOST, PICK, WHEN, WORDS
from tests.soak.sides import Event
from tests.soak.stage import Stage, When
from tests.soak.things import Meet


def has_event(meet: Meet) -> bool:
    """Whether there is an event to work on; who did not look since it was made has none."""
    return meet.event is not None and bool(meet.event_id)


def has_copy(meet: Meet) -> bool:
    """Whether somebody else's mailbox holds it."""
    return meet.event is not None and bool(meet.event.copies) and bool(meet.link)


class OutlookRules(Stage):
    """Events are made, edited and deleted by their organizers."""

    @precondition(lambda self: self.model.living < MOST)
    @rule(kind=KINDS, host=HOSTS, word=WORDS, when=WHEN, guests=GUESTS)
    def create_event(self, kind: str, host: str, word: str, when: When, guests: frozenset[str]) -> None:
        meet = self.model.add(kind, "outlook")
        event = meet.event = Event(
            host=host,
            subject=f"{meet.tag} {word}",
            span=self.span(when, kind),
            location=f"Hall {word}" if kind == "Visit" else "",
            text=f"Note {word}",
            guests=guests - {host},
        )
        event.created()
        meet.event_id = self.in_outlook(lambda: self.hands.create_event(event, kind))
        self.did(meet, "in Outlook: create", event)

    @precondition(lambda self: self.any(has_event))
    @rule(pick=PICK, name=FIELDS, word=WORDS, when=WHEN, guests=GUESTS)
    def edit_event(self, pick: int, name: str, word: str, when: When, guests: frozenset[str]) -> None:
        meet = self.pick(pick, has_event)
        event = meet.event
        assert event is not None
        values: dict[str, Any] = {
            "subject": f"{meet.tag} {word}",
            "span": self.span(when, meet.kind),
            "location": f"Place {word}" if meet.kind == "Visit" else "",
            "text": f"Words {word}",
            "people": guests - {event.host},
        }
        if name in {"span", "people"}:
            meet.answers.clear()
        what = "guests" if name == "people" else name
        event.patch(**{what: values[name]})
        meet.dropped -= event.copies
        self.in_outlook(lambda: self.hands.change_event(meet.event_id, event, meet.kind, what))
        self.did(meet, "in Outlook:", name, getattr(event, what))

    @precondition(lambda self: self.any(has_event))
    @rule(pick=PICK)
    def remove_event(self, pick: int) -> None:
        meet = self.pick(pick, has_event)
        event = meet.event
        assert event is not None
        self.in_outlook(lambda: self.hands.remove_event(meet.event_id, event))
        event.removed()
        meet.answers.clear()
        meet.event, meet.event_id = None, ""
        self.did(meet, "in Outlook: delete")

    @precondition(lambda self: self.any(has_copy))
    @rule(pick=PICK, who=PICK)
    def drop_copy(self, pick: int, who: int) -> None:
        """Somebody who is invited takes the event out of the own calendar."""
        meet = self.pick(pick, has_copy)
        event = meet.event
        assert event is not None
        name = sorted(event.copies)[who % len(event.copies)]
        self.in_outlook(lambda: self.hands.drop_copy(name, meet.tag))
        event.copies -= {name}
        meet.dropped |= {name}
        meet.answers.pop(name, None)
        self.did(meet, "in Outlook:", name, "deletes the own copy")
