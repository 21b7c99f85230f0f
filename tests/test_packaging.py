"""What users install: wheel, sdist and editable install, each in an environment of its own.

Nothing is fetched: the build backend and the dependencies come from the environment that runs the tests.
Whether the declared dependencies would have been enough is checked by reading the imports.
"""

from __future__ import annotations

import ast
import email.parser
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

CHECKOUT = Path(__file__).parents[1]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", "__pycache__", ".hypothesis", "test-results", "calsync-data", "samples"
)

# Which distribution provides an import whose name differs.
PROVIDED_BY = {
    "babel": "babel",
    "flask_babel": "flask-babel",
    "flask_bootstrap": "bootstrap-flask",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
    "jinja2": "flask",  # so is this
    "werkzeug": "flask",  # Flask is Werkzeug's face and fixes its version
}
# Declared, but imported by nobody: data, or loaded by another library.
NOT_IMPORTED = {"tzdata"}
# Rooms that only an extra makes work.
EXTRAS = {"web": "serve", "sandbox": "serve"}
OPTIONAL_IMPORTS = {"psycopg": "postgres"}

SHOW = """
import json, sys
import calsync_plugin
from calsync_plugin import bundle, hookspecs
from calsync_plugin.settings import load_settings
from calsync_plugin.web.speaking import LANGUAGES
json.dump({
    "package": calsync_plugin.__file__,
    "root": str(bundle.ROOT),
    "version": bundle.manifest().version,
    "schemas": [bundle.schema(name)["$id"] for name in bundle.SCHEMAS],
    "hooks": [str(file) for file in bundle.hook_files() if file.is_file()],
    "languages": LANGUAGES,
    "port": load_settings(None, {}).serve.port,
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of the checkout: builds leave nothing behind, and see nothing that is not there."""
    copy = tmp_path_factory.mktemp("source") / "calsync"
    shutil.copytree(CHECKOUT, copy, ignore=LEFT_OUT)
    return copy


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("--sdist", source, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("--wheel", source, tmp_path_factory.mktemp("wheel"))


def build(kind: str, source: Path, target: Path) -> Path:
    run(sys.executable, "-m", "build", kind, "--no-isolation", "--outdir", target, source)
    (built,) = target.iterdir()
    return built


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A fresh virtual environment that sees the present one's packages behind its own; its interpreter."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site_packages(python) / "present.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python


def site_packages(python: Path) -> Path:
    return Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())


def install(python: Path, *what: str | Path) -> list[str]:
    """Install without dependencies; the names that appeared in site-packages."""
    folder = site_packages(python)
    before = {entry.name for entry in folder.iterdir()}
    pip = ("-m", "pip", "--python", python, "--disable-pip-version-check")
    run(
        sys.executable,
        *pip,
        "install",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--force-reinstall",
        *what,
    )
    return sorted({entry.name for entry in folder.iterdir()} - before)


def shown(python: Path, elsewhere: Path) -> dict[str, object]:
    """What an installed package says of itself, asked from a folder that is not the checkout."""
    answer: dict[str, object] = json.loads(run(python, "-c", SHOW, cwd=elsewhere))
    return answer


def bundled() -> set[str]:
    """Every file that belongs into the bundle, relative to the checkout."""
    files = [
        CHECKOUT / "plugin.yaml",
        *(CHECKOUT / "hooks").glob("*.py"),
        *(CHECKOUT / "schemas").glob("*.json"),
    ]
    return {file.relative_to(CHECKOUT).as_posix() for file in files}


def package_files() -> set[str]:
    """Every file of the package that git would keep."""
    files = (file for file in (CHECKOUT / "calsync_plugin").rglob("*") if file.is_file())
    return {f.relative_to(CHECKOUT).as_posix() for f in files if "__pycache__" not in f.parts}


def test_the_wheel_holds_the_package_its_bundle_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == package_files() | {f"calsync_plugin/_bundle/{name}" for name in bundled()}
    assert "calsync_plugin/py.typed" in names


def test_the_wheel_says_who_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.parser.Parser().parsestr(archive.read(name).decode())
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert metadata["Name"] == "calsync-plugin"
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra", [])) == {"serve", "postgres"}


