"""The pages in another language than English: which one is chosen, and that nothing of a page is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from flask import render_template_string

from calsync_plugin.domain.links import LinkState
from calsync_plugin.state import AccountStatus, BookingCalendar, CalendarKind, Parked
from calsync_plugin.web.app import create_app
from calsync_plugin.web.speaking import say
from calsync_plugin.wording import gettext, ngettext
from docs import make_messages
from tests.pages import Browser
from tests.world import ADMIN_ID, ALICE, BOB, CAROL, DAVE, World

HOME = "/external-account"
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
SHOWN = frozenset({"aria-label", "data-label", "title", "placeholder", "alt"})
"""Attributes that somebody reads or hears."""
STOPS = " .,;:)"
_APART = re.compile(r" · | \((?=Kürzel|label)")
"""Between two sayings in one piece of text."""
# The item of a note, how many are held, who did something; the number of a row.
_BEFORE, _BEHIND = re.compile(r"^(Meeting \w{17}: |\d+ \W \w+\. |Admin )"), re.compile(r" \d+$")
HOSTILE = '<img src=x onerror="alert(1)">%(num)s{0}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture
def alice(world: World) -> Browser:
    """Somebody whose CRM speaks German."""
    return in_german(world, "alice", ALICE)


def in_german(world: World, name: str, user_id: str) -> Browser:
    world.crm.store.tables["User"].rows[user_id]["preferences"] = {
        "language": "de_DE",
        "timeZone": "Europe/Berlin",
    }
    page = Browser(world)
    page.sign_in(name)
    return page


# --- which language


def language_of(text: str) -> str:
    found = re.search(r'<html lang="(\w+)">', text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        pytest.param("de-AT,de;q=0.9,en;q=0.5", "de", id="first"),
        pytest.param("fr;q=0.9,de;q=0.8", "de", id="the-first-that-is-known"),
        pytest.param("en,de;q=0.5", "en", id="english-first"),
        pytest.param("fr", "en", id="none-that-is-known"),
        pytest.param("", "en", id="none"),
        pytest.param("*", "en", id="any"),
        pytest.param("../../etc;q=x", "en", id="nonsense"),
    ],
)
def test_whoever_is_unknown_reads_what_the_browser_asks_for(
    world: World, accepted: str, expected: str
) -> None:
    page = Browser(world).get("/sign-in", headers={"Accept-Language": accepted} if accepted else {}).text
    assert language_of(page) == expected
    assert ("Benutzername" in page) == (expected == "de")


def test_the_crms_language_goes_before_the_browsers(alice: Browser) -> None:
    page = alice.get(HOME, headers={"Accept-Language": "en"}).text
    assert language_of(page) == "de"
    assert "Letzter Erfolg" in page


def test_what_is_chosen_in_the_foot_of_a_page_goes_before_all_else(alice: Browser) -> None:
    told = alice.post("/language", {"language": "en", "next": f"{HOME}/settings"})
    assert told.request.path == f"{HOME}/settings"
    assert language_of(told.text) == "en"
    assert 'lang="en"\n            aria-current="true"' in told.text
    assert language_of(alice.post("/language", {"language": "de", "next": HOME}).text) == "de"


@pytest.mark.parametrize("wanted", ["fr", "", "../de", "de_DE"])
def test_a_language_that_is_not_there_changes_nothing(alice: Browser, wanted: str) -> None:
    assert language_of(alice.post("/language", {"language": wanted}).text) == "de"


@pytest.mark.parametrize(
    "onward", ["https://evil.example", "//evil.example/x", "/\\evil.example", "/\t/evil.example"]
)
def test_the_choice_leads_to_no_other_site(alice: Browser, onward: str) -> None:
    alice.get(HOME)
    sent = {"csrf_token": alice.token, "language": "de", "next": onward}
    assert alice.client.post("/language", data=sent).headers["Location"] == HOME


@pytest.mark.parametrize(
    ("path", "again"),
    [
        pytest.param("/sign-in?next=/external-account/week", None, id="page"),
        pytest.param("/oauth/done?ticket=x", HOME, id="login"),
        pytest.param("/nowhere?x=1", HOME, id="no-page"),
    ],
)
def test_the_choice_comes_back_to_a_page_that_can_be_opened_again(
    world: World, path: str, again: str | None
) -> None:
    text = Browser(world).get(path).text
    assert f'name="next" value="{again or path}"' in text


def test_programs_read_english(world: World) -> None:
    answer = Browser(world).client.get("/api/v1/accounts", headers=GERMAN)
    assert answer.get_json()["error"].isascii()
    assert Browser(world).client.get("/api/v1/nothing", headers=GERMAN).get_json()["error"].startswith("The ")


def test_what_a_script_shows_is_in_the_pages_language(world: World, alice: Browser) -> None:
    assert alice.get(f"{HOME}/status.json").get_json()["title"] == "Abgeglichen"
    told = alice.client.post(f"{HOME}/sync", headers={"Accept": "application/json"}).get_json()["error"]
    assert told.startswith("Diese Seite war zu lange offen")


# --- nothing is left out


class Words(HTMLParser):
    """What somebody reads of a page, piece by piece."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in {"script", "style", "code", "time"}
        self.found += [value for name, value in attrs if name in SHOWN and value]
        if tag == "html":
            assert dict(attrs)["lang"] == "de"

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"script", "style", "code", "time"}

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(" ".join(data.split()))


