"""Setting an EspoCRM up: from nothing, again, after drift, and after a fault at any request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from calsync_plugin.accounts import crm_steps
from calsync_plugin.accounts.crm_job import setting_up
from calsync_plugin.accounts.crm_steps import Doing, to_do
from calsync_plugin.accounts.crm_survey import Choices
from calsync_plugin.errors import CalsyncError, SignInRefused, Unavailable, UserError
from calsync_plugin.sandbox.crm import admin_api
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.settings import EntitySettings
from tests.unit.accounts.espocrm_place import ADDRESS, HOOKS, KINDS, MEETING, Place, place_in


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(crm_steps, "WAITS", (0.0, 0.0))
    made = place_in(tmp_path)
    yield made
    made.store.close()
    made.http.close()
    made.crm.close()


def assert_complete(place: Place, kinds: tuple[str, ...] = KINDS) -> None:
    """Everything is there once, and nothing else of ours."""
    (role,) = place.rows("Role", name="calsync")
    (user,) = place.rows("User", userName="calsync")
    assert user["rolesIds"] == [role["id"]]
    assert (user["type"], user["isActive"]) == ("api", True)
    assert place.key() == user["apiKey"]
    hooks = place.hooks()
    assert sorted(hooks) == sorted(event for event in HOOKS if event.partition(".")[0] in kinds)
    for event, row in hooks.items():
        assert (row["url"], row["isActive"], row["skipOwn"]) == (f"{ADDRESS}/{event}", True, True)
        assert row["createdById"] == user["id"], "skipOwn leaves out what the owner did"
    stored = {webhook.id: (webhook.event, webhook.secret) for webhook in place.store.webhooks.all()}
    assert stored == {row["id"]: (event, row["secretKey"]) for event, row in hooks.items()}
    for kind in kinds:
        assert place.fields(kind) == {"cOutlookEventId", "cOutlookJoinUrl"}
        marker = place.crm.store.entity(kind).definitions["cOutlookEventId"]
        assert (marker["type"], marker["maxLength"], marker["index"]) == ("varchar", 255, True)


def test_from_nothing(place: Place) -> None:
    with place.setting_up() as job:
        done = list(job.carry_out())
        assert job.left() == ()

    assert done == to_do(job.plan)
    assert_complete(place)
    assert place.crm.auth.tokens == {}, "the administrator is signed out"
    assert not job.configured
    assert [entity["entity_type"] for entity in job.entities] == list(KINDS)


def test_a_second_run_has_nothing_to_do(place: Place) -> None:
    place.set_up()
    before = place.crm.store.revision

    assert place.open_steps() == []
    assert place.crm.store.revision == before


def test_a_plan_changes_nothing(place: Place) -> None:
    before = place.crm.store.revision

    assert len(place.open_steps()) == 22

    assert place.crm.store.revision == before
    assert not place.choices.key_file.exists()
    writes = [r.path for r in place.crm.log.requests if r.method != "GET"]
    assert writes == ["/api/v1/App/destroyAuthToken"]


def test_the_role_gets_no_more_than_needed(place: Place) -> None:
    place.set_up()

    (role,) = place.rows("Role", name="calsync")
    full = {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "no"}
    seen = {"create": "no", "read": "all", "edit": "no", "delete": "no", "stream": "no"}
    assert role["data"] == {
        **dict.fromkeys(KINDS, full),
        **dict.fromkeys(("Contact", "Lead"), seen),
        "User": {"read": "all", "edit": "no"},
        "Team": {"read": "all"},
        "Webhook": True,
    }
    assert role["fieldData"] == {kind: {"uid": {"read": "yes", "edit": "no"}} for kind in ("Meeting", "Call")}
    assert (role["assignmentPermission"], role["userPermission"]) == ("all", "all")


def test_contacts_are_created_only_if_wanted(place: Place) -> None:
    place.set_up()

    wanted = replace(place.choices, create_contacts=True)
    assert place.set_up(wanted) == ["change role calsync"]
    assert place.rows("Role", name="calsync")[0]["data"]["Contact"]["create"] == "yes"


def test_the_key_is_for_its_owner_alone_and_in_no_plan(place: Place) -> None:
    with place.setting_up() as job:
        list(job.carry_out())
    with place.setting_up() as again:
        told = json.dumps([step.told() for step in (*job.plan, *again.plan)]) + repr((job, again))

    assert place.choices.key_file.stat().st_mode & 0o777 == 0o600
    secrets = [place.key(), *(webhook.secret for webhook in place.store.webhooks.all()), ids.PASSWORD + '"']
    assert [secret for secret in secrets if secret in told] == []


def test_the_audit_log_tells(place: Place) -> None:
    place.set_up(replace(place.choices, entity_types=("Meeting",)))

    told = [entry.text for entry in place.store.audit.entries()]
    assert "set EspoCRM up: make role calsync" in told
    assert place.key() not in repr(told)


# Drift --------------------------------------------------------------------------------------------------


def _hook(place: Place, event: str, **values: object) -> None:
    place.crm.store.change("Webhook", str(place.hooks()[event]["id"]), values)


def _role(place: Place, **values: object) -> None:
    place.crm.store.change("Role", str(place.rows("Role", name="calsync")[0]["id"]), values)


def _user(place: Place, **values: object) -> None:
    place.crm.store.change("User", str(place.rows("User", userName="calsync")[0]["id"]), values)


def _twice(place: Place) -> None:
    row = dict(place.hooks()["Meeting.create"], id="stray")
    place.crm.insert("Webhook", row)


def _not_skipping(place: Place) -> None:
    row = dict(place.hooks()["Meeting.create"], id="stray", createdById=ids.ADMIN_ID)
    place.crm.insert("Webhook", row)


def _cut(place: Place) -> None:
    data = dict(place.rows("Role", name="calsync")[0]["data"])
    data["Call"] = {**data["Call"], "edit": "own", "delete": "no"}
    _role(place, data={name: value for name, value in data.items() if name != "Lead"})


def _without_index(place: Place) -> None:
    entity = place.crm.store.entity("Call")
    place.crm.store.redefine(
        entity.with_custom_field("cOutlookEventId", {"type": "varchar", "maxLength": 100})
    )


def forget_secrets(place: Place) -> None:
    for webhook in place.store.webhooks.all():
        place.store.webhooks.delete(webhook.id)


DRIFT: dict[str, tuple[Callable[[Place], None], list[str]]] = {
    "webhook deleted": (
        lambda place: _hook(place, "Meeting.create", deleted=True),
        ["make webhook Meeting.create", "remove webhook secrets 1 stored"],
    ),
    "webhook switched off": (
        lambda place: _hook(place, "Call.update", isActive=False),
        ["change webhook Call.update"],
    ),
    "webhook reports ourselves": (
        lambda place: _hook(place, "Call.update", skipOwn=False),
        ["change webhook Call.update"],
    ),
    "webhook goes elsewhere": (
        lambda place: _hook(place, "Visit.delete", url="https://elsewhere.example.com/x"),
        ["change webhook Visit.delete"],
    ),
    "secret changed": (
        lambda place: _hook(place, "Visit.delete", secretKey="0" * 32),
        ["change webhook Visit.delete"],
    ),
    "webhook twice": (_twice, ["remove webhook Meeting.create"]),
    "webhook of another user": (_not_skipping, ["remove webhook Meeting.create"]),
    "secrets forgotten": (
        forget_secrets,
        [f"change webhook {event}" for event in HOOKS],
    ),
    "field removed": (
        lambda place: place.crm.store.redefine(
            place.crm.store.entity("Call").without_custom_field("cOutlookJoinUrl")
        ),
        ["make field Call.cOutlookJoinUrl", "change database EspoCRM"],
    ),
    "field too short, without index": (
        _without_index,
        ["change field Call.cOutlookEventId", "change database EspoCRM"],
    ),
    "role cut": (_cut, ["change role calsync"]),
    "role deleted": (
        lambda place: _role(place, deleted=True),
        ["make role calsync", "change API user calsync"],
    ),
    "role taken": (lambda place: _user(place, rolesIds=[]), ["change API user calsync"]),
    "user switched off": (lambda place: _user(place, isActive=False), ["change API user calsync"]),
    "new key": (lambda place: _user(place, apiKey="f" * 32), ["change API key crm-api-key"]),
    "key file lost": (lambda place: place.choices.key_file.unlink(), ["make API key crm-api-key"]),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_drift_is_mended(place: Place, drift: str) -> None:
    place.set_up()
    happen, wanted = DRIFT[drift]
    happen(place)

    done = [step.replace(str(place.choices.key_file), "crm-api-key") for step in place.set_up()]
    assert sorted(done) == sorted(wanted)

    assert place.open_steps() == []
    role = next(iter(place.rows("Role", name="calsync")))
    # What a role was given by hand stays beside it.
    place.rows("User", userName="calsync")[0]["rolesIds"] = [role["id"]]
    assert_complete(place)


def test_much_drift_at_once(place: Place) -> None:
    place.set_up()
    at_once = [
        *("webhook deleted", "webhook switched off", "webhook goes elsewhere"),
        *("field removed", "role cut", "role taken", "user switched off", "new key"),
    ]
    for drift in at_once:
        DRIFT[drift][0](place)

    wanted = {step for drift in at_once for step in DRIFT[drift][1]}
    done = [step.replace(str(place.choices.key_file), "crm-api-key") for step in place.set_up()]

    assert sorted(done) == sorted(wanted)
    assert place.open_steps() == []
    assert_complete(place)


def test_what_others_have_stays(place: Place) -> None:
    owner = place.crm.access.caller(ids.BRIDGE_API_ID)
    body = {"event": "Meeting.create", "url": "https://other.example.com/x"}
    other = place.crm.webhooks.create(owner, body)
    roles = [dict(row) for row in place.rows("Role")]

    place.set_up()

    assert place.crm.store.tables["Webhook"].get(other["id"]) is not None
    assert [place.crm.store.tables["Role"].rows[str(role["id"])] for role in roles] == roles


# The configured key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api_key", "secret", "user"),
    [
        pytest.param(ids.API_KEY, "", "bridge-api", id="API key"),
        pytest.param(ids.HMAC_API_KEY, ids.HMAC_SECRET, "bridge-hmac", id="HMAC"),
    ],
)
def test_a_configured_user_is_kept(place: Place, api_key: str, secret: str, user: str) -> None:
    place.configure(MEETING, api_key=api_key, secret_key=secret)

    done = place.set_up()

    assert done[2:5] == ["change database EspoCRM", "make role calsync", f"change API user {user}"]
    assert place.rows("User", userName="calsync") == []
    (row,) = place.rows("User", userName=user)
    assert row["rolesIds"][0] == ids.ROLE_BRIDGE_ID
    assert {hook["createdById"] for hook in place.hooks().values()} == {row["id"]}
    assert not place.choices.key_file.exists()
    assert place.open_steps() == []


def test_a_key_that_is_refused_is_replaced(place: Place) -> None:
    place.configure(MEETING, api_key="no such key")

    with place.setting_up() as job:
        list(job.carry_out())
        assert job.left() == ()

    by_hand = [step.action for step in job.plan if step.doing is Doing.PERSON]
    assert by_hand == [f"take it out of the configuration and use the file {place.choices.key_file} instead"]
    assert place.key() == place.rows("User", userName="calsync")[0]["apiKey"]


def test_a_key_that_was_renewed_in_espocrm_is_fetched_again(place: Place) -> None:
    place.set_up()
    place.configure(MEETING, api_key=place.key())
    _user(place, apiKey="f" * 32)

    with place.setting_up() as job:
        list(job.carry_out())

    assert [step for step in job.plan if step.doing is Doing.PERSON] == []
    assert place.key() == "f" * 32


def test_a_new_installation_takes_the_key_it_wrote(place: Place) -> None:
    place.set_up(replace(place.choices, entity_types=("Meeting",)))

    place.configure(MEETING, api_key=place.key())
    with place.setting_up() as job:
        assert to_do(job.plan) == []
        assert job.configured


# Kinds of records -----------------------------------------------------------------------------------------


def test_configured_kinds_that_do_not_exist_are_named(place: Place) -> None:
    place.configure(MEETING, EntitySettings(entity_type="CSeminar"))

    with place.setting_up() as job:
        told = {step.name: step for step in job.plan if step.part == "kind of record"}

    assert told["CSeminar"].doing is Doing.PERSON
    assert told["CSeminar"].why == "EspoCRM knows: Meeting, Call, Visit"
    assert told["Visit"].found == "is in EspoCRM's calendar and not configured"
    assert told["Visit"].action == "to sync it: --entity Visit, and add it to crm.entities"


def test_no_kind_at_all(place: Place) -> None:
    with (
        pytest.raises(UserError, match="correct --entity"),
        place.setting_up(replace(place.choices, entity_types=("Metting",))),
    ):
        pass
    assert place.crm.auth.tokens == {}


def test_the_block_for_the_configuration(place: Place) -> None:
    with place.setting_up(replace(place.choices, location=True)) as job:
        list(job.carry_out())

    fields = {"marker": "cOutlookEventId", "join_url": "cOutlookJoinUrl"}
    made = {"location": "cOutlookLocation", **fields}
    assert job.entities == (
        {"entity_type": "Meeting", **made},
        {"entity_type": "Call", "label": "C", "all_day": False, **made},
        {"entity_type": "Visit", "label": "V", "location": "location", **fields},
    )
    assert "cOutlookLocation" in place.fields("Meeting")
    assert "cOutlookLocation" not in place.fields("Visit"), "it has a location of its own"


def test_concurrency_is_switched_on_only_if_wanted(place: Place) -> None:
    place.set_up()
    assert "versionNumber" not in place.crm.store.entity("Meeting").attributes

    wanted = replace(place.choices, concurrency=True)
    assert place.set_up(wanted) == [f"change concurrent saves {kind}" for kind in KINDS]
    assert "versionNumber" in place.crm.store.entity("Meeting").attributes
    assert place.open_steps(wanted) == []


def test_a_field_of_another_type_stands_in_the_way(place: Place) -> None:
    place.crm.store.redefine(
        place.crm.store.entity("Meeting").with_custom_field("cOutlookEventId", {"type": "bool"})
    )

    with place.setting_up() as job:
        (step,) = (step for step in job.plan if step.name == "Meeting.cOutlookEventId")

    assert (step.doing, step.found) == (Doing.PERSON, "is a field of type bool")


def test_mails_that_double_outlooks_are_told(place: Place) -> None:
    place.crm.settings.assignment_mail = True
    place.crm.settings.assignment_mail_entities = ["Meeting", "Task"]

    with place.setting_up() as job:
        assert [step.name for step in job.plan if step.part == "mails"] == ["Meeting"]


# The login ------------------------------------------------------------------------------------------------


def test_an_old_espocrm_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_api, "VERSION", "9.1.9")

    with pytest.raises(UserError, match=r"EspoCRM 9\.1\.9 is too old"), place.setting_up():
        pass
    assert place.crm.auth.tokens == {}


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        pytest.param("admin", "wrong", "not right", id="wrong password"),
        pytest.param("alice", ids.PASSWORD, "alice is no administrator", id="no administrator"),
    ],
)
def test_a_login_that_does_not_do(place: Place, user: str, password: str, words: str) -> None:
    with pytest.raises(SignInRefused, match=words), place.setting_up(user=user, password=password):
        pass
    assert place.crm.auth.tokens == {}


def test_the_second_factor_is_asked_for(place: Place) -> None:
    place.crm.settings.two_factor = {"admin": "123456"}

    asked = []

    def code(reason: str) -> str:
        asked.append(reason)
        return " 123456 "

    with setting_up(place, "admin", ids.PASSWORD, code, place.choices) as job:
        list(job.carry_out())

    assert asked == ["The CRM asks for the code of your second factor. Enter it with your password."]

    assert_complete(place)
    assert place.crm.auth.tokens == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param({"type": "regular"}, "is the name of a person", id="a person"),
        pytest.param({"type": "api", "authMethod": "Hmac"}, r"signs its requests \(HMAC\)", id="HMAC"),
    ],
)
def test_a_user_who_has_our_name(place: Place, values: dict[str, object], words: str) -> None:
    place.crm.insert("User", {"userName": "calsync", "lastName": "Calsync", **values})

    with pytest.raises(UserError, match=words), place.setting_up():
        pass


# Faults and stops -----------------------------------------------------------------------------------------

FAULTS = {
    "nothing sent": {"drop_before": True},
    "cut off after it was done": {"drop_after_commit": True},
    "server error": {"status": 500},
    "unreadable answer": {"truncate_body": True},
    "shut out": {"status": 403},
    "maintenance": {"status": 503},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request(place: Place, fault: str) -> None:
    """A second run completes what the first one left, wherever it broke off."""
    clean, small = place.crm.dump(), replace(place.choices, entity_types=("Meeting",))
    place.set_up(small)
    requests = len(place.crm.log.requests)
    assert requests > 25
    for number in range(requests):
        _begin_again(place, clean)
        place.crm.faults.add(FaultRule(path=".", skip=number, **FAULTS[fault]))  # type: ignore[arg-type]
        with suppress(CalsyncError):
            place.set_up(small)
        place.crm.faults.clear()
        place.set_up(small)
        assert_complete(place, ("Meeting",))
        assert place.open_steps(small) == [], (fault, number)


def _begin_again(place: Place, clean: dict[str, object]) -> None:
    place.crm.load(clean)
    place.crm.log.clear()
    forget_secrets(place)
    place.choices.key_file.unlink(missing_ok=True)


def test_a_stop_at_any_step(place: Place) -> None:
    clean = place.crm.dump()
    steps = len(place.open_steps())
    for number in range(steps):
        _begin_again(place, clean)
        with pytest.raises(KeyboardInterrupt), place.setting_up() as job:
            _stop_at(job.carry_out(), number)
        assert place.crm.auth.tokens == {}, "the administrator is signed out"
        place.set_up()
        assert_complete(place)


def _stop_at(steps: Iterator[object], number: int) -> None:
    for done, _ in enumerate(steps):
        if done == number:
            raise KeyboardInterrupt


def test_a_lasting_outage_ends_the_run_in_words(place: Place) -> None:
    place.crm.faults.add(FaultRule(path="/Role$", method="POST", status=503, times=None))

    with pytest.raises(Unavailable, match="503"):
        place.set_up()
    assert place.crm.auth.tokens == {}


def test_what_is_missing_afterwards_is_told(place: Place) -> None:
    """What EspoCRM grants decides, not what it was asked for."""
    with place.setting_up() as job:
        list(job.carry_out())
        _cut(place)

        left = job.left()

    assert [sentence for sentence in left if "may edit Call" in sentence or "may delete Call" in sentence]
    assert any("read Lead" in sentence for sentence in left)


def test_a_session_that_cannot_be_ended_is_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.crm.faults.add(FaultRule(path="destroyAuthToken", drop_before=True))

    place.set_up()

    assert "Administration > Auth Tokens" in caplog.text
    (token,) = place.crm.auth.tokens
    assert token not in caplog.text


def test_passwords_and_tokens_are_not_logged(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    seen: list[str] = []
    with place.setting_up() as job:
        seen += place.crm.auth.tokens
        list(job.carry_out())

    assert seen
    assert [secret for secret in (*seen, place.key()) if secret in caplog.text] == []


def test_choices_have_defaults() -> None:
    assert (Choices().role, Choices().api_user) == ("calsync", "calsync")
