"""How a log line looks, and what must never be in one.

Decides the two formats. Secrets do not come into messages in the first place; the filter is the second net.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any

_SECRET = re.compile(
    r"(?i)\b(bearer\s+|x-(?:api-key|hmac-authorization)[\"']?\s*[=:]\s*[\"']?"
    r"|(?:espo-authorization|(?:x-)?signature)[\"']?\s*[=:]\s*[\"']?"
    r"|(?:access_token|refresh_token|client_secret|client_info|api_key|secretKey|code_verifier|code|id_token)"
    r"[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"'&,}]+"
)


_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160)) if number != 9}
"""A line of the log is one line: what comes from elsewhere could write others, or steer a terminal."""


class NoSecrets(logging.Filter):
    """Masks what looks like a credential, wherever it came from."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the finished message."""
        message = record.getMessage()
        masked = _SECRET.sub(r"\1***", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True


class TextLines(logging.Formatter):
    """One line for people, with its trace below it if it has one."""

    def __init__(self) -> None:
        """Time, level and name before each message."""
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line without its trace."""
        return super().formatMessage(record).translate(_CONTROLS)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the trace, each of its lines indented so that none of them looks like a line of the log."""
        lines = _SECRET.sub(r"\1***", super().formatException(ei)).split("\n")
        return "\n".join(f"  {line.translate(_CONTROLS)}" for line in lines)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = _SECRET.sub(r"\1***", self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(level: str, form: str) -> None:
    """Send all logs to standard error in `form` (`text` or `json`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(NoSecrets())
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("waitress", "werkzeug", "urllib3", "msal", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