TAG = re.compile(r"<[^>]*>")
TAG_OR_NAME = re.compile(r"<[^>]*>|%\((?:name|when|first|last|counts)\)s")
"""In some places stands a name or a moment with tags around it."""


def pieces(catalog: Catalog) -> re.Pattern[str]:
    """Whatever the German catalogue says, between one tag and the next."""
    said = set[str]()
    for message in catalog:
        if message.id:
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            said |= {
                unescape(part).strip(STOPS)
                for text in strings
                for between in (TAG, TAG_OR_NAME)
                for part in between.split(str(text))
            }
    # A sentence of nothing but places says nothing.
    wordy = {one for one in said if re.search(r"\w", re.sub(r"%\(\w+\)s", "", one))}
    begun = {one[:1].upper() + one[1:] for one in wordy}
    whole = [re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(one)) for one in wordy | begun]
    return re.compile("|".join(sorted(whole)), re.DOTALL)


CATALOGUE = make_messages.catalogue("de")
KNOWN = pieces(CATALOGUE)
DATA = re.compile(
    r"""(calsync|·|Outlook|CRM|English|Deutsch|Europe/Berlin|Meeting|Visit|Call|Anruf|[\d\W]*
    |Admin|Alice\ Able|Bob\ Baker|Carol\ \w+|\w{17}|Sales|Calendar|ExternalAccount|OutlookCalendar
    |\(?[\w.]+@[\w.]+\)?|\d+\s.*@.*|Meeting\ \d+|Kick-off|Review|A|B|C|Gone|von\ the\ test
    |(Mo|Di|Mi|Do|Fr|Sa|So)\.,\ \d+\.\ \w+\.?(\ \d{4}|,\ \d\d:\d\d|,\ heute)?|\d+\.\ \w+\ \d{4}
    |UTC|Demo
    |((Mo|Di|Mi|Do|Fr|Sa|So)\.\ )?\d\d:\d\d(:\ (abgelehnt|nach\ Outlook|ins\ CRM|.*innerhalb\ von).*)?
    |[\d,]+\ s|1\ im\ CRM,\ 1\ in\ Outlook,\ von|der\ Benutzer\ hat\ Outlook\ verbunden
    |[\w.]+\.Read(Write)?(\.Shared)?)""",
    re.VERBOSE,
)
"""What is the same in each language: names, addresses, numbers; and days, which are Babel's."""


def left_in_english(text: str) -> list[str]:
    parts = [one.strip(STOPS) for word in Words(text).found for one in _APART.split(word)]
    return [one for one in parts if not _is_known(one)]


