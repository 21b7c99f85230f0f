"""Log lines: two forms, and no credential in either."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from calsync_plugin.logs import JsonLines, NoSecrets, set_up_logging


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def record(message: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("calsync.test", logging.INFO, "file.py", 1, message, values, None)


SECRETS = [
    pytest.param("Authorization: Bearer eyJ0eXAiOiJKV1Qi", "eyJ0eXAiOiJKV1Qi", id="bearer"),
    pytest.param("refresh_token=0.AXoA-secret&x=1", "0.AXoA-secret", id="form"),
    pytest.param('{"access_token": "abc123"}', "abc123", id="json"),
    pytest.param("client_secret: s3cr3t", "s3cr3t", id="yaml"),
    pytest.param("GET /cb?code=M.C507_secret&state=1", "M.C507_secret", id="query"),
]


@pytest.mark.parametrize(("message", "secret"), SECRETS)
def test_a_credential_is_masked(message: str, secret: str) -> None:
    line = record("%s", message)
    assert NoSecrets().filter(line)
    assert secret not in line.getMessage()
    assert "***" in line.getMessage()


def test_an_ordinary_line_stays_as_it_is() -> None:
    line = record("mailbox %s rests for %.1f s", 7, 1.5)
    NoSecrets().filter(line)
    assert line.getMessage() == "mailbox 7 rests for 1.5 s"


def test_a_json_line_says_when_how_bad_who_and_what() -> None:
    line = json.loads(JsonLines().format(record("it works")))
    assert line.keys() == {"at", "level", "logger", "message"}
    assert (line["level"], line["logger"], line["message"]) == ("info", "calsync.test", "it works")
    assert line["at"].endswith("Z")


def test_a_trace_is_masked_too() -> None:
    try:
        raise ValueError("token was Bearer abcdef")
    except ValueError as error:
        failed = record("it failed")
        failed.exc_info = (ValueError, error, error.__traceback__)
    line = json.loads(JsonLines().format(failed))
    assert "ValueError" in line["error"]
    assert "abcdef" not in line["error"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_go_to_standard_error(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    set_up_logging("info", form)
    logging.getLogger("calsync.test").info("hello %s", "there")
    shown = capsys.readouterr()
    assert "hello there" in shown.err
    assert shown.out == ""
    assert (shown.err.startswith("{")) is (form == "json")
