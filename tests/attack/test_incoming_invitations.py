"""What somebody outside can do by invitations alone: make records of their own, and nothing else."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import pytest

from calsync_plugin.accounts import report
from calsync_plugin.domain.breaker import MANY_INVITATIONS
from calsync_plugin.domain.links import Role, marker
from calsync_plugin.engine import flooding
from calsync_plugin.graph.calendar import MARKER
from calsync_plugin.logs import TextLines
from tests.attack.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ADDRESS, ALICE, BOB, CAROL, World

EVE = "eve@evil.example"
HOSTILE = (
    "\x1b]0;owned\x07\r\n2026-11-23 09:00:00,000 INFO calsync: all is well\x9b2J <script>alert(1)</script>"
)


# --- records of others


@pytest.mark.parametrize("forged", [ADDRESS[ALICE], ADDRESS[ALICE].upper()], ids=["as-it-is", "in-capitals"])
def test_a_forged_organizer_changes_no_record_of_that_user(world: World, forged: str) -> None:
    record = world.save(name="Real", usersIds=[ALICE, BOB])
    world.settle()
    before = world.record(record)
    theirs = [event.json for event in world.events(ALICE)]
    fake = world.plant(
        BOB,
        subject="Forged",
        isOrganizer=False,
        organizer={"emailAddress": {"address": forged}},
        attendees=[ADDRESS[BOB], "stranger@elsewhere.example"],
    )
    world.mails()
    world.pull()
    world.outlook_patch(BOB, fake, subject="Forged again")
    world.pull()
    world.outlook_delete(BOB, fake)
    world.pull()
    assert world.record(record) == before
    assert [event.json for event in world.events(ALICE)] == theirs
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("mode", ["both", "outlook_to_crm", "crm_to_outlook"])
@pytest.mark.parametrize("uid", ["1@evil.example", ""], ids=["with-a-uid", "without"])
def test_a_forged_organizer_gets_no_record_of_what_the_own_calendar_does_not_hold(
    world: World, mode: str, uid: str
) -> None:
    world.choose(ALICE, mode=mode)
    organizer = {"emailAddress": {"address": ADDRESS[ALICE]}}
    world.plant(
        BOB, subject="Forged", iCalUId=uid, isOrganizer=False, organizer=organizer, attendees=[ADDRESS[BOB]]
    )
    world.outlook_create(ALICE, subject="Real", attendees=[ADDRESS[BOB]])
    world.mails()
    world.pull()
    assert {one["name"]: one["assignedUserId"] for one in world.records()} == {"Forged": BOB, "Real": ALICE}
    world.quiet()
    assert world.mails() == []


def test_who_organizes_is_asked_again_if_that_calendar_cannot_be_read_now(world: World) -> None:
    world.choose(ALICE, mode="crm_to_outlook")
    world.outlook_create(ALICE, subject="Real", attendees=[ADDRESS[BOB]])
    world.fail(match={"path": "iCalUId"}, status=503, times=6)
    world.pull(BOB)
    assert world.only_record()["assignedUserId"] == ALICE
    world.quiet()


def test_a_forged_organizer_with_the_id_of_that_users_meeting_says_nothing_of_it(world: World) -> None:
    """Only what the organizer's own mailbox holds is content (4.2)."""
    record = world.save(name="Real", usersIds=[ALICE])
    world.settle()
    before = world.record(record)
    fake = world.plant(
        BOB,
        subject="Forged",
        iCalUId=world.event(ALICE).iCalUId,
        isOrganizer=False,
        organizer={"emailAddress": {"address": ADDRESS[ALICE]}},
        attendees=[ADDRESS[BOB]],
    )
    world.pull()
    world.outlook_patch(BOB, fake, subject="Forged again", isCancelled=True)
    world.pull()
    world.outlook_delete(BOB, fake)
    world.pull()
    assert world.record(record) == before
    world.quiet()
    assert world.mails() == []


