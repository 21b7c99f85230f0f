"""The text of a body that holds nothing but lines: what calsync wrote, as Exchange gives it back.

Decides which bodies are so plain that no scanner is needed; they say what `markup.html_to_text` says of them,
in a tenth of its time. Everything else is left to that.
"""

from __future__ import annotations

import html as entities
import re

from calsync_plugin.domain.meeting import fold_text

# Exchange puts a document around what it was given.
_DOCUMENT = re.compile(
    r"<html><head>[ \r\n]*(?:<meta [^<>]*>[ \r\n]*)?</head>[ \r\n]*<body>(.*)</body>[ \r\n]*</html>[ \r\n]*",
    re.DOTALL,
)
_BETWEEN = re.compile(r"</div>[ \r\n]*<div>")
# A reader of HTML would not leave these as they are.
_UNEVEN = re.compile(r"[\t\r\n]|  |^ | $")


def plain_text(html: str) -> str | None:
    """Return the text of a body of plain lines, None for any other."""
    document = _DOCUMENT.fullmatch(html)
    body = (document.group(1) if document else html).strip(" \r\n")
    if not (body.startswith("<div>") and body.endswith("</div>")) or "&#" in body:
        return None
    lines = []
    for written in _BETWEEN.split(body[len("<div>") : -len("</div>")]):
        line = "" if written == "<br>" else entities.unescape(written)
        if not written or (line and "<" in written) or _UNEVEN.search(line):
            return None
        lines.append(line)
    text = "\n".join(lines)
    return fold_text(text) if _writable(text) else None


def _writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
