"""Sentences for people that can be said in other languages later.

Decides that a sentence is English wherever it is written, logged, stored or sent to a program: a `Wording` is
a string like any other. It remembers what it was made of, so that a page can say it in its visitor's language
(`web.speaking`). The functions have gettext's names, by which Babel finds the sentences in the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Self


class Wording(str):
    """An English sentence: a message, and the values that stand in it as `%(name)s`.

    A value may be a text, a number, a day, another wording, or a tuple of these.
    """

    message: str
    plural: str
    """The message for other counts than one; empty if it does not depend on a count."""
    number: int
    context: str
    """Tells messages apart that are alike in English alone."""
    values: Mapping[str, object]

    def __new__(
        cls,
        message: str,
        values: Mapping[str, object] | None = None,
        *,
        plural: str = "",
        count: int = 1,
        context: str = "",
    ) -> Self:
        """The sentence in English."""
        chosen = plural if plural and count != 1 else message
        made = super().__new__(
            cls, chosen % {n: in_english(v) for n, v in values.items()} if values else chosen
        )
        made.message, made.plural, made.number, made.context = message, plural, count, context
        made.values = values or {}
        return made


def in_english(value: object) -> str:
    """A value as it stands in an English sentence."""
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, tuple):
        return ", ".join(in_english(one) for one in value)
    return str(value)


def gettext(message: str, **values: object) -> Wording:
    """A sentence."""
    return Wording(message, values)


def ngettext(singular: str, plural: str, num: int, **values: object) -> Wording:
    """A sentence about `num` things; the number is the value `num`, too."""
    return Wording(singular, {"num": num, **values}, plural=plural, count=num)


def pgettext(context: str, message: str, **values: object) -> Wording:
    """A sentence, or rather a word, that is said in different ways in different contexts."""
    return Wording(message, values, context=context)
