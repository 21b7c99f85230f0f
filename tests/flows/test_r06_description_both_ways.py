"""R6 both ways: a description goes from its side of origin unless the user wants more, and never grows."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.markup import html_to_text
from tests.world import ALICE, World

JOIN = "https://teams.microsoft.com/l/meetup-join/"

RICH = (
    '<div dir="ltr" style="font-family:Calibri"><h1>Agenda</h1><ol><li>Prices</li><li>Next <b>steps</b></li>'
    "</ol>"
    '<p>See <a href="https://example.com/offer?a=1&amp;b=2">the offer</a> or '
    '<a href="https://example.com/">https://example.com/</a></p>'
    "<table><tr><td>A</td><td>1</td></tr><tr><td>B</td><td>2</td></tr></table>"
    '<img src="cid:logo"><p>&nbsp;</p><p>Gr&uuml;&szlig;e,<br>Alice</p></div>'
)


def _text(world: World) -> str:
    return html_to_text(world.event(ALICE).body["content"])


def _described(world: World, born: str, text: str) -> str:
    if born == "crm":
        world.save(description=text)
    else:
        world.outlook_create(ALICE, body="".join(f"<div>{line}</div>" for line in text.split("\n")))
    world.pull()
    record = world.only_record()
    assert record["description"] == text
    assert _text(world) == text
    return str(record["id"])


def test_r06_by_default_outlooks_description_comes_in_and_the_crms_edit_of_it_stays(world: World) -> None:
    record = _described(world, "outlook", "Of Outlook")
    world.change(record, description="Notes of the CRM")
    with world.writes() as seen:
        world.pull()
    assert seen == []
    world.change(record, name="Renamed")
    world.settle()
    assert _text(world) == "Of Outlook"
    assert world.record(record)["description"] == "Notes of the CRM"
    world.edit(ALICE, body="<div>Newer of Outlook</div>")
    world.pull()
    assert world.record(record)["description"] == "Newer of Outlook"
    world.quiet()


def test_r06_by_default_the_crms_description_goes_out_and_outlooks_edit_of_it_stays(world: World) -> None:
    record = _described(world, "crm", "Of the CRM")
    world.edit(ALICE, body="<div>Notes of Outlook</div>")
    with world.writes() as seen:
        world.pull()
    assert seen == []
    world.edit(ALICE, subject="Renamed")
    world.pull()
    assert (world.record(record)["name"], world.record(record)["description"]) == ("Renamed", "Of the CRM")
    assert _text(world) == "Notes of Outlook"
    world.change(record, description="Newer of the CRM")
    world.settle()
    assert _text(world) == "Newer of the CRM"
    world.quiet()


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r06_by_setting_it_goes_both_ways(world: World, born: str) -> None:
    world.choose(ALICE, description_both_ways=True)
    record = _described(world, born, "First")
    world.edit(ALICE, body="<div>Second</div><div>of Outlook</div>")
    world.pull()
    assert world.record(record)["description"] == "Second\nof Outlook"
    world.change(record, description="Third\n\nof the CRM")
    world.settle()
    assert _text(world) == "Third\n\nof the CRM"
    world.change(record, description="")
    world.settle()
    assert _text(world) == ""
    world.edit(ALICE, body="<div>Again</div>")
    world.pull()
    assert world.record(record)["description"] == "Again"
    world.quiet()
    assert world.app.store.log.clashes(ALICE) == []


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r06_switched_on_later_what_differs_stays_until_somebody_edits_it(world: World, born: str) -> None:
    record = _described(world, born, "First")
    world.edit(ALICE, body="<div>First</div><div>and more of Outlook</div>")
    world.pull()
    world.change(record, description="First\nand more of the CRM")
    world.settle()
    choose(world.app.store, world.app.gateway, ALICE, {"description_both_ways": True})
    world.quiet()
    before = (_text(world), world.record(record)["description"])
    world.edit(ALICE, subject="Renamed")
    world.pull()
    world.change(record, usersIds=[ALICE])
    world.settle()
    assert (_text(world), world.record(record)["description"]) == before
    world.change(record, description="Agreed")
    world.settle()
    assert _text(world) == "Agreed"
    world.edit(ALICE, body="<div>Agreed again</div>")
    world.pull()
    assert world.record(record)["description"] == "Agreed again"
    world.quiet()


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_pain_22_20_rounds_each_way_add_what_was_typed_and_nothing_else(world: World, born: str) -> None:
    world.choose(ALICE, description_both_ways=True)
    lines = ["See https://example.com/a?b=1&c=2 <now>", "", "  indented   with  blanks", "• a bullet", "Tail"]
    record = _described(world, "crm", "\n".join(lines)) if born == "crm" else ""
    if not record:
        shown = "".join(f"<div>{line}</div>" for line in ("One", "Two &amp; three", "<i>four</i>"))
        world.outlook_create(ALICE, body=shown)
        world.pull()
        record = str(world.only_record()["id"])
        lines = str(world.record(record)["description"]).split("\n")
    for number in range(20):
        content = world.event(ALICE).body["content"]
        world.edit(ALICE, body=content.replace("</body>", f"<div>Outlook {number}</div></body>"))
        world.pull()
        lines.append(f"Outlook {number}")
        assert world.record(record)["description"].split("\n") == lines
        lines.append(f"CRM {number}")
        world.change(record, description="\n".join(lines))
        world.settle()
    assert world.record(record)["description"].split("\n") == lines
    assert [line.strip() for line in _text(world).split("\n")] == [line.strip() for line in lines]
    assert len(world.event(ALICE).body["content"]) < 3 * len("\n".join(lines)) + 500
    world.quiet()


def test_pain_22_20_edits_of_other_fields_leave_a_rich_body_as_it_is(world: World) -> None:
    world.choose(ALICE, description_both_ways=True)
    world.outlook_create(ALICE, body=RICH)
    world.pull()
    record = world.only_record()
    body = world.event(ALICE).body
    for number in range(10):
        world.change(record["id"], name=f"From the CRM {number}")
        world.settle()
        world.edit(ALICE, subject=f"From Outlook {number}")
        world.pull()
    assert world.event(ALICE).body == body
    after = world.record(record["id"])
    assert (after["name"], after["description"]) == ("From Outlook 9", record["description"])
    world.quiet()


def test_r06_a_rich_body_is_readable_text_in_the_crm(world: World) -> None:
    world.outlook_create(ALICE, body=RICH)
    world.pull()
    assert world.only_record()["description"].split("\n") == [
        "Agenda",
        "",
        "1. Prices",
        "2. Next steps",
        "",
        "See the offer (https://example.com/offer?a=1&b=2) or https://example.com/",
        "",
        "A\t1",
        "B\t2",
        "",
        "",
        "",
        "Grüße,",
        "Alice",
    ]
    world.quiet()


def test_pain_22_a_long_body_is_read_in_full_not_as_its_preview(world: World) -> None:
    text = "\n".join(f"Line {number} of a long agenda" for number in range(200))
    world.outlook_create(ALICE, body="".join(f"<div>{line}</div>" for line in text.split("\n")))
    world.pull()
    assert world.only_record()["description"] == text


def test_r06_a_body_of_plain_text_keeps_its_lines(world: World) -> None:
    world.plant(ALICE, body={"contentType": "text", "content": "One <b>\r\n\r\nTwo & three\r\n"})
    world.pull()
    assert world.only_record()["description"] == "One <b>\n\nTwo & three"
    world.quiet()


def test_r06_hostile_html_of_an_invitation_is_only_text_in_the_crm(world: World) -> None:
    hostile = (
        '<script>alert(1)</script><p onclick="x()">Hello</p><iframe src="https://evil.example"></iframe>'
        '<a href="javascript:alert(2)">click</a><style>p{display:none}</style><!-- x --><svg onload=alert(3)>'
    )
    world.invite_from_outside(ALICE, body=hostile)
    world.pull()
    description = world.only_record()["description"]
    assert description.split() == ["Hello", "click"]
    world.quiet()


@pytest.mark.parametrize("both_ways", [False, True])
def test_pain_21_the_block_of_an_imported_teams_meeting_is_no_description_and_stays(
    world: World, both_ways: bool
) -> None:
    world.choose(ALICE, description_both_ways=both_ways)
    world.outlook_create(
        ALICE, body="<p>Agenda</p>", isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness"
    )
    world.pull()
    record = world.only_record()
    assert record["description"] == "Agenda"
    address = world.event(ALICE).onlineMeeting["joinUrl"]
    for number in range(5):
        world.change(record["id"], description=f"Agenda {number}", name=f"Name {number}")
        world.settle()
        event = world.event(ALICE)
        assert event.onlineMeeting["joinUrl"] == address
        assert event.body["content"].count(JOIN) == 1
        assert f"Agenda {number}" in event.body["content"] or not both_ways
    world.edit(ALICE, body=world.event(ALICE).body["content"].replace("Agenda", "Plan"))
    world.pull()
    assert world.record(record["id"])["description"] == ("Plan 4" if both_ways else "Plan")
    assert world.event(ALICE).isOnlineMeeting is True
    world.quiet()


def test_r06_a_description_removed_in_outlook_is_removed_in_the_crm(world: World) -> None:
    record = _described(world, "outlook", "Of Outlook")
    world.edit(ALICE, body={"contentType": "html", "content": ""})
    world.pull()
    assert not world.record(record)["description"]
    world.quiet()


def test_r06_a_record_of_html_descriptions_shows_the_lines_of_outlook(world: World) -> None:
    """Both sides spell the same text otherwise: nobody rewrites the other's spelling."""
    world.choose(ALICE, description_both_ways=True)
    record = _described(world, "crm", "One\r\nTwo   \r\n".replace("\r\n", "\n").replace("   ", "").strip())
    world.edit(ALICE, body="<p>One<br>\r\n Two </p>\r\n\r\n")
    with world.writes() as seen:
        world.pull()
    assert seen == []
    world.change(record, description="One \r\nTwo\r\n\r\n")
    with world.writes() as seen:
        world.settle()
    assert seen == []
    world.quiet()
