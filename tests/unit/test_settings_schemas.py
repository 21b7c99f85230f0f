"""The schemas themselves: sound, complete enough to make forms of, and one with the frozen values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from calsync_plugin import bundle, config
from calsync_plugin.documents import Schema, problems
from calsync_plugin.settings import EntitySettings, Settings, UserEntity, UserSettings, load_settings

CAPTURES = Path(__file__).parents[1] / "samples" / "espocrm"
VOCABULARY = {
    "x-order", "x-env", "x-expected", "x-labels", "x-show-if", "x-choices", "x-config", "x-default",
}  # fmt: skip


def resolved(schema: Schema) -> Schema:
    """The schema with the one that it refers to laid under it."""
    if "$ref" not in schema:
        return schema
    name, _, pointer = schema["$ref"].partition("#")
    target: Any = bundle.schema(name.removesuffix(".schema.json"))
    for step in pointer.split("/")[1:]:
        target = target[step]
    return {**target, **{word: value for word, value in schema.items() if word != "$ref"}}


def properties(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """Every property with its path, and whether it is required."""
    for key, inner in schema.get("properties", {}).items():
        whole = resolved(inner)
        yield f"{path}.{key}", whole, key in schema.get("required", ())
        yield from properties(whole, f"{path}.{key}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from properties(schema[word], f"{path}[]")


ALL = [entry for name in bundle.SCHEMAS for entry in properties(bundle.schema(name), name)]


@pytest.mark.parametrize("name", bundle.SCHEMAS)
def test_a_schema_is_a_schema_of_2020_12(name: str) -> None:
    schema = bundle.schema(name)
    Draft202012Validator.check_schema(dict(schema))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{name}.schema.json"


def test_the_manifest_names_every_schema_file() -> None:
    files = {f"schemas/{file.name}" for file in (bundle.ROOT / "schemas").iterdir()}
    assert files == set(bundle.manifest().schemas.values())
    assert set(bundle.manifest().schemas) == set(bundle.SCHEMAS)


@pytest.mark.parametrize(("path", "schema", "required"), [pytest.param(*entry, id=entry[0]) for entry in ALL])
def test_a_property_says_what_a_form_needs(path: str, schema: Schema, required: bool) -> None:
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert isinstance(schema["x-order"], int)
    assert {word for word in schema if word.startswith("x-")} <= VOCABULARY
    assert set(schema.get("x-labels", schema.get("enum", ()))) == set(schema.get("enum", ()))
    if "default" in schema:
        related = {f"{name}.schema.json": bundle.schema(name) for name in bundle.SCHEMAS}
        assert problems(schema["default"], schema, related) == []
    else:
        assert required or schema["type"] == "object", f"{path} needs a default"


def groups(schema: Schema) -> Iterator[Schema]:
    """Every object in a schema."""
    if schema.get("type") == "object":
        yield schema
    for inner in [
        *schema.get("properties", {}).values(),
        schema.get("items"),
        schema.get("additionalProperties"),
    ]:
        if isinstance(inner, dict):
            yield from groups(resolved(inner))


@pytest.mark.parametrize("name", bundle.SCHEMAS)
def test_the_order_of_a_form_is_unambiguous(name: str) -> None:
    for group in groups(bundle.schema(name)):
        orders = [inner["x-order"] for inner in group.get("properties", {}).values()]
        assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("name", [name for name in bundle.SCHEMAS if name not in {"record", "sync_mode"}])
def test_a_typo_is_caught_in_every_group(name: str) -> None:
    assert [g for g in groups(bundle.schema(name)) if g.get("additionalProperties") in (None, True)] == []


def test_conditions_name_settings_and_values_that_exist() -> None:
    for name in ("external_account", "integration"):
        known = bundle.schema(name)["properties"]
        for schema in known.values():
            for other, values in schema.get("x-show-if", {}).items():
                target = resolved(known[other])
                assert set(values) <= set(target.get("enum", (True, False)))


def test_a_salesperson_reads_no_jargon() -> None:
    words = ("record type", "entity", "boolean", "attribute", "sync mode", "parameter", "tombstone", "cursor")
    for key, schema in bundle.schema("external_account")["properties"].items():
        shown = " ".join([resolved(schema)["title"], resolved(schema)["description"]]).lower()
        assert [word for word in words if word in shown] == [], key


SECTIONS = [
    pytest.param(part.name, id=part.name)
    for part in dataclasses.fields(Settings)
    if part.name not in {"sources", "warnings"}
]


def plain(value: object) -> object:
    """A frozen value in the form in which JSON has it."""
    match value:
        case tuple():
            return [plain(item) for item in value]
        case EntitySettings() | UserEntity():
            return dataclasses.asdict(value)
        case Mapping():
            return dict(value)
    return value


@pytest.mark.parametrize("section", SECTIONS)
def test_options_and_defaults_of_schema_and_value_are_one(section: str) -> None:
    value = getattr(Settings(), section)
    schema = bundle.schema("config")["properties"][section]
    loaded = load_settings(
        {section: {key: inner["default"] for key, inner in schema["properties"].items()}}, {}
    )
    assert set(schema["properties"]) == {part.name for part in dataclasses.fields(value)}
    assert getattr(loaded, section) == value


def test_choices_and_defaults_of_the_user_are_one() -> None:
    schema = bundle.schema("external_account")
    fields = {part.name: part for part in dataclasses.fields(UserSettings)}
    assert set(schema["properties"]) == set(fields)
    assert schema["required"] == [
        name for name, part in fields.items() if part.default is dataclasses.MISSING
    ]
    for name, inner in schema["properties"].items():
        if name not in schema["required"]:
            assert plain(fields[name].default) == resolved(inner)["default"], name


def test_entity_schemas_name_the_fields_of_their_values() -> None:
    entity = bundle.schema("config")["properties"]["crm"]["properties"]["entities"]["items"]
    assert set(entity["properties"]) == {part.name for part in dataclasses.fields(EntitySettings)}
    for part in dataclasses.fields(EntitySettings):
        if part.default is not dataclasses.MISSING:
            assert entity["properties"][part.name]["default"] == part.default
    user_entity = bundle.schema("external_account")["properties"]["entities"]["items"]
    assert set(user_entity["properties"]) == {part.name for part in dataclasses.fields(UserEntity)}


def test_variables_are_distinct_and_no_name_that_kubernetes_sets() -> None:
    variables = [option.variable for option in config.options() if option.variable]
    assert len(set(variables)) == len(variables)
    assert all(variable.startswith("CALSYNC_") for variable in variables)
    assert not {"CALSYNC_PORT", "CALSYNC_SERVICE_HOST", "CALSYNC_SERVICE_PORT"} & set(variables)


def test_every_secret_can_come_from_the_environment() -> None:
    assert [option.path for option in config.options() if option.is_secret and not option.variable] == []


def deliveries() -> Iterator[Any]:
    """Bodies of the webhooks for meetings and calls that EspoCRM 9.2.7 sent."""
    for file in sorted(CAPTURES.glob("*-hook-*.json")):
        capture = json.loads(file.read_text(encoding="utf-8"))
        for number, request in enumerate(capture["requests"]):
            if "/Meeting." in request["path"] or "/Call." in request["path"]:
                yield pytest.param(json.loads(request["body_raw"]), id=f"{file.stem}-{number}")


@pytest.mark.parametrize("records", list(deliveries()))
def test_a_recorded_delivery_holds_records(records: list[dict[str, object]]) -> None:
    assert records
    assert [bundle.check(record, "record") for record in records] == [[] for _ in records]


def test_an_answer_of_the_crm_is_a_record() -> None:
    capture = json.loads((CAPTURES / "001-meeting-create.json").read_text(encoding="utf-8"))
    assert bundle.check(capture["response"]["body"], "record") == []


WRONG_RECORDS = [
    pytest.param({"name": "no id"}, "id", id="no-id"),
    pytest.param({"id": ""}, "id", id="empty-id"),
    pytest.param({"id": "1", "dateStart": "tomorrow"}, "dateStart", id="time"),
    pytest.param({"id": "1", "dateStartDate": "2026-13-01"}, "dateStartDate", id="date"),
    pytest.param({"id": "1", "usersIds": "7"}, "usersIds", id="ids"),
    pytest.param({"id": "1", "usersColumns": {"7": {"status": 1}}}, "usersColumns.7.status", id="answer"),
]


@pytest.mark.parametrize(("record", "path"), WRONG_RECORDS)
def test_a_wrong_record_is_named(record: dict[str, object], path: str) -> None:
    assert [problem.path for problem in bundle.check(record, "record")] == [path]