def _is_known(part: str) -> bool:
    """Whether it is said by the catalogue: as a whole, without what stands around it, or in two sentences."""
    begun = _BEFORE.sub("", part)
    asked = {part, begun, *(_BEHIND.sub("", one).strip(STOPS) for one in (part, begun))}
    whole = any(rule.fullmatch(one) for rule in (KNOWN, DATA) for one in asked)
    sentences = part.split(". ")
    return whole or (len(sentences) > 1 and all(_is_known(one.strip(STOPS)) for one in sentences))


def trouble(world: World) -> None:
    """Give every page of alice something to tell."""
    people: dict[str, Any] = {"usersIds": [ALICE, BOB], "contactsIds": [DAVE]}
    for name in ("Kick-off", "Review"):
        world.save(name=name, assignedUserId=ALICE, **people)
    world.settle()
    store = world.app.store
    mailbox_id = world.account(ALICE).mailbox_id or 0
    kept, left = store.links.for_mailbox(mailbox_id)
    with store.save(None) as tx:
        for field, value in (("subject", "A"), ("reminder", 15), ("span", None)):
            tx.clash(user_id=ALICE, link_id=kept.id, field=field, winner="crm", crm=value, outlook="B")
        tx.hold(mailbox_id, kept.id, "deletion")
        tx.park(
            Parked(
                mailbox_id=mailbox_id,
                user_id=ALICE,
                entity_type="Meeting",
                record_id="6b0000000000000a1",
                reason="no_end",
                message="Meeting 6b0000000000000a1: it has no end (dateEnd); enter one",
            )
        )
        reason = "the event was removed in Outlook; records born in the CRM stay"
        tx.save_links([replace(left, state=LinkState.DETACHED, reason=reason)])
        for side in ("record", "event"):
            tx.journal(
                mailbox_id=mailbox_id,
                user_id=ALICE,
                link_id=left.id,
                side=side,
                item_id="Meeting 6b1",
                content='{"name": "Gone", "subject": "Gone"}',
            )


PAGES = (
    "",
    "/settings",
    "/backfill",
    "/held",
    "/parked",
    "/clashes",
    "/detached",
    "/restore",
    "/reset",
    "/disconnect",
    "/week",
    "/week?from=2026-12-03",
    "/nothing",
)


@pytest.mark.parametrize("troubled", [False, True], ids=["nothing-to-tell", "something-to-tell"])
def test_no_word_of_a_users_page_is_english(world: World, alice: Browser, troubled: bool) -> None:
    if troubled:
        trouble(world)
    assert {path: found for path in PAGES if (found := left_in_english(alice.get(HOME + path).text))} == {}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        pytest.param(AccountStatus.RECONNECT, "x", id="reconnect"),
        pytest.param(
            AccountStatus.NEEDS_ATTENTION,
            "the chosen main calendar was not found; choose another one",
            id="needs-attention",
        ),
        pytest.param(AccountStatus.PAUSED, "paused", id="paused"),
        pytest.param(AccountStatus.PAUSED, "switched off by its user", id="switched-off"),
        pytest.param(
            AccountStatus.PAUSED, "connected; syncing begins when the settings are saved", id="begins"
        ),
        pytest.param(AccountStatus.OFF, "Outlook was disconnected", id="off"),
    ],
)
def test_no_word_of_a_status_is_english(
    world: World, alice: Browser, status: AccountStatus, reason: str
) -> None:
    world.app.store.accounts.set_status(ALICE, status, reason)
    assert left_in_english(alice.get(HOME).text) == []


OF_ADMINISTRATORS = (
    "",
    "?show=week",
    "/accounts",
    "/accounts?search=nobody",
    f"/accounts/{ALICE}",
    "/accounts/nobody",
    "/grants",
    "/grants?search=carol",
    "/booking-calendars",
    "/booking-calendars/new",
    "/features",
    "/integration",
    "/integration/check",
    "/azure",
    "/audit",
    f"/audit?user={ALICE}",
    "/moved",
)


