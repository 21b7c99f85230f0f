"""Text to HTML and back: nothing is lost, nothing grows, nothing takes long."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.meeting import fold_text
from calsync_plugin.markup import html_to_text, sanitise, text_to_html

TEXT = st.text(max_size=200) | st.text(
    alphabet=st.sampled_from("ab <>&;\"'\t\n\r\u00a0\u0338-1.()/#x\x0c\x85\u2028"), max_size=60
)
WORDS = (
    "<p> </p> <div> </div> <br> <ul> <ol> <li> </ul> </ol> <b> </b> <pre> </pre> <td> </a> <!-- --> <script>"
    " </script> <style> </style> &amp; &nbsp; < > text - 1. &#"
)
PIECES_OF_MARKUP = [*WORDS.split(" "), " ", "\n", "\t", "<a href='http://x/'>", "<p class=MsoNormal>"]
MARKUP = st.lists(st.sampled_from(PIECES_OF_MARKUP), max_size=40).map("".join)


def exchange(html: str) -> str:
    """A body as Exchange keeps it: one document around it, with a head."""
    head = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style>p {margin:0}</style>'
    return f"<html><head>\r\n{head}<!-- x --></head>\r\n<body>\r\n{html}\r\n</body></html>\r\n"


@given(TEXT)
def test_text_survives_html(text: str) -> None:
    assert html_to_text(text_to_html(text)) == fold_text(text)


@given(TEXT)
def test_text_survives_what_exchange_wraps_around_it(text: str) -> None:
    once = html_to_text(exchange(text_to_html(text)))
    assert once == fold_text(text)
    assert html_to_text(exchange(exchange(text_to_html(once)))) == once


@given(MARKUP)
def test_any_html_becomes_stable_text(html: str) -> None:
    text = html_to_text(html)
    assert fold_text(text) == text
    assert html_to_text(text_to_html(text)) == text


CASES = [
    pytest.param("", "", id="empty"),
    pytest.param("a<br>b", "a\nb", id="break"),
    pytest.param("<div>a</div><div>b</div>", "a\nb", id="lines"),
    pytest.param("<div>a<br></div><div><br></div><div>b</div>", "a\n\nb", id="trailing-break"),
    pytest.param("<p>a</p><p>b</p>", "a\n\nb", id="paragraphs"),
    pytest.param(
        '<p class="MsoNormal">a</p><p class="MsoNormal">&nbsp;</p><p class=MsoNormal>b</p>',
        "a\n\nb",
        id="word",
    ),
    pytest.param("<ul><li>a</li><li>b</ul>", "- a\n- b", id="list"),
    pytest.param("<ol><li>a<ul><li>x</ul><li>b</ol>", "1. a\n  - x\n2. b", id="nested-list"),
    pytest.param('<a href="http://x.example/">X</a>', "X (http://x.example/)", id="link"),
    pytest.param('<a href="http://x.example/">http://x.example</a>', "http://x.example", id="bare-link"),
    pytest.param('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example", id="bare-mail"),
    pytest.param(
        "<a href=http://x/>X<a href=http://y/>Y</a>Z</a>", "X (http://x/)Y (http://y/)Z", id="two-links"
    ),
    pytest.param('<a href="https://x.example/"></a>', "https://x.example/", id="empty-link"),
    pytest.param('<a href="#top">X</a><a name=y>Y</a>', "XY", id="link-to-nowhere"),
    pytest.param("<table><tr><td>1<td>2<tr><td>3</table>", "1\t2\n3", id="table"),
    pytest.param("<pre>a  b\n c</pre>d", "a  b\n c\nd", id="pre"),
    pytest.param("a \n  b", "a b", id="wrapped-source"),
    pytest.param("a&nbsp;&nbsp;b &lt;&amp;&gt; &euro;", "a  b <&> €", id="entities"),
    pytest.param("x<style>a</style><script>b</script><title>c</title>y", "xy", id="hidden"),
    pytest.param("x<!-- a > b -->y<!DOCTYPE html><?xml a?>z", "xyz", id="comments"),
    pytest.param("<b title='a > b'>x</b>", "x", id="quoted-bracket"),
    pytest.param("1 < 2 and 3 > 2", "1 < 2 and 3 > 2", id="bare-brackets"),
    pytest.param("e\u0301", "é", id="composed"),
    pytest.param("a\ud800b", "a\ufffdb", id="lone-surrogate"),
    pytest.param("<h1>T</h1>x", "T\n\nx", id="heading"),
    pytest.param("&#99999999999999999999;x", ";x", id="impossible-number"),
]


@pytest.mark.parametrize(("html", "text"), CASES)
def test_html_is_read_as_a_browser_shows_it(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_lines_and_blanks_are_kept_in_html() -> None:
    assert (
        text_to_html("a  b\r\n\r\n <c> &\t")
        == "<div>a&nbsp; b</div><div><br></div><div>&nbsp;&lt;c&gt; &amp;</div>"
    )
    assert text_to_html("") == ""


def test_what_is_shown_cannot_act() -> None:
    html = (
        '<p onclick="x()">a<script>b</script><img src=x onerror=y><a href="javascript:z">c</a>'
        '<iframe src="x">d</iframe><style>e</style><a title="t" href="https://ok.example/">f</p>'
    )
    safe = sanitise(html)
    assert html_to_text(safe) == "acf (https://ok.example/)"
    assert re.findall(r"<\w+|\w+=", safe) == ["<p", "<a", "rel=", "<a", "title=", "href=", "rel="]
    assert sanitise("a\ud800") == "a\ufffd"


HOSTILE = (
    "<div> <b> </b> </div> < <!-- --> <p> </ '> \"> &amp &# &#x99999999999 <table> <svg> <script> </script>"
    " <pre> <li> <ul> </ul> = x <td> </a>"
)
PIECES = [*HOSTILE.split(" "), " ", "\n", "\t", "<a href=x>", "<font color=1>", '<a "']


def _hostile() -> list[str]:
    alone = [piece * (100_000 // max(len(piece), 1)) for piece in PIECES if piece]
    chance = random.Random(7)
    pairs = ["".join(chance.sample(PIECES, 2)) for _ in range(40)]
    attributes = [
        "<a " + "x" * 99_000,
        "<p class=" + "=" * 99_000 + ">",
        "<a" + " " * 99_000 + ">",
        " \t" * 50_000,
    ]
    fonts = "".join(f"<font color={i}>" for i in range(450)) + "<p>x</p>" * 10_000
    links = "<a href=http://x/>" * 2_000 + "<i>y</i>" * 7_000 + "</a>" * 2_000
    return [*alone, *(pair * (100_000 // len(pair)) for pair in pairs if pair), *attributes, fonts, links]


@pytest.mark.parametrize("html", [pytest.param(h, id=f"{i}-{h[:12]!r}") for i, h in enumerate(_hostile())])
def test_100_kb_of_hostile_html_take_no_time(html: str) -> None:
    begun = time.process_time()
    text = html_to_text(html)
    sanitise(html)
    html_to_text(text_to_html(text))
    # Linear work takes some 100 ms on a slow machine; anything quadratic takes minutes.
    assert time.process_time() - begun < 3


def test_hostile_nesting_is_shown_as_text() -> None:
    assert sanitise("<div>" * 5000 + "x<y>") == "<div>x</div>"
