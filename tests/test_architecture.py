"""The import table and the sizes of things, read from the source with `ast`.

The tables are the rule; a room that needs something new says so here, in the same commit. The checker is
itself checked with a small package in which each rule is broken once.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "calsync_plugin"
HOOKS = CHECKOUT / "hooks"

_SETTINGS = {"settings", "errors"}
_SIDES = {"domain", "graph", "crm", "state", "http", "hookspecs", "bundle"} | _SETTINGS

# What a room may import of the package. A row of a module adds to the row of its folder.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "addresses": set(),
    "wording": set(),
    "domain": {"errors"},
    "http": {"addresses", "errors", "wording"},
    "feeds": {"domain", "http", "wording"} | _SETTINGS,
    "markup": {"domain", "errors"},
    "logs": {"errors"},
    "hook_values": set(),
    "hookspecs": {"errors", "hook_values"},
    "documents": {"addresses", "errors"},
    "bundle": {"documents", "errors"},
    "config": {"addresses", "bundle", "documents", "errors"},
    "settings": {"config", "bundle", "errors"},
    "admin_layer": {"config"} | _SETTINGS,
    "graph": {"domain", "http", "markup"} | _SETTINGS,
    "crm": {"domain", "http", "markup"} | _SETTINGS,
    "state": {"domain"} | _SETTINGS,
    "accounts": _SIDES | {"addresses", "admin_layer", "config", "wording"},
    # A preview asks the very rules that push, and calendars are read in one way.
    "accounts.backfill": {"engine.gather", "engine.item", "engine.plugins", "engine.roster"},
    "accounts.connect": {"engine.calendars"},
    "accounts.new_calendars": {"engine.calendars"},
    # What makes a user busy follows the choice at once, by the very rule of the runs.
    "accounts.choices": {"engine.busy_sources"},
    "accounts.handing_on": {"engine.progress", "engine.roster"},
    # What was saved while nobody looked is found by the sweep alone.
    "accounts.resuming": {"engine.sweep"},
    # Giving time away does not depend on what the sync does with meetings (a test below holds it to that).
    "booking": {
        "domain",
        "state",
        "crm",
        "graph",
        "feeds",
        "hookspecs",
        "wording",
        "bundle",
        "accounts.auditing",
    }
    | _SETTINGS,
    # Which addresses a feed may have is said in the words of what calls them.
    "booking.own": {"http.pinned"},
    "engine": _SIDES,
    "engine.feed_reading": {"feeds"},
    "engine.in_force": {"admin_layer"},
    "engine.assembly": {"accounts", "booking", "config"},
    "web": {
        "engine.assembly",
        "accounts",
        "booking",
        "logs",
        "crm.webhooks",
        "crm.sign_in",
        "crm.staff",
        "graph.zones",
    }
    | {"addresses", "domain", "bundle", "documents", "hookspecs", "state", "wording"}
    | _SETTINGS,
    "cli": {
        "config",
        "engine.assembly",
        "engine.clock",
        "accounts",
        "booking",
        "web",
        "logs",
        "sandbox",
        "bundle",
    }
    | {"__init__", "addresses", "demo", "documents", "hookspecs", "state"}
    | _SETTINGS,
    # The sandbox with a bridge in it: beside the command line the only part that knows the simulators.
    "demo": {
        "accounts",
        "addresses",
        "engine.assembly",
        "engine.clock",
        "web",
        "sandbox",
        "http",
        "hookspecs",
        "state",
    }
    | _SETTINGS,
    "hooks": {"engine.assembly", "accounts", "booking", "hookspecs", "errors"},
    "__init__": {"engine.assembly", "engine.clock", "hookspecs"} | _SETTINGS,
    "__main__": {"cli"},
    "sandbox": set(),
}

# What may be imported under `if TYPE_CHECKING:` besides.
FOR_TYPES_ONLY: dict[str, set[str]] = {
    "hookspecs": {"crm.gateway", "domain.meeting"},
    "__init__": {"pluggy", "engine"},
    "engine": {"pluggy"},
    "web": {"_typeshed"},
    "sandbox": {"_typeshed"},
}

# The one room of each third-party library; the sandbox stands for foreign services and has its own.
LIBRARIES: dict[str, str] = {
    "pluggy": "hookspecs",
    "yaml": "documents",
    "jsonschema": "documents",
    "referencing": "documents",
    "requests": "http",
    "urllib3": "http",
    "icalendar": "feeds",
    "recurring_ical_events": "feeds",
    "nh3": "markup",
    "msal": "graph.auth",
    "tzlocal": "graph",
    "sqlalchemy": "state",
    "alembic": "state",
    "cryptography": "state",
    "psycopg": "state",
    "flask": "web",
    "werkzeug": "web",
    "waitress": "web",
    "prometheus_client": "web",
    "flask_login": "web",
    "flask_wtf": "web",
    "flask_bootstrap": "web",
    "flask_babel": "web",
    "jinja2": "web",
    "babel": "web",
    "itsdangerous": "web",
    "wtforms": "web",
    "markupsafe": "web",
    "click": "cli",
    "rich": "cli",
}
SANDBOX_LIBRARIES = {"flask", "werkzeug", "waitress", "dateutil", "tzlocal", "requests"}

# The domain is pure: these can neither read the world nor change it.
PURE = {
    "__future__", "abc", "bisect", "collections", "contextlib", "dataclasses", "datetime", "difflib", "enum",
    "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re", "string", "types",
    "typing", "unicodedata", "uuid",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "uuid1", "uuid4"}

MODULE_LINES, FUNCTION_LINES = 300, 40
NAMES_THAT_SAY_NOTHING = re.compile(r"(^|_)(utils?|helpers?|misc|common)(_|$)")


@dataclass(frozen=True)
class Import:
    """One imported module, dotted; `calsync_plugin.` is cut off, so rooms and libraries look alike."""

    name: str
    of_package: bool
    for_types: bool
    line: int


@dataclass(frozen=True)
class Module:
    """One parsed file and the dotted name by which the tables know it."""

    name: str
    file: Path
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    def at(self, line: int) -> str:
        return f"{self.name}:{line}"


def modules(package: Path, hooks: Path) -> Iterator[Module]:
    """Every module of the package, without the files that a wheel adds, and the hook files."""
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        if "_bundle" not in parts:
            inner = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
            yield Module(".".join(inner), file, file.read_text(encoding="utf-8"))
    for file in sorted(hooks.glob("*.py")):
        yield Module(f"hooks.{file.stem}", file, file.read_text(encoding="utf-8"))


def imports(module: Module, package: Path) -> Iterator[Import]:
    """Every import, wherever it stands; `from calsync_plugin.engine import assembly` is that module."""
    tree = module.tree
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = _imported_from(node, module, package)
        else:
            continue
        for name in names:
            own = name.partition(".")[0] == "calsync_plugin"
            short = name.removeprefix("calsync_plugin").removeprefix(".") if own else name
            yield Import(short or "__init__", own, id(node) in typing_only, node.lineno)


def _imported_from(node: ast.ImportFrom, module: Module, package: Path) -> list[str]:
    base = node.module or ""
    if node.level:
        parts = ["calsync_plugin", *module.name.split(".")]
        is_package = module.file.name == "__init__.py"
        kept = parts[: len(parts) - node.level + is_package]
        base = ".".join([*kept, *([base] if base else [])])
    if base.partition(".")[0] != "calsync_plugin":
        return [base]
    folder = package.joinpath(*base.split(".")[1:])
    is_module = {
        a.name for a in node.names if (folder / f"{a.name}.py").exists() or (folder / a.name).is_dir()
    }
    return [f"{base}.{a.name}" if a.name in is_module else base for a in node.names]


def is_in(name: str, rooms: set[str]) -> bool:
    """Whether a dotted name is one of the rooms or lies in one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def rooms_of(module: str, table: dict[str, set[str]]) -> set[str]:
    """What the rows of a module and of the folders around it allow together."""
    return set().union(*(allowed for room, allowed in table.items() if is_in(module, {room})))


