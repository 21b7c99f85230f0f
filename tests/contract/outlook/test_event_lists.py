"""Lists of events: filters, extended properties, order and pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.outlook.people import MARK, Person, event, json_of


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        pytest.param(f"ep/id eq '{MARK}' and ep/value eq 'LINK-1'", ["A"], id="value in any case"),
        pytest.param(
            f"ep/id eq '{MARK.replace('Name Cal', 'Name cal')}' and ep/value eq 'link-1'",
            [],
            id="name in its case",
        ),
        pytest.param(f"ep/id eq '{MARK}' and startswith(ep/value,'link')", ["A", "B"], id="startswith"),
        pytest.param(f"ep/id eq '{MARK}' and contains(ep/value, '-2')", ["B"], id="contains"),
        pytest.param(f"ep/id eq '{MARK}' and ep/value ne 'link-1'", ["B"], id="ne"),
    ],
)
def test_filter_by_extended_property(alice: Person, clause: str, found: list[str]) -> None:
    for subject, value in (("A", "link-1"), ("B", "link-2")):
        alice.create(subject, singleValueExtendedProperties=[{"id": MARK, "value": value}])
    alice.create("C")
    events = alice.events(filter=f"singleValueExtendedProperties/Any(ep: {clause})")
    assert [one["subject"] for one in events] == found
    assert all("singleValueExtendedProperties" not in one for one in events)


def test_an_extended_property_spans_the_mailbox_and_follows_changes(alice: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))
    body = event(singleValueExtendedProperties=[{"id": MARK, "value": "one"}])
    made = json_of(alice.post(f"calendars/{other['id']}/events", body))
    wanted = "singleValueExtendedProperties/Any(ep: ep/id eq '{}' and ep/value eq '{}')"
    assert len(alice.events(filter=wanted.format(MARK, "one"))) == 1
    alice.patch(f"events/{made['id']}", {"singleValueExtendedProperties": [{"id": MARK, "value": "two"}]})
    assert alice.events(filter=wanted.format(MARK, "one")) == []
    assert len(alice.events(filter=wanted.format(MARK, "two"))) == 1
    got = json_of(
        alice.get(f"events/{made['id']}", expand=f"singleValueExtendedProperties($filter=id eq '{MARK}')")
    )
    assert got["singleValueExtendedProperties"] == [{"id": MARK, "value": "two"}]
    assert alice.get(f"events/{made['id']}", expand="singleValueExtendedProperties").status_code == 400
    alice.delete(f"events/{made['id']}")
    assert alice.events(filter=wanted.format(MARK, "two")) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"filter": "subject eq 'b'"}, ["B"], id="subject"),
        pytest.param({"filter": "start/dateTime ge '2026-11-25T00:00:00Z'"}, ["B", "C"], id="start"),
        pytest.param({"filter": "end/dateTime lt '2026-11-25' or subject eq 'C'"}, ["A", "C"], id="or"),
        pytest.param({"filter": "not (contains(subject, 'a')) and isAllDay eq false"}, ["B", "C"], id="not"),
        pytest.param({"filter": "startswith(subject,'a')"}, ["A"], id="startswith"),
        pytest.param({"filter": "transactionId eq 't-B'"}, ["B"], id="transaction"),
        pytest.param({"orderby": "start/dateTime desc"}, ["C", "B", "A"], id="descending"),
        pytest.param({"top": 2, "skip": 1}, ["B", "C"], id="part"),
    ],
)
def test_lists(alice: Person, query: dict[str, Any], found: list[str]) -> None:
    for number, subject in enumerate("ABC"):
        alice.create(subject, day=f"2026-11-2{4 + number}", transactionId=f"t-{subject}")
    assert [one["subject"] for one in alice.events(**query)] == found


def test_filter_by_icaluid_and_select(alice: Person) -> None:
    made = alice.create("A")
    alice.create("B")
    (found,) = alice.events(filter=f"iCalUId eq '{made['iCalUId']}'", select="subject")
    assert found == {"@odata.etag": made["@odata.etag"], "id": made["id"], "subject": "A"}


def test_pages(alice: Person) -> None:
    for number in range(25):
        alice.create(f"{number}")
    subjects: list[str] = []
    link, pages = "events?$count=true", 0
    while link:
        body = json_of(alice.get(link))
        assert body["@odata.count"] == 25
        subjects += [one["subject"] for one in body["value"]]
        link, pages = body.get("@odata.nextLink", ""), pages + 1
    assert (pages, subjects) == (3, [f"{number}" for number in range(25)])


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "subject"},
        {"filter": "smell eq 'x'"},
        {"orderby": "smell"},
        {"top": 0},
        {"top": 1001},
        {"top": "x"},
        {"expand": "nothing"},
    ],
)
def test_bad_queries(alice: Person, query: dict[str, Any]) -> None:
    assert alice.get("events", **query).status_code == 400
