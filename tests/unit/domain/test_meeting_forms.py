"""Normal forms, fingerprints, spans, keys: what makes two meetings the same."""

from __future__ import annotations

import json
import unicodedata
from itertools import permutations
from typing import Any

import pytest

from calsync_plugin.domain.links import (
    Base,
)
from calsync_plugin.domain.meeting import (
    Attendee,
    Field,
    Meeting,
    Response,
    fold_line,
    fold_text,
    same_value,
)
from calsync_plugin.domain.timespan import Timed
from tests.unit.domain.cases import (
    BOB,
    DAY,
    EVE,
    NOW,
    ZED,
    meeting,
)

SUBJECTS = [
    pytest.param("Caf\u00e9", "Cafe\u0301", True, id="composed and decomposed"),
    pytest.param("A B", "A\u00a0B", True, id="no-break space"),
    pytest.param("A B", " A \t\r\n B ", True, id="blanks and line ends"),
    pytest.param("AB", "A\0B", True, id="NUL"),
    pytest.param("Plan \U0001f600", "Plan \U0001f600 ", True, id="emoji"),
    pytest.param("Plan \U0001f600", "Plan \U0001f601", False, id="another emoji"),
    pytest.param("\ud83d", "\ud83d ", True, id="lone surrogate"),
    pytest.param("\ud83d", "\ud83e", False, id="another lone surrogate"),
    pytest.param("plan", "Plan", False, id="case is text"),
    pytest.param("", "\u2003", True, id="empty"),
]


@pytest.mark.parametrize(("one", "other", "same"), SUBJECTS)
def test_subjects(one: str, other: str, same: bool) -> None:
    """One-line texts; the digest takes every string that JSON can bring."""
    assert (fold_line(one) == fold_line(other)) is same
    assert fold_line(fold_line(one)) == fold_line(one)
    fields = [Field.SUBJECT]
    assert (meeting(one).fingerprint(fields) == meeting(other).fingerprint(fields)) is same


TEXTS = [
    pytest.param("a\nb", "a\r\nb", True, id="CRLF"),
    pytest.param("a\nb", "a\rb", True, id="CR"),
    pytest.param("a\nb", "a  \nb\u00a0\n\n", True, id="blanks at ends"),
    pytest.param("a b", "a\u00a0b", True, id="no-break space"),
    pytest.param("a\nb", "a\n\nb", False, id="a paragraph"),
    pytest.param("a\nb", "a\n b", False, id="an indent"),
    pytest.param("\u00e9", "e\u0301\0", True, id="composed, NUL"),
    pytest.param("", "\n \n\t\n", True, id="nothing"),
    pytest.param("\udfff", "\udfff", True, id="lone surrogate"),
]


@pytest.mark.parametrize(("one", "other", "same"), TEXTS)
def test_texts(one: str, other: str, same: bool) -> None:
    """Many-line texts, kept as digests."""
    assert (fold_text(one) == fold_text(other)) is same
    assert fold_text(fold_text(one)) == fold_text(one)
    forms = [meeting(description=text).normal_form([Field.DESCRIPTION]) for text in (one, other)]
    assert (forms[0] == forms[1]) is same
    assert meeting(description="secret").normal_form([Field.DESCRIPTION])[Field.DESCRIPTION] != "secret"


def test_attendees_are_a_set() -> None:
    """No order, no case, no repetition takes part in the fingerprint."""
    people = (BOB, EVE, ZED, Attendee(address=" ZED@elsewhere.EXAMPLE "))
    prints = {meeting(attendees=p).fingerprint(Field) for p in permutations(people)}
    assert prints == {meeting(attendees=(BOB, EVE, ZED)).fingerprint(Field)}


def test_a_person_listed_twice_has_one_answer_whatever_the_order() -> None:
    """Graph and EspoCRM promise no order."""
    twice = (Attendee(address="a@b.c", response=Response.ACCEPTED), Attendee(address="a@b.c"))
    prints = {meeting(attendees=p).fingerprint([Field.RESPONSES]) for p in permutations(twice)}
    assert len(prints) == 1


