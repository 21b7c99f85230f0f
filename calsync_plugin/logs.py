"""How a log line looks, and what must never be in one.

Decides the two formats. Secrets do not come into messages in the first place; the filter is the second net.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time

_SECRET = re.compile(
    r"(?i)\b(bearer\s+|(?:access_token|refresh_token|client_secret|api_key|code|id_token)[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"'&,}]+"
)


class NoSecrets(logging.Filter):
    """Masks what looks like a credential, wherever it came from."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the finished message."""
        message = record.getMessage()
        masked = _SECRET.sub(r"\1***", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True


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
    handler.setFormatter(
        JsonLines()
        if form == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("waitress", "werkzeug", "urllib3", "msal", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