@pytest.mark.parametrize("troubled", [False, True], ids=["nothing-to-tell", "something-to-tell"])
def test_no_word_of_an_administrators_page_is_english(world: World, troubled: bool) -> None:
    page = in_german(world, "admin", ADMIN_ID)
    if troubled:
        trouble(world)
        page.post(f"/admin/accounts/{ALICE}/pause")
        page.post("/admin/grants", {"kind": "user", "id": CAROL, "do": "give"})
        world.app.counting.save()
        moved = "the public address was https://a.example and is https://b.example"
        world.app.store.installation.update(paused=f"{moved}: say whether calsync moved or this is a copy")
    found = {path: left_in_english(page.get(f"/admin{path}").text) for path in OF_ADMINISTRATORS}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize("kind", list(CalendarKind))
def test_no_word_of_a_booking_calendar_is_english(world: World, kind: CalendarKind) -> None:
    members = {CalendarKind.EVENT: [], CalendarKind.PERSONAL: [CAROL]}.get(kind, [ALICE, BOB, CAROL])
    made = BookingCalendar(id="demo", name="Demo", kind=kind, members=dict.fromkeys(members, 0))
    world.app.store.booking_calendars.save(made)
    page = in_german(world, "admin", ADMIN_ID)
    for path in (
        "/booking-calendars",
        "/booking-calendars/demo",
        "/booking-calendars/demo?view=list",
        "/booking-calendars/demo?week=2026-11-16",
        "/admin/booking-calendars",
        "/admin/booking-calendars/demo",
    ):
        assert left_in_english(page.get(path).text) == [], path


@pytest.mark.parametrize("action", ["pause", "resume", "reset", "confirm", "discard", "restore"])
def test_what_an_administrator_does_is_answered_in_german(world: World, action: str) -> None:
    trouble(world)
    page = in_german(world, "admin", ADMIN_ID)
    assert left_in_english(page.post(f"/admin/accounts/{ALICE}/{action}").text) == []


def test_giving_and_taking_is_answered_in_german(world: World) -> None:
    page = in_german(world, "admin", ADMIN_ID)
    for do in ("give", "take"):
        told = page.post("/admin/grants", {"kind": "user", "id": ALICE, "do": do})
        assert left_in_english(told.text) == []


def test_no_word_of_a_login_is_english(world: World) -> None:
    page = Browser(world)
    pages = [
        page.get("/sign-in", headers=GERMAN),
        page.post("/sign-in", {"user_name": "alice", "password": "x", "code": ""}, headers=GERMAN),
        page.get("/oauth/callback?state=x", headers=GERMAN),
        page.get("/oauth/done?ticket=x", headers=GERMAN),
        page.post("/oauth/answer", {"answer": "no"}, headers=GERMAN),
        page.get("/oauth/callback?admin_consent=True&tenant=x", headers=GERMAN),
        page.get("/oauth/callback?admin_consent=True&error=x", headers=GERMAN),
        page.get("/nowhere", headers=GERMAN),
        page.client.post("/sign-in", headers=GERMAN),
    ]
    assert [found for one in pages if (found := left_in_english(one.text))] == []


def test_no_word_of_connecting_is_english(world: World) -> None:
    page = in_german(world, "carol", CAROL)
    before = page.get(HOME)
    asked = page.come_back("carol@example.com")
    done = page.answer(asked)
    assert [found for one in (before, asked, done) if (found := left_in_english(one.text))] == []


def test_what_a_change_will_do_is_told_in_german(world: World, alice: Browser) -> None:
    trouble(world)
    fields = alice.fields(f"{HOME}/settings")
    chosen = {
        "mode": "outlook_to_crm",
        "sync_since": "2026-01-01",
        "months_ahead": "6",
        "private_events": "busy",
        "recurring": "first",
        "create_contacts": "y",
        "hide_imported_details": "y",
        "remove_record_with_event": "y",
        "teams_for_new": "y",
    }
    told = alice.post(f"{HOME}/settings", {**fields, **chosen})
    assert left_in_english(told.text) == []
    text = " ".join(Words(told.text).found)
    assert "Outlook wird ab dem 1. Januar 2026 gelesen" in text
    assert "Vom CRM nach Outlook" not in text
    assert "Von Outlook ins CRM" in text


