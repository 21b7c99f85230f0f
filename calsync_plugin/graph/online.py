"""The block that an online meeting keeps in its event's body. Pure.

Decides which part of a body is the organizer's own text and which is the meeting's. A body that is written
without the block disables the meeting (Graph docs, "Update event").
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from calsync_plugin.markup import tokens

# A line across the body: so many underscores and nothing else.
_RULE = 20
# What Teams marks its block with: a class, an id, and the address to join at. Seen in bodies of the service.
_MARKS = ("me-email", "meet_invite_block", "teams.microsoft.com/l/meetup-join", "teams.microsoft.com/meet/")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"})
_ROOTS = frozenset({"html", "body", ""})


@dataclass(slots=True)
class _Element:
    """A piece of the body: its tag, where it starts and ends, and what holds it. The document has no tag."""

    tag: str
    start: int
    end: int
    parent: _Element | None


def split_meeting_blob(html: str, join_url: str = "") -> tuple[str, str]:
    """Return the HTML without the meeting block, and the block; the block is empty if none is recognised.

    The block is the smallest whole piece that reaches from the line above the first mark to the line below
    the last one.
    """
    rules, marks, texts, elements = _scan(html, join_url)
    if not marks:
        return html, ""
    before = next((text for text in reversed(texts) if text[0] < marks[0][0]), None)
    after = next((text for text in texts if text[0] > marks[0][0]), None)
    # The line above belongs to the block unless the block has one of its own within its first mark.
    first = before if before in rules and after not in rules else marks[0]
    last = next((rule for rule in rules if rule[0] > marks[-1][0]), marks[-1])
    outer = _common(elements, first, last)
    start, end = _inside(outer, elements, first)[0], _inside(outer, elements, last)[1]
    while outer.tag not in _ROOTS and outer.parent and not _text_within(texts, outer, start, end):
        start, end, outer = outer.start, outer.end, outer.parent
    return html[:start] + html[end:], html[start:end]


_Span = tuple[int, int]


def _scan(html: str, join_url: str) -> tuple[list[_Span], list[_Span], list[_Span], list[_Element]]:
    """Return where the lines, the marks and any text lie, and all elements, outer before inner."""
    rules: list[_Span] = []
    marks: list[_Span] = []
    texts: list[_Span] = []
    document = _Element("", 0, len(html), None)
    elements, stack = [document], [document]
    wanted = (*_MARKS, join_url.lower()) if join_url else _MARKS
    for kind, name, start, end in tokens(html):
        source = html[start:end]
        if kind == "text":
            if source.strip():
                texts.append((start, end))
            if len(source.strip()) >= _RULE and not source.strip().strip("_"):
                rules.append((start, end))
        elif kind == "<":
            if any(mark in source.lower() for mark in wanted):
                marks.append((start, end))
            if name not in _VOID:
                stack.append(_Element(name, start, len(html), stack[-1]))
                elements.append(stack[-1])
        elif any(element.tag == name for element in stack[-50:]):
            while len(stack) > 1:
                closed = stack.pop()
                closed.end = end if closed.tag == name else start
                if closed.tag == name:
                    break
    return rules, marks, texts, elements


def _common(elements: list[_Element], first: _Span, last: _Span) -> _Element:
    """Return the innermost element around both places."""
    return next(
        e for e in reversed(elements) if (e.start < first[0] and last[1] <= e.end) or e.parent is None
    )


def _inside(outer: _Element, elements: list[_Element], place: _Span) -> _Span:
    """Return the child of `outer` that holds a place, or the place itself if it lies in `outer` directly."""
    for element in elements:
        if element.parent is outer and element.start <= place[0] and place[1] <= element.end:
            return element.start, element.end
    return place


def _text_within(texts: list[_Span], outer: _Element, start: int, end: int) -> bool:
    """Tell whether an element has text besides what lies between `start` and `end`, which it holds.

    Texts lie in order and apart, so two searches count them, however many there are.
    """
    return _texts_from(texts, outer.start, outer.end) > _texts_from(texts, start, end)


def _texts_from(texts: list[_Span], start: int, end: int) -> int:
    return bisect_right(texts, end, key=lambda text: text[1]) - bisect_left(
        texts, start, key=lambda text: text[0]
    )