def test_a_marker_that_came_with_an_invitation_is_no_claim(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    record = world.save(name="Real", usersIds=[ALICE])
    world.settle()
    before = world.record(record)
    known = marker(world.app.store.installation.get().id, world.link(record).id)
    fake = world.plant(
        BOB,
        subject="Forged",
        isOrganizer=False,
        organizer={"emailAddress": {"address": EVE}},
        attendees=[ADDRESS[BOB]],
        singleValueExtendedProperties=[{"id": MARKER, "value": known}],
    )
    world.connect(BOB)
    world.pull()
    world.outlook_delete(BOB, fake)
    world.pull()
    assert world.record(record) == before
    assert [copy.mailbox_id for copy in world.link(record).copies] == [world.account(ALICE).mailbox_id]
    world.quiet()
    assert world.mails() == []


def test_cancelling_ends_no_more_than_the_own_meeting(world: World) -> None:
    real = world.save(name="Real", usersIds=[ALICE, BOB])
    world.settle()
    theirs = world.invite_from_outside(ALICE, BOB, organizer=EVE, subject="Hers")
    world.pull()
    (hers,) = [one for one in world.records() if one["name"] == "Hers"]
    before = world.record(real)
    world.mails()
    world.outside_cancel(theirs, organizer=EVE)
    world.pull()
    assert world.record(hers["id"])["status"] == "Not Held"
    assert world.record(real) == before
    world.quiet()


def test_nobody_is_mailed_because_of_an_invitation(world: World) -> None:
    """Its guests are people of the CRM: they stay the organizer's to invite."""
    world.invite_from_outside(
        ALICE, organizer=EVE, subject="Bait", attendees=["dave@contoso.example", "frank@fabrikam.example"]
    )
    world.mails()
    world.pull()
    record = world.only_record()
    world.change(record["id"], name="Renamed", usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    world.quiet()
    assert world.mails() == []
    assert world.link(record["id"]).role is Role.ATTENDEE


# --- what is shown


@pytest.mark.parametrize("sensitivity", ["private", "confidential"])
def test_a_private_event_that_cannot_be_read_is_told_of_without_its_content(
    world: World, caplog: pytest.LogCaptureFixture, sensitivity: str
) -> None:
    caplog.set_level(logging.DEBUG, "calsync_plugin")
    bad = {"dateTime": "nonsense", "timeZone": "UTC"}
    world.plant(ALICE, subject="Oncologist", start=bad, sensitivity=sensitivity)
    world.pull()
    (parked,) = world.app.store.parked.all()
    assert parked.user_id == ALICE
    assert "Oncologist" not in repr((parked, report.account(world.app.store, ALICE), world.notes(ALICE)))
    assert "Oncologist" not in caplog.text


def test_a_hostile_subject_writes_no_line_and_steers_no_terminal(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "calsync_plugin")
    world.plant(ALICE, subject=HOSTILE, start={"dateTime": "nonsense", "timeZone": HOSTILE})
    world.invite_from_outside(ALICE, organizer=EVE, subject=HOSTILE, location=HOSTILE)
    world.pull()
    assert len(list(world.app.store.parked.all())) == 1
    lines = TextLines()
    for written in caplog.records:
        assert all(c.isprintable() for c in lines.format(written))


def test_html_of_an_invitation_is_plain_text_in_the_crm(world: World) -> None:
    body = (
        "<p>Hi</p><script>alert(1)</script><img src=x onerror=alert(2)>"
        "<iframe srcdoc='<script>alert(3)'></iframe>"
        "<a href='javascript:alert(4)'>here</a><style>*{}</style><svg onload=alert(5)>"
    )
    world.invite_from_outside(ALICE, organizer=EVE, subject="<b>Bold</b>", body=body)
    world.pull()
    record = world.only_record()
    assert "<" not in record["name"]
    assert "Hi" in record["description"]
    for hostile in ("<", "onerror", "alert(1)", "alert(2)", "alert(3)", "alert(5)", "srcdoc"):
        assert hostile not in record["description"], record["description"]


# --- masses


def test_a_daily_series_without_an_end_is_bounded_by_the_window(world: World) -> None:
    world.invite_from_outside(ALICE, organizer=EVE, subject="Daily", recurrence=repeats("daily", interval=1))
    begun = time.process_time()
    world.pull()
    count = world.api("GET", "Meeting", params={"maxSize": 1})["total"]
    assert 300 <= count <= 400
    with world.writes() as written:
        world.pull()
    assert written == []
    assert time.process_time() - begun < 60


def test_499_guests_are_read_at_once(world: World) -> None:
    crowd = [f"guest{n}@elsewhere.example" for n in range(499)]
    world.invite_from_outside(ALICE, organizer=EVE, subject="Crowd", attendees=crowd)
    world.mails()
    world.crm.log.clear()
    world.pull()
    assert world.only_record()["name"] == "Crowd"
    assert len(world.crm.log.requests) < 60
    world.quiet()
    assert world.mails() == []


def test_200_invitations_at_once_hold_up_nobody_else(world: World) -> None:
    for number in range(200):
        world.invite_from_outside(BOB, organizer=EVE, subject=f"Spam {number:03}")
    mine = world.outlook_create(ALICE, subject="Mine")
    world.pull(ALICE)
    assert mine
    assert list(world.app.store.parked.all()) == []
    names = world.api("GET", "Meeting", params={"maxSize": 200, "select": "name"})["list"]
    assert "Mine" in {one["name"] for one in names}


def test_of_a_mass_of_invitations_a_days_number_comes_in_and_the_rest_waits_where_it_is_seen(
    world: World,
) -> None:
    for number in range(MANY_INVITATIONS + 10):
        world.invite_from_outside(ALICE, organizer=EVE, subject=f"Mass {number}")
    world.invite_from_outside(BOB, organizer=EVE, subject="For bob")
    world.mails()
    world.pull()
    world.pull()
    assert world.api("GET", "Meeting", params={"maxSize": 1})["total"] == MANY_INVITATIONS + 1
    parked = world.app.store.parked.all(user_id=ALICE)
    assert [one.reason for one in parked] == ["too_many_invitations"] * 10
    assert [user for user, text in world.told if "invitations" in text] == [ALICE]
    # All else goes on.
    world.outlook_create(ALICE, subject="Of her own")
    record = world.save(name="Of the CRM")
    world.pull()
    assert world.link(record).home is not None
    assert world.api("GET", "Meeting", params={"maxSize": 1})["total"] == MANY_INVITATIONS + 3
    world.app.connections.resume(ALICE)
    world.settle()
    assert len(world.app.store.parked.all(user_id=ALICE)) == 10
    world.clock.advance(25 * 3600)
    world.app.connections.resume(ALICE)
    world.settle()
    assert world.app.store.parked.all(user_id=ALICE) == []
    assert world.api("GET", "Meeting", params={"maxSize": 1})["total"] == MANY_INVITATIONS + 13
    world.quiet()
    assert world.mails() == []


def test_what_a_calendar_holds_when_it_is_connected_is_no_mass(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flooding, "MANY_INVITATIONS", 3)
    world = make_world()
    for number in range(5):
        world.invite_from_outside(ALICE, organizer=EVE, subject=f"Old {number}")
    world.connect(ALICE)
    world.invite_from_outside(ALICE, organizer=EVE, subject="Daily", recurrence=repeats("daily", count=5))
    world.pull()
    assert len(world.records()) == 10
    assert world.app.store.parked.all() == []
    world.quiet()


def test_an_invitation_in_the_far_future_or_past_is_no_record(world: World) -> None:
    for year in ("1601", "9998"):
        world.plant(ALICE, subject=year, start=f"{year}-01-02T10:00:00", end=f"{year}-01-02T11:00:00")
    world.pull()
    assert world.records() == []
    world.clock.advance(timedelta(days=1).total_seconds())
    world.quiet()


def test_carol_who_is_not_connected_gets_no_record(world: World) -> None:
    world.plant(
        CAROL, subject="Bait", isOrganizer=False, organizer={"emailAddress": {"address": ADDRESS[ALICE]}}
    )
    world.pull()
    assert world.records() == []
