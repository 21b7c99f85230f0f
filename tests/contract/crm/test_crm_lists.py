"""Lists: conditions, order, pages, totals, selected attributes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID, CAROL_ID, DAVE_ID, ERIN_ID
from tests.contract.crm.conftest import Sandbox


@pytest.fixture
def three(sandbox: Sandbox) -> Sandbox:
    """Meetings a (Alice), b (Bob, with Dave) and c (Alice and Bob, held), one minute apart."""
    sandbox.meeting(name="a", cOutlookEventId="one")
    sandbox.later(60)
    sandbox.meeting(name="b", assignedUserId=BOB_ID, contactsIds=[DAVE_ID], dateStart="2026-12-02 10:00:00")
    sandbox.later(60)
    sandbox.meeting(name="c", usersIds=[BOB_ID], status="Held", dateStart="2026-12-03 10:00:00")
    return sandbox


def names(sandbox: Sandbox, **params: Any) -> str:
    answer = sandbox.ok("GET", f"Meeting?searchParams={json.dumps({'select': ['name'], **params})}")
    assert answer["total"] == len(answer["list"])
    return "".join(line["name"] for line in answer["list"])


def where(kind: str, attribute: str | None = None, value: object = None, **more: Any) -> dict[str, Any]:
    return {"type": kind, "attribute": attribute, "value": value, **more}


SECOND = "2026-11-20 09:01:00"


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        pytest.param([], "cba", id="all, by start falling"),
        pytest.param([where("equals", "name", "B")], "b", id="equals without case"),
        pytest.param([where("notEquals", "name", "b")], "ca", id="notEquals"),
        pytest.param([where("in", "name", ["a", "c"])], "ca", id="in"),
        pytest.param([where("equals", "cOutlookEventId", "one")], "a", id="marker"),
        pytest.param([where("isNull", "cOutlookEventId")], "cb", id="isNull"),
        pytest.param([where("isNotNull", "cOutlookEventId")], "a", id="isNotNull"),
        pytest.param([where("after", "modifiedAt", SECOND)], "c", id="after"),
        pytest.param([where("greaterThan", "modifiedAt", SECOND)], "c", id="greaterThan"),
        pytest.param([where("greaterThanOrEquals", "modifiedAt", SECOND)], "cb", id="greaterThanOrEquals"),
        pytest.param([where("before", "modifiedAt", SECOND)], "a", id="before"),
        pytest.param([where("lessThanOrEquals", "modifiedAt", SECOND)], "ba", id="lessThanOrEquals"),
        pytest.param([where("on", "modifiedAt", SECOND)], "b", id="on"),
        pytest.param([where("between", "modifiedAt", [SECOND, "2026-11-20 09:05:00"])], "cb", id="between"),
        pytest.param(
            [where("after", "dateStart", "2026-12-02 11:30:00", dateTime=True, timeZone="Europe/Berlin")],
            "c",
            id="after in a zone",
        ),
        pytest.param([where("linkedWith", "users", [BOB_ID])], "cb", id="linkedWith"),
        pytest.param([where("notLinkedWith", "users", [BOB_ID])], "a", id="notLinkedWith"),
        pytest.param([where("linkedWith", "contacts", [DAVE_ID, ERIN_ID])], "b", id="linkedWith any"),
        pytest.param([where("linkedWith", "assignedUser", [ALICE_ID])], "ca", id="linkedWith one"),
        pytest.param([where("isTrue", "deleted")], "", id="isTrue"),
        pytest.param([where("isFalse", "isAllDay")], "cba", id="isFalse"),
        pytest.param([where("contains", "name", "b")], "b", id="contains"),
        pytest.param([where("future", "dateStart")], "cba", id="future"),
        pytest.param(
            [where("or", value=[where("equals", "name", "a"), where("equals", "status", "Held")])],
            "ca",
            id="or",
        ),
        pytest.param(
            [
                where(
                    "or",
                    value=[
                        where("and", value=[where("equals", "name", "a"), where("equals", "status", "Held")]),
                        where("lessThan", "dateStart", "2026-12-02 10:00:00"),
                    ],
                )
            ],
            "a",
            id="and in or",
        ),
        pytest.param([where("not", value=[where("equals", "name", "a")])], "cb", id="not"),
        pytest.param(
            [where("equals", "assignedUserId", ALICE_ID), where("after", "modifiedAt", SECOND)], "c", id="two"
        ),
    ],
)
def test_conditions(three: Sandbox, conditions: list[dict[str, Any]], found: str) -> None:
    assert names(three, where=conditions) == found


@pytest.mark.parametrize(
    ("params", "found"),
    [
        pytest.param({"orderBy": "modifiedAt"}, "abc", id="rising unless told"),
        pytest.param({"orderBy": "modifiedAt", "order": "desc"}, "cba", id="falling"),
        pytest.param({"orderBy": "name", "order": "desc"}, "cba", id="no index"),
    ],
)
def test_order(three: Sandbox, params: dict[str, Any], found: str) -> None:
    assert names(three, **params) == found


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("attribute", ["modifiedAt", "name"])
def test_pages_meet(three: Sandbox, order: str, attribute: str) -> None:
    query = f"Meeting?select=name&orderBy={attribute}&order={order}&maxSize=2"
    first, second = three.ok("GET", query), three.ok("GET", f"{query}&offset=2")

    whole = [line["name"] for line in first["list"] + second["list"]]
    assert whole == (["a", "b", "c"] if order == "asc" else ["c", "b", "a"])
    assert (first["total"], second["total"]) == (3, 3)
    assert three.ok("GET", f"{query}&offset=3")["list"] == []


@pytest.mark.parametrize(
    ("query", "total"),
    [pytest.param("maxSize=2", -1, id="more"), pytest.param("maxSize=3", -2, id="no more")],
)
def test_without_total(three: Sandbox, query: str, total: int) -> None:
    assert three.ok("GET", f"Meeting?{query}", X_No_Total="true")["total"] == total


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        pytest.param("maxSize=201", 403, "Max size should not exceed 200. Use offset and limit.", id="size"),
        pytest.param("orderBy=nope", 400, "Order by non-existing field 'nope'.", id="order"),
        pytest.param(
            "where[0][type]=equals&where[0][attribute]=nope&where[0][value]=1",
            400,
            "Not existing attribute 'nope' in where.",
            id="attribute",
        ),
        pytest.param('searchParams={"select": "id"}', 400, "select should be array.", id="select"),
        pytest.param(
            "where[0][type]=equals&where[0][attribute]=uid&where[0][value]=1",
            403,
            "Forbidden attribute 'uid' in where.",
            id="hidden",
        ),
        pytest.param(
            'searchParams={"where": [{"type": "or", "value": [{"type": "and", "value":'
            ' [{"type": "equals", "attribute": "uid", "value": "1"}]}]}]}',
            403,
            "Forbidden attribute 'uid' in where.",
            id="hidden in groups",
        ),
    ],
)
def test_refusals(sandbox: Sandbox, query: str, status: int, reason: str) -> None:
    response = sandbox.call("GET", f"Meeting?{query}")

    assert (response.status_code, response.headers["X-Status-Reason"]) == (status, reason)


def test_selecting_ids_brings_names_and_columns(three: Sandbox) -> None:
    line = three.ok("GET", "Meeting?select=id,usersIds,nonsense&orderBy=modifiedAt&maxSize=1")["list"][0]

    assert set(line) == {
        *("id", "usersIds", "usersNames", "usersColumns"),
        *("modifiedAt", "parentName", "createdById", "assignedUserId"),
    } - {"modifiedAt"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("equals", "DAVE@contoso.example", id="any case"),
        pytest.param("equals", "dave.second@contoso.example", id="second address"),
        pytest.param("in", ["nobody@x.example", "Dave.Second@contoso.example"], id="in"),
    ],
)
def test_address(sandbox: Sandbox, kind: str, value: object) -> None:
    entries = [
        {"emailAddress": "dave@contoso.example", "primary": True},
        {"emailAddress": "Dave.Second@contoso.example", "primary": False},
    ]
    sandbox.ok("PUT", f"Contact/{DAVE_ID}", {"emailAddressData": entries})

    search = {"where": [where(kind, "emailAddress", value)]}
    answer = sandbox.ok("GET", f"Contact?searchParams={json.dumps(search)}")

    assert [line["id"] for line in answer["list"]] == [DAVE_ID]


def test_lists_cut_long_texts(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting(description="x" * 10_001)

    assert len(sandbox.ok("GET", "Meeting?select=description")["list"][0]["description"]) == 10_000
    assert len(sandbox.row(record_id)["description"]) == 10_001


@pytest.mark.parametrize("order", ["userName", "name"], ids=["by an index", "without"])
@pytest.mark.parametrize(
    ("by", "names"),
    [
        pytest.param("api", {"Admin", "Alice Able", "Bob Baker"}, id="API user"),
        pytest.param("bob", {"Admin", "Alice Able", "Bob Baker"}, id="user"),
        pytest.param(
            "admin",
            {"Admin", "Alice Able", "Bob Baker", "Carol Clark", "bridge-api", "bridge-hmac"},
            id="admin",
        ),
    ],
)
def test_who_left_and_programs_are_shown_to_admins_only(
    sandbox: Sandbox, by: str, names: set[str], order: str
) -> None:
    sandbox.ok("PUT", f"User/{CAROL_ID}", {"isActive": False}, by="admin")

    found = sandbox.ok("GET", f"User?select=name&orderBy={order}", by=by)

    assert {line["name"] for line in found["list"]} == names
    assert found["total"] == len(names)
    assert sandbox.call("GET", f"User/{CAROL_ID}", by=by).status_code == (200 if by == "admin" else 403)


def test_a_large_store_is_not_read_through(sandbox: Sandbox) -> None:
    """What an index answers looks at as many records as it finds, however many there are."""
    for number in range(2000):
        sandbox.crm.insert("Meeting", {"name": f"m{number}", "dateStart": "2026-12-01 10:00:00"})
    wanted = sandbox.meeting(name="x", cOutlookEventId="mark")
    table = sandbox.crm.store.tables["Meeting"]
    read: list[str] = []

    class Watched(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            read.append(key)
            return super().__getitem__(key)

    table.rows = Watched(table.rows)
    conditions = [
        [where("in", "id", [wanted])],
        [where("equals", "cOutlookEventId", "mark")],
        [where("after", "modifiedAt", "2026-11-20 08:00:00")],
        [where("linkedWith", "users", [ALICE_ID])],
    ]
    for condition in conditions:
        read.clear()
        search = {"where": condition, "maxSize": 3, "orderBy": "modifiedAt", "order": "desc"}
        answer = sandbox.ok("GET", f"Meeting?searchParams={json.dumps(search)}")
        assert answer["list"][0]["id"] == wanted
        assert len(read) < 20
