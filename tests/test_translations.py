"""The catalogues of the pages: complete, of the same shape as their sources, and compiled."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Catalog, Message

from calsync_plugin.web.engine_sentences import MESSAGES
from calsync_plugin.web.login import UNKNOWN
from calsync_plugin.web.refusal_sentences import MESSAGES as REFUSALS
from calsync_plugin.web.speaking import LANGUAGES
from docs import make_messages
from tests.test_docs import reasons, refusals

PLACE = re.compile(r"%\((\w+)\)(\w)|%%")
OF_PAGES = (UNKNOWN,)
HOW = "run: make messages, then translate what it names"


class Tags(HTMLParser):
    """The tags of a text, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)


def texts(string: object) -> list[str]:
    return [str(one) for one in string] if isinstance(string, list | tuple) else [str(string or "")]


def keys(catalog: Catalog) -> set[object]:
    return {(one.context, one.id) for one in catalog if one.id}


def wrong_with(message: Message) -> list[str]:
    """What differs between an English sentence and its translation that must not."""
    english, others = texts(message.id), texts(message.string)
    found = []
    known = set(PLACE.findall(english[-1]))
    for other in others:
        if set(PLACE.findall(other)) - known:
            found.append(f"a place that the English does not have: {other}")
        # A singular may leave out its number; all else must be said in each of them.
        if known - set(PLACE.findall(other)) - {("num", "s")}:
            found.append(f"a place is left out: {other}")
        if Tags(other).found != Tags(english[-1]).found:
            found.append(f"other tags: {other}")
        # It may stand in an attribute of a template, where its quote would end that.
        if ('"' in other) != ('"' in english[-1]) or other.count("<") != english[-1].count("<"):
            found.append(f"a quote or bracket that the English does not have: {other}")
        if other != other.strip():
            found.append(f"blanks around: {other!r}")
    return found


def test_there_is_german() -> None:
    assert "de" in LANGUAGES
    assert set(LANGUAGES) == {"en", *make_messages.languages()}


@pytest.mark.parametrize("language", make_messages.languages())
def test_a_catalogue_has_the_sentences_of_the_sources(language: str) -> None:
    assert keys(make_messages.catalogue(language)) == keys(make_messages.extracted()), HOW


@pytest.mark.parametrize("language", make_messages.languages())
def test_nothing_is_left_to_be_translated(language: str) -> None:
    assert make_messages.lacking(make_messages.catalogue(language)) == [], HOW


@pytest.mark.parametrize("language", make_messages.languages())
def test_a_translation_has_the_places_and_tags_of_its_source(language: str) -> None:
    found = [(m.id, wrong) for m in make_messages.catalogue(language) if m.id for wrong in wrong_with(m)]
    assert found == []


@pytest.mark.parametrize("language", make_messages.languages())
def test_what_programs_read_is_compiled_of_what_translators_wrote(language: str) -> None:
    written = make_messages.TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo"
    assert written.read_bytes() == make_messages.compiled(make_messages.catalogue(language)), HOW


@pytest.mark.parametrize(
    ("english", "other"),
    [
        pytest.param("%(num)s of %(all)s", "%(num)s", id="a-place-too-few"),
        pytest.param("all", "%(all)s", id="a-place-too-many"),
        pytest.param("<b>all</b>", "alle", id="a-tag-too-few"),
        pytest.param('<a href="%(x)s">all</a>', '<a href="%(x)s" onclick="y">alle</a>', id="an-attribute"),
        pytest.param("all", 'alle" onclick="y', id="a-quote"),
        pytest.param("all", "al<le", id="a-bracket"),
        pytest.param("all", " alle", id="a-blank"),
    ],
)
def test_a_translation_of_another_shape_is_seen(english: str, other: str) -> None:
    assert wrong_with(Message(english, other))


@pytest.mark.parametrize("reason", sorted(one for one in reasons() if " " in one))
def test_every_reason_that_the_store_keeps_can_be_translated(reason: str) -> None:
    assert reason in MESSAGES


@pytest.mark.parametrize("text", sorted(refusals()))
def test_every_refusal_of_a_page_can_be_translated(text: str) -> None:
    assert any(text.lower() in one.lower() for one in (*REFUSALS, *MESSAGES, *OF_PAGES))


def test_german_has_one_word_for_one_thing() -> None:
    """The last column of the glossary names words that stand nowhere."""
    page = (make_messages.CHECKOUT / "docs" / "how-to" / "translate.md").read_text(encoding="utf-8")
    rows = [line.split("|")[3].strip() for line in page.splitlines() if line.count("|") == 4]
    avoided = [re.sub(r"^(der|die|das) ", "", word) for row in rows[2:] for word in row.split(", ") if word]
    assert len(avoided) > 10
    bad = re.compile(rf"(?<![\w-])({'|'.join(avoided)})(?!\w)")
    said = [text for one in make_messages.catalogue("de") if one.id for text in texts(one.string)]
    assert [text for text in said if bad.search(text)] == []