PEOPLE = [
    pytest.param({"user:b": "old@x.y"}, {"user:b": "new@x.y"}, True, id="re-addressed"),
    pytest.param({"b@x.y": "b@x.y"}, {"user:b": "b@x.y"}, True, id="turns out to be known"),
    pytest.param({"user:b": "b@x.y"}, {"user:e": "e@x.y"}, False, id="another"),
    pytest.param({"user:b": "b@x.y"}, {}, False, id="gone"),
    pytest.param({"contact:a": ""}, {"contact:b": ""}, False, id="two without an address"),
]


@pytest.mark.parametrize(("one", "other", "same"), PEOPLE)
def test_the_same_people(one: dict[str, str], other: dict[str, str], same: bool) -> None:
    """By person, else by address."""
    assert same_value(Field.ATTENDEES, one, other) is same
    assert same_value(Field.ATTENDEES, other, one) is same


@pytest.mark.parametrize("attendee", [BOB, ZED, Attendee(address="")], ids=["user", "stranger", "nobody"])
def test_an_attendee_is_remembered_by_key_and_address(attendee: Attendee) -> None:
    """A base knows no names and no answers."""
    again = Attendee.from_key(attendee.key, attendee.address)
    assert (again.key, again.address, again.person) == (attendee.key, attendee.address, attendee.person)


def test_a_normal_form_survives_the_store() -> None:
    """JSON and back changes no value, so that an unchanged meeting is unchanged after a restart."""
    full = meeting(attendees=(BOB, ZED), description="text", reminder=5, online=True)
    stored = json.loads(json.dumps({str(k): v for k, v in full.normal_form(Field).items()}))
    base = Base({Field(k): v for k, v in stored.items()})
    assert base.changed(full, frozenset(Field)) == frozenset()
    assert base.changed(meeting(), frozenset(Field)) == {
        Field.ATTENDEES,
        Field.RESPONSES,
        Field.DESCRIPTION,
        Field.REMINDER,
        Field.ONLINE,
    }


HINTS: list[dict[str, Any]] = [
    {"zone": "Europe/Vienna"},
    {"organizer": BOB},
    {"join_url": "https://teams.example/1"},
    {"cancelled": True},
]


@pytest.mark.parametrize("hint", HINTS, ids=[next(iter(h)) for h in HINTS])
def test_hints_take_no_part(hint: dict[str, Any]) -> None:
    """Neither in the fingerprint nor in equality."""
    assert meeting(**hint).fingerprint(Field) == meeting().fingerprint(Field)
    assert meeting(**hint) == meeting()


def test_every_field_takes_part() -> None:
    """Each field changes the fingerprint that holds it and no other."""
    changed = {
        Field.SUBJECT: meeting("Other"),
        Field.SPAN: meeting(span=Timed(NOW, NOW + DAY)),
        Field.LOCATION: meeting(location="Wien"),
        Field.DESCRIPTION: meeting(description="text"),
        Field.ATTENDEES: meeting(attendees=(BOB,)),
        Field.REMINDER: meeting(reminder=0),
        Field.ONLINE: meeting(online=True),
    }
    for name, other in changed.items():
        assert other.fingerprint([name]) != meeting().fingerprint([name])
        assert other.fingerprint(set(changed) - {name}) == meeting().fingerprint(set(changed) - {name})


def test_composition_is_that_of_unicode() -> None:
    """No other form: it would make look-alikes the same."""
    ligature = "\ufb01nal"
    assert fold_line(ligature) == ligature == unicodedata.normalize("NFC", ligature)


def test_a_meeting_needs_its_time() -> None:
    """There is no default span."""
    with pytest.raises(TypeError):
        Meeting(subject="x")  # type: ignore[call-arg]
