"""EspoCRM's people: who holds an address, at what cost, and how a contact is named."""

from __future__ import annotations

import pytest

from calsync_plugin.crm.people import PART_LENGTH, contact_attributes
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import Refused, UnknownOutcome
from calsync_plugin.http import Answer
from tests.unit.crm.recordings import Player, Sent, gateway_of, ok, reason, rows

ADDRESS = "dave@contoso.example"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        pytest.param("Dave Dunn", "Dave", "Dunn", id="two words"),
        pytest.param("Dave van der Dunn", "Dave van der", "Dunn", id="many words"),
        pytest.param("Dunn, Dave", "Dave", "Dunn", id="last name first"),
        pytest.param("Dunn,", "", "Dunn", id="a comma at the end"),
        pytest.param("Dave", "", "Dave", id="one word"),
        pytest.param(" 'Dave  Dunn' ", "Dave", "Dunn", id="quoted"),
        pytest.param("'dave@contoso.example'", "", "dave", id="the address"),
        pytest.param("", "", "dave", id="none"),
        pytest.param('"," ', "", "dave", id="signs only"),
        pytest.param("Dave <Dunn>=", "Dave", "Dunn", id="what a name cannot hold"),
        pytest.param("<=>", "", "dave", id="nothing that a name can hold"),
        pytest.param("x" * 300, "", "x" * PART_LENGTH, id="long"),
        pytest.param(f"{'y' * 99} z, {'x' * 300}", "x" * PART_LENGTH, "y" * 99, id="both long"),
    ],
)
def test_contact_attributes(name: str, first: str, last: str) -> None:
    attributes = contact_attributes(f" {ADDRESS} ", name)

    expected = {"emailAddress": ADDRESS, "firstName": first, "lastName": last}
    assert attributes == {key: value for key, value in expected.items() if value}


DUPLICATE = reason(409, "duplicate", [{"id": "c9", "emailAddress": "other@contoso.example"}])


@pytest.mark.parametrize(
    ("holders", "person", "posts"),
    [
        pytest.param(
            [{"id": "c1", "emailAddress": "Dave@contoso.example"}],
            Person(PersonKind.CONTACT, "c1"),
            1,
            id="holder",
        ),
        pytest.param([], Person(PersonKind.CONTACT, "c2"), 2, id="only a namesake"),
    ],
)
def test_a_duplicate(holders: list[object], person: Person, posts: int) -> None:
    def play(sent: Sent) -> Answer:
        if sent.method == "POST":
            skipped = sent.headers.get("X-Skip-Duplicate-Check") == "true"
            return ok({"id": "c2"}) if skipped else DUPLICATE
        return rows(*(holders if sent.path == "Contact" else []))

    player = Player(play)

    assert gateway_of(player).create_contact(ADDRESS, "Dave Dunn") == person
    assert len([sent for sent in player.sent if sent.method == "POST"]) == posts


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(ok({}), UnknownOutcome, id="no id"),
        pytest.param(reason(400, "Field validation failure"), Refused, id="refused"),
    ],
)
def test_a_contact_that_cannot_be_created(answer: Answer, error: type[Exception]) -> None:
    player = Player(lambda _: answer)

    with pytest.raises(error):
        gateway_of(player).create_contact(ADDRESS, "Dave")

    assert len(player.sent) == 1


def test_strangers_cost_one_list_for_each_kind() -> None:
    player = Player(lambda _: rows())

    assert gateway_of(player).people_by_address([f"n{n}@elsewhere.example" for n in range(100)]) == {}
    assert [sent.path for sent in player.sent] == ["User", "Contact", "Lead"]


@pytest.mark.parametrize("user_type", ["api", "portal", "system"])
def test_no_colleague_is_found_for_an_address(user_type: str) -> None:
    people: dict[str, list[dict[str, object]]] = {
        "User": [{"id": "u1", "emailAddress": ADDRESS, "isActive": True, "type": user_type}],
        "Contact": [{"id": "c1", "emailAddress": ADDRESS}],
    }
    player = Player(lambda sent: rows(*people.get(sent.path, [])))

    assert gateway_of(player).people_by_address([ADDRESS]) == {ADDRESS: Person(PersonKind.CONTACT, "c1")}
    assert not gateway_of(player).people(PersonKind.USER, ["u1"])["u1"].active
