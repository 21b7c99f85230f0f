"""Events and records without a link that are the same meeting (R21)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.matching import Candidate, Unmatched, match_records
from calsync_plugin.domain.meeting import Attendee
from calsync_plugin.domain.timespan import AllDay, TimeSpan
from tests.unit.domain.cases import BOB, DAN, LATER, SOON, ZED, meeting, stranger, user

ALICE = user("alice")


def event(
    name: str,
    uid: str = "",
    subject: str = "Kick-off",
    span: TimeSpan = SOON,
    people: tuple[Attendee, ...] = (BOB,),
    organizer: Attendee | None = ALICE,
    kind: str = "",
) -> Unmatched:
    """An event of alice's with bob."""
    content = meeting(subject, span, attendees=people, organizer=organizer)
    return Unmatched(event_id=name, ical_uid=uid or f"outlook-{name}", meeting=content, entity_type=kind)


def record(
    name: str,
    uid: str = "",
    subject: str = "Kick-off",
    span: TimeSpan = SOON,
    people: tuple[Attendee, ...] = (ALICE, BOB),
    owner: Attendee | None = None,
) -> Candidate:
    """A record of alice's with bob; the CRM names its assigned user among the attendees."""
    return Candidate(
        entity_type="Meeting",
        record_id=name,
        uid=uid,
        subject=subject,
        span=span,
        addresses=frozenset(a.address for a in people if a.address),
        owner=owner.address if owner else "",
    )


DAY_ONE, DAY_TWO = AllDay(date(2026, 12, 1), date(2026, 12, 2)), AllDay(date(2026, 12, 2), date(2026, 12, 3))

CASES = [
    pytest.param([event("e")], [record("r")], {"e": "r"}, id="alike"),
    pytest.param([event("e", "U")], [record("r", "U", "Other", LATER)], {"e": "r"}, id="the CRM's uid"),
    pytest.param([event("e", "U")], [record("r", "u", "Other")], {}, id="uids differ by case"),
    pytest.param([event("e")], [record("r", subject="kick-off")], {}, id="another subject"),
    pytest.param([event("e", subject=" Kick-off\u00a0")], [record("r")], {"e": "r"}, id="blanks"),
    pytest.param([event("e")], [record("r", span=LATER)], {}, id="another time"),
    pytest.param([event("e")], [record("r", people=(ALICE,))], {}, id="fewer people"),
    pytest.param([event("e")], [record("r", people=(BOB,))], {"e": "r"}, id="without the organizer"),
    pytest.param([event("e", people=(BOB, ZED))], [record("r")], {}, id="a stranger more"),
    pytest.param(
        [event("e", people=(BOB, DAN))], [record("r", people=(DAN, BOB))], {"e": "r"}, id="any order"
    ),
    pytest.param([event("e", people=(stranger(BOB.address),))], [record("r")], {"e": "r"}, id="by address"),
    pytest.param([event("e", people=())], [record("r", people=(ALICE,))], {"e": "r"}, id="nobody invited"),
    pytest.param(
        [event("e", organizer=None)], [record("r", people=(BOB,))], {"e": "r"}, id="no organizer told"
    ),
    pytest.param(
        [event("e", people=(BOB,), organizer=DAN)],
        [record("r", people=(), owner=BOB)],
        {"e": "r"},
        id="invited",
    ),
    pytest.param(
        [event("e", people=(BOB,), organizer=DAN)],
        [record("r", people=(DAN,), owner=BOB)],
        {"e": "r"},
        id="invited by somebody on the record",
    ),
    pytest.param(
        [event("e", people=(BOB,), organizer=DAN)],
        [record("r", people=(ZED,), owner=BOB)],
        {},
        id="by another",
    ),
    pytest.param([event("e", kind="Meeting")], [record("r")], {"e": "r"}, id="its kind"),
    pytest.param([event("e", kind="Call")], [record("r")], {}, id="another kind"),
    pytest.param([event("e", "U", kind="Call")], [record("r", "U")], {"e": "r"}, id="a uid of any kind"),
    pytest.param([event("e", span=DAY_ONE)], [record("r", span=DAY_ONE)], {"e": "r"}, id="all-day"),
    pytest.param([event("e", span=DAY_ONE)], [record("r", span=DAY_TWO)], {}, id="another day"),
    pytest.param([event("e"), event("f")], [record("r")], {}, id="two events"),
    pytest.param([event("e")], [record("r"), record("s")], {}, id="two records"),
    pytest.param([event("e"), event("f")], [record("r"), record("s")], {}, id="two of each"),
    pytest.param(
        [event("e", "U"), event("f", "U")], [record("r", "U", "Other")], {}, id="a uid twice in Outlook"
    ),
    pytest.param(
        [event("e", "U")], [record("r", "U", "A"), record("s", "U", "B")], {}, id="a uid twice in the CRM"
    ),
    pytest.param(
        [event("e", "U"), event("f")], [record("r", "U"), record("s")], {"e": "r", "f": "s"}, id="uid first"
    ),
    pytest.param(
        [event("e"), event("f", span=LATER)],
        [record("r"), record("s", span=LATER), record("t", subject="Other")],
        {"e": "r", "f": "s"},
        id="several",
    ),
    pytest.param([], [record("r")], {}, id="no event"),
    pytest.param([event("e")], [], {}, id="no record"),
]


@pytest.mark.parametrize(("events", "records", "expected"), CASES)
def test_matching(events: list[Unmatched], records: list[Candidate], expected: dict[str, str]) -> None:
    """In any order of both."""
    for some, others in ((events, records), (events[::-1], records[::-1])):
        assert {e: r.record_id for e, r in match_records(some, others).items()} == expected


def test_an_empty_uid_is_no_uid() -> None:
    """A CRM that hides its uid says nothing by it."""
    without = Unmatched(event_id="e", ical_uid="", meeting=meeting("Theirs"))
    assert match_records([without], [record("r")]) == {}


def test_records_of_two_kinds_may_share_an_id() -> None:
    """A call and a meeting are two records."""
    call = Candidate(
        entity_type="Call", record_id="r", uid="", subject="Call", span=SOON, addresses=frozenset()
    )
    got = match_records([event("e", "U"), event("f", subject="Call", people=())], [record("r", "U"), call])
    assert {e: (r.entity_type, r.record_id) for e, r in got.items()} == {
        "e": ("Meeting", "r"),
        "f": ("Call", "r"),
    }


WORDS = st.sampled_from(["A", "B"])
PEOPLE = st.sampled_from([(), (BOB,), (ALICE, BOB)])
SPANS = st.sampled_from([SOON, LATER])
UIDS = st.sampled_from(["", "U", "V"])


@given(
    st.lists(st.tuples(UIDS, WORDS, SPANS, PEOPLE), max_size=6),
    st.lists(st.tuples(UIDS, WORDS, SPANS, PEOPLE), max_size=6),
)
def test_laws_of_matches(
    events: list[tuple[str, str, TimeSpan, tuple[Attendee, ...]]],
    records: list[tuple[str, str, TimeSpan, tuple[Attendee, ...]]],
) -> None:
    """No record twice, and only for a reason."""
    known = {f"e{i}": event(f"e{i}", *values) for i, values in enumerate(events)}
    found = match_records(list(known.values()), [record(f"r{i}", *v) for i, v in enumerate(records)])
    assert len({r.record_id for r in found.values()}) == len(found)
    for name, match in found.items():
        seen = known[name]
        same_uid = bool(match.uid) and seen.ical_uid == match.uid
        assert same_uid or (match.subject, match.span) == (seen.meeting.subject, seen.meeting.span)
