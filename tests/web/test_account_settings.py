"""Each setting of a user: entered on the page, told before it is made, saved, and obeyed by the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin import bundle
from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.settings import user_settings
from tests.pages import Browser, path_of
from tests.world import ALICE, BOB, DAVE, FRANK, World

SETTINGS, CHANGES = "/external-account/settings", "/external-account/settings/changes"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def alice(world: World) -> Browser:
    page = Browser(world)
    page.sign_in("alice")
    return page


def change(page: Browser, **fields: Any) -> str:
    """Enter some fields, confirm what is told, and settle; returns what was told."""
    sent = {**page.fields(SETTINGS), **fields}
    answer = page.post(SETTINGS, {name: value for name, value in sent.items() if value is not None})
    assert path_of(answer) == CHANGES, answer.text
    told = re.sub(r"\s+", " ", answer.text)
    assert path_of(page.post(CHANGES, page.fields(CHANGES))) == "/external-account"
    page.world.settle()
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One setting: what is entered, what the user reads, and what is observed then."""

    enter: Callable[[World], dict[str, Any]]
    said: str
    observed: Callable[[World], object]
    expected: object
    before: Callable[[World], object] = field(default=lambda _world: None)


def _of_crm(world: World, **attributes: Any) -> str:
    record = world.save(**attributes)
    world.settle()
    return record


def _of_outlook(world: World, **properties: Any) -> str:
    event = world.outlook_create(ALICE, **properties)
    world.pull()
    return event


def _calendar_id(world: World, name: str = "Sales") -> str:
    rows = world.app.store.calendars.for_mailbox(world.account(ALICE).mailbox_id or 0)
    return next(row.id for row in rows if row.name == name)


def _team(world: World) -> str:
    return str(next(iter(world.crm.store.tables["Team"].rows)))


def _edited_in_both(world: World) -> object:
    record = _of_crm(world)
    world.change(record, name="By the CRM")
    world.edit(ALICE, subject="By Outlook")
    world.pull()
    return world.record(record)["name"]


def _dates_of_a_series(world: World) -> int:
    world.series(ALICE, count=3)
    world.pull()
    return len(world.records())


def _described(world: World) -> object:
    record = _of_crm(world, description="Old")
    world.edit(ALICE, body="New")
    world.pull()
    return "New" in (world.record(record)["description"] or "")


def _record_removed(world: World) -> object:
    _of_outlook(world)
    world.remove(world.only_record()["id"])
    world.settle()
    return world.events(ALICE)


def _event_removed(world: World) -> object:
    _of_crm(world)
    world.discard(ALICE)
    world.pull()
    return world.records()


def _people(world: World, **attributes: Any) -> object:
    _of_crm(world, **attributes)
    return world.event(ALICE).attendees


def _names(world: World, entity_type: str = "Meeting", **properties: Any) -> object:
    _of_outlook(world, **properties)
    return [one["name"] for one in world.records(entity_type)]


PRIVATE = {"subject": "Secret", "sensitivity": "private"}
OLD = {"start": "2026-11-03T10:00:00", "end": "2026-11-03T11:00:00"}
FAR = {"start": "2028-06-01T10:00:00", "end": "2028-06-01T11:00:00"}