def test_the_sdist_holds_what_a_packager_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in archive.getnames()}
    wanted = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "pyproject.toml"}
    assert wanted | bundled() | package_files() | {"tests/test_packaging.py"} <= names
    assert [name for name in names if "__pycache__" in name or name.startswith(".venv")] == []


def test_an_installed_wheel_works(wheel: Path, environment: Path, tmp_path: Path) -> None:
    appeared = install(environment, wheel)
    assert appeared == ["calsync_plugin", f"calsync_plugin-{PROJECT['version']}.dist-info"]
    folder = site_packages(environment)
    said = shown(environment, tmp_path)
    assert said["package"] == str(folder / "calsync_plugin" / "__init__.py")
    assert said["root"] == str(folder / "calsync_plugin" / "_bundle")
    assert said["version"] == PROJECT["version"]
    hooks = said["hooks"]
    assert isinstance(hooks, list)
    assert len(hooks) == len(list((CHECKOUT / "hooks").glob("*.py")))
    assert said["port"] == 8700
    assert said["languages"] == ["en", "de"]
    assert PROJECT["version"] in run(environment.with_name("calsync"), "--version", cwd=tmp_path)


def test_the_sdist_installs_as_the_wheel_does(sdist: Path, environment: Path, tmp_path: Path) -> None:
    appeared = install(environment, sdist)
    assert appeared == ["calsync_plugin", f"calsync_plugin-{PROJECT['version']}.dist-info"]
    assert str(shown(environment, tmp_path)["root"]).endswith("_bundle")


def test_an_editable_install_works_from_the_checkout(source: Path, environment: Path, tmp_path: Path) -> None:
    install(environment, "--editable", source)
    # hatchling lays the forced files there even so; without an __init__ they win no import.
    stray = site_packages(environment) / "calsync_plugin"
    assert [entry.name for entry in stray.iterdir()] == ["_bundle"]
    said = shown(environment, tmp_path)
    assert said["package"] == str(source / "calsync_plugin" / "__init__.py")
    assert said["root"] == str(source)
    assert said["languages"] == ["en", "de"]
    assert not (source / "calsync_plugin" / "_bundle").exists()


def test_the_lock_file_pins_and_names_no_address() -> None:
    lines = (CHECKOUT / "requirements-ci.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.+!]+", line)] == []


def test_the_lock_file_pins_every_declared_dependency() -> None:
    text = (CHECKOUT / "requirements-ci.txt").read_text(encoding="utf-8")
    pinned = {normal(line.partition("==")[0]) for line in text.splitlines() if "==" in line}
    groups = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    wanted = declared("core", "serve", "postgres") | {
        normal(name(line)) for g in groups.values() for line in g
    }
    assert wanted - pinned == set()


def name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def declared(*extras: str) -> set[str]:
    """Distributions that the core and these extras ask for."""
    optional = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in optional.get(extra, ()))]
    return {normal(name(line)) for line in lines}


def third_party_imports() -> Iterator[tuple[str, str]]:
    """Room and distribution of every import that is neither Python's nor our own."""
    for file in sorted((CHECKOUT / "calsync_plugin").rglob("*.py")):
        room = file.relative_to(CHECKOUT / "calsync_plugin").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            for top in {module.partition(".")[0] for module in modules}:
                if top not in {*sys.stdlib_module_names, "calsync_plugin", "_typeshed"}:
                    yield room, top


def test_declared_dependencies_cover_what_is_imported() -> None:
    missing = set()
    for room, module in third_party_imports():
        distribution = normal(PROVIDED_BY.get(module, module))
        extras = [extra for extra in (EXTRAS.get(room), OPTIONAL_IMPORTS.get(module)) if extra]
        if distribution not in declared(*extras):
            missing.add(f"{room} imports {module}")
    assert missing == set()


def test_nothing_is_declared_that_is_not_imported() -> None:
    imported = {normal(PROVIDED_BY.get(module, module)) for _, module in third_party_imports()}
    assert declared("serve", "postgres") - imported - NOT_IMPORTED == set()


def test_the_map_of_imports_is_true() -> None:
    """`PROVIDED_BY` against the distributions that are installed."""
    found = importlib.metadata.packages_distributions()
    for module, distribution in PROVIDED_BY.items():
        if module not in {"jinja2", "werkzeug", "urllib3"}:
            assert distribution in {normal(provider) for provider in found[module]}
