"""What comes from elsewhere can neither forge a line of the log nor carry a secret into it."""

from __future__ import annotations

import json
import logging
import sys
from types import TracebackType

import pytest

from calsync_plugin.logs import JsonLines, NoSecrets, TextLines

Failure = tuple[type[BaseException], BaseException, TracebackType | None]


def record(message: str, failure: Failure | None = None) -> logging.LogRecord:
    line = logging.LogRecord("calsync.test", logging.WARNING, "file.py", 1, "%s", (message,), failure)
    NoSecrets().filter(line)
    return line


def failed(message: str) -> Failure:
    """What is known of an exception with that message."""
    try:
        raise ValueError(message)
    except ValueError:
        kind, error, trace = sys.exc_info()
        assert kind is not None
        assert error is not None
        return kind, error, trace


FORGED = "Meeting 1\n2026-01-01 00:00:00,000 INFO    calsync: all is well\r\x1b[2J\x1b]0;owned\x07\x9b2J"


def test_a_record_cannot_write_a_line_of_its_own() -> None:
    line = TextLines().format(record(FORGED))
    assert [c for c in line if not c.isprintable()] == []
    assert "\\x0a2026-01-01" in line


def test_an_exception_cannot_either() -> None:
    lines = TextLines().format(record("it failed", failed(FORGED))).split("\n")
    assert all(line.startswith("  ") for line in lines[1:])
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for line in lines for c in line)


def test_a_json_line_is_one_line() -> None:
    line = JsonLines().format(record(FORGED, failed(FORGED)))
    assert "\n" not in line
    assert json.loads(line)["message"] == FORGED


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("Bearer eyJ0.abc", "eyJ0.abc", id="token"),
        pytest.param("'X-Api-Key': 'k3y'", "k3y", id="api-key"),
        pytest.param("'Espo-Authorization': 'YTpi'", "YTpi", id="a-persons-login"),
        pytest.param("Signature: YWJj", "YWJj", id="signature"),
        pytest.param("X-Signature=YWJj", "YWJj", id="legacy-signature"),
        pytest.param("X-Hmac-Authorization: a2V5OjEyMw==", "a2V5OjEyMw==", id="hmac"),
        pytest.param('{"secretKey": "5ecret"}', "5ecret", id="webhook-secret"),
        pytest.param("code_verifier=v3rifier&x=1", "v3rifier", id="verifier"),
    ],
)
def test_a_secret_is_masked_in_message_and_trace(text: str, secret: str) -> None:
    for form in (TextLines(), JsonLines()):
        assert secret not in form.format(record(text, failed(text)))
