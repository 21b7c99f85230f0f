"""Text in composed form: what it keeps, and that no text makes it slow."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.composed import composed
from calsync_plugin.domain.meeting import fold_line, fold_text
from calsync_plugin.markup import html_to_text

ACUTE, BELOW = "\u0301", "\u0316"

KEPT = [
    pytest.param("plain", "plain", id="ascii"),
    pytest.param("e" + ACUTE, "é", id="one-mark"),
    pytest.param("e" + ACUTE + BELOW, "é" + BELOW, id="sorted"),
    pytest.param("\u2500" * 100, "\u2500" * 100, id="a-line-of-no-marks"),
    pytest.param("a" + ACUTE * 31, "á" + ACUTE * 29, id="the-31st-is-dropped"),
    pytest.param("b" + ACUTE * 30 + "b" + ACUTE * 30, "b" + ACUTE * 30 + "b" + ACUTE * 30, id="each-letter"),
    pytest.param("b" + "\u0344" * 20, "b" + "\u0308\u0301" * 15, id="marks-that-are-two"),
]


@pytest.mark.parametrize(("text", "kept"), KEPT)
def test_what_is_kept(text: str, kept: str) -> None:
    assert composed(text) == kept


# Letters that swallow marks or free them, marks of several classes, double marks, other signs.
_PIECES = st.sampled_from(
    ["a", "ẫ", "\u1100", "\u1161", "—", " ", ACUTE, BELOW, "\u0327", "\u0344", "\u0f73"]
)


@given(st.lists(st.one_of(_PIECES, _PIECES.map(lambda c: c * 40)), max_size=6).map("".join))
def test_composing_twice_is_composing_once(text: str) -> None:
    once = composed(text)
    assert composed(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text())
def test_what_anybody_writes_is_composed_as_ever(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("read", [composed, fold_line, fold_text, html_to_text])
@pytest.mark.parametrize(
    "marks", [ACUTE + BELOW, f"&#{ord(ACUTE)};&#{ord(BELOW)};"], ids=["text", "entities"]
)
def test_a_letter_under_two_megabytes_of_marks(read: object, marks: str) -> None:
    assert callable(read)
    begun = time.process_time()
    read("a" + marks * (2_000_000 // len(marks.encode())))
    assert time.process_time() - begun < 10
