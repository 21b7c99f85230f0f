"""Plots: their geometry, that they can be read without seeing them, and that CSP lets them be."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel

import calsync_plugin.web
from calsync_plugin.web.plots import COLOURS, NONE, Plot, Series, bars, lines, number_text

NAMES = [f"{hour:02}:00" for hour in range(24)]
PAGES = {"light": "#ffffff", "dark": "#212529"}


def _html(plot: Plot) -> str:
    app = Flask("plots", template_folder=str(Path(calsync_plugin.web.__file__).parent / "templates"))
    Babel(app)
    with app.app_context():
        return render_template_string('{% from "macros/plot.html" import plot %}{{ plot(p) }}', p=plot)


def _two(kind: str = "bars") -> Plot:
    values = [None if kind == "lines" and hour % 6 == 0 else float(hour) for hour in range(24)]
    series = [Series("To Outlook", values), Series("To the CRM", [2.0 * v if v else v for v in values])]
    return (bars if kind == "bars" else lines)("changes", "Changes per hour", NAMES, series)


@pytest.mark.parametrize("kind", ["bars", "lines"])
def test_a_plot_says_in_words_and_in_a_table_what_it_shows(kind: str) -> None:
    html = _html(_two(kind))
    tree = ElementTree.fromstring(html)
    svg = tree.find("svg")
    assert svg is not None
    assert svg.get("role") == "img"
    ids = {element.get("id") for element in tree.iter() if element.get("id")}
    assert {svg.get("aria-labelledby"), svg.get("aria-describedby")} <= ids
    assert svg.findtext("title") == "Changes per hour"
    assert svg.findtext("desc") == "00:00 to 23:00. To Outlook: at most 23; To the CRM: at most 46."
    rows = tree.findall(".//tbody/tr")
    assert len(rows) == 24
    assert ["".join(cell.itertext()) for cell in rows[7]] == ["07:00", "7", "14"]


@pytest.mark.parametrize("kind", ["bars", "lines"])
def test_a_plot_has_no_style_and_no_script(kind: str) -> None:
    html = _html(_two(kind))
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=|javascript:", html)


def test_names_are_escaped() -> None:
    html = _html(bars("x", "<script>alert(1)</script>", ["<b>"], [Series('"quoted"', [1.0])]))
    assert "<script>" not in html
    assert "<b>" not in html


def test_bars_stand_within_the_plot_and_side_by_side() -> None:
    plot = _two()
    for drawn in plot.drawn:
        for mark in drawn.marks:
            assert plot.left <= mark.x <= mark.x + mark.width <= plot.right
            assert mark.y >= 0
            assert mark.y + mark.height == pytest.approx(plot.bottom, abs=0.11)
    marks = sorted((m for drawn in plot.drawn for m in drawn.marks), key=lambda m: m.x)
    assert all(a.x + a.width <= b.x + 0.11 for a, b in pairwise(marks))
    assert len(marks) == 46


def test_a_line_has_gaps_where_nothing_is_known() -> None:
    drawn = _two("lines").drawn[0]
    assert len(drawn.lines) == 4
    assert len(drawn.marks) == 20


def test_a_single_value_between_gaps_is_a_point() -> None:
    (drawn,) = lines("x", "Lag", ["a", "b", "c"], [Series("p50", [None, 2.0, None])]).drawn
    assert drawn.lines == ()
    assert len(drawn.marks) == 1


@pytest.mark.parametrize(
    "values", [pytest.param([0.0, 0.0], id="zero"), pytest.param([None, None], id="none")]
)
def test_nothing_is_a_plot_too(values: list[float | None]) -> None:
    plot = lines("x", "Lag", ["a", "b"], [Series("p50", values)])
    assert plot.description == "a to b. p50: none."
    assert _html(plot)
    assert _html(bars("x", "Lag", [], [Series("p50", [])]))


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        pytest.param(0.3, ["0 s", "0.2 s", "0.5 s"], id="below-one"),
        pytest.param(1.0, ["0 s", "0.5 s", "1 s"], id="one"),
        pytest.param(46.0, ["0 s", "25 s", "50 s"], id="tens"),
        pytest.param(1234.0, ["0 s", "1,000 s", "2,000 s"], id="thousands"),
    ],
)
def test_the_axis_ends_at_a_plain_number(most: float, ticks: list[str]) -> None:
    plot = bars("x", "Lag", ["a"], [Series("p50", [most])], unit="s")
    assert [tick.text for tick in plot.beside] == ticks


def test_few_names_stand_under_a_week() -> None:
    names = [str(hour) for hour in range(168)]
    assert len(bars("x", "Week", names, [Series("n", [1.0] * 168)]).below) <= 8


def test_a_missing_number_is_a_dash() -> None:
    assert number_text(None, "s") == NONE


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("colour", COLOURS)
def test_colours_can_be_seen_on_a_light_and_on_a_dark_page(colour: str, page: str) -> None:
    """WCAG 2.2, 1.4.11: graphics need a contrast of 3 to 1."""
    lighter, darker = sorted((_luminance(colour), _luminance(PAGES[page])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
