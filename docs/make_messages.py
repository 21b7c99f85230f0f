"""Collects the sentences of the pages for their translators: `python docs/make_messages.py` (make messages).

Decides where sentences stand: in the package's Python, in the templates of the pages, and in the schemas of
which forms are made. Brings every catalogue in line with them and compiles it. `--add fr` begins a language.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT = Path(__file__).parents[1]
TRANSLATIONS = CHECKOUT / "calsync_plugin" / "web" / "translations"
TEMPLATE = "messages.pot"
NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
"""Catalogues tell no day: only what changed shall differ."""
FORMS = ("external_account", "sync_mode", "integration", "booking_calendar")
"""Schemas of which forms are made; the words of the others are read in the reference."""
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "_n": (1, 2),
    "ngettext": (1, 2),
    "_p": ((1, "c"), 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = [
    ("calsync_plugin/**.py", "python"),
    ("calsync_plugin/web/templates/**.html", "jinja2"),
    *((f"schemas/{name}.schema.json", "docs.make_messages:of_schema") for name in FORMS),
    ("plugin.yaml", "docs.make_messages:of_manifest"),
]
OPTIONS = {"calsync_plugin/web/templates/**.html": {"trimmed": "true", "silent": "false"}}

Message = tuple[int, str, str, list[str]]


def of_schema(
    file: IO[bytes],
    keywords: object,  # noqa: ARG001 (Babel names them)
    comment_tags: object,  # noqa: ARG001
    options: object,  # noqa: ARG001
) -> Iterator[Message]:
    """The words of a JSON Schema that a form shows: an extractor of Babel's kind."""
    yield from _words(json.load(file))


def of_manifest(
    file: IO[bytes],
    keywords: object,  # noqa: ARG001 (Babel names them)
    comment_tags: object,  # noqa: ARG001
    options: object,  # noqa: ARG001
) -> Iterator[Message]:
    """What the manifest says of grants and permissions."""
    manifest = yaml.safe_load(file)
    for one in (*manifest["grants"], *manifest["permissions"]):
        yield 1, "", one["description"], []


def _words(schema: Mapping[str, Any]) -> Iterator[Message]:
    if "#/" in str(schema.get("$ref", "")):
        schema = {**_referred(schema["$ref"]), **schema}
    labels = [str(label) for label in schema.get("x-labels", {}).values()]
    texts = [
        schema[key] for key in ("title", "description", "x-expected") if isinstance(schema.get(key), str)
    ]
    # The words before a colon stand alone where a change is told.
    heads = [label.partition(":")[0] for label in labels if ":" in label]
    for text in (*texts, *labels, *heads):
        yield 1, "", text, []
    for inner in (*schema.get("properties", {}).values(), schema.get("items")):
        if isinstance(inner, dict):
            yield from _words(inner)


def _referred(reference: str) -> Mapping[str, Any]:
    """What a form takes over from the schema of the configuration."""
    name, _, pointer = reference.partition("#/")
    found: Any = json.loads((CHECKOUT / "schemas" / name).read_text(encoding="utf-8"))
    for step in pointer.split("/"):
        found = found[step]
    return dict(found)


def extracted() -> Catalog:
    """All sentences as the sources have them now."""
    found = Catalog(project="calsync", fuzzy=False, charset="utf-8")
    for name, _line, message, comments, context in extract_from_dir(
        CHECKOUT, METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=_has_sentences
    ):
        found.add(message, locations=[(name, 1)], auto_comments=comments, context=context)
    return found


def _has_sentences(folder: str | os.PathLike[str]) -> bool:
    parts = Path(folder).relative_to(CHECKOUT).parts
    return parts[0] in {"calsync_plugin", "schemas"} and "sandbox" not in parts


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(file.parent.parent.name for file in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def catalogue(language: str) -> Catalog:
    """What the translators of a language have written."""
    with _file(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """A catalogue as programs read it."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def main(arguments: Collection[str] = ()) -> None:
    """Update and compile every catalogue."""
    parser = argparse.ArgumentParser(description="Collect, update and compile the pages' sentences.")
    parser.add_argument("--add", metavar="LANGUAGE", help="begin a language, such as fr or pt_BR")
    chosen = parser.parse_args([*arguments])
    sources = extracted()
    if chosen.add and not _file(chosen.add).exists():
        _file(chosen.add).parent.mkdir(parents=True)
        _write(chosen.add, _empty(chosen.add))
    for language in languages():
        known = catalogue(language)
        known.update(sources, no_fuzzy_matching=False, update_creation_date=False)
        known.obsolete.clear()
        _write(language, known)
        _file(language).with_suffix(".mo").write_bytes(compiled(catalogue(language)))
        sys.stdout.write(f"{language}: {len(known)} sentences, {len(lacking(known))} to be translated\n")


def _empty(language: str) -> Catalog:
    return Catalog(
        locale=language,
        project="calsync",
        version="1",
        header_comment="# The sentences of calsync's pages. How to: docs/how-to/translate.md",
        msgid_bugs_address="calsync",
        last_translator="calsync",
        language_team="calsync",
        creation_date=NO_DAY,
        revision_date=NO_DAY,
        charset="utf-8",
        fuzzy=False,
    )


def lacking(catalog: Catalog) -> list[str]:
    """The English sentences that nobody has translated yet, or that changed since."""
    return [
        _texts(one.id)[0] for one in catalog if one.id and (one.fuzzy or not all(_texts(one.string) or [""]))
    ]


def _write(language: str, catalog: Catalog) -> None:
    with _file(language).open("wb") as file:
        # Without line numbers and the day it was made, so that only what changed differs.
        write_po(file, catalog, width=110, include_lineno=False, sort_by_file=True)


def _texts(string: object) -> list[str]:
    """Singular and plural, or the only one."""
    return [str(one) for one in string] if isinstance(string, list | tuple) else [str(string or "")]


def _file(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


if __name__ == "__main__":
    sys.path.insert(0, str(CHECKOUT))
    main(sys.argv[1:])
