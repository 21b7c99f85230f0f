"""R6: the description goes from the side of its origin, as text that stays as it is while it travels."""

from __future__ import annotations

import pytest

from calsync_plugin.markup import html_to_text
from tests.world import ALICE, World

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)>
<a href="javascript:alert(3)">click</a> </body></html><!-- --><style>*{display:none}</style>
&lt;b&gt; & "quotes" 'single' ]]> <![CDATA[ <iframe src=//evil.example>"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("One\nTwo\n\n  indented\tTab", id="lines"),
        pytest.param("1 < 2 && 3 > 2 &amp; &lt;b&gt;", id="entities"),
        pytest.param("Grüße, 会議 🎉 عربى", id="any-script"),
        pytest.param(HOSTILE, id="hostile"),
        pytest.param("", id="empty"),
    ],
)
def test_pain_22_a_description_arrives_as_the_text_that_it_is(world: World, text: str) -> None:
    world.save(description=text)
    world.settle()
    body = world.event(ALICE).body
    assert body["contentType"] == "html"
    shown = html_to_text(body["content"])
    assert [line.split() for line in shown.splitlines()] == [line.split() for line in text.splitlines()]


def test_r06_hostile_html_is_no_html_in_outlook(world: World) -> None:
    world.save(description=HOSTILE)
    world.settle()
    content = world.event(ALICE).body["content"].lower()
    for tag in ("<script", "<img", "<iframe", "<a ", "<style>*"):
        assert tag not in content


def test_pain_22_a_description_does_not_grow_with_updates(world: World) -> None:
    record = world.save(description="Line 1\nhttps://example.com/a?b=1&c=2")
    world.settle()
    first = world.event(ALICE).body["content"]
    for number in range(3):
        world.change(record, name=f"Name {number}")
        world.settle()
    world.change(record, description="Other")
    world.settle()
    world.change(record, description="Line 1\nhttps://example.com/a?b=1&c=2")
    world.settle()
    assert world.event(ALICE).body["content"] == first


def test_r06_what_outlook_made_of_the_description_stays_until_the_record_changes_it(world: World) -> None:
    record = world.save(description="From the CRM")
    world.settle()
    world.edit(ALICE, body={"contentType": "html", "content": "<p>My own notes</p>"})
    world.change(record, name="Renamed")
    world.settle()
    assert "My own notes" in world.event(ALICE).body["content"]
    assert world.record(record)["description"] == "From the CRM"
    world.change(record, description="Newer from the CRM")
    world.settle()
    assert "Newer from the CRM" in world.event(ALICE).body["content"]