def wrong_imports(module: Module, package: Path) -> Iterator[str]:
    """Every import that the tables do not allow."""
    top = module.name.partition(".")[0]
    if top not in ROOMS:
        yield f"{module.name}: a room that the import table does not know"
        return
    allowed = rooms_of(module.name, ROOMS) | {top}
    for found in imports(module, package):
        if found.for_types and is_in(found.name, rooms_of(module.name, FOR_TYPES_ONLY)):
            continue
        if found.of_package:
            if not is_in(found.name, allowed):
                yield f"{module.at(found.line)}: {top} must not import {found.name}"
        else:
            yield from _wrong_library(module, top, found)


def _wrong_library(module: Module, top: str, found: Import) -> Iterator[str]:
    library = found.name.partition(".")[0]
    if library in sys.stdlib_module_names:
        if top == "domain" and library not in PURE:
            yield f"{module.at(found.line)}: domain must not import {found.name}"
    elif library == "hooks":
        yield f"{module.at(found.line)}: hooks are loaded by path, never imported"
    elif top == "sandbox":
        if library not in SANDBOX_LIBRARIES:
            yield f"{module.at(found.line)}: sandbox must not import {library}"
    elif library not in LIBRARIES or not is_in(module.name, {LIBRARIES[library]}):
        yield f"{module.at(found.line)}: {library} belongs to {LIBRARIES.get(library, 'no room')}"


