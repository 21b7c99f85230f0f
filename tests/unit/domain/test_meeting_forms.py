"""Normal forms, fingerprints, spans, keys: what makes two meetings the same."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from calsync_plugin.domain.carried import Flow, carried
from calsync_plugin.domain.links import (
    Base,
    Copy,
    CopyPurpose,
    Origin,
    Role,
    link_of_marker,
    marker,
    transaction_id,
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
from calsync_plugin.domain.policy import Mode
from calsync_plugin.domain.timespan import AllDay, Timed, over_in_normal_form
from calsync_plugin.errors import ItemError
from tests.unit.domain.cases import (
    BOB,
    DAY,
    EVE,
    HOUR,
    NOW,
    ZED,
    attendee_copy,
    home,
    leaving,
    linked,
    meeting,
)
from tests.unit.domain.cases import policy as policy_of

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


def test_a_base_after_a_plan_keeps_what_waits() -> None:
    """Settled fields and side effects follow the present; other changes stay changes."""
    fields = frozenset({Field.SUBJECT, Field.LOCATION, Field.REMINDER, Field.SHOW_AS})
    base = Base(meeting().normal_form(fields - {Field.SHOW_AS}), "1")
    seen = meeting("New", location="Wien")
    now = meeting("New", location="Wien", reminder=15)
    after = base.after(seen, now, fields, frozenset({Field.SUBJECT}), "2")
    assert after.version == "2"
    assert after.values.keys() == fields
    assert after.changed(now, fields) == {Field.LOCATION}


def in_zone(hours: float) -> tzinfo:
    """A zone so many hours east."""
    return timezone(timedelta(hours=hours))


REFUSED: list[Any] = [
    pytest.param(Timed, datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC), "naive_time", id="naive"),  # noqa: DTZ001
    pytest.param(Timed, NOW, NOW - HOUR, "end_before_start", id="end before start"),
    pytest.param(Timed, datetime(1, 1, 1, tzinfo=in_zone(2)), NOW, "date_out_of_range", id="year 1, east"),
    pytest.param(
        Timed, NOW, datetime(9999, 12, 31, 23, tzinfo=in_zone(-2)), "date_out_of_range", id="year 9999"
    ),
    pytest.param(Timed, datetime(1601, 1, 1, tzinfo=UTC), NOW, "date_out_of_range", id="year 1601"),
    pytest.param(Timed, datetime(1900, 1, 1, tzinfo=in_zone(2)), NOW, "date_out_of_range", id="1899 in UTC"),
    pytest.param(AllDay, date(2026, 1, 1), date(2026, 1, 1), "end_before_start", id="no day"),
    pytest.param(AllDay, date(2026, 1, 2), date(2026, 1, 1), "end_before_start", id="days backwards"),
    pytest.param(AllDay, date(1, 1, 1), date(2026, 1, 1), "date_out_of_range", id="day in year 1"),
    pytest.param(AllDay, date(2026, 1, 1), date(9999, 12, 31), "date_out_of_range", id="day in year 9999"),
]


@pytest.mark.parametrize(("kind", "start", "end", "reason"), REFUSED)
def test_spans_that_are_refused(kind: Any, start: Any, end: Any, reason: str) -> None:
    """With a reason that parks the item."""
    with pytest.raises(ItemError) as refused:
        kind(start, end)
    assert refused.value.reason == reason


def test_a_timed_span_is_instants_of_one_second() -> None:
    """Zone and fraction take no part."""
    east = Timed(NOW.astimezone(in_zone(9)).replace(microsecond=999_999), NOW + HOUR)
    assert east == Timed(NOW, NOW + HOUR)
    assert east.normal() == ["timed", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"]
    assert Timed(NOW, NOW).normal()[1:] == ["2026-11-20T12:00:00Z"] * 2


def test_whole_days_are_dates() -> None:
    """Exclusive as in Graph, inclusive as in EspoCRM; never the same as midnights."""
    days = AllDay(date(2026, 3, 1), date(2026, 3, 3))
    assert days.last == date(2026, 3, 2)
    assert days.normal() == ["all-day", "2026-03-01", "2026-03-03"]
    midnights = Timed(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
    assert meeting(span=days).fingerprint([Field.SPAN]) != meeting(span=midnights).fingerprint([Field.SPAN])


LAST_DAY = AllDay(date(2026, 11, 19), date(2026, 11, 20))
ENDS = [
    pytest.param(Timed(NOW - HOUR, NOW), NOW, True, id="just now"),
    pytest.param(Timed(NOW - HOUR, NOW), NOW - timedelta(seconds=1), False, id="in a second"),
    pytest.param(LAST_DAY, datetime(2026, 11, 20, 11, 59, tzinfo=UTC), False, id="still the day somewhere"),
    pytest.param(LAST_DAY, datetime(2026, 11, 20, 12, tzinfo=UTC), True, id="over everywhere"),
]


@pytest.mark.parametrize(("span", "now", "over"), ENDS)
def test_when_a_meeting_is_over(span: Timed | AllDay, now: datetime, over: bool) -> None:
    """The same from the span and from what a base remembers of it."""
    assert span.over_at(now) is over
    assert over_in_normal_form(json.loads(json.dumps(span.normal())), now) is over
    assert over_in_normal_form(None, now) is False


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


INSTALLATION, LINK = "5f0c1f8a-1111-4c6e-9a5e-000000000001", "0b54c9a6-2222-4d3f-8b0a-000000000002"


def test_a_create_has_one_key_for_each_generation() -> None:
    """The same for a repeat, another for every other create."""
    key = transaction_id(INSTALLATION, LINK, 1)
    assert key == transaction_id(INSTALLATION, LINK, 1)
    assert str(UUID(key)) == key
    others = {transaction_id(INSTALLATION, LINK, 2), transaction_id(LINK, INSTALLATION, 1)}
    assert key not in others
    assert len(others) == 2


MARKERS = [
    pytest.param(marker(INSTALLATION, LINK), LINK, id="ours"),
    pytest.param(marker(INSTALLATION, LINK.upper()), LINK, id="ours in capitals"),
    pytest.param(marker(LINK, LINK), None, id="another installation's"),
    pytest.param(f"{INSTALLATION}:nonsense", None, id="no link id"),
    pytest.param(INSTALLATION, None, id="no link"),
    pytest.param("", None, id="empty"),
]


@pytest.mark.parametrize(("value", "found"), MARKERS)
def test_markers(value: str, found: str | None) -> None:
    """Only markers of this installation are believed."""
    assert link_of_marker(value, INSTALLATION) == found


def test_copies_of_a_link() -> None:
    """The home copy is found first, whatever the order."""
    copies: tuple[Copy, ...] = (leaving(1), attendee_copy(2), home(1))
    link = linked(copies=copies)
    assert link.home == home(1)
    assert link.leaving == (leaving(1),)
    assert link.copy_in(1) == home(1)
    found = link.copy_in(2)
    assert found is not None
    assert found.purpose is CopyPurpose.ATTENDEE
    assert link.copy_in(3) is None


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("origin", Origin)
def test_flows(mode: Mode, role: Role, origin: Origin) -> None:
    """No field flows against the mode, out of an attendee's copy, or that the record cannot hold."""
    flows = carried(origin, role, policy_of(mode=mode, description_both_ways=True))
    assert all(flow for flow in flows.values())
    out = {f for f, flow in flows.items() if Flow.OUT in flow}
    into = {f for f, flow in flows.items() if Flow.IN in flow}
    everything = set(Field)
    sends = mode is not Mode.OUTLOOK_TO_CRM and role is Role.ORGANIZER
    assert out == (everything - {Field.RESPONSES} if sends else set())
    assert into == (everything - {Field.ONLINE} if mode is not Mode.CRM_TO_OUTLOOK else set())
    held = carried(origin, role, policy_of(mode=mode, entity_fields=frozenset({Field.SUBJECT})))
    assert held.keys() <= {Field.SUBJECT}


def test_a_meeting_needs_its_time() -> None:
    """There is no default span."""
    with pytest.raises(TypeError):
        Meeting(subject="x")  # type: ignore[call-arg]