CASES = {
    "mode": Case(
        enter=lambda _: {"mode": "crm_to_outlook"},
        said="new meetings of Outlook stay in Outlook",
        observed=_names,
        expected=[],
    ),
    "sync_since": Case(
        before=lambda world: _of_outlook(world, **OLD),
        enter=lambda _: {"sync_since": "2026-11-01"},
        said="1 meeting of Outlook comes into the CRM at once",
        observed=lambda world: [one["name"] for one in world.records()],
        expected=["Visit"],
    ),
    "months_ahead": Case(
        before=lambda world: _of_outlook(world, **FAR),
        enter=lambda _: {"months_ahead": "24"},
        said="followed 24 months ahead instead of 12",
        observed=lambda world: [one["name"] for one in world.records()],
        expected=["Visit"],
    ),
    "main_calendar": Case(
        enter=lambda world: {"main_calendar": _calendar_id(world)},
        said="New meetings of the CRM go into Sales",
        observed=lambda world: (_of_crm(world), len(world.events(ALICE, calendar=_calendar_id(world))))[1],
        expected=1,
    ),
    "other_calendars": Case(
        enter=lambda world: {"other_calendars": [_calendar_id(world)]},
        said="The meetings of Sales come into the CRM",
        observed=lambda world: _names(world, calendar=_calendar_id(world)),
        expected=["Visit"],
    ),
    "conflict_calendars": Case(
        enter=lambda world: {"conflict_calendars": [_calendar_id(world)]},
        said="Calendars that make you busy",
        observed=lambda world: (
            user_settings(world.account(ALICE).settings).conflict_calendars == (_calendar_id(world),)
        ),
        expected=True,
    ),
    "out_of_office_blocks": Case(
        enter=lambda _: {"out_of_office_blocks": None},
        said="Out of office means busy",
        observed=lambda world: user_settings(world.account(ALICE).settings).out_of_office_blocks,
        expected=False,
    ),
    "tentative_blocks": Case(
        enter=lambda _: {"tentative_blocks": None},
        said="Tentative means busy",
        observed=lambda world: user_settings(world.account(ALICE).settings).tentative_blocks,
        expected=False,
    ),
    "entities": Case(
        enter=lambda _: {
            "entities-1-entity_type": "Call",
            "entities-1-label": "T",
            "entities-2-entity_type": None,
            "entities-2-label": None,
        },
        said="Records of the kind Visit are no longer kept in step",
        observed=lambda world: (
            world.save("Visit"),
            _of_crm(world, entity_type="Call"),
            [e.subject for e in world.events(ALICE)],
        )[2],
        expected=["T: Kick-off"],
    ),
    "default_entity": Case(
        enter=lambda _: {"default_entity": "Call"},
        said="without a label become records of the kind Call",
        observed=lambda world: _names(world, "Call"),
        expected=["Visit"],
    ),
    "push_contacts": Case(
        enter=lambda _: {"push_contacts": "y"},
        said="the contacts of a meeting are invited as soon as you save it",
        observed=lambda world: _people(world, contactsIds=[DAVE]),
        expected={"dave@contoso.example"},
    ),
    "push_leads": Case(
        enter=lambda _: {"push_leads": "y"},
        said="the leads of a meeting are invited as soon as you save it",
        observed=lambda world: _people(world, leadsIds=[FRANK]),
        expected={"frank@fabrikam.example"},
    ),
    "create_contacts": Case(
        enter=lambda _: {"create_contacts": "y"},
        said="whom the CRM does not know become contacts",
        observed=lambda world: (
            _of_outlook(world, attendees=["new@elsewhere.example"]),
            len(world.only_record()["contactsIds"]),
        )[1],
        expected=1,
    ),
    "default_team": Case(
        enter=lambda world: {"default_team": _team(world)},
        said="can be read by the team",
        observed=lambda world: (_of_outlook(world), world.only_record()["teamsIds"] == [_team(world)])[1],
        expected=True,
    ),
    "private_events": Case(
        enter=lambda _: {"private_events": "busy"},
        said="the CRM shows that you are busy, and nothing else",
        observed=lambda world: _names(world, **PRIVATE) != ["Secret"] and len(world.records()),
        expected=1,
    ),
    "hide_imported_details": Case(
        enter=lambda _: {"hide_imported_details": "y"},
        said="their time remains",
        observed=lambda world: "Visit" in str(_names(world)),
        expected=False,
    ),
    "recurring": Case(
        enter=lambda _: {"recurring": "first"},
        said="only the first date becomes a record",
        observed=_dates_of_a_series,
        expected=1,
    ),
    "description_both_ways": Case(
        enter=lambda _: {"description_both_ways": "y"},
        said="A description that is changed from now on goes to the other place",
        observed=_described,
        expected=True,
    ),
    "teams_for_new": Case(
        enter=lambda _: {"teams_for_new": "y"},
        said="New meetings of the CRM get a Teams link",
        observed=lambda world: (_of_crm(world), world.event(ALICE).isOnlineMeeting)[1],
        expected=True,
    ),
    "clash": Case(
        enter=lambda _: {"clash": "outlook"},
        said="If both places were changed, Outlook wins",
        observed=_edited_in_both,
        expected="By Outlook",
    ),
    "remove_event_with_record": Case(
        enter=lambda _: {"remove_event_with_record": "y"},
        said="its meeting in Outlook is deleted",
        observed=_record_removed,
        expected=[],
    ),
    "remove_record_with_event": Case(
        enter=lambda _: {"remove_record_with_event": "y"},
        said="its record is deleted",
        observed=_event_removed,
        expected=[],
    ),
}


