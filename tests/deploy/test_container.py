"""The container file: clean by its linter, nothing secret, nobody's root, and a health check that can tell.

Whether the image can be built is not tested here; the file says so.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin import bundle
from calsync_plugin.web.server import Server
from tests.deploy.conftest import DEPLOY, lacking

FILE = DEPLOY / "container" / "Containerfile"
CHECKOUT = DEPLOY.parent
SECRETS = {
    entry["x-env"]
    for section in bundle.schema("config")["properties"].values()
    for entry in section["properties"].values()
    if entry.get("writeOnly") and "x-env" in entry
}


def instructions() -> list[tuple[str, str]]:
    """Each instruction and what it says, in order."""
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in whole if line.strip()]


def last(name: str) -> str:
    return [value for instruction, value in instructions() if instruction == name][-1]


def linted(file: Path) -> str:
    """What the linter has to say."""
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        lacking("hadolint is not installed")
    command = (linter, "--no-color", file)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout


def test_the_linter_has_nothing_to_say() -> None:
    assert linted(FILE) == ""


def test_the_linter_would_say_it(tmp_path: Path) -> None:
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM python:latest\nRUN pip install flask\n", encoding="utf-8")
    assert {"DL3007", "DL3042"} <= set(re.findall(r"DL\d+", linted(bad)))


def test_its_base_is_pinned_and_slim() -> None:
    bases = [value.split()[0] for name, value in instructions() if name == "FROM"]
    assert bases
    assert all(re.fullmatch(r"docker\.io/library/python:\d+\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert "--constraint requirements-ci.txt" in last("RUN") + "".join(
        v for n, v in instructions() if n == "RUN"
    )


def test_it_runs_as_nobody_special() -> None:
    uid, _, gid = last("USER").partition(":")
    assert (int(uid) >= 1000, int(gid) >= 1000) == (True, True)
    assert f"--uid {uid}" in last("RUN")


def test_no_secret_is_in_it() -> None:
    """Neither a variable that holds one, nor the folder of a developer."""
    assert len(SECRETS) >= 4
    given = " ".join(value for name, value in instructions() if name in {"ENV", "ARG"})
    assert not [secret for secret in SECRETS if secret in given]
    copied = {word for name, value in instructions() if name == "COPY" for word in value.split()}
    assert not {".", "./calsync-data", "calsync.yaml"} & (copied - {"./"})


def test_everything_that_it_copies_is_there() -> None:
    for name, value in instructions():
        if name == "COPY" and not value.startswith("--from"):
            assert [word for word in value.split()[:-1] if not (CHECKOUT / word).exists()] == []


def test_what_it_copies_is_enough_to_install(tmp_path: Path) -> None:
    """The step of the build that can be tried here: a wheel, made of what is copied and nothing else."""
    source = tmp_path / "build"
    for name, value in instructions():
        if name == "COPY" and not value.startswith("--from"):
            *files, target = value.split()
            for file in files:
                if (CHECKOUT / file).is_dir():
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(CHECKOUT / file, source / target, ignore=ignored)
                else:
                    source.mkdir(exist_ok=True)
                    shutil.copy(CHECKOUT / file, source / target)
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, source)
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert {"calsync_plugin/_bundle/plugin.yaml", "calsync_plugin/web/templates/base.html"} <= inside
    assert "calsync_plugin/_bundle/hooks/meetings.py" in inside


def test_its_data_is_a_volume_and_a_stop_is_orderly() -> None:
    assert last("VOLUME") == last("WORKDIR") == "/var/lib/calsync"
    assert last("STOPSIGNAL") == "SIGTERM"
    assert json.loads(last("ENTRYPOINT")) == ["calsync"]
    assert json.loads(last("CMD"))[:3] == ["serve", "--data", "/var/lib/calsync"]


def healthy(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"{}"]


def broken(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("500 Internal Server Error", [])
    return [b"{}"]


@pytest.mark.parametrize(("app", "well"), [(healthy, True), (broken, False), (None, False)])
def test_its_health_check_can_tell(app: Callable[..., Iterable[bytes]] | None, well: bool) -> None:
    """None: nobody answers."""
    command: list[str] = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert "/healthz" in command[-1]
    server = Server(app or healthy, host="127.0.0.1", port=0, threads=1, name="health")
    asked = command[-1].replace("127.0.0.1:8700", f"127.0.0.1:{server.port}")
    assert asked != command[-1]
    server.start()
    if app is None:
        server.stop()
    answer = subprocess.run((sys.executable, "-c", asked), capture_output=True, check=False, timeout=60)
    if app is not None:
        server.stop()
    assert (answer.returncode == 0) == well
