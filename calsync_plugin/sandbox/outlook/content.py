"""Bodies as Exchange keeps and gives them: HTML wrapped in a document, text turned into HTML, a preview, a
meeting blob.

Source: Graph docs, event: get (outlook.body-content-type; HTML unless asked for) and event: update (keep
the blob).
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from html.parser import HTMLParser

_BODY = re.compile(r"<body[^>]*>(.*?)(?:</body>|\Z)", re.IGNORECASE | re.DOTALL)
_ACTIVE = re.compile(r"<(script|iframe|object|embed)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_HANDLER = re.compile(r"(<[^>]*?)\son\w+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_HEAD = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
_BREAKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol"}


def wrap_html(content: str) -> str:
    """Return HTML as the service stores it: unsafe parts dropped, one document around what was inside the
    body.
    """
    found = _BODY.search(content) if "<body" in content.lower() else None
    inner = found.group(1).strip() if found else content.strip()
    if "<" in inner:
        inner = _HANDLER.sub(r"\1", _ACTIVE.sub("", inner))
    return f"{_HEAD}</head><body>\r\n{inner}\r\n</body></html>\r\n"


def text_to_html(content: str) -> str:
    """Return the HTML that the service makes of a text body."""
    lines = html.escape(content, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return (
        f'{_HEAD}\r\n<meta name="Generator" content="Microsoft Exchange Server">'
        "\r\n<!-- converted from text -->"
        f'</head><body>\r\n<font size="2"><span style="font-size:11pt;"><div class="PlainText">{lines}</div>'
        f"</span></font>\r\n</body></html>\r\n"
    )


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in {"head", "style", "script"}:
            self._hidden += 1
        elif (tag in _BREAKS and self.parts and not self.parts[-1].endswith("\n")) or tag == "br":
            self.parts.append("\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"head", "style", "script"} and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.split()) if not data.strip() else re.sub(r"\s+", " ", data))


@lru_cache(maxsize=512)
def html_to_text(content: str) -> str:
    """Return the readable text of an HTML body."""
    parser = _Text()
    parser.feed(content)
    parser.close()
    return "".join(parser.parts).strip()


def preview(text: str) -> str:
    """Return the first 255 characters of a body's text."""
    return text[:255]


def meeting_blob(join_url: str) -> str:
    """Return what the service appends to the body of an online meeting."""
    return (
        '<div class="me-email-text" lang="en-US"><div>'
        "________________________________________________________________________________</div>\r\n"
        '<div><span style="font-size:24px">Microsoft Teams meeting</span></div>\r\n'
        f'<div><a id="meet_invite_block.action.join_link" href="{html.escape(join_url)}">'
        "Join the meeting now</a></div>\r\n"
        "<div>________________________________________________________________________________</div></div>"
    )


def with_blob(content: str, join_url: str) -> str:
    """Return a wrapped body with the meeting blob at its end."""
    return content.replace("\r\n</body></html>", f"\r\n<br>\r\n{meeting_blob(join_url)}\r\n</body></html>")


def has_blob(content: str, join_url: str) -> bool:
    """Tell whether a body still holds the blob of this meeting."""
    return join_url in content or html.escape(join_url) in content
