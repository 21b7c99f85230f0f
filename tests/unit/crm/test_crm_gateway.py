"""EspoCRM as a gateway: what is asked, and what each answer means for presence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from requests import ConnectTimeout, PreparedRequest, ReadTimeout, RequestException, Response

from calsync_plugin.crm.client import IDS_LENGTH, PAGE_SIZE
from calsync_plugin.crm.gateway import (
    CrmGateway,
    Found,
    Missing,
    ModifiedPage,
    ModifiedRecord,
    PersonCard,
    Record,
)
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import (
    Forbidden,
    RemoteError,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)
from calsync_plugin.http import Answer
from calsync_plugin.settings import EntitySettings
from tests.unit.crm.recordings import Player, Sent, gateway_of, ok, reason, rows

MOMENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def record(record_id: str, **attributes: object) -> dict[str, object]:
    return {"id": record_id, "name": f"name of {record_id}", **attributes}


def crm(*present: dict[str, object], single: Callable[[str], Answer] | None = None) -> Player:
    """Lists the records of `present` by id; what a GET of another id answers is `single`."""

    def play(sent: Sent) -> Answer:
        if "/" in sent.path:
            record_id = sent.path.split("/")[1]
            return single(record_id) if single else reason(404, f"Record {record_id} does not exist.")
        wanted = sent.search["where"][0]["value"]
        return rows(*(row for row in present if row["id"] in wanted))

    return Player(play)


def test_many_records_take_one_request() -> None:
    player = crm(record("1"), record("2"))

    loaded = gateway_of(player).load("Meeting", ["1", "2", "1"])

    assert loaded == {"1": Found(record("1")), "2": Found(record("2"))}
    (sent,) = player.sent
    assert (sent.method, sent.path, sent.headers["X-No-Total"]) == ("GET", "Meeting", "true")
    assert sent.search["where"] == [{"type": "in", "attribute": "id", "value": ["1", "2"]}]
    assert {"usersIds", "dateStartDate", "description"} <= set(sent.search["select"])
    assert sent.search["maxSize"] == PAGE_SIZE


def test_one_record_is_read_whole() -> None:
    player = crm(single=lambda record_id: ok(record(record_id)))

    assert gateway_of(player).load("Meeting", ["1"]) == {"1": Found(record("1"))}
    assert [sent.path for sent in player.sent] == ["Meeting/1"]


def test_nothing_is_asked_for_nothing() -> None:
    player = crm()

    assert gateway_of(player).load("Meeting", []) == {}
    assert gateway_of(player).people(PersonKind.USER, []) == {}
    assert player.sent == []


@pytest.mark.parametrize(("id_length", "requests"), [(17, 3), (36, 5)], ids=["EspoCRM's own ids", "UUIDs"])
def test_addresses_stay_short_enough_for_any_server(id_length: int, requests: int) -> None:
    ids = [f"{number:0{id_length}}" for number in range(600)]
    player = crm(*map(record, ids))

    loaded = gateway_of(player).load("Meeting", ids)

    assert all(isinstance(answer, Found) for answer in loaded.values())
    assert len(loaded) == 600
    assert len(player.sent) == requests
    assert max(map(len, player.addresses)) < IDS_LENGTH + 1_500 < 8_000


def test_a_text_that_a_list_may_have_cut_is_read_whole() -> None:
    whole = record("2", description="x" * 100_000)
    player = crm(record("1"), record("2", description="x" * 10_000), single=lambda _: ok(whole))

    loaded = gateway_of(player).load("Meeting", ["1", "2"])

    assert loaded["2"] == Found(whole)
    assert [sent.path for sent in player.sent] == ["Meeting", "Meeting/2"]


@pytest.mark.parametrize(
    ("answer", "presence"),
    [
        pytest.param(reason(404, "Record x does not exist."), Presence.GONE, id="does not exist"),
        pytest.param(reason(404, "Record x not found."), Presence.GONE, id="not found"),
        pytest.param(ok(record("x", deleted=True)), Presence.GONE, id="an admin sees it deleted"),
        pytest.param(reason(403, "No 'read' access."), Presence.OUT_OF_SCOPE, id="no access"),
        pytest.param(reason(403, ""), Presence.UNKNOWN, id="403 without words"),
        pytest.param(
            reason(404, "Controller 'Meeting' does not exist."), Presence.UNKNOWN, id="no controller"
        ),
        pytest.param(reason(404, None), Presence.UNKNOWN, id="404 of a proxy"),
        pytest.param(reason(404, "Record y does not exist."), Presence.UNKNOWN, id="404 for another"),
        pytest.param(reason(500, None), Presence.UNKNOWN, id="poison"),
        pytest.param(ok(record("y")), Presence.UNKNOWN, id="another record"),
    ],
)
@pytest.mark.parametrize("others", [(), ("1",)], ids=["alone", "after a list"])
def test_presence(answer: Answer, presence: Presence, others: tuple[str, ...]) -> None:
    player = crm(record("1"), single=lambda _: answer)

    loaded = gateway_of(player).load("Meeting", ["x", *others])

    missing = loaded["x"]
    assert isinstance(missing, Missing)
    assert missing.presence is presence
    assert missing.reason
    assert all(loaded[other] == Found(record(other)) for other in others)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(reason(403, None), Throttled, id="address blocked"),
        pytest.param(reason(401, None), Unauthorized, id="unauthorized"),
        pytest.param(reason(503, None), Unavailable, id="maintenance"),
        pytest.param(reason(504, None), UnknownOutcome, id="gateway time-out"),
        pytest.param(Answer(200, {}, b'{"id": "x'), UnknownOutcome, id="truncated"),
        pytest.param(ok([]), UnknownOutcome, id="no object"),
    ],
)
@pytest.mark.parametrize("ids", [["x"], ["x", "1"]], ids=["alone", "with others"])
def test_trouble_of_the_whole_crm_ends_the_load(
    answer: Answer, error: type[RemoteError], ids: list[str]
) -> None:
    with pytest.raises(error) as caught:
        gateway_of(Player(lambda _: answer)).load("Meeting", ids)

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("answer", "presence"),
    [
        pytest.param(reason(403, "No read access."), Presence.OUT_OF_SCOPE, id="no access to the entity"),
        pytest.param(reason(404, "Controller 'X' does not exist."), Presence.UNKNOWN, id="no such entity"),
        pytest.param(reason(403, "Max size should not exceed 100."), Presence.UNKNOWN, id="another 403"),
    ],
)
def test_an_entity_that_cannot_be_listed(answer: Answer, presence: Presence) -> None:
    player = Player(lambda _: answer)

    loaded = gateway_of(player).load("X", ["1", "2"])

    assert [m.presence for m in loaded.values() if isinstance(m, Missing)] == [presence, presence]
    assert len(player.sent) == 1


def test_a_failing_list_says_nothing_of_any_record() -> None:
    with pytest.raises(UnknownOutcome):
        gateway_of(Player(lambda _: reason(500, None))).load("Meeting", ["1", "2"])


class Dead(Player):
    error: type[RequestException] = ConnectTimeout

    def send(self, request: PreparedRequest, *args: object, **kwargs: object) -> Response:
        raise self.error(request=request)


@pytest.mark.parametrize(
    ("broken", "error"),
    [(ConnectTimeout, Unavailable), (ReadTimeout, UnknownOutcome)],
    ids=["no connection", "slow"],
)
def test_no_answer(broken: type[RequestException], error: type[RemoteError]) -> None:
    dead = Dead(lambda _: ok(None))
    dead.error = broken

    with pytest.raises(error):
        gateway_of(dead).load("Meeting", ["1"])


def test_a_truthless_list_is_no_answer() -> None:
    with pytest.raises(UnknownOutcome, match="has no list"):
        gateway_of(Player(lambda _: ok({"total": 0}))).load("Meeting", ["1", "2"])


def test_people() -> None:
    alice = {"id": "u1", "name": "Alice Able", "emailAddress": "Alice@example.com", "isActive": False}
    player = crm(alice, {"id": "u2", "name": None, "emailAddress": None})

    cards = gateway_of(player).people(PersonKind.USER, ["u1", "u2", "u3"])

    assert cards == {
        "u1": PersonCard(id="u1", name="Alice Able", addresses=("Alice@example.com",), active=False),
        "u2": PersonCard(id="u2"),
    }
    assert [sent.path for sent in player.sent] == ["User"]


def test_people_whom_we_may_not_read_are_nobody() -> None:
    gateway = gateway_of(Player(lambda _: reason(403, "No read access.")))

    assert gateway.people(PersonKind.LEAD, ["l1"]) == {}
    assert gateway.people_by_address(["erin@fabrikam.example"]) == {}


PEOPLE: dict[str, list[dict[str, object]]] = {
    "User": [
        {"id": "u0", "emailAddress": "left@example.com", "isActive": False},
        {"id": "u1", "emailAddress": "Alice@Example.com", "isActive": True},
    ],
    "Contact": [
        {"id": "c0", "emailAddress": "alice@example.com"},
        {"id": "c1", "emailAddress": "carol@contoso.example"},
        {"id": "c2", "emailAddress": "carol@contoso.example"},
    ],
    "Lead": [{"id": "l1", "emailAddress": "erin@fabrikam.example"}],
}
SECOND = "Carol.Second@contoso.example"


def address_book() -> Player:
    def play(sent: Sent) -> Answer:
        entity_type, _, record_id = sent.path.partition("/")
        if record_id == "c1":
            primary = {"emailAddress": "carol@contoso.example", "primary": True}
            return ok({**PEOPLE["Contact"][1], "emailAddressData": [primary, {"emailAddress": SECOND}]})
        if record_id:
            return reason(403, "No 'read' access.")
        wanted = sent.search["where"][0]["value"]
        return rows(
            *(
                person
                for person in PEOPLE[entity_type]
                if str(person["emailAddress"]).lower() in wanted
                or (person["id"] in {"c1", "c2"} and SECOND.lower() in wanted)
            )
        )

    return Player(play)


@pytest.mark.parametrize(
    ("address", "person"),
    [
        pytest.param("ALICE@example.com", Person(PersonKind.USER, "u1"), id="the user before the contact"),
        pytest.param("Carol@Contoso.example ", Person(PersonKind.CONTACT, "c1"), id="the oldest of two"),
        pytest.param(SECOND, Person(PersonKind.CONTACT, "c1"), id="a further address"),
        pytest.param("erin@fabrikam.example", Person(PersonKind.LEAD, "l1"), id="lead"),
        pytest.param("left@example.com", None, id="a user who left"),
        pytest.param("nobody@elsewhere.example", None, id="nobody"),
        pytest.param("", None, id="no address"),
    ],
)
def test_people_by_address(address: str, person: Person | None) -> None:
    found = gateway_of(address_book()).people_by_address([address])

    assert found == ({address.strip().lower(): person} if person else {})


def test_many_addresses_at_once() -> None:
    player = address_book()

    found = gateway_of(player).people_by_address(["alice@example.com", "carol@contoso.example", SECOND])

    assert {address: person.id for address, person in found.items()} == {
        "alice@example.com": "u1",
        "carol@contoso.example": "c1",
        SECOND.lower(): "c1",
    }
    assert [s.path for s in player.sent] == ["User", "User", "Contact", "Contact", "Contact/c1", "Contact/c2"]
    assert {s.search["orderBy"] for s in player.sent if "/" not in s.path} == {"createdAt"}


def test_modified_since() -> None:
    line = {"id": "1", "modifiedAt": "2026-11-20 09:06:53", "assignedUserId": "u1"}
    player = Player(lambda _: rows(line, {"id": "2"}, more=True))

    page = gateway_of(player).modified_since("Meeting", MOMENT + timedelta(hours=1), limit=2, offset=4)

    at = datetime(2026, 11, 20, 9, 6, 53, tzinfo=UTC)
    never = datetime.min.replace(tzinfo=UTC)
    assert page == ModifiedPage((ModifiedRecord("1", at, "u1"), ModifiedRecord("2", never, "")), more=True)
    assert player.sent[0].search == {
        "where": [{"type": "greaterThanOrEquals", "attribute": "modifiedAt", "value": "2026-11-20 10:00:00"}],
        "select": ["id", "modifiedAt", "assignedUserId"],
        "orderBy": "modifiedAt",
        "order": "asc",
        "maxSize": 2,
        "offset": 4,
    }


def test_update() -> None:
    player = Player(lambda _: ok(record("1")))

    gateway_of(player).update("Meeting", "1", {"name": "naïve \ud83d"}, version=4)

    (sent,) = player.sent
    assert (sent.method, sent.path, sent.payload) == ("PUT", "Meeting/1", {"name": "naïve ?"})
    assert sent.headers["X-Version-Number"] == "4"
    assert sent.headers["Content-Type"] == "application/json"


def test_update_without_a_version() -> None:
    player = Player(lambda _: ok(record("1")))

    gateway_of(player).update("Meeting", "1", {"name": "x"})

    assert "X-Version-Number" not in player.sent[0].headers


def test_a_concurrent_save_is_told() -> None:
    player = Player(lambda _: reason(409, "modified", {"values": {"name": "y"}, "versionNumber": 5}))

    with pytest.raises(VersionConflict) as caught:
        gateway_of(player).update("Meeting", "1", {"name": "x"}, version=4)

    assert (caught.value.values, caught.value.version) == ({"name": "y"}, 5)


def test_create_and_delete() -> None:
    player = Player(lambda sent: ok(record("9")) if sent.method == "POST" else ok(True))
    gateway = gateway_of(player)

    assert gateway.create("Meeting", {"name": "x"}) == "9"
    gateway.delete("Meeting", "9")

    assert [(sent.method, sent.path) for sent in player.sent] == [
        ("POST", "Meeting"),
        ("DELETE", "Meeting/9"),
    ]


@pytest.mark.parametrize("body", [False, None, {}, {"id": "1"}, [], {"total": 0, "list": []}], ids=repr)
def test_a_deletion_is_believed_only_if_it_is_said(body: object) -> None:
    with pytest.raises(UnknownOutcome):
        gateway_of(Player(lambda _: ok(body))).delete("Meeting", "1")


@pytest.mark.parametrize("body", [True, None, {}, record("2"), [], {"total": 0, "list": []}], ids=repr)
def test_an_update_is_believed_only_if_the_record_answers(body: object) -> None:
    with pytest.raises(UnknownOutcome):
        gateway_of(Player(lambda _: ok(body))).update("Meeting", "1", {"name": "x"})


@pytest.mark.parametrize("body", [True, {}, {"id": ""}, []], ids=repr)
def test_a_create_whose_answer_names_no_id(body: object) -> None:
    with pytest.raises(UnknownOutcome):
        gateway_of(Player(lambda _: ok(body))).create("Meeting", {})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(reason(403, "No read access."), None, id="no access"),
        pytest.param(reason(403, ""), Forbidden, id="another 403"),
        pytest.param(reason(404, "Controller 'X' does not exist."), Unavailable, id="no such entity now"),
        pytest.param(reason(503, None), Unavailable, id="maintenance"),
    ],
)
def test_records_of_an_entity_that_cannot_be_listed(answer: Answer, error: type[RemoteError] | None) -> None:
    def found() -> list[Record]:
        gateway = gateway_of(Player(lambda _: answer))
        return list(gateway.records_of("X", "u1", MOMENT, MOMENT + timedelta(days=1)))

    if error is None:
        assert found() == []
    else:
        with pytest.raises(error):
            found()


@pytest.mark.parametrize(
    ("found", "record_id"), [([record("1"), record("2")], "1"), ([], None)], ids=["two", "none"]
)
def test_find_by_marker(found: list[object], record_id: str | None) -> None:
    player = Player(lambda _: rows(*found))

    assert gateway_of(player).find_by_marker("Meeting", "cOutlookEventId", "i:l") == record_id
    assert player.sent[0].search["where"] == [
        {"type": "equals", "attribute": "cOutlookEventId", "value": "i:l"}
    ]


def test_the_espocrm_gateway_is_a_gateway() -> None:
    gateway: CrmGateway = gateway_of(crm())

    assert gateway.load("CVisit", []) == {}


def test_own_attributes_are_selected() -> None:
    visit = EntitySettings(entity_type="CVisit", location="place", marker="cMarker")
    player = crm(record("1"), record("2"))

    gateway_of(player, entities=(visit,)).load("CVisit", ["1", "2"])

    assert {"place", "cMarker"} <= set(player.sent[0].search["select"])
