"""The EspoCRM gateway against the sandbox's CRM, which knows nothing of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.attributes import bookkeeping_attributes, record_attributes
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import Found, Missing, modified_records
from calsync_plugin.crm.records import read_record
from calsync_plugin.crm.webhook_setup import ensure_webhooks, wanted_events
from calsync_plugin.crm.webhooks import Created, Deleted, HookCall, Reassigned, Updated, deliveries, verify
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, PersonKind
from calsync_plugin.domain.timespan import Timed
from calsync_plugin.errors import (
    ConfigurationError,
    Refused,
    RemoteError,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.settings import CrmSettings
from tests.unit.crm.sandbox import (
    ALICE,
    BOB,
    CALL,
    CONTACT,
    DAVE,
    DAYS,
    FRANK,
    MEETING,
    SETTINGS,
    TIMED,
    World,
    world_of,
)


@pytest.mark.parametrize(
    "meeting",
    [
        pytest.param(Meeting(subject="Kick-off", span=TIMED), id="timed"),
        pytest.param(Meeting(subject="Away", span=DAYS), id="all-day"),
        pytest.param(
            Meeting(subject="a < b = c", span=TIMED, description="1\n\n two & <b>"), id="characters"
        ),
        pytest.param(Meeting(subject="", span=TIMED, attendees=(BOB, DAVE, FRANK)), id="attendees"),
        pytest.param(Meeting(subject="long", span=TIMED, description="x" * 200_000), id="200 kB"),
        pytest.param(Meeting(subject="nul", span=TIMED, description="a\0b"), id="NUL"),
        pytest.param(Meeting(subject="lines", span=TIMED, description="a\r\nb\rc\nd"), id="line ends"),
        pytest.param(Meeting(subject="html", span=TIMED, description="<p>a &amp; b</p>\n<x>"), id="HTML"),
        pytest.param(Meeting(subject="emoji", span=TIMED, description="\U0001f389 & \"'"), id="emoji"),
        pytest.param(Meeting(subject="\U0001f389 a\nb & \"'", span=TIMED), id="odd name"),
        pytest.param(Meeting(subject="=" * 255, span=TIMED), id="signs only"),
        pytest.param(Meeting(subject=" \t ", span=TIMED), id="spaces only"),
        pytest.param(
            Meeting(subject="s", span=Timed(TIMED.start.replace(microsecond=999_999), TIMED.end)),
            id="fraction of a second",
        ),
        pytest.param(Meeting(subject="s", span=Timed(TIMED.start, TIMED.start)), id="zero length"),
    ],
)
def test_a_meeting_is_written_and_read_back(world: World, meeting: Meeting) -> None:
    written = record_attributes(meeting, Field, MEETING).attributes
    record_id = world.create(**written)
    other = world.create()

    for wanted in ([record_id], [record_id, other]):
        loaded = world.gateway.load("Meeting", wanted)[record_id]
        assert isinstance(loaded, Found)
        view = read_record(loaded.record, MEETING, Directory(world.gateway))
        assert view.meeting.normal_form(Field) == meeting.normal_form(Field)
        assert set(view.meeting.attendees) == set(meeting.attendees)
        assert view.meeting.organizer == Attendee("alice@example.com", "Alice Able", ALICE)


def test_from_all_day_to_timed_and_back(world: World) -> None:
    record_id = world.create()

    for span in (DAYS, TIMED, DAYS):
        meeting = Meeting(subject="", span=span)
        write = record_attributes(meeting, [Field.SPAN], MEETING, current=world.read(record_id))
        world.gateway.update("Meeting", record_id, write.attributes)
        assert world.read(record_id).meeting.span == span


def test_a_call(world: World) -> None:
    write = record_attributes(Meeting(subject="Phone", span=TIMED), Field, CALL)

    record_id = world.gateway.create("Call", {**write.attributes, "assignedUserId": ids.BOB_ID})

    assert world.read(record_id, CALL).assigned_user_id == ids.BOB_ID


def test_removed_and_unknown_records_are_gone(world: World) -> None:
    kept, removed = world.create(), world.create()
    world.gateway.delete("Meeting", removed)

    loaded = world.gateway.load("Meeting", [kept, removed, "never"])

    assert isinstance(loaded[kept], Found)
    missing = {i: answer.presence for i, answer in loaded.items() if isinstance(answer, Missing)}
    assert missing == {removed: Presence.GONE, "never": Presence.GONE}


def test_an_unknown_entity_says_nothing(world: World) -> None:
    loaded = world.gateway.load("Nothing", ["1", "2"])

    assert {missing.presence for missing in loaded.values() if isinstance(missing, Missing)} == {
        Presence.UNKNOWN
    }


def test_five_hundred_records(world: World) -> None:
    wanted = [world.create(name=f"n{number}") for number in range(500)]

    loaded = world.gateway.load("Meeting", wanted)

    assert list(loaded) == wanted
    assert all(isinstance(answer, Found) for answer in loaded.values())


def test_people(world: World) -> None:
    found = world.gateway.people_by_address(["Alice@EXAMPLE.com", "dave@contoso.example", "x@example.com"])
    cards = world.gateway.people(PersonKind.USER, [ids.ALICE_ID, ids.BOB_ID, "nobody"])

    assert found == {"alice@example.com": ALICE, "dave@contoso.example": CONTACT}
    assert {card.name for card in cards.values()} == {"Alice Able", "Bob Baker"}


def test_a_further_address(world: World) -> None:
    entries = [
        {"emailAddress": "dave@contoso.example", "primary": True},
        {"emailAddress": "D.Dunn@Contoso.example", "primary": False},
    ]
    world.gateway.update("Contact", ids.DAVE_ID, {"emailAddressData": entries})

    assert world.gateway.people_by_address(["d.dunn@contoso.example"]) == {"d.dunn@contoso.example": CONTACT}


def test_the_sweep(world: World) -> None:
    old = world.create(name="old")
    world.crm.advance(timedelta(hours=1))
    since = world.crm.clock.now()
    made = [world.create(name=f"n{number}") for number in range(7)]

    found = [record.id for record in modified_records(world.gateway, "Meeting", since, limit=3)]

    assert sorted(found) == sorted(made)
    assert old not in found


def test_the_marker(world: World) -> None:
    record_id = world.create(**bookkeeping_attributes(MEETING, marker="i:l"))

    assert world.gateway.find_by_marker("Meeting", MEETING.marker, "i:l") == record_id
    assert world.gateway.find_by_marker("Meeting", MEETING.marker, "i:x") is None
    assert world.read(record_id).marker == "i:l"


def test_a_marker_field_that_is_not_there(world: World) -> None:
    with pytest.raises(ConfigurationError, match="cNothing"):
        world.gateway.find_by_marker("Meeting", "cNothing", "i:l")


def test_optimistic_concurrency(world: World) -> None:
    world.crm.set_concurrency("Meeting", True)
    record_id = world.create()
    version = world.read(record_id).version
    world.gateway.update("Meeting", record_id, {"name": "theirs"}, version=version)

    with pytest.raises(VersionConflict) as caught:
        world.gateway.update("Meeting", record_id, {"name": "ours"}, version=version)

    assert caught.value.values["name"] == "theirs"
    assert caught.value.version == world.read(record_id).version


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param({"name": "a<b"}, "pattern:name", id="characters"),
        pytest.param({"dateStart": None}, "required:dateStart", id="no start"),
        pytest.param({"contactsIds": ["nobody"]}, "cannot_relate:contacts", id="unknown person"),
    ],
)
def test_refused_content(world: World, attributes: dict[str, object], reason: str) -> None:
    with pytest.raises(Refused) as caught:
        world.create(**attributes)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        pytest.param(replace(SETTINGS, api_key="wrong"), Unauthorized, id="key"),
        pytest.param(
            replace(SETTINGS, api_key=ids.HMAC_API_KEY, secret_key="wrong"), Unauthorized, id="secret"
        ),
    ],
)
def test_wrong_credentials(settings: CrmSettings, error: type[RemoteError]) -> None:
    with pytest.raises(error):
        read_access(world_of(settings).client)


def test_hmac() -> None:
    world = world_of(replace(SETTINGS, api_key=ids.HMAC_API_KEY, secret_key=ids.HMAC_SECRET))

    assert read_access(world.client).user_id == ids.BRIDGE_HMAC_ID
    assert world.read(world.create()).assigned_user_id == ids.ALICE_ID


def test_the_sandboxes_user_may_do_all_we_need(world: World) -> None:
    access = read_access(world.client)

    assert (access.user_id, access.user_type) == (ids.BRIDGE_API_ID, "api")
    assert access.shortcomings([MEETING, CALL]) == ()


@pytest.mark.parametrize(
    ("rule", "error", "created"),
    [
        pytest.param(FaultRule("Meeting", status=503, retry_after=9), Unavailable, 0, id="503"),
        pytest.param(FaultRule("Meeting", status=500), UnknownOutcome, 0, id="500"),
        pytest.param(FaultRule("Meeting", drop_before=True), UnknownOutcome, 0, id="reset"),
        pytest.param(FaultRule("Meeting", drop_after_commit=True), UnknownOutcome, 1, id="after the commit"),
        pytest.param(FaultRule("Meeting", truncate_body=True), UnknownOutcome, 1, id="truncated"),
    ],
)
def test_a_create_whose_answer_fails(
    world: World, rule: FaultRule, error: type[RemoteError], created: int
) -> None:
    world.crm.faults.add(rule)

    with pytest.raises(error) as caught:
        world.create(cOutlookEventId="i:l")

    assert type(caught.value) is error
    found = world.gateway.find_by_marker("Meeting", "cOutlookEventId", "i:l")
    assert bool(found) is bool(created)


def test_webhooks_from_registration_to_hook_calls(world: World) -> None:
    url = "http://bridge.example/webhooks/crm"
    events = wanted_events([MEETING])
    made = ensure_webhooks(world.client, url, events, {})
    assert ensure_webhooks(world.client, url, events, {w.id: w.secret for w in made}) == made

    record_id = colleague_saves(world)
    colleague = world.colleague
    colleague.update("Meeting", record_id, {"name": "Moved"})
    world.crm.deliver_now()
    colleague.update("Meeting", record_id, {"assignedUserId": ids.BOB_ID})
    world.crm.deliver_now()
    colleague.delete("Meeting", record_id)
    world.crm.deliver_now()

    calls = delivered(world, {webhook.id: webhook.secret for webhook in made})
    assert [type(call) for call in calls[:2]] == [Created, Updated]
    assert {type(call) for call in calls[2:]} == {Updated, Reassigned, Deleted}
    assert [call.record["assignedUserId"] for call in calls if isinstance(call, Reassigned)] == [ids.BOB_ID]
    assert [call.record_id for call in calls if isinstance(call, Deleted)] == [record_id]


def colleague_saves(world: World) -> str:
    """Our own saves are not reported to us, so that another user has to make them."""
    world.create(name="ours")
    attributes = {"name": "theirs", "assignedUserId": ids.ALICE_ID}
    times = {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}
    record_id = world.colleague.create("Meeting", {**attributes, **times})
    world.crm.deliver_now()
    return record_id


def delivered(world: World, secrets: dict[str, str]) -> list[HookCall]:
    calls: list[HookCall] = []
    for address, sent, body in zip(
        world.hooked.addresses, world.hooked.sent, world.hooked.bodies, strict=True
    ):
        verify(body, sent.headers["Signature"], secrets.get)
        calls += deliveries(address.rsplit("/", 1)[1], body)
    return calls