def wrong_calls(module: Module) -> Iterator[str]:
    """Clocks and chance in the domain; imports that this test could not read."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if module.name.startswith("domain") and isinstance(node.func, ast.Attribute) and name in CLOCKS:
                yield f"{module.at(node.lineno)}: domain must not ask {ast.unparse(node.func)}"
            if name in {"import_module", "__import__"}:
                yield f"{module.at(node.lineno)}: an import that nobody can check"


def wrong_shapes(module: Module) -> Iterator[str]:
    """Modules and functions that are too long, undocumented, or named for nothing."""
    lines = len(module.source.splitlines())
    if lines > MODULE_LINES:
        yield f"{module.name}: {lines} lines, at most {MODULE_LINES}"
    if not ast.get_docstring(module.tree):
        yield f"{module.name}: a module says in a docstring what it decides"
    if any(NAMES_THAT_SAY_NOTHING.search(part) for part in module.name.split(".")):
        yield f"{module.name}: a name that says nothing"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _length(node)
            # A migration is a list of tables in a function, and is never edited.
            if length > FUNCTION_LINES and "migrations" not in module.name:
                yield f"{module.at(node.lineno)}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: what must fit in the eye is the code."""
    docstring = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    described = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - described


def violations(package: Path, hooks: Path) -> list[str]:
    """Everything that breaks a rule."""
    return [
        line
        for module in modules(package, hooks)
        for line in [*wrong_imports(module, package), *wrong_calls(module), *wrong_shapes(module)]
    ]


def test_the_architecture_holds() -> None:
    assert violations(PACKAGE, HOOKS) == []


def reached_from(start: str, package: Path, hooks: Path) -> set[str]:
    """Every module that a module or folder needs, directly or through others."""
    known = {module.name: module for module in modules(package, hooks)}
    waiting, found = [name for name in known if is_in(name, {start})], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = imports(known[name], package) if name in known else ()
            waiting += [one.name for one in needed if one.of_package and not one.for_types]
    return found


@pytest.mark.parametrize("room", ["booking", "domain.availability", "domain.slots"])
def test_giving_time_away_knows_no_planner(room: str) -> None:
    """What the sync does with meetings may change without anybody's free time changing with it."""
    reached = reached_from(room, PACKAGE, HOOKS)
    assert room in reached
    assert not [name for name in reached if is_in(name, {"domain.planner", "engine", "web"})]


def test_what_is_reached_through_others_is_seen() -> None:
    assert "domain.planner" in reached_from("engine.assembly", PACKAGE, HOOKS)


def test_the_package_was_read() -> None:
    """Else the test above would pass on an empty folder."""
    names = {module.name for module in modules(PACKAGE, HOOKS)}
    assert {"errors", "settings", "domain.planner", "graph.client", "hooks.meetings"} <= names


