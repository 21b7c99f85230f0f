"""What a meeting is in the CRM and in Outlook, and what each of them does to it by itself.

Decides nothing of the sync. Written from EspoCRM's and Outlook's behaviour as the facts tell it, in plain
values: people are names, times are UTC without a zone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from calsync_plugin.sandbox.crm import identities

USERS = {"alice": identities.ALICE_ID, "bob": identities.BOB_ID, "carol": identities.CAROL_ID}
EVE = "eve"
"""Whose mailbox is elsewhere, and whom the CRM does not know."""
CONTACTS = {"dave": identities.DAVE_ID, "erin": identities.ERIN_ID}
ADDRESSES = {
    **{name: f"{name}@example.com" for name in USERS},
    **{name: f"{name}@contoso.example" for name in CONTACTS},
    "zoe": "zoe@far.example",
    EVE: "eve@partner.example",
}
NAMES = {address: name for name, address in ADDRESSES.items()}
KNOWN = frozenset(USERS) | frozenset(CONTACTS)
"""Whom the CRM knows; all others are strangers, who stay in Outlook."""
LABELS = {"Meeting": "", "Call": "C: ", "Visit": "V: "}
CONTENT = ("subject", "span", "location", "text")

Mail = tuple[str, str]
"""What Outlook mails: the kind and the name of whom it is sent to."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """When a meeting takes place; whole days last from midnight to midnight."""

    start: datetime
    end: datetime
    whole_days: bool = False

    def over(self, now: datetime) -> bool:
        """Whether it has ended, whole days everywhere on earth."""
        return self.end + timedelta(hours=12 if self.whole_days else 0) <= now

    def __str__(self) -> str:
        return f"{self.start:%m-%d %H:%M}-{self.end:%m-%d %H:%M}" + (" whole" if self.whole_days else "")


@dataclass(slots=True, kw_only=True)
class Record:
    """A meeting in the CRM."""

    kind: str
    owner: str
    subject: str
    span: Span
    location: str = ""
    text: str = ""
    people: frozenset[str] = frozenset()
    status: str = "Planned"
    saved: datetime
    """When it was saved last."""

    def __post_init__(self) -> None:
        """The assigned user always takes part."""
        self.people |= {self.owner}

    def __str__(self) -> str:
        return f"{self.kind} of {self.owner} {self.span} {self.subject!r} {sorted(self.people)}"

    def put(self, now: datetime, **values: Any) -> None:
        """Save some values."""
        self.saved = now
        for name, value in values.items():
            setattr(self, name, value)
        self.people |= {self.owner}


@dataclass(slots=True, kw_only=True)
class Event:
    """A meeting in Outlook, as its organizer has it, and the copies of those who were invited."""

    host: str
    subject: str
    span: Span
    location: str = ""
    text: str = ""
    guests: frozenset[str] = frozenset()
    copies: frozenset[str] = frozenset()
    """Whose mailbox here holds a copy that is not called off."""

    def __str__(self) -> str:
        return f"of {self.host} {self.span} {self.subject!r} {sorted(self.guests)}"

    @property
    def all_copies(self) -> frozenset[str]:
        """Whose mailbox here holds it, its organizer's among them."""
        return self.copies | ({self.host} & USERS.keys())

    def created(self) -> list[Mail]:
        """It was made: everybody is invited."""
        self.copies = self.guests & USERS.keys()
        return [("invitation", name) for name in self.guests]

    def patch(self, *, guests: frozenset[str] | None = None, **content: Any) -> list[Mail]:
        """Its organizer changes it; returns what is mailed."""
        before = replace(self)
        for name, value in content.items():
            setattr(self, name, value)
        self.guests = self.guests if guests is None else guests
        changed = any(getattr(self, name) != getattr(before, name) for name in CONTENT)
        reached = self.guests if changed else self.guests - before.guests
        self.copies = (self.copies & self.guests) | (reached & USERS.keys())
        return [
            *(("cancellation", name) for name in before.guests - self.guests),
            *(("invitation", name) for name in self.guests - before.guests),
            *(("update", name) for name in self.guests & before.guests if changed),
        ]

    def removed(self) -> list[Mail]:
        """Its organizer deletes it: that calls it off."""
        self.copies = frozenset()
        return [("cancellation", name) for name in self.guests]
