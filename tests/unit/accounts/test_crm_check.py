"""The doctor's look at the CRM: each point that can drift, with the API key alone, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.accounts.crm_check import Seen, check_crm
from calsync_plugin.accounts.setup import check_services
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.http import Http
from calsync_plugin.sandbox.crm import admin_api
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Store
from tests.unit.accounts.espocrm_place import ADDRESS, MEETING, PUBLIC, Place, place_in
from tests.wsgi import WsgiAdapter, WsgiApp


class Watch:
    """A clock that tests set."""

    ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass
class Patient:
    """What the doctor looks at."""

    place: Place
    clock: Watch = field(default_factory=Watch)

    @property
    def store(self) -> Store:
        return self.place.store

    @property
    def http(self) -> Http:
        return self.place.http

    @property
    def settings(self) -> Settings:
        return self.place.settings

    @property
    def entities(self) -> dict[str, EntitySettings]:
        return {entity.entity_type: entity for entity in self.place.settings.crm.entities}

    @property
    def espocrm(self) -> EspoClient:
        return self._client

    def __post_init__(self) -> None:
        self._client = EspoClient(
            self.place.settings.crm,
            self.place.http,
            clock=lambda: datetime.fromtimestamp(self.clock.now(), UTC),
        )

    def seen(self) -> dict[str, Seen]:
        return {seen.what: seen for seen in check_crm(self)}  # type: ignore[arg-type]  # properties


CALL = EntitySettings(entity_type="Call", label="C", all_day=False, marker="cOutlookEventId")
VISIT = EntitySettings(entity_type="Visit", label="V", location="location", marker="cOutlookEventId")


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    place = place_in(tmp_path)
    place.set_up(replace(place.choices, concurrency=True))
    place.configure(MEETING, CALL, VISIT, api_key=place.key())
    made = Patient(place)
    place.http.mount(PUBLIC, WsgiAdapter(receiver(202)))
    yield made
    place.store.close()
    place.http.close()
    place.crm.close()


def receiver(status: int) -> WsgiApp:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        assert environ["HTTP_SIGNATURE"]
        start(f"{status} x", [])
        return [b""]

    return answer


def test_all_is_well_after_the_set_up(patient: Patient) -> None:
    seen = patient.seen()

    assert [(what, one.ok, one.note) for what, one in seen.items()] == [
        (what, True, False)
        for what in (
            "CRM",
            "CRM version",
            "CRM user",
            "kinds of records",
            "webhooks",
            "webhook address",
            "CRM mails",
            "CRM clock",
        )
    ]
    assert seen["webhooks"].text == f"12 report changes to {ADDRESS}"
    assert all(r.method == "GET" for r in list(patient.place.crm.log.requests)[-8:]), "nothing is changed"


def _hook(patient: Patient, event: str, **values: object) -> None:
    patient.place.crm.store.change("Webhook", str(patient.place.hooks()[event]["id"]), values)


def _role(patient: Patient, **values: object) -> None:
    role = patient.place.rows("Role", name="calsync")[0]
    patient.place.crm.store.change("Role", str(role["id"]), values)


def _rights(patient: Patient, **scopes: object) -> None:
    data = patient.place.rows("Role", name="calsync")[0]["data"]
    assert isinstance(data, dict)
    _role(patient, data={**data, **scopes})


def _define(patient: Patient, **definition: object) -> None:
    store = patient.place.crm.store
    store.redefine(store.entity("Call").with_custom_field("cOutlookEventId", definition))


def _remove_marker(patient: Patient) -> None:
    store = patient.place.crm.store
    store.redefine(store.entity("Call").without_custom_field("cOutlookEventId"))


def _mail(patient: Patient) -> None:
    patient.place.crm.settings.assignment_mail = True
    patient.place.crm.settings.assignment_mail_entities = ["Lead", "Meeting"]


def _late(patient: Patient) -> None:
    patient.clock.ahead = -timedelta(hours=1).total_seconds()


def _entities(*entities: EntitySettings) -> Callable[[Patient], None]:
    def configure(patient: Patient) -> None:
        patient.place.configure(*entities, api_key=patient.place.key())

    return configure


@pytest.mark.parametrize(
    ("happens", "what", "words", "fault"),
    [
        pytest.param(
            lambda p: _rights(p, Call={"read": "all", "create": "yes", "edit": "own", "delete": "all"}),
            "CRM",
            "may edit Call records on level 'own' only",
            True,
            id="role cut",
        ),
        pytest.param(lambda p: _rights(p, Webhook=False), "CRM", "scope Webhook", True, id="no webhooks"),
        pytest.param(
            lambda p: _role(p, assignmentPermission="no"),
            "CRM",
            "Assignment Permission",
            True,
            id="assignment",
        ),
        pytest.param(
            lambda p: _role(p, userPermission="no"), "CRM user", "User Permission", False, id="users"
        ),
        pytest.param(lambda p: _rights(p, Team=False), "CRM user", "Teams be read", False, id="teams"),
        pytest.param(
            lambda p: _role(p, fieldData={}), "CRM user", "for Meeting, Call until", False, id="uid hidden"
        ),
        pytest.param(
            lambda p: _hook(p, "Call.update", deleted=True),
            "webhooks",
            "not set up: Call.update; calsync espocrm setup",
            True,
            id="webhook deleted",
        ),
        pytest.param(
            lambda p: _hook(p, "Call.update", isActive=False),
            "webhooks",
            "Call.update is switched off",
            True,
            id="webhook off",
        ),
        pytest.param(
            lambda p: _hook(p, "Call.update", skipOwn=False), "webhooks", "Skip Own is off", True, id="echoes"
        ),
        pytest.param(
            lambda p: _hook(p, "Call.update", url="https://other.example.com/"),
            "webhooks",
            "goes to https://other.example.com/",
            True,
            id="webhook elsewhere",
        ),
        pytest.param(
            lambda p: _hook(p, "Call.update", secretKey="0" * 32),
            "webhooks",
            "its secret is another one",
            True,
            id="secret changed",
        ),
        pytest.param(
            _remove_marker,
            "kinds of records",
            "Call has no field cOutlookEventId (marker in crm.entities)",
            True,
            id="field removed",
        ),
        pytest.param(
            lambda p: _define(p, type="varchar", maxLength=255, readOnly=True),
            "kinds of records",
            "Call.cOutlookEventId may not be written",
            True,
            id="field read-only",
        ),
        pytest.param(
            lambda p: _define(p, type="varchar", maxLength=255),
            "kinds of records, in addition",
            "Call.cOutlookEventId: no index",
            False,
            id="no index",
        ),
        pytest.param(
            _entities(MEETING, CALL, VISIT, EntitySettings(entity_type="CSeminar")),
            "kinds of records",
            "CSeminar does not exist",
            True,
            id="unknown kind",
        ),
        pytest.param(
            _entities(MEETING, replace(CALL, all_day=True), VISIT),
            "kinds of records",
            "Call cannot be all-day; set all_day: false",
            True,
            id="all-day calls",
        ),
        pytest.param(
            _entities(MEETING, CALL),
            "kinds of records, in addition",
            "not configured: Visit",
            False,
            id="kind not configured",
        ),
        pytest.param(
            _entities(MEETING, CALL),
            "webhooks, in addition",
            "reports what is not synced",
            False,
            id="too many",
        ),
        pytest.param(
            lambda p: p.place.crm.set_concurrency("Call", False),
            "kinds of records, in addition",
            "Call: saves of the same moment",
            False,
            id="concurrency off",
        ),
        pytest.param(_mail, "CRM mails", "mails users each Meeting", False, id="double mails"),
        pytest.param(_late, "CRM clock", "s ahead of this machine's", False, id="clock"),
        pytest.param(
            lambda p: p.place.http.mount(PUBLIC, WsgiAdapter(receiver(401))),
            "webhook address",
            "answered 401 to a delivery",
            True,
            id="address leads elsewhere",
        ),
    ],
)
def test_what_drifted_is_told(
    patient: Patient, happens: Callable[[Patient], None], what: str, words: str, fault: bool
) -> None:
    happens(patient)

    seen = patient.seen()

    assert words in seen[what].text
    assert (seen[what].ok, seen[what].note) == (not fault, not fault)
    # A kind that does not exist may not be read either, and what may not be read has no webhooks.
    others = {one.what for one in seen.values() if not one.ok} - {what}
    assert others <= ({"CRM", "webhooks"} if fault else set())


def test_an_old_espocrm(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_api, "VERSION", "9.1.0")

    assert patient.seen()["CRM version"] == Seen(
        "CRM version", False, "EspoCRM 9.1.0 is too old; update it to 9.2 or newer"
    )


def test_a_crm_that_does_not_know_us_is_asked_nothing_else(patient: Patient) -> None:
    patient.place.crm.faults.add(FaultRule(path="App/user", status=401, times=None))

    assert [(what, one.ok) for what, one in patient.seen().items()] == [("CRM", False)]


def test_one_failed_look_leaves_the_others(patient: Patient) -> None:
    patient.place.crm.faults.add(FaultRule(path="/Webhook$", status=500, times=None))

    seen = patient.seen()

    assert [one.what for one in seen.values() if not one.ok] == ["webhooks"]
    assert "CRM clock" in seen


def test_secrets_are_in_no_finding(patient: Patient) -> None:
    told = repr(patient.seen())

    secrets = [patient.place.key(), *(webhook.secret for webhook in patient.store.webhooks.all())]
    assert [secret for secret in secrets if secret in told] == []


def test_a_cut_role_is_told_at_the_start(patient: Patient, caplog: pytest.LogCaptureFixture) -> None:
    def answer(_: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("401 x", [])
        return [b""]

    patient.http.mount("https://graph.microsoft.com", WsgiAdapter(answer))
    check_services(patient)  # type: ignore[arg-type]  # properties
    assert caplog.text == ""

    _rights(patient, Call={"read": "all", "create": "yes", "edit": "own", "delete": "all"})
    check_services(patient)  # type: ignore[arg-type]

    assert "may edit Call records on level 'own' only" in caplog.text