SEEDED = [
    pytest.param("errors.py", "import calsync_plugin.http", "errors must not import http", id="errors"),
    pytest.param(
        "domain/x.py", "from calsync_plugin.graph import y", "domain must not import graph", id="domain"
    ),
    pytest.param(
        "domain/x.py", "from calsync_plugin import settings", "domain must not import settings", id="from-top"
    ),
    pytest.param("domain/x.py", "from .. import settings", "domain must not import settings", id="relative"),
    pytest.param(
        "domain/x.py", "from ..settings import Y", "domain must not import settings", id="relative-name"
    ),
    pytest.param("domain/x.py", "import os.path", "domain must not import os.path", id="io"),
    pytest.param(
        "domain/x.py", "def f():\n    import random", "domain must not import random", id="in-a-function"
    ),
    pytest.param(
        "domain/x.py", "from datetime import datetime\ndatetime.now()", "domain must not ask", id="clock"
    ),
    pytest.param("domain/x.py", "import uuid\nuuid.uuid4()", "domain must not ask uuid.uuid4", id="chance"),
    pytest.param(
        "graph/x.py", "from calsync_plugin.state import y", "graph must not import state", id="graph"
    ),
    pytest.param("crm/x.py", "import requests", "requests belongs to http", id="requests"),
    pytest.param("graph/client.py", "import msal", "msal belongs to graph.auth", id="msal"),
    pytest.param("engine/x.py", "import sqlalchemy as sa", "sqlalchemy belongs to state", id="sqlalchemy"),
    pytest.param("engine/x.py", "import numpy", "numpy belongs to no room", id="unknown-library"),
    pytest.param(
        "engine/x.py", "from calsync_plugin.accounts import y", "must not import accounts", id="assembly-only"
    ),
    pytest.param(
        "engine/x.py", "from calsync_plugin.sandbox import y", "must not import sandbox", id="sandbox"
    ),
    pytest.param(
        "web/x.py", "from calsync_plugin.engine import worker", "must not import engine.worker", id="worker"
    ),
    pytest.param(
        "web/x.py", "from calsync_plugin.engine import Y", "must not import engine", id="engine-itself"
    ),
    pytest.param(
        "sandbox/x.py", "from calsync_plugin.errors import Y", "sandbox must not import errors", id="apart"
    ),
    pytest.param("sandbox/x.py", "import msal", "sandbox must not import msal", id="sandbox-library"),
    pytest.param("web/x.py", "import hooks.meetings", "hooks are loaded by path", id="hooks"),
    pytest.param(
        "web/x.py", "import importlib\nimportlib.import_module('hooks')", "nobody can check", id="dynamic"
    ),
    pytest.param(
        "crm/x.py", "if TYPE_CHECKING:\n    import calsync_plugin.state", "not import state", id="for-types"
    ),
    pytest.param(
        "../hooks/x.py", "from calsync_plugin.state import y", "hooks must not import state", id="hook-file"
    ),
    pytest.param("other/x.py", "", "the import table does not know", id="unknown-room"),
    pytest.param("crm/utils.py", "", "a name that says nothing", id="utils"),
    pytest.param("crm/date_helpers.py", "", "a name that says nothing", id="helpers"),
    pytest.param("crm/x.py", "\n" * 301, "301 lines, at most 300", id="long-module"),
    pytest.param(
        "crm/x.py", "def f():\n" + "    f()\n" * 40, "f has 41 lines, at most 40", id="long-function"
    ),
]

ALLOWED = [
    pytest.param("domain/x.py", "from calsync_plugin.domain.y import Z\nimport hashlib", id="own-room"),
    pytest.param("engine/assembly.py", "from calsync_plugin.accounts import y", id="assembly"),
    pytest.param("web/x.py", "from calsync_plugin.engine import assembly", id="web-to-assembly"),
    pytest.param(
        "hookspecs.py", "if TYPE_CHECKING:\n    from calsync_plugin.domain.meeting import M", id="for-types"
    ),
    pytest.param("graph/auth.py", "import msal", id="msal"),
    pytest.param(
        "crm/x.py", 'def f():\n    """' + "\n" * 45 + '"""\n' + "    f()\n" * 38, id="long-docstring"
    ),
    pytest.param("crm/x.py", "\n" * 300, id="300-lines"),
]


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    """A package without a fault."""
    for name in ("errors", "settings", "engine/assembly", "engine/worker", "../hooks/meetings"):
        seed(tmp_path / "calsync_plugin", f"{name}.py", "")
    assert violations(tmp_path / "calsync_plugin", tmp_path / "hooks") == []
    return tmp_path / "calsync_plugin"


def seed(package: Path, name: str, source: str) -> None:
    file = (package / name).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        '"""Decides nothing."""' + (f"\n{source}" if source.strip() else source), encoding="utf-8"
    )


@pytest.mark.parametrize(("name", "source", "message"), SEEDED)
def test_the_checker_sees_a_violation(seeded: Path, name: str, source: str, message: str) -> None:
    seed(seeded, name, source)
    (line,) = violations(seeded, seeded.parent / "hooks")
    assert message in line
    assert Path(name).stem in line


@pytest.mark.parametrize(("name", "source"), ALLOWED)
def test_the_checker_lets_what_is_right_pass(seeded: Path, name: str, source: str) -> None:
    seed(seeded, name, source)
    assert violations(seeded, seeded.parent / "hooks") == []


def test_a_module_without_docstring_is_seen(seeded: Path) -> None:
    (seeded / "errors.py").write_text("X = 1\n", encoding="utf-8")
    assert violations(seeded, seeded.parent / "hooks") == [
        "errors: a module says in a docstring what it decides"
    ]
