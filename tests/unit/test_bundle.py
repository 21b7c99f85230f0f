"""The files beside the code: where they are, what a broken one is called, how hook files are loaded."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from calsync_plugin import bundle
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.graph.registration import SCOPES

HOOKS = """
from dataclasses import dataclass


@dataclass
class Meetings:
    app: object


def plugin(app: object) -> Meetings:
    return Meetings(app)
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A bundle with one hook file and the real schemas."""
    copytree(bundle.ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "meetings.py").write_text(HOOKS, encoding="utf-8")
    change(tmp_path, hooks=["hooks/meetings.py"])
    before = set(sys.modules)
    yield tmp_path
    for name in {name for name in sys.modules if name.startswith("calsync_hooks_")} - before:
        del sys.modules[name]


def change(root: Path, **values: object) -> None:
    """Write the real manifest with some values changed; None removes one."""
    document = yaml.safe_load((bundle.ROOT / "plugin.yaml").read_text(encoding="utf-8"))
    changed = {key: value for key, value in {**document, **values}.items() if value is not None}
    (root / "plugin.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    bundle.manifest.cache_clear()


def test_the_root_of_a_checkout_is_the_checkout() -> None:
    assert (bundle.ROOT / "pyproject.toml").is_file()


def test_the_manifest_says_what_the_package_says() -> None:
    project = tomllib.loads((bundle.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert bundle.manifest().version == project["version"]


def test_the_manifest_names_every_hook_file() -> None:
    assert set(bundle.hook_files()) == set((bundle.ROOT / "hooks").glob("*.py"))


def test_optional_permissions_are_asked_for_only_when_needed() -> None:
    manifest = bundle.manifest()
    assert manifest.scopes() == ("User.Read", "Calendars.ReadWrite", "MailboxSettings.Read")
    assert manifest.scopes(optional=True) == (
        "User.Read",
        "Calendars.ReadWrite",
        "MailboxSettings.Read",
        "Calendars.ReadWrite.Shared",
    )


def test_grants_are_those_that_a_role_can_give() -> None:
    assert [grant.name for grant in bundle.manifest().grants] == ["ExternalAccount", "OutlookCalendar"]


BROKEN_MANIFESTS = [
    pytest.param(
        {"version": None}, "plugin.yaml: version: is missing (expected a version such as", id="no-version"
    ),
    pytest.param({"version": "one"}, 'plugin.yaml: version: "one" is not accepted', id="version"),
    pytest.param({"name": "other"}, 'plugin.yaml: name: "other" is not accepted', id="name"),
    pytest.param({"hook": []}, 'plugin.yaml: hook: unknown key; did you mean "hooks"?', id="typo"),
    pytest.param({"hooks": []}, "plugin.yaml: hooks: ", id="no-hooks"),
    pytest.param({"hooks": ["../evil.py"]}, "plugin.yaml: hooks[0]: ", id="outside"),
    pytest.param(
        {"hooks": ["hooks/meetings.txt"]}, "expected a path such as hooks/meetings.py", id="no-python"
    ),
    pytest.param({"schemas": {}}, "plugin.yaml: schemas.manifest: is missing", id="no-schemas"),
    pytest.param(
        {"grants": [{"name": "Outlook", "description": "x"}]}, "plugin.yaml: grants[0].name", id="grant"
    ),
    pytest.param(
        {"permissions": [{"name": "Calendars.ReadWrite"}]}, "permissions[0].description", id="permission"
    ),
]


@pytest.mark.parametrize(("values", "message"), BROKEN_MANIFESTS)
def test_a_broken_manifest_is_named(root: Path, values: dict[str, object], message: str) -> None:
    change(root, **values)
    with pytest.raises(ConfigurationError) as caught:
        bundle.manifest(root)
    assert message in str(caught.value)


def test_a_missing_manifest_is_named(root: Path) -> None:
    (root / "plugin.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"plugin\.yaml: cannot be read: No such file"):
        bundle.manifest(root)


def test_a_broken_schema_is_named(root: Path) -> None:
    file = root / "schemas" / "config.schema.json"
    file.write_text('{\n  "type": object\n}', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"config\.schema\.json, line 2: no valid JSON"):
        bundle.schema("config", root)
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"is no schema \(expected a JSON object\)"):
        bundle.schema("config", root)


def test_each_host_gets_objects_of_its_own(root: Path) -> None:
    first, second = object(), object()
    (one,) = bundle.load_hooks(first, root)
    (two,) = bundle.load_hooks(second, root)
    assert (one.app, two.app) == (first, second)  # type: ignore[attr-defined]
    assert type(one) is type(two)


def test_hook_files_are_loaded_in_the_order_of_the_manifest(root: Path) -> None:
    for name in ("zeta", "alpha"):
        (root / "hooks" / f"{name}.py").write_text(
            f"def plugin(app):\n    return {name!r}\n", encoding="utf-8"
        )
    change(root, hooks=["hooks/zeta.py", "hooks/alpha.py"])
    assert bundle.load_hooks(None, root) == ["zeta", "alpha"]


def test_files_of_two_bundles_are_two_modules(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    copytree(root, other, dirs_exist_ok=True)
    (here,), (there,) = bundle.load_hooks(None, root), bundle.load_hooks(None, other)
    assert type(here) is not type(there)


BROKEN_HOOKS = [
    pytest.param(None, "is named in plugin.yaml but does not exist", id="missing"),
    pytest.param("def plugin(app)\n", "line 1: is no valid Python", id="syntax"),
    pytest.param(
        "import nowhere_at_all\n", "cannot be loaded: No module named 'nowhere_at_all'", id="import"
    ),
    pytest.param("def plug(app): ...\n", "has no function plugin(app)", id="no-plugin"),
    pytest.param("plugin = 1\n", "has no function plugin(app)", id="no-function"),
    pytest.param("def plugin(app): ...\n", "plugin(app) returned nothing", id="nothing"),
]


@pytest.mark.parametrize(("source", "message"), BROKEN_HOOKS)
def test_a_broken_hook_file_is_named(root: Path, source: str | None, message: str) -> None:
    file = root / "hooks" / "meetings.py"
    file.unlink()
    if source is not None:
        file.write_text(source, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        bundle.load_hooks(None, root)
    assert message in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_hook_file_that_failed_is_read_again(root: Path) -> None:
    file = root / "hooks" / "meetings.py"
    file.write_text("import nowhere_at_all\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        bundle.load_hooks(None, root)
    file.write_text(HOOKS, encoding="utf-8")
    assert len(bundle.load_hooks(None, root)) == 1


def test_what_a_login_asks_for_is_what_the_manifest_says() -> None:
    assert set(bundle.manifest().scopes()) == set(SCOPES)
