"""The admin's overview, grants and accounts, by HTTP, and what the engine makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from calsync_plugin.accounts import doctor
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.engine.doubts import EMPTIED
from calsync_plugin.sandbox.crm.identities import ROLE_SALES_ID
from calsync_plugin.state import AccountStatus, SourceKind
from tests.forms import fields
from tests.pages import Browser
from tests.world import ALICE, BOB, CAROL, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    made = Browser(world)
    made.sign_in("admin")
    return made


class TestOverview:
    def test_it_counts_accounts_and_what_was_carried(self, world: World, page: Browser) -> None:
        world.save(assignedUserId=ALICE)
        world.settle()
        text = page.get("/admin").text
        assert "Connected</span> 2" in text
        assert "Changes carried in an hour" in text
        assert "Nothing was carried" not in text

    def test_an_empty_day_says_so(self, world: World, page: Browser) -> None:
        world.clock.advance(2 * 86_400)
        page.sign_in("admin")
        assert "Nothing was carried in this time." in page.get("/admin").text

    @pytest.mark.parametrize("show", ["", "week", "nonsense"])
    def test_a_day_or_a_week(self, page: Browser, show: str) -> None:
        text = page.get("/admin", query_string={"show": show}).text
        assert ("The last 7 days" in text) is (show == "week")

    def test_a_pause_after_a_move_is_the_first_thing(self, world: World, page: Browser) -> None:
        world.app.store.installation.update(paused="the public address was a and is b")
        assert "Everything is paused: the public address was a and is b" in page.get("/admin").text

    def test_a_switched_off_integration_is_told(self, world: World, page: Browser) -> None:
        world.app.integration.save({"enabled": False}, by=Actor("admin"))
        assert "The integration is switched off" in page.get("/admin").text

    def test_records_that_the_crm_seems_to_have_lost_are_told(self, world: World, page: Browser) -> None:
        assert "lost records" not in page.get("/admin").text
        for number in range(3):
            world.save(name=f"Meeting {number}")
        world.settle()
        world.clock.advance(3600)
        for record in list(world.crm.store.tables["Meeting"].rows):
            world.crm.store.change("Meeting", record, {"deleted": True})
        world.sweep()
        assert world.app.doubts() == {"Meeting": EMPTIED}
        assert "The CRM seems to have lost records (Meeting)." in page.get("/admin").text
        (finding,) = [one for one in doctor.examine(world.app) if one.what == "records of the CRM"]
        assert not finding.ok
        assert EMPTIED in finding.detail


class TestGrants:
    def test_a_role_is_allowed_and_a_user_of_it_can_connect(self, world: World, page: Browser) -> None:
        text = page.get("/admin/grants").text
        assert "Sales" in text
        answer = page.post("/admin/grants", {"kind": "role", "id": ROLE_SALES_ID, "do": "give"})
        assert "Sales may use Outlook" in answer.text
        carol = Browser(world)
        carol.sign_in("carol")
        carol.connect("carol@example.com")
        assert world.account(CAROL).status is not AccountStatus.OFF

    def test_taking_away_stops_at_once_and_deletes_nothing(self, world: World, page: Browser) -> None:
        world.save(assignedUserId=ALICE)
        world.settle()
        page.post("/admin/grants", {"kind": "user", "id": ALICE, "do": "give"})
        page.post("/admin/grants", {"kind": "user", "id": ALICE, "do": "take"})
        assert world.account(ALICE).status is AccountStatus.OFF
        assert len(world.events(ALICE)) == 1
        page.post("/admin/grants", {"kind": "user", "id": ALICE, "do": "give"})
        world.settle()
        assert world.account(ALICE).status is AccountStatus.CONNECTED
        assert len(world.events(ALICE)) == 1

    def test_one_grant_alone_does_not_sync(self, world: World, page: Browser) -> None:
        page.post("/admin/grants", {"kind": "user", "id": ALICE, "do": "give"})
        page.post("/admin/grants", {"kind": "user", "id": ALICE, "grant": "OutlookCalendar", "do": "take"})
        assert world.account(ALICE).status is AccountStatus.OFF
        answer = page.post(
            "/admin/grants", {"kind": "user", "id": ALICE, "grant": "Everything", "do": "give"}
        )
        assert answer.status_code == 409

    def test_users_are_found_by_name(self, page: Browser) -> None:
        text = page.get("/admin/grants", query_string={"search": "car"}).text
        assert "Carol Clark" in text
        assert "Nobody is called like that." in page.get("/admin/grants", query_string={"search": "zzz"}).text

    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param({}, id="nothing"),
            pytest.param({"kind": "role", "id": "unknown", "do": "give"}, id="unknown-role"),
            pytest.param({"kind": "planet", "id": ALICE, "do": "give"}, id="unknown-kind"),
            pytest.param({"kind": "user", "id": "x" * 5000, "do": "give"}, id="long-id"),
        ],
    )
    def test_what_is_not_there_is_explained(self, page: Browser, sent: dict[str, str]) -> None:
        answer = page.post("/admin/grants", sent)
        assert answer.status_code in {400, 404, 409}
        assert "That did not work" in answer.text or "Not here" in answer.text


class TestAccounts:
    def test_every_user_is_listed_with_or_without_an_account(self, page: Browser) -> None:
        text = page.get("/admin/accounts").text
        for name in ("Alice Able", "Bob Baker", "Carol Clark"):
            assert name in text
        assert "Only the user can connect." in text

    def test_by_status_and_name(self, world: World, page: Browser) -> None:
        world.app.connections.pause(BOB)
        paused = page.get("/admin/accounts", query_string={"status": "paused"}).text
        assert "Bob Baker" in paused
        assert "Alice Able" not in paused
        found = page.get("/admin/accounts", query_string={"search": "alice"}).text
        assert "Alice Able" in found
        assert "Bob Baker" not in found
        assert "Nobody fits this." in page.get("/admin/accounts", query_string={"search": "zzz"}).text

    @pytest.mark.parametrize("after", ["x", "users:", "users:999999", "users:-1", "\u0000", "%"])
    def test_any_page_can_be_asked_for(self, page: Browser, after: str) -> None:
        assert page.get("/admin/accounts", query_string={"after": after}).status_code == 200

    def test_an_administrator_pauses_and_resumes(self, world: World, page: Browser) -> None:
        page.post(f"/admin/accounts/{ALICE}/pause")
        assert world.account(ALICE).status is AccountStatus.PAUSED
        answer = page.post(f"/admin/accounts/{ALICE}/resume")
        assert world.account(ALICE).status is AccountStatus.CONNECTED
        assert "Syncing goes on." in answer.text
        log = page.get("/admin/audit", query_string={"user": ALICE}).text
        assert "Admin" in log

    def test_a_reset_compares_and_deletes_nothing(self, world: World, page: Browser) -> None:
        world.save(assignedUserId=ALICE)
        world.settle()
        assert "1 meeting is compared anew" in page.post(f"/admin/accounts/{ALICE}/reset").text
        world.settle()
        assert len(world.events(ALICE)) == 1
        assert len(world.records()) == 1

    def test_what_was_deleted_is_restored_by_counts_alone(self, world: World, page: Browser) -> None:
        record = world.save(name="Secret plan", assignedUserId=ALICE)
        world.settle()
        world.remove(record)
        world.settle()
        text = page.get(f"/admin/accounts/{ALICE}").text
        assert "1 in Outlook" in text
        assert "Secret plan" not in text
        assert "1 deleted item was restored." in page.post(f"/admin/accounts/{ALICE}/restore").text
        world.settle()
        assert [event.json["subject"] for event in world.events(ALICE)] == ["Secret plan"]

    def test_direction_is_chosen_for_a_user_and_nothing_else(self, world: World, page: Browser) -> None:
        form = fields(page.get(f"/admin/accounts/{ALICE}").text)
        assert "push_contacts" not in form
        sent = {**form, "mode": "crm_to_outlook", "push_contacts": "y", "private_events": "full"}
        page.post(f"/admin/accounts/{ALICE}/settings", sent)
        settings = world.account(ALICE).settings
        assert settings["mode"] == "crm_to_outlook"
        assert not settings.get("push_contacts")
        assert settings.get("private_events", "skip") == "skip"

    def test_a_calendar_that_the_mailbox_has_not_is_refused(self, world: World, page: Browser) -> None:
        form = fields(page.get(f"/admin/accounts/{ALICE}").text)
        answer = page.post(f"/admin/accounts/{ALICE}/settings", {**form, "main_calendar": "invented"})
        assert answer.status_code == 422
        assert "no such calendar" in answer.text

    @pytest.mark.parametrize("path", ["nobody", f"{CAROL}", "%00", "x" * 3000])
    def test_an_account_that_is_not_there(self, page: Browser, path: str) -> None:
        assert page.get(f"/admin/accounts/{path}").status_code == 404

    def test_a_button_that_is_not_there(self, page: Browser) -> None:
        assert page.post(f"/admin/accounts/{ALICE}/connect").status_code == 404


class TestBusySources:
    """Where a user's busy times come from, as an administrator sees it."""

    URL = "https://calendar.example.com/secret-token/basic.ics"

    def _feed(self, world: World) -> int:
        shown = "calendar.example.com/\N{HORIZONTAL ELLIPSIS}"
        return world.app.store.feeds.add(
            ALICE, SourceKind.FEED, self.URL, shown=shown, name="Football club", most=10
        )

    def test_kind_name_and_when_it_was_read_and_never_an_address(self, world: World, page: Browser) -> None:
        self._feed(world)
        text = page.get(f"/admin/accounts/{ALICE}").text
        assert "Football club" in text
        assert "Calendar address" in text
        assert "Main calendar" in text
        assert "Not read yet" in text
        assert "secret-token" not in text
        assert "calendar.example.com" not in text

    def test_what_cannot_be_read_is_told_with_the_reason(self, world: World, page: Browser) -> None:
        assert "cannot be read now" not in page.get("/admin").text
        feed = self._feed(world)
        with world.app.store.save(None) as tx:
            tx.busy.failed(feed, "its server does not answer")
        text = page.get(f"/admin/accounts/{ALICE}").text
        assert "Cannot be read" in text
        assert "Its server does not answer." in text
        assert "Calendar address: 1 cannot be read now." in page.get("/admin").text

    def test_what_was_read_long_ago_is_told(self, world: World, page: Browser) -> None:
        assert "Free and busy times" not in page.get("/admin").text
        world.clock.advance(3 * 86_400)
        page.sign_in("admin")
        assert (
            "A calendar of a connected user was last read more than 72 hours ago" in page.get("/admin").text
        )

    def test_a_linked_calendar_that_cannot_be_written_is_refused_beside_its_field(
        self, world: World, page: Browser
    ) -> None:
        mailbox_id = world.account(ALICE).mailbox_id or 0
        rows = world.app.store.calendars.for_mailbox(mailbox_id)
        read_only = replace(rows[0], id="read-only", name="Boss", is_default=False, can_edit=False)
        world.app.store.calendars.replace(mailbox_id, [*rows, read_only])
        html = page.get(f"/admin/accounts/{ALICE}").text
        assert "you may only read it" in html
        assert "Calendars that make you busy" in html
        sent = {**fields(html), "main_calendar": "read-only"}
        answer = page.post(f"/admin/accounts/{ALICE}/settings", sent)
        assert answer.status_code == 422
        assert "main_calendar-wrong1" in answer.text
        assert "It cannot be written; ask its owner for write access" in answer.text
        sent = {**fields(html), "conflict_calendars": ["read-only"]}
        assert "Saved." in page.post(f"/admin/accounts/{ALICE}/settings", sent).text
        assert world.account(ALICE).settings["conflict_calendars"] == ["read-only"]

    def test_where_further_calendars_are_off_none_is_chosen_for_a_user(
        self, world: World, page: Browser
    ) -> None:
        mailbox_id = world.account(ALICE).mailbox_id or 0
        rows = world.app.store.calendars.for_mailbox(mailbox_id)
        calendar = "private"
        further = replace(rows[0], id=calendar, name="Private", is_default=False)
        world.app.store.calendars.replace(mailbox_id, [*rows, further])
        html = page.get(f"/admin/accounts/{ALICE}").text
        world.app.desk.features.close(Actor("admin"), Feature.CONFLICT_CALENDARS, EVERYBODY)
        sent = {**fields(html), "conflict_calendars": [calendar]}
        answer = page.post(f"/admin/accounts/{ALICE}/settings", sent)
        assert answer.status_code == 422
        assert "Conflict calendars are switched off for everybody" in answer.text
        world.app.desk.features.open(Actor("admin"), Feature.CONFLICT_CALENDARS, EVERYBODY)
        assert "Saved." in page.post(f"/admin/accounts/{ALICE}/settings", sent).text
