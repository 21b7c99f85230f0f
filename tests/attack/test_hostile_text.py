"""Texts made to be slow or unreadable: HTML of a description, YAML of a configuration."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from calsync_plugin.errors import ConfigurationError
from calsync_plugin.markup import html_to_text, sanitise
from calsync_plugin.settings import load_settings


@pytest.mark.parametrize(
    "html",
    [
        pytest.param('<a ">"' * 17_000, id="tags-that-quote-their-end"),
        pytest.param("<a '>\">\"'" * 10_000, id="quotes-in-quotes"),
        pytest.param("<" * 100_000, id="openings"),
        pytest.param("<a " + 'x="' * 30_000 + ">", id="quotes-without-end"),
        pytest.param("<b>" * 20_000 + "</i>" * 20_000, id="formatting"),
        pytest.param("&#" * 50_000, id="numbers-without-end"),
    ],
)
def test_100_kb_of_hostile_html_are_read_in_time(html: str) -> None:
    begun = time.process_time()
    html_to_text(html)
    sanitise(html)
    assert time.process_time() - begun < 5.0


def test_a_quoted_end_of_a_tag_belongs_to_the_tag() -> None:
    assert html_to_text('<p title="a > b">text</p>') == "text"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("serve: {port: " + "9" * 5000 + "}", id="endless-number"),
        pytest.param("crm: {url: 2026-13-45}", id="impossible-date"),
        pytest.param("[" * 5000, id="nested"),
    ],
)
def test_yaml_that_cannot_be_read_is_one_clear_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "calsync.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"calsync\.yaml: no valid YAML"):
        load_settings(file, {})


def test_yaml_of_aliases_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "calsync.yaml"
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    file.write_text("\n".join(rows), encoding="utf-8")
    begun = time.process_time()
    with pytest.raises(ConfigurationError, match="a0: unknown key"):
        load_settings(file, {})
    assert time.process_time() - begun < 5.0
