"""What the model is made of: accounts and meetings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tests.soak.sides import Event, Record

Side = dict[str, Any]
OUT, IN = "out", "in"
MODES = {
    "both": frozenset({OUT, IN}),
    "crm_to_outlook": frozenset({OUT}),
    "outlook_to_crm": frozenset({IN}),
}


class Tagged(Protocol):
    """What something was done to."""

    @property
    def tag(self) -> str:
        """By this it is found wherever it shows up."""
        ...


@dataclass(slots=True)
class Account:
    """What a user chose, and how the account is: connected, paused, reconnect or off."""

    push_from: datetime
    mode: str = "both"
    status: str = "connected"
    clash: str = "origin"
    push_contacts: bool = False
    text_both_ways: bool = False
    remove_event_with_record: bool = False
    remove_record_with_event: bool = False

    @property
    def ways(self) -> frozenset[str]:
        """What the mode lets pass."""
        return MODES[self.mode]


@dataclass(slots=True)
class Meet:
    """One meeting."""

    number: int
    kind: str
    born: str
    home: str = ""
    """Whose mailbox its content flows through."""
    record: Record | None = None
    event: Event | None = None
    link: str = ""
    ours: Side = field(default_factory=dict)
    """The record at the last success."""
    theirs: Side = field(default_factory=dict)
    """The event at the last success."""
    record_id: str = ""
    event_id: str = ""
    stirred: bool = False
    """The record was saved since all came to rest."""
    host: str = ""
    """Who organizes the event that is linked."""
    left: dict[str, Event] = field(default_factory=dict)
    """Former events whose accounts are away, by user."""
    private: bool = False
    """Made as nobody else's business in Outlook."""
    answers: dict[str, str] = field(default_factory=dict)
    """What people answered, as far as it is known."""
    joined: frozenset[str] = frozenset()
    """Whose copies the sync knows."""
    dropped: frozenset[str] = frozenset()
    """Who deleted the own copy and was not invited anew: nothing there tells that it is called off."""

    @property
    def tag(self) -> str:
        """By this it is found wherever it shows up."""
        return f"M{self.number}"
