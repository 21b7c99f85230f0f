"""Pages of changes: the last word on an id counts, and the place in the round is never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import UnknownOutcome
from calsync_plugin.graph.delta import DeltaPage, read_page
from calsync_plugin.graph.protocol import JsonObject

NEXT = "https://graph.microsoft.com/v1.0/me/calendarView/delta?$skiptoken=a"
END = "https://graph.microsoft.com/v1.0/me/calendarView/delta?$deltatoken=b"


def event(identity: str, etag: str = "1") -> JsonObject:
    return {"id": identity, "@odata.etag": etag}


def gone(identity: str, reason: str = "deleted") -> JsonObject:
    return {"id": identity, "@removed": {"reason": reason}}


def page(*items: JsonValue, **links: JsonValue) -> JsonObject:
    return {"value": list(items), **(links or {"@odata.deltaLink": END})}


PAGES = [
    pytest.param(page(event("a"), gone("b")), [event("a")], ["b"], id="both"),
    pytest.param(page(), [], [], id="empty"),
    pytest.param(page(event("a"), event("a", "2")), [event("a", "2")], [], id="said-again"),
    pytest.param(page(event("a"), gone("a")), [], ["a"], id="removed-after-all"),
    pytest.param(page(gone("a"), event("a")), [event("a")], [], id="back-again"),
    pytest.param(page(gone("a"), gone("a", "changed")), [], ["a"], id="removed-twice"),
    pytest.param(
        page(event("a"), event("b"), event("a", "2")),
        [event("b"), event("a", "2")],
        [],
        id="last-order",
    ),
    pytest.param(
        page(event("aA"), event("aa"), gone("a_"), gone("a-")),
        [event("aA"), event("aa")],
        ["a_", "a-"],
        id="ids-alike",
    ),
    pytest.param(page({"id": "a", "@removed": {}}), [], ["a"], id="removed-without-reason"),
    pytest.param(page({"id": "a", "@removed": None}), [{"id": "a", "@removed": None}], [], id="removed-null"),
    pytest.param(
        page(None, 7, "a", [], {}, {"id": ""}, {"id": 7}, event("a")), [event("a")], [], id="rubbish"
    ),
]


@pytest.mark.parametrize(("value", "events", "removed"), PAGES)
def test_what_a_page_says(value: JsonObject, events: list[JsonObject], removed: list[str]) -> None:
    assert read_page(value) == DeltaPage(tuple(events), tuple(removed), delta_link=END)


LINKS = [
    pytest.param({"@odata.nextLink": NEXT}, NEXT, "", id="next"),
    pytest.param({"@odata.deltaLink": END}, "", END, id="end"),
    pytest.param({"@odata.nextLink": NEXT, "@odata.deltaLink": END}, NEXT, "", id="next-goes-before-end"),
    pytest.param({"@odata.nextLink": None, "@odata.deltaLink": END}, "", END, id="next-null"),
    pytest.param({"@odata.nextLink": "", "@odata.deltaLink": END}, "", END, id="next-empty"),
]


@pytest.mark.parametrize(("links", "following", "end"), LINKS)
def test_where_it_goes_on(links: JsonObject, following: str, end: str) -> None:
    read = read_page(page(event("a"), **links))
    assert (read.next_link, read.delta_link) == (following, end)


UNREADABLE = [
    pytest.param(None, id="no-answer"),
    pytest.param({}, id="empty"),
    pytest.param({"@odata.deltaLink": END}, id="no-list"),
    pytest.param({"value": None, "@odata.deltaLink": END}, id="null-list"),
    pytest.param({"value": {"a": 1}, "@odata.deltaLink": END}, id="object-for-list"),
    pytest.param({"value": []}, id="no-link"),
    pytest.param({"value": [], "@odata.deltaLink": 7}, id="link-of-another-type"),
]


@pytest.mark.parametrize("value", UNREADABLE)
def test_a_page_that_would_lose_the_place_is_asked_for_again(value: JsonObject | None) -> None:
    with pytest.raises(UnknownOutcome):
        read_page(value)


_ITEMS = st.lists(
    st.tuples(st.sampled_from("abcABC"), st.booleans()).map(
        lambda said: gone(said[0]) if said[1] else event(said[0])
    ),
    max_size=12,
)


@given(_ITEMS)
def test_every_id_is_told_once(items: list[JsonObject]) -> None:
    read = read_page(page(*items))
    told = [*(one["id"] for one in read.events), *read.removed]
    assert sorted(map(str, told)) == sorted({str(one["id"]) for one in items})
    last = {one["id"]: one for one in items}
    assert all(last[one["id"]] == one for one in read.events)
    assert all("@removed" in last[identity] for identity in read.removed)
