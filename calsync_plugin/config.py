"""Puts environment and configuration file on top of each other, and says what the admin page may still set.

Decides which layer wins and how a variable's text becomes a value. Which options exist, their variables and
limits stand in `schemas/config.schema.json`; what they become is `settings`' matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from calsync_plugin import bundle
from calsync_plugin.addresses import is_loopback
from calsync_plugin.documents import (
    Problem,
    Schema,
    did_you_mean,
    line_of,
    problems,
    read_text,
    read_yaml,
)
from calsync_plugin.errors import ConfigurationError

Source = Literal["environment", "file", "admin", "default"]
"""Where a value came from; the first that speaks wins, in this order."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of the configuration: `path` as in the file (`crm.url`), `variable` "" = has none."""

    section: str
    key: str
    schema: Schema

    @property
    def path(self) -> str:
        """Where it stands in the file."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The variable that sets it."""
        return str(self.schema.get("x-env", ""))

    @property
    def is_secret(self) -> bool:
        """Whether its value is never shown, and may come from a file of its own."""
        return bool(self.schema.get("writeOnly"))


@dataclass(slots=True)
class Layers:
    """The values that some layer set, by path; and where each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def put(self, option: Option, value: object, source: Source) -> None:
        """Set one value; later calls go before earlier ones."""
        self.values[option.path] = _normal(value, option.schema)
        self.sources[option.path] = source

    def section(self, name: str) -> dict[str, Any]:
        """The values of one section by key."""
        start = f"{name}."
        return {path.removeprefix(start): v for path, v in self.values.items() if path.startswith(start)}


def options() -> Iterator[Option]:
    """Every option, in the order of the schema."""
    for section, schema in bundle.schema("config")["properties"].items():
        for key, inner in schema["properties"].items():
            yield Option(section, key, inner)


def option(path: str) -> Option:
    """The option at `path` (`crm.url`)."""
    return next(option for option in options() if option.path == path)


def layered(source: Path | Mapping[str, object] | None, environ: Mapping[str, str]) -> Layers:
    """Both layers on top of each other, each checked. ConfigurationError names the first wrong place.

    `source` is the configuration file, or its content where the host reads its own.
    """
    layers = Layers()
    _put_file(layers, source)
    _put_environment(layers, environ)
    _warn(layers)
    return layers


def admin_options() -> dict[str, Option]:
    """What the admin page can set, by its name there."""
    return {
        name: option(schema["x-config"])
        for name, schema in bundle.schema("integration")["properties"].items()
    }


def admin_layer(values: Mapping[str, object]) -> dict[str, Any]:
    """What the admin page saved, by path. ConfigurationError names the first value that does not fit."""
    for problem in bundle.check(dict(values), "integration"):
        _refuse(problem, "on the admin page")
    known = {name: entry for name, entry in admin_options().items() if name in values}
    return {entry.path: _normal(values[name], entry.schema) for name, entry in known.items()}


def _put_file(layers: Layers, source: Path | Mapping[str, object] | None) -> None:
    document: Mapping[str, Any] = read_yaml(source) if isinstance(source, Path) else source or {}
    for problem in bundle.check(dict(document), "config"):
        line = line_of(source, problem.place) if isinstance(source, Path) else None
        _refuse(problem, f"in line {line} of {source}" if line else "")
    for entry in options():
        if entry.key in document.get(entry.section, {}):
            layers.put(entry, document[entry.section][entry.key], "file")


def _put_environment(layers: Layers, environ: Mapping[str, str]) -> None:
    known = {entry.variable: entry for entry in options() if entry.variable}
    for variable, entry in known.items():
        text = _variable(variable, entry, environ)
        if text:
            value = _parse(text, entry.schema)
            for problem in problems(value, entry.schema, {}):
                raise ConfigurationError(problem.message, path=variable, expected=problem.expected)
            layers.put(entry, value, "environment")
    accepted = {*known, *(f"{name}_FILE" for name, entry in known.items() if entry.is_secret)}
    for name in sorted(set(environ) - accepted):
        hint = did_you_mean(name, accepted, cutoff=0.85) if name.startswith("CALSYNC_") else ""
        if hint:
            layers.warnings.append(f"{name}: this variable is unknown and ignored{hint}")


def _variable(variable: str, entry: Option, environ: Mapping[str, str]) -> str:
    """The variable's text, read from a file if its `_FILE` form is set; empty counts as not set."""
    text, file = environ.get(variable, ""), environ.get(f"{variable}_FILE", "")
    if not entry.is_secret or not file:
        return text
    if text:
        raise ConfigurationError(f"{variable} is set too; unset one of them", path=f"{variable}_FILE")
    return read_text(Path(file)).strip()


def _parse(text: str, schema: Schema) -> object:
    """The value that a variable's text stands for; what cannot be parsed stays text and is refused later."""
    try:
        match schema["type"]:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}.get(text.lower(), text)
            case "array":
                return [part.strip() for part in text.split(",") if part.strip()]
            case "object":
                pairs = [pair.partition(":") for pair in text.split(",")]
                return {name.strip(): value.strip() for name, _, value in pairs}
    except ValueError:
        pass
    return text


def _normal(value: object, schema: Schema) -> object:
    """The one form of values that YAML writes in several: 4.0 for 4, 5 for 5.0, 2026 for "2026"."""
    match schema["type"], value:
        case "integer", float():
            return int(value)
        case "number", int():
            return float(value)
        case "array", list() if schema["items"]["type"] == "string":
            return tuple(value)
        case "object", dict():
            return {str(key): inner for key, inner in value.items()}
        case "string", str() if schema.get("format") in {"http-address", "safe-address"}:
            return value.rstrip("/")
    return value


def _warn(layers: Layers) -> None:
    for path, reason in (
        ("crm.url", "plain http: the API key and the records travel readable for everybody on the way"),
        ("serve.public_url", "plain http: Microsoft calls back over https only"),
    ):
        address = str(layers.values.get(path, ""))
        if address.startswith("http:") and not is_loopback(address):
            layers.warnings.append(f"{path}: {reason}")


def _refuse(problem: Problem, where: str) -> NoReturn:
    message = f"{problem.message} ({where})" if where else problem.message
    raise ConfigurationError(message, path=problem.path, expected=problem.expected)


BRIDGE_NEEDS = ("crm.url", "crm.api_key", "store.secret_keys", "serve.public_url")
"""What the bridge cannot start without; the app registration may come from the admin page."""


def require(settings: object, *paths: str) -> None:
    """Refuse settings in which one of `paths` (`crm.url`) is empty, with the words of its schema."""
    for path in paths:
        section, _, key = path.partition(".")
        if not getattr(getattr(settings, section), key):
            known = option(path)
            how = f"; set it in the file or as {known.variable}" if known.variable else ""
            raise ConfigurationError(f"is missing{how}", path=path, expected=known.schema["x-expected"])
