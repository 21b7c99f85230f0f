"""Plain bodies are read without a scanner, and read the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.graph.plain_body import plain_text
from calsync_plugin.markup import html_to_text, text_to_html

HEAD = '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
_BITS = [
    *["<div>", "</div>", "<br>", "<p>", "</p>", "a", "b", "&nbsp;", "&amp;", "&#65;", "&lt"],
    " ",
    "  ",
    "\n",
    "\t",
    "\0",
    "é",
    "\u0301",
]
_MARKUP = st.lists(st.sampled_from(_BITS), max_size=6).map("".join)


@pytest.mark.parametrize("text", ["one line", "two\nlines", "a gap\n\nbetween", "1 < 2 & 3 > 2", "é"])
def test_what_calsync_wrote_is_plain_in_a_document_or_not(text: str) -> None:
    written = text_to_html(text)
    assert plain_text(written) == text
    assert plain_text(f"{HEAD}{written}</body></html>") == text


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<p>text</p>", id="paragraph"),
        pytest.param("<div>a <b>bold</b> word</div>", id="formatting"),
        pytest.param("<div></div>", id="empty_block"),
        pytest.param("<div>a</div>loose", id="text_outside"),
        pytest.param("<div>two  blanks</div>", id="white_space_that_collapses"),
        pytest.param("<div>&#38;</div>", id="numbered_entity"),
        pytest.param("<div>\ud800</div>", id="lone_surrogate"),
    ],
)
def test_everything_else_is_left_to_the_scanner(html: str) -> None:
    assert plain_text(html) is None


@given(_MARKUP, _MARKUP, st.booleans())
def test_a_plain_body_says_what_the_scanner_says(first: str, second: str, document: bool) -> None:
    html = f"<div>{first}</div>{second}<div>a</div>"
    html = f"{HEAD}{html}</body></html>" if document else html
    plain = plain_text(html)
    assert plain is None or plain == html_to_text(html)
