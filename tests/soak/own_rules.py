"""Private events, and copies that somebody makes of an event (R14, R21)."""

from __future__ import annotations

from hypothesis.stateful import precondition, rule

from tests.soak.drawn import MOST, PICK, SYNCED, WHEN, WORDS
from tests.soak.outlook_rules import has_event
from tests.soak.sides import USERS, Event
from tests.soak.stage import Stage, When
from tests.soak.things import Meet


def may_be_copied(meet: Meet) -> bool:
    """Whether its organizer has it in a calendar here."""
    return has_event(meet) and meet.event is not None and meet.event.host in USERS and not meet.private


class OwnRules(Stage):
    """Private events stay out; a copy is a meeting of its own."""

    @precondition(lambda self: self.model.living < MOST)
    @rule(host=SYNCED, word=WORDS, when=WHEN)
    def create_private_event(self, host: str, word: str, when: When) -> None:
        meet = self.model.add("Meeting", "outlook")
        meet.private = True
        event = meet.event = Event(
            host=host, subject=f"{meet.tag} {word}", span=self.span(when, "Meeting"), text=f"Secret {word}"
        )
        meet.event_id = self.in_outlook(lambda: self.hands.create_event(event, "Meeting", private=True))
        self.did(meet, "in Outlook: create privately", event)

    @precondition(lambda self: self.model.living < MOST and self.any(may_be_copied))
    @rule(pick=PICK, word=WORDS)
    def copy_event(self, pick: int, word: str) -> None:
        source = self.pick(pick, may_be_copied)
        known = source.event
        assert known is not None
        meet = self.model.add(source.kind, "outlook")
        event = meet.event = Event(
            host=known.host, subject=f"{meet.tag} {word}", span=known.span,
            location=known.location, text=known.text,
        )  # fmt: skip
        meet.event_id = self.in_outlook(lambda: self.hands.copy_event(source.event_id, event, source.kind))
        self.did(meet, "in Outlook: copied from", source.tag, event)
