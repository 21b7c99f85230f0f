"""Text in composed form, however it was written, in time that grows with its length.

Decides how many combining marks a character keeps: as many as any language has use for. Composing sorts the
marks of each character, and Python does that one by one: a megabyte of marks on one letter, in an invitation
that anybody can send, would stop the whole process for minutes. Source: Unicode Standard Annex 15,
"Stream-Safe Text Format".
"""

from __future__ import annotations

import re
import unicodedata

MOST_MARKS = 30
"""Marks of one character; the longest sequence in use has 18 (the same annex)."""

# Marks are neither letters nor blanks; what else is in such a row is told apart one by one.
_ROW = re.compile(rf"[^\w\s\x00-\x7f]{{{MOST_MARKS + 1},}}")


def composed(text: str) -> str:
    """Return `text` in Unicode's composed form (NFC), without what exceeds 30 marks on one character.

    Composing twice is composing once.
    """
    if text.isascii():
        return text
    # Taking a letter with its mark apart may free more marks than there were.
    return _ROW.sub(_bounded, unicodedata.normalize("NFC", _ROW.sub(_bounded, text)))


def _bounded(row: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in row.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)
