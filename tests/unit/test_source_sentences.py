"""What is said of a source that cannot be read is known to the pages, so that it can be translated."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import calsync_plugin
from calsync_plugin.engine import busy_sources, schedule_reading
from calsync_plugin.graph import schedules
from calsync_plugin.web.source_sentences import MESSAGES

PACKAGE = Path(calsync_plugin.__file__).parent
KNOWN = {message.message for message in MESSAGES}
OF_THE_ENGINE = [
    busy_sources.NOT_THERE,
    "this calendar cannot be read: %(problem)s",
    schedule_reading.NOT_CONNECTED,
    schedule_reading.LATER,
    schedule_reading.NOT_TOLD,
    schedules.NOT_FOUND,
    schedules.NOT_SHOWN,
    schedules.TOO_MANY,
    schedules.NOT_HERE,
]
ANSWERED_AT_ONCE = {"masking.py"}
"""What is said of what a user typed, before anything is kept."""


def _marked() -> list[str]:
    files = [*PACKAGE.glob("feeds/*.py"), *PACKAGE.glob("http/*.py")]
    calls = [
        node
        for file in files
        if file.name not in ANSWERED_AT_ONCE
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
    ]
    return sorted({str(c.args[0].value) for c in calls if c.args and isinstance(c.args[0], ast.Constant)})


@pytest.mark.parametrize("said", [*OF_THE_ENGINE, *_marked()])
def test_it_is_known(said: str) -> None:
    assert said in KNOWN
