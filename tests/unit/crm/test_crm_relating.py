"""Writing records whose people, teams or parents the CRM has lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from calsync_plugin.crm.attributes import RecordWrite
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import PersonCard, Record, SimpleGateway
from calsync_plugin.crm.relating import write_related
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import Refused, UnknownOutcome

WRITE = RecordWrite(
    {
        "name": "Kick-off",
        "assignedUserId": "u1",
        "usersIds": ["u1", "u2"],
        "usersColumns": {"u1": {"status": "Accepted"}, "u2": {"status": "None"}},
        "contactsIds": ["c1", "c2"],
        "teamsIds": ["t1"],
        "parentType": "Account",
        "parentId": "a1",
    },
    ("a note",),
)


class People(SimpleGateway):
    """Everybody is known but those in `gone`; `left` are not active."""

    def __init__(self, gone: Collection[str] = (), left: Collection[str] = ()) -> None:
        self.gone, self.left = set(gone), set(left)

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        return {
            i: PersonCard(id=i, name=f"N{i}", active=i not in self.left) for i in ids if i not in self.gone
        }


class Crm:
    """Refuses the link that a rule names as long as it finds somebody of the rule."""

    def __init__(self, **refused: str) -> None:
        self.refused = refused
        self.sent: list[Record] = []

    def __call__(self, attributes: Record) -> str:
        self.sent.append(dict(attributes))
        for link, one in self.refused.items():
            if any(one in _values(attributes.get(f"{link}{end}")) for end in ("Ids", "Id")):
                raise Refused("the CRM: no", reason=f"cannot_relate:{link}")
        return "new"


def _values(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("crm", "people", "changed", "notes"),
    [
        pytest.param(Crm(), People(), {}, [], id="nothing"),
        pytest.param(
            Crm(contacts="c1"), People(["c1"]), {"contactsIds": ["c2"]}, ["contact c1"], id="contact gone"
        ),
        pytest.param(
            Crm(users="u2"),
            People(["u2"]),
            {"usersIds": ["u1"], "usersColumns": {"u1": {"status": "Accepted"}}},
            ["user u2"],
            id="user gone, columns as well",
        ),
        pytest.param(
            Crm(users="u2"),
            People(left=["u2"]),
            {"usersIds": ["u1"], "usersColumns": {"u1": {"status": "Accepted"}}},
            ["user Nu2"],
            id="user who left",
        ),
        pytest.param(
            Crm(contacts="c2"),
            People(["c1", "c2"]),
            {"contactsIds": []},
            ["contact c1", "contact c2"],
            id="all who are gone at once",
        ),
        pytest.param(Crm(teams="t1"), People(), {"teamsIds": None}, ["its teams"], id="team"),
        pytest.param(
            Crm(parent="a1"), People(), {"parentId": None, "parentType": None}, ["its parent"], id="parent"
        ),
        pytest.param(
            Crm(contacts="c1", teams="t1"),
            People(["c1"]),
            {"contactsIds": ["c2"], "teamsIds": None},
            ["contact c1", "its teams"],
            id="one after the other",
        ),
    ],
)
def test_left_out(crm: Crm, people: People, changed: dict[str, object], notes: list[str]) -> None:
    answer, sent = write_related(crm, WRITE, Directory(people))

    expected = {k: v for k, v in {**WRITE.attributes, **changed}.items() if v is not None}
    assert (answer, crm.sent[-1], sent.attributes) == ("new", expected, expected)
    assert sent.notes[0] == "a note"
    assert len(sent.notes) == 1 + len(notes)
    assert all(words in note for words, note in zip(notes, sent.notes[1:], strict=True))
    assert WRITE.attributes["contactsIds"] == ["c1", "c2"]


def test_what_is_remembered_is_not_believed_and_names_who_it_was() -> None:
    people = People()
    directory = Directory(people)
    directory.prefetch([Person(PersonKind.CONTACT, "c1")])
    people.gone.add("c1")

    _, sent = write_related(Crm(contacts="c1"), WRITE, directory)

    assert sent.notes[1] == "contact Nc1 cannot be related in the CRM; left out of the record"


@pytest.mark.parametrize(
    ("crm", "users"),
    [
        pytest.param(Crm(contacts="c1"), ["u1", "u2"], id="who is on the record stays"),
        pytest.param(Crm(contacts="c1", users="u2"), ["u1"], id="unless that is the reason"),
    ],
)
def test_who_is_on_the_record_is_given_up_last(crm: Crm, users: list[str]) -> None:
    present = {Person(PersonKind.USER, "u1"), Person(PersonKind.USER, "u2")}

    _, sent = write_related(crm, WRITE, Directory(People(["c1", "u2"])), present=present)

    assert (sent.attributes["contactsIds"], sent.attributes["usersIds"]) == (["c2"], users)


@pytest.mark.parametrize("link", ["users", "assignedUser", "contacts"])
def test_if_nobody_is_left_to_leave_out_the_refusal_stands(link: str) -> None:
    people = People()
    directory = Directory(people)
    owner = Person(PersonKind.USER, "u1")
    assert directory.card(owner) is not None
    people.gone.add("u1")
    one = {"users": "u1", "assignedUser": "u1", "contacts": "c1"}[link]
    crm = Crm(**{link: one})

    with pytest.raises(Refused):
        write_related(crm, WRITE, directory)

    assert len(crm.sent) == 1
    assert directory.card(owner) is None


@pytest.mark.parametrize(
    "error", [Refused("no", reason="pattern:name"), UnknownOutcome("?")], ids=["content", "outcome"]
)
def test_other_errors_are_passed_on(error: Exception) -> None:
    sent = []

    def send(attributes: Record) -> None:
        sent.append(attributes)
        raise error

    with pytest.raises(type(error)):
        write_related(send, WRITE, Directory(People(["c1"])))

    assert len(sent) == 1
