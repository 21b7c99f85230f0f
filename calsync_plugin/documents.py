"""Reads YAML documents and says in words where one does not fit its JSON Schema.

The only module that knows the YAML and JSON Schema libraries. Decides how a problem is worded; what is a
problem stands in the schemas. The value of a `writeOnly` property never appears in a message, nor does
anything that a mistyped secret could be taken for.
"""

from __future__ import annotations

import difflib
import math
import zoneinfo
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from calsync_plugin.addresses import is_loopback
from calsync_plugin.errors import ConfigurationError

Schema = Mapping[str, Any]
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where a document does not fit. `place` holds keys and positions."""

    place: Place
    message: str
    expected: str = ""

    @property
    def path(self) -> str:
        """The place as people write it: `crm.entities[1].label`."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)
        return text.removeprefix(".")


# Reading ------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key that stands twice is an error: else the last one would win silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f'the key "{key.value}" stands twice'
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(file: Path) -> Mapping[str, object]:
    """The mapping in `file`; an empty file is an empty mapping. ConfigurationError names file and line."""
    text = read_text(file)
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"no valid YAML: {_yaml_problem(error)}", path=f"{file}{line}") from None
    except (ValueError, RecursionError):
        # A date that no calendar has, a number of thousands of digits, thousands of brackets.
        raise ConfigurationError(
            "no valid YAML: a number, a date or a nesting that cannot be read; put texts in quotes",
            path=str(file),
        ) from None
    except yaml.YAMLError:
        raise ConfigurationError(
            "no valid YAML: a character that YAML does not allow", path=str(file)
        ) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigurationError(f"is {_kind(document)}", path=str(file), expected="keys and values")
    return document


def read_value(text: str, name: str) -> Any:
    """One value as a command line gives it, in YAML's spelling. ConfigurationError names the setting."""
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigurationError("cannot be read", path=name, expected="a YAML value") from None
    return value.isoformat() if isinstance(value, date) else value


def read_text(file: Path) -> str:
    """The text of `file`; ConfigurationError says why it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError("is not UTF-8 text", path=str(file)) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(f"cannot be read: {reason}", path=str(file)) from None


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    # These two name the offending text, which may be a secret that begins with ! or *.
    if isinstance(error, ConstructorError | ComposerError):
        return "a tag or alias; put a value that begins with ! or * or & in quotes"
    return str(error.problem or error.context)


def line_of(file: Path, place: Place) -> int | None:
    """The line of `file` on which the value at `place` stands, None if it has no line of its own."""
    node = yaml.compose(read_text(file), yaml.SafeLoader)
    line = None
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


# Checking -----------------------------------------------------------------------------------------------

FORMATS = FormatChecker(("date",))


@FORMATS.checks("http-address", raises=ValueError)
def _is_http_address(value: object) -> bool:
    """An http or https address of a host; no name, password, query or fragment."""
    if not isinstance(value, str) or not value:
        return True
    parts = urlsplit(value)
    plain = not (parts.query or parts.fragment or parts.username or any(c.isspace() for c in value))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain and parts.port != 0


@FORMATS.checks("safe-address", raises=ValueError)
def _is_safe_address(value: object) -> bool:
    """As `http-address`, but plain http to this machine only: tokens travel on it."""
    if not isinstance(value, str):
        return True
    return bool(value) and _is_http_address(value) and (value.startswith("https:") or is_loopback(value))


@FORMATS.checks("ip-address", raises=ValueError)
def _is_ip_address(value: object) -> bool:
    return not isinstance(value, str) or not value or bool(ip_address(value))


@FORMATS.checks("time-zone")
def _is_time_zone(value: object) -> bool:
    return not isinstance(value, str) or not value or value in zoneinfo.available_timezones()


@FORMATS.checks("store-address")
def _is_store_address(value: object) -> bool:
    if not isinstance(value, str) or not value:
        return True
    dialect = value.partition("://")[0].partition("+")[0]
    return "://" in value and dialect in {"sqlite", "postgresql"}


@FORMATS.checks("record-time", raises=ValueError)
def _is_record_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


def _is_finite(_: object, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite)
)


def problems(document: object, schema: Schema, related: Mapping[str, Schema]) -> list[Problem]:
    """Everything in `document` that does not fit `schema`, unknown keys first.

    `related` holds the schemas that `schema` may refer to, by file name.
    """
    registry: Registry[Any] = Registry().with_resources(
        [(name, Resource.from_contents(dict(other))) for name, other in related.items()]
    )
    validator = _Validator(dict(schema), registry=registry, format_checker=FORMATS)
    errors = sorted(validator.iter_errors(document), key=lambda e: e.validator != "additionalProperties")
    return [problem for error in errors for problem in _problems_of(error)]


def _problems_of(error: ValidationError) -> Iterator[Problem]:
    place = tuple(error.absolute_path)
    schema: Schema = error.schema if isinstance(error.schema, dict) else {}
    value: Any = error.instance
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for key in (key for key in value if key not in known):
                hint = did_you_mean(str(key), known)
                yield Problem((*place, str(key)), f"unknown key{hint}", f"one of {', '.join(known)}")
        case "required":
            for key in (key for key in rule if key not in value):
                yield Problem((*place, key), "is missing", _expected_of(schema["properties"][key]))
        case "type":
            quotes = "; put it in quotes" if "string" in rule else ""
            yield Problem(_shown_place(error), f"is {_kind(value)}{quotes}", _expected_of(schema))
        case "enum":
            hint = did_you_mean(str(value), [str(choice) for choice in rule])
            yield Problem(place, f"{_shown(value, schema)}{hint}", _expected_of(schema))
        case _:
            yield Problem(_shown_place(error), _shown(value, schema), _expected_of(schema))


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """`; did you mean "api_key"?` if one of the known words is close, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f'; did you mean "{close[0]}"?' if close else ""


def _shown_place(error: ValidationError) -> Place:
    """The place; without the key of a secret, since key and secret may have been exchanged."""
    place, rules = tuple(error.absolute_path), list(error.absolute_schema_path)
    return place[:-1] if "additionalProperties" in rules[-2:-1] else place


def _shown(value: object, schema: Schema) -> str:
    # A password may also hide in an address: https://name:password@host
    if schema.get("writeOnly") or (isinstance(value, str) and "@" in value):
        return "this value is not accepted"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} is not accepted"


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "yes or no"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a group of keys"
    return f"a {type(value).__name__}"


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys below it",
    "null": "nothing",
}


def _expected_of(schema: Schema) -> str:
    """What would be right: the schema's own words, else made of its keywords."""
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return f"one of {', '.join(str(choice) for choice in schema['enum'])}"
    kinds = schema.get("type", ())
    words = [_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{' or '.join(words)} from {low} to {high}"
    return " or ".join(words)
