"""What an EspoCRM must have for us, compared with what it has; the block of the configuration that fits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from calsync_plugin.crm.event_types import EventType, Field, read_event_types
from calsync_plugin.crm.proposal import as_configured, proposed
from calsync_plugin.crm.wanted import (
    WantedField,
    lacking,
    supported,
    wanted_field_rights,
    wanted_fields,
    wanted_rights,
)
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.http import Answer
from calsync_plugin.settings import EntitySettings
from tests.unit.crm.recordings import Player, Sent, client_of, ok

MEETING = EntitySettings(entity_type="Meeting")


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("9.2.0", True),
        ("9.2.7", True),
        ("9.10.0", True),
        ("10.0.0-beta1", True),
        ("9.1.9", False),
        ("8.4.2", False),
        ("9", False),
        ("", False),
        ("dev", False),
        ("²9.2", False),
    ],
)
def test_versions(version: str, good: bool) -> None:
    assert supported(version) is good


RIGHTS = wanted_rights(["Meeting"], create_contacts=False)
FULL = {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "all"}
ROLE: dict[str, Any] = {
    "data": {
        "Meeting": FULL,
        "Contact": {"read": "all"},
        "Lead": FULL,
        "User": {"read": "all", "edit": "own"},
        "Team": {"read": "all"},
        "Webhook": True,
    },
    "fieldData": {"Meeting": {"uid": {"read": "yes", "edit": "no"}}},
    "assignmentPermission": "all",
    "userPermission": "all",
}
UID = {"Meeting": {"uid": {"read": "yes", "edit": "no"}}}


def data(**changed: object) -> Mapping[str, object]:
    return {**ROLE, "data": {**ROLE["data"], **changed}}


def test_a_role_with_all_rights_lacks_nothing() -> None:
    change = lacking(ROLE, RIGHTS, UID)
    assert change.lacks == ()
    assert change.values == {}


@pytest.mark.parametrize(
    ("role", "says"),
    [
        pytest.param(
            data(Meeting={**FULL, "edit": "own", "delete": "team"}),
            "Meeting: edit all (now own), delete all (now team)",
            id="levels",
        ),
        pytest.param(data(Meeting={**FULL, "create": "no"}), "Meeting: create yes (now no)", id="create"),
        pytest.param(data(Webhook=False), "Webhook: enabled", id="switched off"),
        pytest.param(data(Contact=None), "Contact: read all", id="absent"),
        pytest.param({**ROLE, "userPermission": "team"}, "User Permission: all", id="user permission"),
        pytest.param({**ROLE, "assignmentPermission": "not-set"}, "Assignment Permission: all", id="assign"),
        pytest.param({**ROLE, "fieldData": {}}, "Meeting: field uid: read yes", id="field level"),
        pytest.param({**ROLE, "fieldData": []}, "Meeting: field uid: read yes", id="PHP's empty array"),
        pytest.param(
            {**ROLE, "fieldData": {"Meeting": {"uid": {"read": "no"}}}},
            "Meeting: field uid: read yes",
            id="field denied",
        ),
    ],
)
def test_what_a_role_lacks(role: Mapping[str, object], says: str) -> None:
    change = lacking(role, RIGHTS, UID)

    assert change.lacks == (says,)
    assert lacking({**role, **change.values}, RIGHTS, UID).lacks == ()


def test_nothing_is_taken_from_a_role() -> None:
    role = data(Account=FULL, Meeting={**FULL, "edit": "own"})
    role = {**role, "fieldData": {"Lead": {"phone": {"read": "no"}}, "Meeting": {"name": {"edit": "no"}}}}

    values = lacking(role, RIGHTS, UID).values

    assert values["data"]["Account"] == FULL  # type: ignore[index]
    assert values["data"]["Meeting"]["stream"] == "all"  # type: ignore[index]
    assert values["fieldData"] == {
        "Lead": {"phone": {"read": "no"}},
        "Meeting": {"name": {"edit": "no"}, "uid": {"read": "yes", "edit": "no"}},
    }


def test_the_uid_is_asked_for_where_there_is_one() -> None:
    kinds = [EventType(name="Meeting", fields={"uid": Field(type="varchar")}), EventType(name="CVisit")]
    assert wanted_field_rights(kinds) == UID


# Fields ---------------------------------------------------------------------------------------------------


def field(entity: EntitySettings = MEETING, *, number: int = 0) -> WantedField:
    return wanted_fields(entity, location=False)[number]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(EventType(name="Meeting"), "outlookEventId", id="EspoCRM adds the prefix"),
        pytest.param(EventType(name="CVisit", custom=True), "cOutlookEventId", id="custom: it does not"),
    ],
)
def test_the_name_that_creates_a_field(kind: EventType, name: str) -> None:
    payload = field().payload(kind)

    assert payload["name"] == name
    assert (payload["index"], payload["fieldManagerAdditionalParamList"]) == (True, [{"name": "index"}])


@pytest.mark.parametrize("name", ["marker", "cmarker", "c", "C"])
def test_a_name_that_espocrm_would_not_give(name: str) -> None:
    with pytest.raises(ConfigurationError, match="begins the names of new fields with c"):
        field(EntitySettings(entity_type="Meeting", marker=name)).payload(EventType(name="Meeting"))


@pytest.mark.parametrize(
    ("present", "trouble", "repairs"),
    [
        pytest.param(Field(type="varchar", length=255, index=True), "", (), id="fits"),
        pytest.param(Field(type="varchar", length=500, index=True), "", (), id="longer"),
        pytest.param(
            Field(type="varchar", length=100, index=True),
            "",
            ("takes 100 characters, needs 255",),
            id="short",
        ),
        pytest.param(Field(type="varchar", length=255), "", ("has no index",), id="no index"),
        pytest.param(Field(type="text", index=True), "", (), id="another kind of text"),
        pytest.param(Field(type="link"), "is a field of type link", (), id="no text"),
        pytest.param(Field(type="varchar", read_only=True), "is read-only", (), id="read-only"),
    ],
)
def test_a_present_field(present: Field, trouble: str, repairs: tuple[str, ...]) -> None:
    assert field().trouble(present) == trouble
    if not trouble:
        assert field().repairs(present) == repairs


@pytest.mark.parametrize(
    ("entity", "location", "names"),
    [
        pytest.param(MEETING, False, ["cOutlookEventId", "cOutlookJoinUrl"], id="defaults"),
        pytest.param(MEETING, True, ["cOutlookEventId", "cOutlookJoinUrl", "cOutlookLocation"], id="place"),
        pytest.param(
            EntitySettings(entity_type="Meeting", marker="cM", join_url="cJ", location="cL"),
            False,
            ["cM", "cJ", "cL"],
            id="configured",
        ),
    ],
)
def test_wanted_fields(entity: EntitySettings, location: bool, names: list[str]) -> None:
    assert [one.attribute for one in wanted_fields(entity, location=location)] == names


# Kinds of records -----------------------------------------------------------------------------------------

OPTIONAL = {"type": "datetimeOptional", "required": True}
SCOPES = {
    "CVisit": {"entity": True, "type": "Event", "isCustom": True, "customizable": True},
    "Call": {"entity": True, "customizable": True, "calendar": True},
    "Meeting": {"entity": True, "customizable": True, "calendar": True},
    "Task": {"entity": True, "customizable": True, "calendar": True, "type": "BasePlus"},
    "COld": {"entity": True, "type": "Event", "isCustom": True, "disabled": True},
    "Calendar": {"entity": False},
    "Lead": {"entity": True, "type": "Person"},
}
DEFS: dict[str, object] = {
    "Meeting": {
        "fields": {
            "dateStart": OPTIONAL,
            "description": {"type": "text"},
            "uid": {"type": "varchar", "readOnly": True},
        },
        "links": {"users": {}, "contacts": {}, "leads": {}, "teams": {}},
        "optimisticConcurrencyControl": True,
    },
    "Call": {"fields": {"dateStart": {"type": "datetime"}}, "links": {"users": {}}},
    "CVisit": {
        "fields": {
            "dateStart": OPTIONAL,
            "description": {"type": "wysiwyg"},
            "cPlace": {"type": "varchar", "maxLength": 100, "isCustom": True},
        },
        "links": {},
    },
}


def crm(sent: Sent) -> Answer:
    (key,) = sent.query["key"]
    return ok(SCOPES if key == "scopes" else DEFS[key.removeprefix("entityDefs.")])


def test_the_kinds_are_read_from_the_metadata() -> None:
    kinds = read_event_types(client_of(Player(crm)))

    assert list(kinds) == ["Meeting", "Call", "CVisit"]
    assert [kind.all_day for kind in kinds.values()] == [True, False, True]
    assert [kind.custom for kind in kinds.values()] == [False, False, True]
    assert [kind.concurrency for kind in kinds.values()] == [True, False, False]
    assert [sorted(kind.people) for kind in kinds.values()] == [["contacts", "leads", "users"], ["users"], []]
    assert kinds["CVisit"].fields["cPlace"] == Field(type="varchar", length=100, custom=True)
    assert [kind.location() for kind in kinds.values()] == ["", "", "cPlace"]
    assert [kind.description() for kind in kinds.values()] == [
        ("description", "text"),
        ("", "text"),
        ("description", "html"),
    ]


@pytest.mark.parametrize("told", [None, [], {}, {"scopes": 1}], ids=repr)
def test_metadata_that_tells_nothing(told: object) -> None:
    assert read_event_types(client_of(Player(lambda _: ok(told)))) == {}


def kinds_of(*names: str) -> list[EventType]:
    start = {"dateStart": Field(type="datetimeOptional"), "description": Field(type="text")}
    return [EventType(name=name, custom=name not in ("Meeting", "Call"), fields=start) for name in names]


@pytest.mark.parametrize(
    ("names", "configured", "labels"),
    [
        pytest.param(["Meeting", "Call", "CVisit"], {}, ["", "C", "V"], id="first letters"),
        pytest.param(["Meeting", "CVisit", "CVideo", "Seminar"], {}, ["", "V", "VI", "S"], id="taken"),
        pytest.param(["Meeting", "Call", "CCourse"], {}, ["", "C", "CO"], id="like a call"),
        pytest.param(["Meeting", "CVisit"], {"Call": "v"}, ["", "VI"], id="taken by another configured one"),
        pytest.param(["Call", "CVisit"], {"CVisit": "X"}, ["C", "X"], id="kept"),
        pytest.param(["Call", "CVisit"], {"CVisit": ""}, ["C", ""], id="kept without one"),
    ],
)
def test_labels(names: list[str], configured: dict[str, str], labels: list[str]) -> None:
    known = {name: EntitySettings(entity_type=name, label=label) for name, label in configured.items()}

    assert [one.label for one in proposed(kinds_of(*names), known, location=False)] == labels


def test_what_is_configured_stays() -> None:
    known = EntitySettings(
        entity_type="Meeting", label="M", marker="cMine", reminder="cMinutes", description="", all_day=True
    )

    (entry,) = proposed(kinds_of("Meeting"), {"Meeting": known}, location=True)

    assert (entry.label, entry.marker, entry.reminder, entry.description) == ("M", "cMine", "cMinutes", "")
    assert (entry.join_url, entry.location) == ("cOutlookJoinUrl", "cOutlookLocation")


def test_the_block_holds_only_what_differs_and_is_read_back() -> None:
    entries = proposed(kinds_of("Meeting", "CVisit"), {}, location=False)

    told = [as_configured(entry) for entry in entries]

    assert told[0] == {"entity_type": "Meeting", "marker": "cOutlookEventId", "join_url": "cOutlookJoinUrl"}
    assert tuple(EntitySettings(**json.loads(json.dumps(one))) for one in told) == entries
