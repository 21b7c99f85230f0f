"""Descriptions: plain text to HTML and back, and what may be shown of HTML from elsewhere.

Decides how much structure a text keeps: lines, blank lines, lists, link addresses. Text that went to HTML
comes back as it was, also after Exchange has wrapped it, so that descriptions never grow. Does not decide
which side's description counts.

HTML is read here by a scanner of its own: it goes over the text once, builds no tree and cannot be made slow
by hostile nesting, as html.parser (unclosed comments) and html5ever (formatting elements) can.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator

import nh3

from calsync_plugin.domain.composed import composed

Token = tuple[str, str, int, int]
"""(kind, name, start, end): kind is "text", or "<" / "/" for a tag with its name; places in the source."""

_TAG_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*")
_ATTRIBUTES = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
# Their content is not text of the document (HTML standard, raw text elements), or not to be read.
_HIDDEN = frozenset({"script", "style", "title", "noframes", "noembed", "iframe", "xmp", "template"})
_BLOCK_NAMES = (
    "address article aside blockquote body center dd div dl dt fieldset figure footer form header hr html li"
    " main nav ol pre section table tbody tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_WHITE = re.compile(r"[ \t\n\r]+")
_WHITE_EDGE = re.compile(r"^ | (?= )")


def text_to_html(text: str) -> str:
    """Return plain text as HTML: one block for each line, blanks and tabs kept."""
    tidy = _tidy(text)
    lines = tidy.split("\n") if tidy else []
    return "".join(f"<div>{_line_to_html(line)}</div>" for line in lines)


def html_to_text(html: str) -> str:
    """Return the text of HTML: LF ends, no blanks at line ends, no empty edges, composed form (NFC).

    List items begin with `- ` or their number; a link keeps its address in parentheses unless that is its
    text.
    """
    reader = _Reader()
    hidden = ""
    for kind, value, start, end in tokens(html):
        if hidden:
            hidden = "" if kind == "/" and value == hidden else hidden
        elif kind == "text":
            reader.text(_unescaped(html[start:end]))
        elif kind == "<" and value in _HIDDEN:
            hidden = value
        elif kind == "<":
            reader.open(value, html[start:end])
        else:
            reader.close(value)
    return _tidy(reader.finish())


def sanitise(html: str) -> str:
    """Return HTML that is safe to show: no scripts, styles, forms, handlers, images or foreign schemes.

    What is nested so that it could only have been written to be slow comes back as text.
    """
    clean = _sendable(html)
    if _is_hostile(clean):
        return text_to_html(html_to_text(clean))
    # An image would tell its server who read the description and when.
    tags = nh3.ALLOWED_TAGS - {"img"}
    return nh3.clean(clean, tags=tags, clean_content_tags=set(_HIDDEN), link_rel="noopener noreferrer")


def tokens(html: str) -> Iterator[Token]:
    """Yield text and tags in order, with their places; comments and declarations are skipped."""
    position, size = 0, len(html)
    while position < size:
        opening = html.find("<", position)
        if opening < 0:
            opening = size
        if opening > position:
            yield "text", "", position, opening
        if opening == size:
            return
        if html.startswith("<!--", opening):
            closing = html.find("-->", opening + 4)
            position = closing + 3 if closing >= 0 else size
            continue
        name = _TAG_NAME.match(html, opening + 1)
        if name is None and html[opening + 1 : opening + 2] not in ("!", "?", "/"):
            yield "text", "", opening, opening + 1
            position = opening + 1
            continue
        position = _tag_end(html, name.end() if name else opening + 1)
        if name is not None:
            found = name.group().lower()
            yield ("/", found[1:], opening, position) if found[0] == "/" else ("<", found, opening, position)


_QUOTED = re.compile(r"""[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>""")
_FARTHEST = 1024
"""Characters within which a tag with a `>` in quotes must end: else each of many could be read to the end."""


def _tag_end(html: str, start: int) -> int:
    """Return where the tag ends whose name ends at `start`; a quote in it may hold a `>`."""
    if html.startswith(">", start):
        return start + 1
    first = html.find(">", start)
    if first < 0:
        return len(html)
    if '"' not in html[start:first] and "'" not in html[start:first]:
        return first + 1
    found = _QUOTED.match(html, start, start + _FARTHEST)
    return found.end() if found else first + 1


_ENDLESS_NUMBER = re.compile(r"&#x?[0-9a-f]{9,}", re.IGNORECASE)


def _unescaped(text: str) -> str:
    """Return text with its entities resolved; numbers that no character has are dropped first."""
    return entities.unescape(_ENDLESS_NUMBER.sub("", text) if "&#" in text else text)


def _attribute(tag: str, wanted: str) -> str:
    """Return an attribute of a tag as written, e.g. `href` of `<a href="...">`; empty if it has none."""
    name = _TAG_NAME.match(tag, 1)
    for found in _ATTRIBUTES.finditer(tag, name.end() if name else 1):
        if found.group(1).lower() == wanted:
            value = next((group for group in found.groups()[1:] if group is not None), "")
            return _unescaped(value).strip()
    return ""


class _Reader:
    """Collects lines from text and tags as a browser would break them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._filled = False
        self._gap = False
        self._spaced = True
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._pre = 0

    def text(self, text: str) -> None:
        """Add text; white space that the source breaks or indents with is one blank, as in a browser."""
        if self._pre:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._add(first)
            for line in rest:
                self._flush()
                self._add(line)
            return
        self._add(_WHITE.sub(_collapsed, text))

    def _add(self, part: str) -> None:
        self._line.append(part)
        self._filled = self._filled or bool(part.strip(" \n\r"))

    def open(self, name: str, tag: str) -> None:
        """Take an opening tag."""
        if name == "br":
            self._flush()
        elif name == "a":
            # As in a browser, a link ends where the next one begins.
            self.close(name)
            self._links.append((_attribute(tag, "href"), len(self._line)))
        elif name in {"td", "th"}:
            if self._filled:
                self._add("\t")
        elif name in _SPACED:
            # Outlook writes every line as a paragraph of this class, without space between them.
            self._spaced = _attribute(tag, "class").lower() != "msonormal"
            self._block(spaced=self._spaced)
        elif name in _BLOCKS:
            self._block()
            self._begin(name)

    def _begin(self, name: str) -> None:
        if name in {"ul", "ol"}:
            self._lists.append(0 if name == "ol" else None)
        elif name == "pre":
            self._pre += 1
        elif name == "li":
            bullet = "- "
            if self._lists and self._lists[-1] is not None:
                self._lists[-1] += 1
                bullet = f"{self._lists[-1]}. "
            # Non-breaking, or the line would lose it as white space at its start.
            self._add("\u00a0\u00a0" * min(max(len(self._lists) - 1, 0), 9) + bullet)

    def close(self, name: str) -> None:
        """Take a closing tag."""
        if name == "a" and self._links:
            self._end_link(*self._links.pop())
        elif name in _SPACED:
            self._block(spaced=self._spaced)
        elif name in _BLOCKS:
            self._block()
            if name in {"ul", "ol"} and self._lists:
                self._lists.pop()
            elif name == "pre" and self._pre:
                self._pre -= 1

    def _end_link(self, address: str, start: int) -> None:
        shown = "".join(self._line[start:]).strip()
        plain = address.removeprefix("mailto:")
        if not plain.lower().startswith(("http://", "https://")) and plain == address:
            return
        if shown and plain.rstrip("/") != shown.rstrip("/"):
            self._add(f" ({plain})")
        elif not shown:
            self._add(plain)

    def _block(self, *, spaced: bool = False) -> None:
        if self._filled:
            self._flush()
        self._line.clear()
        self._gap = self._gap or spaced

    def _flush(self) -> None:
        if self._gap and self._lines and self._lines[-1]:
            self._lines.append("")
        self._gap = False
        line = "".join(self._line)
        self._lines.append(line if self._pre else _WHITE_EDGE.sub("", line))
        self._line.clear()
        self._filled = False

    def finish(self) -> str:
        """Return all lines."""
        self._block()
        return "\n".join(self._lines)


def _collapsed(run: re.Match[str]) -> str:
    white = run.group()
    return " " if "\n" in white or "\r" in white or "\t" not in white else white


_LEADING = re.compile(r"^ | (?= )")


def _line_to_html(line: str) -> str:
    escaped = entities.escape(line, quote=False).replace("\u00a0", "&nbsp;")
    return _LEADING.sub("&nbsp;", escaped) or "<br>"


def _tidy(text: str) -> str:
    """Return text as it is compared: composed, LF ends, no blanks at line ends, no empty edges."""
    plain = _sendable(text).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    lines = composed(plain).replace("\u00a0", " ").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _sendable(text: str) -> str:
    """Return text without lone surrogates, which no encoding takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_FORMATTING_NAMES = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
# Without an end tag, or closed by the next of their kind.
_FLAT_NAMES = "area base br col embed hr img input link meta param source track wbr p li td tr th dd dt"
_FLAT = frozenset(_FLAT_NAMES.split())
_DEEPEST = 500
_MOST_WORK = 200_000


def _is_hostile(html: str) -> bool:
    """Tell whether a tree of this could take long: deep nesting, formatting reopened over and over."""
    stack: list[str] = []
    formatting = most = tags = 0
    for kind, name, _, _ in tokens(html):
        if kind == "text" or name in _FLAT:
            tags += kind != "text"
            continue
        tags += 1
        if kind == "<":
            stack.append(name)
            formatting += name in _FORMATTING
            most = max(most, formatting)
            if len(stack) > _DEEPEST:
                return True
        elif stack and stack[-1] == name:
            stack.pop()
            formatting -= name in _FORMATTING
    return most * tags > _MOST_WORK
