"""The directory: asked in bulk, believed for a while, bounded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import PersonCard
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import Unavailable

ALICE, BOB = Person(PersonKind.USER, "a"), Person(PersonKind.USER, "b")
CAROL = Person(PersonKind.CONTACT, "a")


@dataclass
class People:
    """Knows everybody but `nobody`; remembers what it was asked."""

    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    name: str = "first"
    down: bool = False
    active: bool = True

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        if self.down:
            raise Unavailable("the CRM is down")
        self.asked.append((kind.value, tuple(ids)))
        return {i: PersonCard(id=i, name=self.name, active=self.active) for i in ids if i != "nobody"}

    def people_by_address(self, addresses: Collection[str]) -> Mapping[str, Person]:
        self.asked.append(("address", tuple(addresses)))
        known = {"alice": ALICE, "carol": CAROL, "nobody": Person(PersonKind.USER, "nobody")}
        names = {address: address.partition("@")[0] for address in addresses}
        return {address: known[name] for address, name in names.items() if name in known}


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_kind_is_asked_once() -> None:
    people = People()
    directory = Directory(people)

    directory.prefetch([ALICE, BOB, CAROL, ALICE])

    assert directory.card(BOB) == PersonCard(id="b", name="first")
    assert directory.cards([ALICE, CAROL]).keys() == {ALICE, CAROL}
    assert people.asked == [("user", ("a", "b")), ("contact", ("a",))]


def test_only_the_unknown_are_asked_for() -> None:
    people = People()
    directory = Directory(people)
    directory.prefetch([ALICE])

    assert directory.cards([ALICE, BOB]).keys() == {ALICE, BOB}
    assert people.asked[1:] == [("user", ("b",))]


def test_nobody_is_an_answer_too() -> None:
    people = People()
    directory = Directory(people)
    nobody = Person(PersonKind.LEAD, "nobody")

    assert [directory.card(nobody), directory.card(nobody)] == [None, None]
    assert len(people.asked) == 1


@pytest.mark.parametrize(("later", "name"), [(59.0, "first"), (60.0, "second")], ids=["kept", "asked anew"])
def test_an_answer_has_an_end(later: float, name: str) -> None:
    people, clock = People(), Seconds()
    directory = Directory(people, seconds=60, clock=clock)
    directory.prefetch([ALICE])
    people.name, clock.now = "second", later

    card = directory.card(ALICE)

    assert card is not None
    assert card.name == name


def test_the_least_used_is_forgotten_first() -> None:
    people = People()
    directory = Directory(people, capacity=2)
    directory.prefetch([ALICE])
    directory.prefetch([BOB])
    directory.prefetch([ALICE])
    directory.prefetch([CAROL])
    people.asked.clear()

    directory.prefetch([ALICE, CAROL])
    assert people.asked == []
    directory.prefetch([BOB])
    assert people.asked == [("user", ("b",))]


def test_more_than_fit_are_answered_all_the_same() -> None:
    many = [Person(PersonKind.CONTACT, str(number)) for number in range(10)]

    assert len(Directory(People(), capacity=2).cards(many)) == 10


def test_a_changed_person_is_read_anew() -> None:
    people = People()
    directory = Directory(people)
    directory.prefetch([ALICE])
    directory.by_address(["alice@example.com"])
    people.name = "second"

    directory.forget(ALICE)

    assert directory.cards([ALICE])[ALICE].name == "second"
    directory.by_address(["alice@example.com"])
    assert len(people.asked) == 4


def test_addresses() -> None:
    people = People()
    directory = Directory(people)

    assert directory.by_address(["Alice@Example.com ", "x@example.com", ""]) == {"alice@example.com": ALICE}
    assert directory.by_address(["ALICE@example.com", "x@example.com"]) == {"alice@example.com": ALICE}
    assert people.asked == [("address", ("alice@example.com", "x@example.com"))]


@pytest.mark.parametrize(
    ("address", "active", "user"),
    [
        pytest.param("Alice@Example.com", True, ALICE, id="active"),
        pytest.param("alice@example.com", False, None, id="a host that finds users who left"),
        pytest.param("carol@example.com", True, None, id="a contact"),
        pytest.param("nobody@example.com", True, None, id="a user without a card"),
        pytest.param("x@example.com", True, None, id="unknown"),
    ],
)
def test_active_user(address: str, active: bool, user: Person | None) -> None:
    assert Directory(People(active=active)).active_user(address) == user


def test_active_users_are_asked_for_in_bulk() -> None:
    people = People()
    addresses = ["Alice@example.com", "alice@example.com", "carol@x.example", "x@x.example"]

    assert Directory(people).active_users(addresses) == {"alice@example.com": ALICE}
    assert [kind for kind, _ in people.asked] == ["address", "user"]


def test_a_contact_that_was_just_created_is_known() -> None:
    people = People()
    directory = Directory(people)
    assert directory.by_address(["new@x.example"]) == {}

    directory.remember("New@x.example ", CAROL)

    assert directory.by_address(["new@x.example"]) == {"new@x.example": CAROL}
    assert len(people.asked) == 1


def test_trouble_is_not_remembered() -> None:
    people = People(down=True)
    directory = Directory(people)
    with pytest.raises(Unavailable):
        directory.card(ALICE)
    people.down = False

    assert directory.card(ALICE) is not None