def test_every_setting_is_in_the_table() -> None:
    assert set(CASES) == set(bundle.schema("external_account")["properties"])


@pytest.mark.parametrize("name", list(CASES))
def test_a_setting_is_told_saved_and_obeyed(world: World, alice: Browser, name: str) -> None:
    case = CASES[name]
    world.calendar(ALICE, "Sales")
    world.connect(ALICE)
    case.before(world)
    before = dict(world.account(ALICE).settings)
    world.mails()
    told = change(alice, **case.enter(world))
    assert case.said in told
    after = world.account(ALICE).settings
    changed = {key for key in after if after[key] != before.get(key, user_defaults().get(key))}
    assert name in changed
    assert world.mails() == []  # as the page says: nobody gets mail because of a setting
    assert case.observed(world) == case.expected


def user_defaults() -> dict[str, Any]:
    """What a setting is that nobody chose."""
    properties: dict[str, Any] = bundle.schema("external_account")["properties"]
    return {name: schema["default"] for name, schema in properties.items() if "default" in schema}


def _both_sides_full(world: World) -> None:
    """Meetings of either side with people inside and outside, and edits that nothing carries so far."""
    ours = world.save(
        name="Ours", usersIds=[ALICE, BOB], contactsIds=[DAVE], leadsIds=[FRANK], description="A"
    )
    world.save(name="Old call", entity_type="Call", usersIds=[ALICE, BOB])
    world.settle()
    theirs = world.outlook_create(
        ALICE,
        subject="Theirs",
        body="B",
        attendees=["bob@example.com", "new@elsewhere.example", "dave@contoso.example"],
    )
    world.outlook_create(ALICE, **PRIVATE, attendees=["bob@example.com"])
    world.series(ALICE, subject="Weekly", count=3, attendees=["bob@example.com"])
    world.outlook_create(ALICE, **OLD, attendees=["bob@example.com"])
    world.pull()
    world.outlook_patch(ALICE, world.event_of(ALICE, "Ours").id, body="By Outlook")
    record = world.app.store.links.by_events(world.account(ALICE).mailbox_id or 0, [theirs])[theirs].record_id
    world.change(record, description="By the CRM")
    world.pull()
    world.clock.advance(60)
    world.mails()
    assert world.link(ours).state == "active"


@pytest.mark.parametrize("name", list(CASES))
def test_saving_a_setting_mails_nobody_and_lets_wait_what_was_told(
    world: World, alice: Browser, name: str
) -> None:
    world.calendar(ALICE, "Sales")
    world.save(name="Older than the account", usersIds=[ALICE, BOB], contactsIds=[DAVE])
    world.settle()
    world.clock.advance(60)
    world.connect(ALICE)
    _both_sides_full(world)
    told = change(alice, **CASES[name].enter(world))
    world.pull()
    world.sweep()
    assert world.mails() == []
    waits = re.search(r"(\d+|No) older records? of the CRM waits?", told)
    if waits:
        expected = 0 if waits[1] == "No" else int(waits[1])
        assert len(Backfill(world.app).preview(ALICE).records) == expected
    assert (waits is not None) == (name in {"mode", "sync_since", "push_contacts", "push_leads"})


