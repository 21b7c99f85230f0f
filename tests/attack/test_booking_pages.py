"""Booking calendars and features on pages, by those who may not, and with names that mean harm."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.booking.features import Feature
from calsync_plugin.state import BookingCalendar, CalendarKind, Subject
from tests.pages import Browser
from tests.world import ADMINISTRATOR, ALICE, BOB, World

HOSTILE = '"><script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}{{ 7*7 }}%(name)s'
TOMORROW = 86_400


def calendar_of(world: World, *members: str, name: str = "Demo") -> BookingCalendar:
    """One as it is stored, even with a name that the use case would refuse."""
    calendar = BookingCalendar(
        id="c0ffee", name=name, kind=CalendarKind.ROUND_ROBIN, members=dict.fromkeys(members, 0)
    )
    return world.app.store.booking_calendars.save(calendar)


def signed_in(world: World, name: str) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(name)
    return visitor


def tomorrow(world: World) -> str:
    """Noon of the next day."""
    return str(int(world.clock.now()) // TOMORROW * TOMORROW + TOMORROW + 12 * 3600)


@pytest.mark.parametrize("path", ["", "/book", "/look"])
def test_who_is_no_member_learns_nothing_and_books_nothing(world: World, path: str) -> None:
    calendar = calendar_of(world, BOB)
    alice = signed_in(world, "alice")
    sent = {"name": "Mine", "start": tomorrow(world), "key": "k" * 32}
    answers = [
        alice.get(f"/booking-calendars/{calendar.id}{path}", query_string=sent),
        alice.post(f"/booking-calendars/{calendar.id}{path}", sent),
    ]
    for answer in answers:
        assert answer.status_code in {404, 405}
        assert "Demo" not in answer.text
        assert "Bob" not in answer.text
    assert world.records() == []


def test_whether_there_is_a_calendar_cannot_be_told_by_the_answer(world: World) -> None:
    calendar = calendar_of(world, BOB)
    alice = signed_in(world, "alice")
    there, nowhere = (alice.get(f"/booking-calendars/{one}") for one in (calendar.id, "nowhere"))
    assert (there.status_code, there.text) == (
        nowhere.status_code,
        nowhere.text.replace("nowhere", calendar.id),
    )


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        pytest.param("/admin/features", {"feature": "bookings", "kind": "installation"}, id="feature"),
        pytest.param("/admin/booking-calendars/new", {"name": "x", "member": BOB}, id="new"),
        pytest.param("/admin/booking-calendars/c0ffee", {"name": "x", "member": BOB}, id="change"),
        pytest.param("/admin/booking-calendars/c0ffee/remove", {}, id="remove"),
    ],
)
def test_a_member_is_no_administrator(world: World, path: str, sent: dict[str, Any]) -> None:
    before = calendar_of(world, ALICE, BOB)
    alice = signed_in(world, "alice")
    assert alice.post(path, sent).status_code == 403
    assert world.app.store.booking_calendars.all() == [before]
    assert world.app.store.gates.closed() == []


def test_a_member_cannot_ask_for_somebody_who_is_none(world: World) -> None:
    calendar = calendar_of(world, ALICE)
    alice = signed_in(world, "alice")
    path = f"/booking-calendars/{calendar.id}"
    assert "Bob Baker" not in alice.get(path, query_string={"user": BOB}).text
    answer = alice.post(
        f"{path}/book", {"name": "Mine", "start": tomorrow(world), "key": "k" * 32, "user": BOB}
    )
    assert answer.status_code == 200, answer.text
    (record,) = world.records()
    assert record["assignedUserId"] == ALICE


def test_the_key_of_somebody_else_is_of_no_use(world: World) -> None:
    calendar = calendar_of(world, ALICE, BOB)
    sent = {"name": "Mine", "start": tomorrow(world), "key": "k" * 32}
    for name in ("alice", "bob"):
        signed_in(world, name).post(f"/booking-calendars/{calendar.id}/book", sent)
    assert len(world.records()) == 2


def test_a_booking_needs_the_forms_token(world: World) -> None:
    calendar = calendar_of(world, ALICE)
    alice = signed_in(world, "alice")
    sent = {"name": "Mine", "start": tomorrow(world), "key": "k" * 32}
    assert alice.client.post(f"/booking-calendars/{calendar.id}/book", data=sent).status_code == 400
    assert alice.client.get(f"/booking-calendars/{calendar.id}/look").status_code == 405
    assert world.records() == []


@pytest.mark.parametrize(
    "path",
    [
        "/booking-calendars",
        "/booking-calendars/c0ffee",
        "/booking-calendars/c0ffee?view=list",
        "/admin/booking-calendars",
        "/admin/booking-calendars/c0ffee",
        "/admin/features",
        "/admin/audit",
    ],
)
def test_hostile_names_are_text(world: World, path: str) -> None:
    calendar_of(world, ALICE, BOB, "gone" + HOSTILE, name=HOSTILE)
    team = Subject("team", "t" + HOSTILE)
    world.app.desk.features.close(ADMINISTRATOR, Feature.FEEDS, team, HOSTILE)
    page = signed_in(world, "admin").get(path)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert ("&lt;script&gt;" in page.text) is ("{{ 7*7 }}" in page.text)


def test_a_hostile_member_is_text_in_the_form(world: World) -> None:
    admin = signed_in(world, "admin")
    form = admin.fields("/admin/booking-calendars/new")
    sent = {**form, "do": "find", "search": HOSTILE, "member": [HOSTILE], "name": HOSTILE, "kind": HOSTILE}
    for do in ("find", "save", HOSTILE):
        page = admin.post("/admin/booking-calendars/new", {**sent, "do": do})
        assert page.status_code in {200, 422}
        assert "<script>alert" not in page.text


@pytest.mark.parametrize("count", [300, 5000])
def test_a_form_of_many_members_is_answered(world: World, count: int) -> None:
    admin = signed_in(world, "admin")
    form = admin.fields("/admin/booking-calendars/new")
    members = [f"{number:017x}" for number in range(count)]
    page = admin.post(
        "/admin/booking-calendars/new", {**form, "do": "save", "name": "All", "member": members}
    )
    assert page.status_code in {413, 422}
    assert world.app.store.booking_calendars.all() == []


@pytest.mark.parametrize("feature", [Feature.BOOKINGS, Feature.AVAILABILITY])
def test_what_is_switched_off_is_off_on_every_page(world: World, feature: Feature) -> None:
    calendar = calendar_of(world, ALICE)
    alice = signed_in(world, "alice")
    path = f"/booking-calendars/{calendar.id}"
    sent = {"name": "Mine", "start": tomorrow(world), "key": "k" * 32}
    assert alice.get(f"{path}/book", query_string=sent).status_code == 200
    world.app.desk.features.close(ADMINISTRATOR, feature, Subject("installation", ""), "")
    with world.watched() as asked:
        answers = [
            alice.get(path),
            alice.get(f"{path}/book", query_string=sent),
            alice.post(f"{path}/book", sent),
            alice.post(f"{path}/look"),
        ]
    assert [one.status_code for one in answers] == [200, 409, 409, 409]
    assert all("This is not enabled for your account" in one.text for one in answers)
    assert "/book?" not in answers[0].text
    assert (len(asked), world.records()) == (0, [])
