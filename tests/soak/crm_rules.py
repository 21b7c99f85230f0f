"""What people do in the CRM."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.soak.drawn import ANYBODY, FIELDS, KINDS, MOST, PEOPLE, PICK, TOLD, WHEN, WORDS
from tests.soak.sides import Record
from tests.soak.stage import Stage, When
from tests.soak.things import Meet


def has_record(meet: Meet) -> bool:
    """Whether there is a record to work on."""
    return meet.record is not None


class CrmRules(Stage):
    """Records are made, edited, reassigned and removed."""

    @precondition(lambda self: self.model.living < MOST)
    @rule(kind=KINDS, owner=ANYBODY, word=WORDS, when=WHEN, people=PEOPLE, told=TOLD)
    def create_record(
        self, kind: str, owner: str, word: str, when: When, people: frozenset[str], told: bool
    ) -> None:
        owner = self.takes(owner)
        meet = self.model.add(kind, "crm")
        meet.record = Record(
            kind=kind,
            owner=owner,
            subject=f"{meet.tag} {word}",
            span=self.span(when, kind),
            location=f"Room {word}" if kind == "Visit" else "",
            text=f"About {word}",
            people=people,
            saved=self.now(),
        )
        meet.record_id = self.hands.create_record(meet.record, told=told)
        self._said(meet, told, "create", meet.record)

    @precondition(lambda self: self.any(has_record))
    @rule(pick=PICK, name=FIELDS, word=WORDS, when=WHEN, people=PEOPLE, told=TOLD)
    def edit_record(
        self, pick: int, name: str, word: str, when: When, people: frozenset[str], told: bool
    ) -> None:
        meet = self.pick(pick, has_record)
        assert meet.record is not None
        values: dict[str, Any] = {
            "subject": f"{meet.tag} {word}",
            "span": self.span(when, meet.kind),
            "location": f"Place {word}" if meet.kind == "Visit" else "",
            "text": f"Words {word}",
            "people": people,
        }
        if name in {"span", "people"}:
            meet.answers.clear()
        meet.record.put(self.now(), **{name: values[name]})
        self.hands.change_record(meet.record_id, meet.record, name, told=told)
        self._said(meet, told, name, getattr(meet.record, name))

    @precondition(lambda self: self.any(has_record))
    @rule(pick=PICK, owner=ANYBODY, stays=st.booleans(), told=TOLD)
    def reassign(self, pick: int, owner: str, stays: bool, told: bool) -> None:
        meet = self.pick(pick, has_record)
        assert meet.record is not None
        owner = self.takes(owner)
        meet.answers.clear()
        gone = frozenset() if stays else frozenset({meet.record.owner})
        meet.record.put(self.now(), owner=owner, people=(meet.record.people - gone) | {owner})
        self.hands.change_record(meet.record_id, meet.record, "owner", "people", told=told)
        self._said(meet, told, "reassign", owner, sorted(meet.record.people))

    @precondition(lambda self: self.any(has_record))
    @rule(pick=PICK, told=TOLD)
    def remove_record(self, pick: int, told: bool) -> None:
        meet = self.pick(pick, has_record)
        self.hands.remove_record(meet.record_id, meet.kind, told=told)
        meet.record = None
        meet.answers.clear()
        self._said(meet, told, "remove")

    def takes(self, owner: str) -> str:
        """That user, or the other one while the account is off."""
        off = owner in self.model.accounts and self.model.status(owner) == "off"
        return {"alice": "bob", "bob": "alice"}[owner] if off else owner

    def _said(self, meet: Meet, told: bool, *what: object) -> None:
        self.unsaid = self.unsaid or not told
        meet.stirred = True
        self.did(meet, "in the CRM:", *what, "" if told else "(no hook)")