# --- before anything is saved


def test_nothing_is_saved_before_it_was_confirmed(world: World, alice: Browser) -> None:
    world.connect(ALICE)
    before = world.account(ALICE)
    sent = {**alice.fields(SETTINGS), "months_ahead": "3"}
    alice.post(SETTINGS, sent)
    assert world.account(ALICE) == before
    # Back shows what was entered, and another look at the settings what is in force.
    assert 'value="3"' in alice.get(f"{SETTINGS}?draft=1").text
    assert 'value="12"' in alice.get(SETTINGS).text


def test_what_would_be_sent_is_counted_with_the_people(world: World, alice: Browser) -> None:
    world.connect(ALICE, mode="outlook_to_crm")
    world.save(name="Old", usersIds=[ALICE, BOB], contactsIds=[DAVE])
    world.settle()
    world.clock.advance(60)
    told = change(alice, mode="both", push_contacts="y")
    assert "1 older record of the CRM waits until you confirm it" in told
    assert "2 people, 1 of them from outside" in told
    assert "bob@example.com, dave@contoso.example" in told
    assert world.events(ALICE) == []
    assert world.mails() == []
    assert "Old" in alice.get("/external-account/backfill").text


def test_a_change_that_another_window_overtook_is_shown_anew(world: World, alice: Browser) -> None:
    world.connect(ALICE)
    alice.post(SETTINGS, {**alice.fields(SETTINGS), "months_ahead": "3"})
    seen = alice.fields(CHANGES)
    world.choose(ALICE, clash="crm")
    answer = alice.post(CHANGES, seen)
    assert answer.status_code == 409
    assert world.account(ALICE).settings.get("months_ahead", 12) == 12


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"months_ahead": "900"}, "48", id="number"),
        pytest.param({"months_ahead": "many"}, "Nothing was saved", id="no-number"),
        pytest.param({"sync_since": ""}, "Nothing was saved", id="no-date"),
        pytest.param({"main_calendar": "of-bob"}, "not among what can be chosen", id="calendar"),
        pytest.param({"default_team": "of-others"}, "not among what can be chosen", id="team"),
        pytest.param({"entities-0-entity_type": "Account"}, "not among what can be chosen", id="kind"),
        pytest.param({"entities-1-entity_type": "Meeting"}, "stands twice", id="twice"),
        pytest.param({"entities-0-label": "X", "entities-1-label": "x"}, "same label", id="same-label"),
        pytest.param({"entities-0-label": "a b"}, "without blanks", id="label"),
        pytest.param({"mode": "sideways"}, "Nothing was saved", id="choice"),
        pytest.param({"clash": "<script>"}, "Nothing was saved", id="hostile"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(
    world: World, alice: Browser, fields: dict[str, str], said: str
) -> None:
    world.connect(ALICE)
    before = world.account(ALICE).settings
    answer = alice.post(SETTINGS, {**alice.fields(SETTINGS), **fields})
    assert answer.status_code == 422
    assert said in answer.text
    assert "<script>" not in answer.text
    assert world.account(ALICE).settings == before


def test_rows_are_added_and_taken_without_saving(world: World, alice: Browser) -> None:
    world.connect(ALICE)
    shown = alice.fields(SETTINGS)
    added = alice.post(SETTINGS, {**shown, "add_row": "entities"})
    assert added.text.count('aria-label="Remove kind of record') == 4
    taken = alice.post(SETTINGS, {**shown, "take_row": "entities-1"})
    assert taken.text.count('aria-label="Remove kind of record') == 2
    assert path_of(taken) == SETTINGS


def test_calendars_of_others_are_explained(world: World, alice: Browser) -> None:
    writable = world.share(BOB, ALICE, "write")
    world.connect(ALICE)
    page = alice.get(SETTINGS).text
    assert "shared by bob@example.com" in page
    assert "bob@example.com becomes the organizer; looked into every" in page
    told = change(alice, main_calendar=writable)
    assert "belongs to bob@example.com, who is the organizer" in told


def test_a_calendar_that_may_only_be_read_is_shown_with_the_reason(world: World, alice: Browser) -> None:
    readable = world.share(BOB, ALICE, "read")
    world.connect(ALICE)
    assert "you may only read it; ask bob@example.com" in alice.get(SETTINGS).text
    answer = alice.post(SETTINGS, {**alice.fields(SETTINGS), "main_calendar": readable})
    assert answer.status_code == 422


@pytest.mark.parametrize("ticked_before", [False, True])
def test_the_main_calendar_counts_and_cannot_be_taken_off(
    world: World, alice: Browser, ticked_before: bool
) -> None:
    world.connect(ALICE)
    known = world.app.store.calendars.for_mailbox(world.account(ALICE).mailbox_id or 0)
    main = next(row.id for row in known if row.is_default)
    world.choose(ALICE, conflict_calendars=[main] if ticked_before else [])
    page = alice.get(SETTINGS).text
    place = page.index('data-field="conflict_calendars"')
    field = page[place : page.index("data-field", place + 20)]
    boxes = re.findall(r'<input[^>]*type="checkbox"[^>]*>', field)
    box = next(one for one in boxes if main in one)
    assert "checked" in box
    assert "disabled" in box
    assert "the main calendar; it always counts" in page
    alice.post(SETTINGS, alice.fields(SETTINGS))
    # What was ticked before it became the main one stays for when it is that no longer.
    assert world.account(ALICE).settings["conflict_calendars"] == ([main] if ticked_before else [])
    assert "Nothing was changed." in alice.post(SETTINGS, alice.fields(SETTINGS)).text


def test_calendars_are_read_again_when_the_user_asks(world: World, alice: Browser) -> None:
    world.connect(ALICE)
    world.calendar(ALICE, "Made later")
    assert "Made later" not in alice.get(SETTINGS).text
    assert "Made later" in alice.post(f"{SETTINGS}/read-again").text
    assert world.account(ALICE).pulled_at is None
    world.settle()
    assert world.account(ALICE).pulled_at is not None
    assert world.app.store.audit.entries()[0].text == "had the calendars read again"


def test_a_main_calendar_that_is_gone_is_cured_by_another_choice(world: World, alice: Browser) -> None:
    calendar = world.calendar(ALICE, "Sales")
    world.connect(ALICE)
    change(alice, main_calendar=calendar)
    world.graph("DELETE", ALICE, f"calendars/{calendar}")
    world.save()
    world.settle()
    assert world.account(ALICE).status == "needs_attention"
    assert "choose another one" in alice.get("/external-account").text
    change(alice, main_calendar="")
    assert world.account(ALICE).status == "connected"
    assert world.event(ALICE).subject == "Kick-off"


def test_what_would_happen_is_not_guessed_while_a_side_is_away(world: World, alice: Browser) -> None:
    world.connect(ALICE, mode="crm_to_outlook")
    sent = {**alice.fields(SETTINGS), "mode": "both"}
    world.fail(match={"path": "calendarView"}, status=503, times=100)
    answer = alice.post(SETTINGS, sent)
    assert path_of(answer) == SETTINGS
    assert "does not answer now" in answer.text
    assert world.account(ALICE).settings["mode"] == "crm_to_outlook"


def test_stored_settings_that_fit_no_more_can_be_looked_at(world: World, alice: Browser) -> None:
    world.connect(ALICE)
    kept = {**world.account(ALICE).settings, "sync_since": "long ago", "clash": "nobody"}
    world.app.store.accounts.set_settings(ALICE, kept)
    assert alice.get(SETTINGS).status_code == 200


def test_another_users_settings_are_out_of_reach(world: World, alice: Browser) -> None:
    world.connect(ALICE)
    world.connect(BOB)
    before = world.account(BOB)
    change(alice, months_ahead="3", user_id=BOB, user=BOB)
    assert world.account(BOB) == before
    assert world.account(ALICE).settings["months_ahead"] == 3
