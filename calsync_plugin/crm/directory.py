"""Who is who in the CRM: people by kind and id, and by address, remembered for a while.

Decides how long an answer is believed and how many are kept; "nobody" is an answer too. Does not decide who
takes part in a meeting.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from threading import Lock
from typing import Generic, Protocol, TypeVar

from calsync_plugin.crm.gateway import PersonCard
from calsync_plugin.domain.meeting import Person, PersonKind

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class PeopleSource(Protocol):
    """The part of a gateway that a directory asks."""

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        """Read people in bulk."""
        ...

    def people_by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:
        """Find people by address."""
        ...


class _Memory(Generic[Key, Value]):
    """Answers with an end of life, the least used forgotten first. Safe between threads."""

    def __init__(self, capacity: int, seconds: float, clock: Callable[[], float]) -> None:
        self._capacity, self._seconds, self._clock = capacity, seconds, clock
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._lock = Lock()

    def recall(self, keys: Iterable[Key]) -> dict[Key, Value]:
        now, found = self._clock(), {}
        with self._lock:
            for key in keys:
                entry = self._entries.get(key)
                if entry and entry[0] > now:
                    found[key] = entry[1]
                    self._entries.move_to_end(key)
        return found

    def keep(self, answers: Mapping[Key, Value]) -> None:
        until = self._clock() + self._seconds
        with self._lock:
            for key, value in answers.items():
                self._entries[key] = (until, value)
                self._entries.move_to_end(key)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def forget(self, key: Key) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class Directory:
    """People of one CRM. May be shared by all workers; two that ask at once may both read."""

    def __init__(
        self,
        source: PeopleSource,
        *,
        seconds: float = 300.0,
        capacity: int = 20_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Believe an answer for `seconds` of `clock`, keep `capacity` people and as many addresses."""
        self._source = source
        self._cards: _Memory[Person, PersonCard | None] = _Memory(capacity, seconds, clock)
        self._persons: _Memory[str, Person | None] = _Memory(capacity, seconds, clock)

    def prefetch(self, people: Iterable[Person]) -> None:
        """Read in bulk whoever of `people` is not remembered."""
        self.cards(people)

    def card(self, person: Person) -> PersonCard | None:
        """What the CRM says of one person, None if it knows nobody by that id."""
        return self.cards([person]).get(person)

    def cards(self, people: Iterable[Person]) -> dict[Person, PersonCard]:
        """What the CRM says of many; who is not known is left out."""
        wanted = set(people)
        answers = self._cards.recall(wanted)
        read: dict[Person, PersonCard | None] = {}
        for kind in PersonKind:
            ids = sorted(p.id for p in wanted - answers.keys() if p.kind is kind)
            if ids:
                found = self._source.people(kind, ids)
                read.update({Person(kind, i): found.get(i) for i in ids})
        self._cards.keep(read)
        return {person: card for person, card in (answers | read).items() if card is not None}

    def by_address(self, addresses: Iterable[str]) -> dict[str, Person]:
        """Who has one of these addresses, by address in lower case; user before contact before lead."""
        wanted = {address.strip().lower() for address in addresses} - {""}
        answers = self._persons.recall(wanted)
        unknown = sorted(wanted - answers.keys())
        if unknown:
            found = self._source.people_by_address(unknown)
            read = {address: found.get(address) for address in unknown}
            self._persons.keep(read)
            answers |= read
        return {address: person for address, person in answers.items() if person is not None}

    def active_users(self, addresses: Iterable[str]) -> dict[str, Person]:
        """Who of the holders of these addresses is a user to whom records can be assigned, by address."""
        users = {a: p for a, p in self.by_address(addresses).items() if p.kind is PersonKind.USER}
        cards = self.cards(users.values())
        return {a: p for a, p in users.items() if p in cards and cards[p].active}

    def active_user(self, address: str) -> Person | None:
        """The user with this address to whom records can be assigned, None if there is none."""
        return self.active_users([address]).get(address.strip().lower())

    def remember(self, address: str, person: Person) -> None:
        """Believe from now on that `person` has this address: a contact that was just created for it."""
        self._persons.keep({address.strip().lower(): person})

    def forget(self, person: Person) -> None:
        """Read this person anew next time; called when the CRM reports a change of it."""
        self._cards.forget(person)
        self._persons.clear()
