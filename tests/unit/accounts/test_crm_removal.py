"""Taking away what the set-up made: all of it, only that, and after a fault at any request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from calsync_plugin.accounts import crm_steps
from calsync_plugin.accounts.crm_steps import to_do
from calsync_plugin.accounts.moved import check_addresses, confirm_copy
from calsync_plugin.errors import CalsyncError, UserError
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.sandbox.crm.faults import FaultRule
from tests.unit.accounts.espocrm_place import HOOKS, KINDS, MEETING, Place, place_in


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(crm_steps, "WAITS", (0.0, 0.0))
    made = place_in(tmp_path)
    made.set_up()
    yield made
    made.store.close()
    made.http.close()
    made.crm.close()


def assert_gone(place: Place, *, fields: bool) -> None:
    assert place.rows("Webhook") == []
    assert place.store.webhooks.all() == []
    assert place.rows("Role", name="calsync") == []
    assert place.rows("User", userName="calsync") == []
    assert not place.choices.key_file.exists()
    for kind in KINDS:
        assert bool(place.fields(kind)) is not fields


def test_everything_but_the_fields_goes(place: Place) -> None:
    done = place.take_away()

    assert sorted(done[:12]) == sorted(f"remove webhook {event}" for event in HOOKS)
    assert done[12:] == [
        "remove API user calsync",
        "remove role calsync",
        f"remove API key {place.choices.key_file}",
    ]
    assert_gone(place, fields=False)
    assert place.crm.auth.tokens == {}


def test_the_fields_go_only_on_demand(place: Place) -> None:
    with place.taking_away() as job:
        told = {step.name: step.action for step in job.plan if step.part == "field"}
    assert told == dict.fromkeys(
        [f"{kind}.{name}" for kind in KINDS for name in ("cOutlookEventId", "cOutlookJoinUrl")],
        "stays; --fields removes it",
    )

    place.take_away(replace(place.choices, fields=True))

    assert_gone(place, fields=True)


def test_a_second_removal_has_nothing_to_do(place: Place) -> None:
    place.take_away()

    with place.taking_away() as job:
        assert to_do(job.plan) == []


def test_stray_webhooks_at_our_address_go_too(place: Place) -> None:
    row = place.hooks()["Meeting.create"]
    place.crm.insert("Webhook", dict(row, id="twice"))
    place.crm.insert("Webhook", dict(row, id="of another", createdById=ids.ADMIN_ID))
    moved = str(place.hooks_of("Call.update")[0]["id"])
    place.crm.store.change("Webhook", moved, {"url": "https://elsewhere.example.com/x"})

    place.take_away()

    assert_gone(place, fields=False)


def test_webhooks_of_others_stay(place: Place) -> None:
    other = {"event": "Meeting.create", "entityType": "Meeting", "type": "create", "secretKey": "0" * 32}
    place.crm.insert("Webhook", {**other, "id": "other", "url": "https://other.example.com/x"})

    place.take_away()

    assert [row["id"] for row in place.rows("Webhook")] == ["other"]


def test_a_role_that_others_have_stays(place: Place) -> None:
    role_id = str(place.rows("Role", name="calsync")[0]["id"])
    place.crm.store.change("User", ids.CAROL_ID, {"rolesIds": [role_id]})
    place.crm.store.change("Team", ids.TEAM_SALES_ID, {"rolesIds": [role_id]})

    with place.taking_away() as job:
        list(job.carry_out())
        (step,) = (step for step in job.plan if step.part == "role")

    assert step.found == "is in use by carol, team Sales"
    assert len(place.rows("Role", name="calsync")) == 1
    assert place.rows("User", userName="calsync") == []


def test_a_user_who_was_there_before_stays(place: Place) -> None:
    place.take_away()
    place.configure(MEETING, api_key=ids.API_KEY)
    place.set_up()

    with place.taking_away() as job:
        list(job.carry_out())
        told = {step.part: step.action for step in job.plan if step.run is None}

    assert told["API user"] == "stays; --api-user bridge-api removes it"
    assert told["role"] == "stays; take it from them first"
    assert place.rows("Webhook") == []
    assert len(place.rows("User", userName="bridge-api")) == 1


def test_what_another_installation_uses_stays(place: Place) -> None:
    user = place.rows("User", userName="calsync")[0]
    row = dict(place.hooks()["Meeting.create"], id="other", url="https://production.example.com/x")
    place.crm.insert("Webhook", row)

    with place.taking_away() as job:
        list(job.carry_out())
        told = {step.part: step.found for step in job.plan if step.run is None}

    assert told["API user"] == "has webhooks to https://production.example.com/x as well"
    assert told["role"] == "is in use by calsync"
    assert [row["id"] for row in place.rows("Webhook")] == ["other"]
    assert place.key() == user["apiKey"]


def test_a_copy_takes_no_webhooks_of_the_original(place: Place) -> None:
    """It must say first that it is one; then only what is at its own address is its own."""
    hooks = set(place.hooks())
    serve = replace(place.settings.serve, public_url="https://staging.example.com")
    place.settings = replace(place.settings, serve=serve)
    public, crm = serve.public_url, place.settings.crm.url
    place.store.installation.update(public_url="https://calsync.example.com", crm_url=crm)
    check_addresses(place.store, public_url=public, crm_url=crm)

    for job in (place.setting_up(), place.taking_away()):
        with pytest.raises(UserError, match="the public address was"), job:
            pass

    confirm_copy(place.store, public_url=public, crm_url=crm)
    assert place.take_away() == []
    assert set(place.hooks()) == hooks


def test_what_was_removed_can_be_set_up_again(place: Place) -> None:
    place.take_away(replace(place.choices, fields=True))

    place.set_up()

    assert sorted(place.hooks()) == sorted(HOOKS)
    assert place.open_steps() == []


FAULTS = {
    "nothing sent": {"drop_before": True},
    "cut off after it was done": {"drop_after_commit": True},
    "server error": {"status": 500},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request(place: Place, fault: str) -> None:
    """A second removal completes what the first one left, wherever it broke off."""
    whole, secrets, key = place.crm.dump(), place.store.webhooks.all(), place.key()
    choices = replace(place.choices, fields=True)
    place.crm.log.clear()
    place.take_away(choices)
    requests = len(place.crm.log.requests)
    assert requests > 25
    for number in range(requests):
        place.crm.load(whole)
        crm_steps.save_key(place.choices.key_file, key)
        for webhook in secrets:
            place.store.webhooks.save(webhook)
        place.crm.faults.add(FaultRule(path=".", skip=number, **FAULTS[fault]))  # type: ignore[arg-type]
        with suppress(CalsyncError):
            place.take_away(choices)
        place.crm.faults.clear()
        place.take_away(choices)
        assert_gone(place, fields=True)