def test_what_does_not_fit_is_said_in_german(alice: Browser) -> None:
    fields = alice.fields(f"{HOME}/settings")
    wrong = {"months_ahead": "0", "sync_since": "never", "entities-0-label": "a b", "default_entity": "Task"}
    answer = alice.post(f"{HOME}/settings", {**fields, **wrong})
    assert answer.status_code == 422
    assert "wird nicht angenommen" in answer.text
    assert left_in_english(answer.text) == []


def test_an_english_page_fails_this_test(world: World) -> None:
    page = Browser(world)
    page.sign_in("bob")
    english = page.get(f"{HOME}/held").text.replace('<html lang="en">', '<html lang="de">')
    assert "Held back" in left_in_english(english)


# --- numbers, plurals, and what somebody else wrote


@pytest.mark.parametrize(
    ("count", "said"),
    [
        pytest.param(1, "1 Besprechung wird nicht mehr verfolgt", id="one"),
        pytest.param(2, "2 Besprechungen werden nicht mehr verfolgt", id="two"),
    ],
)
def test_one_is_said_otherwise_than_two(world: World, alice: Browser, count: int, said: str) -> None:
    for number in range(count):
        world.save(name=f"Meeting {number}", assignedUserId=ALICE)
    world.settle()
    links = world.app.store.links.for_mailbox(world.account(ALICE).mailbox_id or 0)
    with world.app.store.save(None) as tx:
        tx.save_links([replace(link, state=LinkState.DETACHED, reason="paused") for link in links])
    assert said in alice.get(HOME).text


def test_days_and_numbers_are_written_as_the_language_has_them(world: World) -> None:
    app = create_app(world.app)
    with app.test_request_context("/", headers=GERMAN):
        assert say(ngettext("%(num)s entry is tried again.", "%(num)s entries are tried again.", 12_345)) == (
            "12.345 Einträge werden erneut versucht."
        )
        shown = render_template_string(
            "{{ _('All %(all)s', all=12345) }} {{ _('Week of %(day)s', day=day) }} {{ words }}",
            day=date(2026, 3, 5),
            words=gettext("never"),
        )
        assert shown == "Alle 12.345 Woche vom 5. März 2026 nie"
    with app.test_request_context("/"):
        assert render_template_string("{{ _('All %(all)s', all=12345) }}") == "All 12345"


def test_what_somebody_wrote_stays_escaped_in_a_translated_sentence(world: World, alice: Browser) -> None:
    record = world.save(assignedUserId=ALICE)
    world.settle()
    mailbox_id = world.account(ALICE).mailbox_id or 0
    (link,) = world.app.store.links.for_mailbox(mailbox_id)
    with world.app.store.save(None) as tx:
        tx.save_links([replace(link, state=LinkState.DETACHED, reason=f"organised by {HOSTILE}, not sent")])
        tx.park(
            Parked(
                mailbox_id=mailbox_id,
                user_id=ALICE,
                entity_type="Meeting",
                record_id=record,
                reason="unknown_zone",
                message=f"Meeting {record}: the time zone {HOSTILE} is unknown",
            )
        )
        tx.journal(
            mailbox_id=mailbox_id,
            user_id=ALICE,
            link_id=link.id,
            side="event",
            item_id=link.home.event_id if link.home else "",
            content=f'{{"subject": "{HOSTILE.replace(chr(34), chr(92) + chr(34))}"}}',
        )
    pages = {path: alice.get(HOME + path).text for path in ("/detached", "/parked", "/restore")}
    assert "Organisiert von &lt;img" in pages["/detached"]
    assert "Die Zeitzone &lt;img" in pages["/parked"]
    assert "in Outlook gelöscht" in pages["/restore"]
    assert [path for path, text in pages.items() if "<img" in text] == []
