"""The files beside the code: `plugin.yaml`, `hooks/` and `schemas/`.

Decides where they are: in `_bundle/` of an installed wheel, else in the checkout around the package. Loads
the hook files that the manifest names by their path; they are no package, so the code cannot import them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from calsync_plugin.documents import Problem, Schema, problems, read_text, read_yaml
from calsync_plugin.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent
ROOT = _PACKAGE / "_bundle" if (_PACKAGE / "_bundle").is_dir() else _PACKAGE.parent

SCHEMAS = ("manifest", "config", "integration", "external_account", "sync_mode", "record", "booking_calendar")


@dataclass(frozen=True, slots=True)
class Need:
    """A grant in the CRM or a permission at Microsoft, and what it is for."""

    name: str
    description: str
    optional: bool = False
    """Asked for only when a setting needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `plugin.yaml` says."""

    name: str
    version: str
    title: str
    description: str = ""
    hooks: tuple[str, ...]
    schemas: Mapping[str, str]
    grants: tuple[Need, ...]
    permissions: tuple[Need, ...]

    def scopes(self, *, optional: bool = False) -> tuple[str, ...]:
        """Names of the permissions to ask Microsoft for, with or without the optional ones."""
        return tuple(need.name for need in self.permissions if optional or not need.optional)


@cache
def manifest(root: Path = ROOT) -> Manifest:
    """The manifest; ConfigurationError says what is wrong with it."""
    file = root / "plugin.yaml"
    document: dict[str, Any] = dict(read_yaml(file))
    for problem in check(document, "manifest", root=root):
        raise ConfigurationError(
            problem.message, path=f"{file.name}: {problem.path}", expected=problem.expected
        )
    return Manifest(
        **{key: document[key] for key in ("name", "version", "title", "schemas")},
        description=document.get("description", ""),
        hooks=tuple(document["hooks"]),
        grants=tuple(Need(**grant) for grant in document["grants"]),
        permissions=tuple(Need(**permission) for permission in document["permissions"]),
    )


@cache
def schema(name: str, root: Path = ROOT) -> Schema:
    """The JSON Schema of `name` (`config`, `external_account`, ...)."""
    file = root / "schemas" / f"{name}.schema.json"
    try:
        document = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"no valid JSON: {error.msg}", path=f"{file}, line {error.lineno}") from None
    if not isinstance(document, dict):
        raise ConfigurationError("is no schema", path=str(file), expected="a JSON object")
    return document


def check(document: object, name: str, *, root: Path = ROOT) -> list[Problem]:
    """Everything in `document` that does not fit the schema of `name`."""
    related = {f"{other}.schema.json": schema(other, root) for other in SCHEMAS}
    return problems(document, schema(name, root), related)


def hook_files(root: Path = ROOT) -> tuple[Path, ...]:
    """The files with the implementations of the hooks, in the manifest's order."""
    return tuple(root / name for name in manifest(root).hooks)


def load_hooks(app: object, root: Path = ROOT) -> list[object]:
    """Make one plugin object of each hook file for `app`; they are not registered yet.

    The files are executed once in a process, their `plugin(app)` once for each call: two hosts in one
    process share no object.
    """
    return [_plugin(_module(file), file, app) for file in hook_files(root)]


def _plugin(module: ModuleType, file: Path, app: object) -> object:
    make = getattr(module, "plugin", None)
    if not callable(make):
        raise ConfigurationError("has no function plugin(app)", path=str(file))
    made: object = make(app)
    if made is None:
        raise ConfigurationError(
            "plugin(app) returned nothing", path=str(file), expected="an object with hooks"
        )
    return made


def _module(file: Path) -> ModuleType:
    # The path is part of the name: two bundles in one process must not take each other's modules.
    name = f"calsync_hooks_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    if not file.is_file():
        raise ConfigurationError("is named in plugin.yaml but does not exist", path=str(file))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigurationError("is no Python file", path=str(file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it is executed
    loaded = False
    try:
        spec.loader.exec_module(module)
        loaded = True
    except SyntaxError as error:
        raise ConfigurationError(
            f"is no valid Python: {error.msg}", path=f"{file}, line {error.lineno}"
        ) from error
    except ImportError as error:
        raise ConfigurationError(f"cannot be loaded: {error.msg}", path=str(file)) from error
    finally:
        if not loaded:
            del sys.modules[name]
    return module
