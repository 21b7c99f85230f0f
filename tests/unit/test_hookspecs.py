"""The hook specifications: complete, documented, typed, and accepted by pluggy as they are."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pluggy
import pytest

from calsync_plugin import hookspecs
from calsync_plugin.hookspecs import PROJECT, PageRequest, Veto, hookimpl

# Names and arguments that hosts rely on; a change here breaks them.
CALLED_BY_THE_HOST = {
    "calsync_entity_created": ("entity_type", "record"),
    "calsync_entity_updated": ("entity_type", "record", "changed"),
    "calsync_entity_reassigned": ("entity_type", "record", "previous_user_id"),
    "calsync_entity_deleted": ("entity_type", "record_id"),
    "calsync_attendance_changed": ("entity_type", "record_id"),
    "calsync_account_changed": ("user_id",),
    "calsync_user_deactivated": ("user_id",),
    "calsync_grants_changed": ("user_id",),
    "calsync_tick": (),
    "calsync_collisions": ("entity_type", "record"),
}
CALLED_BY_CALSYNC = {
    "calsync_crm_gateway": (),
    "calsync_authenticate": ("request",),
    "calsync_grants": ("user_id",),
    "calsync_outbound": ("meeting", "record"),
    "calsync_inbound": ("meeting", "event"),
    "calsync_notify": ("user_id", "message"),
}
EVERY = CALLED_BY_THE_HOST | CALLED_BY_CALSYNC
FIRST_RESULT = {"calsync_crm_gateway", "calsync_authenticate", "calsync_grants", "calsync_collisions"}


def manager() -> pluggy.PluginManager:
    made = pluggy.PluginManager(PROJECT)
    made.add_hookspecs(hookspecs)
    return made


def functions() -> dict[str, Callable[..., object]]:
    return {
        name: f
        for name, f in vars(hookspecs).items()
        if name.startswith("calsync_") and inspect.isfunction(f)
    }


def test_the_specs_are_exactly_the_agreed_ones() -> None:
    found = {name: tuple(inspect.signature(f).parameters) for name, f in functions().items()}
    assert found == EVERY


def test_pluggy_knows_them_all() -> None:
    assert {name for name in EVERY if hasattr(manager().hook, name)} == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_no_argument_has_a_default(name: str) -> None:
    """pluggy would not hand such an argument to the implementations."""
    defaults = [p.default for p in inspect.signature(functions()[name]).parameters.values()]
    assert set(defaults) <= {inspect.Parameter.empty}


@pytest.mark.parametrize("name", EVERY)
def test_only_the_agreed_ones_stop_at_the_first_result(name: str) -> None:
    spec = getattr(manager().hook, name).spec
    assert bool(spec.opts["firstresult"]) == (name in FIRST_RESULT)


@pytest.mark.parametrize(("name", "arguments"), EVERY.items())
def test_a_spec_is_documented(name: str, arguments: tuple[str, ...]) -> None:
    text = inspect.getdoc(functions()[name]) or ""
    assert "Called " in text
    assert "Example" in text
    assert re.findall(r":param (\w+):", text) == list(arguments)


@pytest.mark.parametrize("name", EVERY)
def test_an_example_is_python_that_fits(name: str) -> None:
    text = inspect.getdoc(functions()[name]) or ""
    example = text.partition("Example:")[2].strip()
    tree = ast.parse(inspect.cleandoc(example.strip("`")))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == f"hook.{name}"]
    definitions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    if name in CALLED_BY_THE_HOST:
        (call,) = calls
        assert tuple(keyword.arg for keyword in call.keywords) == EVERY[name]
    else:
        (definition,) = definitions
        assert tuple(argument.arg for argument in definition.args.args) == EVERY[name]


@pytest.mark.parametrize("name", EVERY)
def test_a_spec_is_typed(name: str) -> None:
    signature = inspect.signature(functions()[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


class Host:
    """A plugin that implements every hook and keeps what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, object]]] = []


def _implement(name: str, arguments: tuple[str, ...]) -> None:
    """Give `Host` an implementation of one hook with exactly its arguments."""
    names = ", ".join(("self", *arguments))
    kept = ", ".join(f"{a!r}: {a}" for a in arguments)
    scope: dict[str, Callable[..., object]] = {}
    exec(f"def {name}({names}):\n    self.calls.append(({name!r}, {{{kept}}}))", scope)
    setattr(Host, name, hookimpl(scope[name]))


for _name, _arguments in EVERY.items():
    _implement(_name, _arguments)


@pytest.mark.parametrize(("name", "arguments"), EVERY.items())
def test_an_implementation_gets_what_was_passed(name: str, arguments: tuple[str, ...]) -> None:
    host, made = Host(), manager()
    made.register(host)
    made.check_pending()
    values = {argument: f"value of {argument}" for argument in arguments}
    getattr(made.hook, name)(**values)
    assert host.calls == [(name, values)]


def test_a_misspelt_implementation_is_found() -> None:
    class Misspelt:
        @hookimpl
        def calsync_entity_create(self, entity_type: str) -> None: ...

    made = manager()
    made.register(Misspelt())
    with pytest.raises(pluggy.PluginValidationError, match="calsync_entity_create"):
        made.check_pending()


def test_a_veto_carries_its_reason() -> None:
    assert Veto("focus time") == Veto("focus time")
    assert Veto("focus time").reason == "focus time"


def test_any_request_with_headers_and_cookies_will_do() -> None:
    request: PageRequest = SimpleNamespace(headers={"X-User": "7"}, cookies={})
    assert request.headers["X-User"] == "7"
