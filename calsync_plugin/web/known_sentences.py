"""Sentences that come to a page as plain English: reasons that the store keeps, errors, problems of a form.

Decides nothing: it recognises a sentence by its message in one of the modules `*_sentences` and says it in
the page's language. What it does not recognise stays English: a user can still show it to an
administrator.
"""

from __future__ import annotations

import re
from functools import lru_cache

from calsync_plugin.errors import CalsyncError
from calsync_plugin.web.audit_sentences import MESSAGES as OF_AUDIT
from calsync_plugin.web.engine_sentences import MESSAGES as OF_ENGINE
from calsync_plugin.web.form_sentences import MESSAGES as OF_FORMS
from calsync_plugin.web.refusal_sentences import MESSAGES as REFUSALS
from calsync_plugin.web.source_sentences import MESSAGES as OF_SOURCES
from calsync_plugin.web.speaking import ENGLISH, language, say, translated
from calsync_plugin.wording import Wording

LONGEST = 1000
"""Characters of a sentence that is looked at."""
IN_TURN = frozenset({"reason", "problem"})
"""Values that are sentences themselves."""
_NAMED = re.compile(r"([A-Z]\w* [0-9a-z]{6,}|event \S+): (.+)", re.DOTALL)
"""A note begins with its item: `Meeting 6b0008add0e320f89`."""
_PLACE = re.compile(r"%\((\w+)\)s")


def known(text: str) -> str:
    """A sentence in the page's language, if it is one that is known."""
    if isinstance(text, Wording):
        return say(text)
    if language() == ENGLISH or not text or len(text) > LONGEST:
        return text
    named = _NAMED.fullmatch(text)
    if named:
        return f"{named[1]}: {known(named[2])}"
    bare = text.removesuffix(".")
    for message, pattern in _patterns():
        found = pattern.fullmatch(bare)
        if found:
            values = {n: known(v) if n in IN_TURN else v for n, v in found.groupdict().items()}
            said = say(Wording(message, values)).removesuffix(".")
            return said if bare == text else f"{said}."
    return translated(text)


def begun(text: str) -> str:
    """With a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def in_words(error: CalsyncError) -> str:
    """What an error says: a `Wording` if it was raised with one."""
    said = error.args[0] if len(error.args) == 1 else ""
    return said if isinstance(said, Wording) else str(error)


@lru_cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each message with what recognises it; those without a place for anything come first."""
    messages = sorted(
        (*OF_ENGINE, *OF_SOURCES, *OF_FORMS, *REFUSALS, *OF_AUDIT),
        key=lambda one: bool(one.values) or "%(" in one.message,
    )
    return tuple((one.message, re.compile(_pattern(one.message), re.DOTALL)) for one in messages)


def _pattern(message: str) -> str:
    """The message as an expression: its places take anything but nothing."""
    parts = _PLACE.split(message.removesuffix("."))
    return "".join(f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
