"""Every recorded request and delivery of EspoCRM 9.2.7 against the simulator, to the byte where it can be."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contract.crm.recordings import FOLDER, NOT_REPLAYED, OTHER_FILES, Recording, recordings
from tests.contract.crm.replay import Outcome, replay

ALL = recordings()
ANSWERS = [pytest.param(entry, id=entry.name) for entry in ALL if not entry.is_delivery]
DELIVERIES = [pytest.param(entry, id=entry.name) for entry in ALL if entry.is_delivery]
# Attributes that may differ, with the reason.
DIFFERENT: dict[str, dict[str, str]] = {
    "307-create-user-carl": {"name": "EspoCRM shows the user name until the record is read again"},
    "340-app-about": {"text": "the simulator does not call itself EspoCRM"},
    "413-2fa-token": {"total": "the recorded server had more meetings by then"},
    "418-limit-cleared": {"total": "the recorded server had more meetings by then"},
    "524-meeting-field": {"total": "the recorded server had more meetings by then"},
    "623-list-or": {"total": "the recorded server had more meetings by then"},
}
OF_THE_WEB_SERVER = {"Host", "Date", "Connection", "X-Powered-By"}
# A save and its answer may lie on two sides of a second.
TICK = timedelta(seconds=1)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return replay()


def is_close(ours: object, theirs: object) -> bool:
    """Equal, or date-times that lie one second apart."""
    if ours == theirs:
        return True
    try:
        apart = datetime.fromisoformat(str(ours)) - datetime.fromisoformat(str(theirs))
    except ValueError:
        return False
    return abs(apart) <= TICK


def assert_same(ours: Any, theirs: Any, but: dict[str, str]) -> None:
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        assert ours == theirs
        return
    assert list(ours) == list(theirs)
    differing = [name for name in theirs if name not in but and not is_close(ours[name], theirs[name])]
    assert {name: ours[name] for name in differing} == {name: theirs[name] for name in differing}


@pytest.mark.parametrize("recording", ANSWERS)
def test_answer_is_the_recorded_one(recording: Recording, outcomes: dict[str, Outcome]) -> None:
    response, recorded = outcomes[recording.name].response, recording.response

    assert response is not None
    assert response.status_code == recorded["status"]
    assert response.headers.get("X-Status-Reason") == recorded["headers"].get("X-Status-Reason")
    assert response.headers.get("WWW-Authenticate") == recorded["headers"].get("WWW-Authenticate")
    content_type = {key.lower(): value for key, value in recorded["headers"].items()}["content-type"]
    assert response.headers["Content-Type"] == content_type
    of_espocrm = {name.title() for name in recorded["headers"]} - OF_THE_WEB_SERVER
    assert of_espocrm <= {name.title() for name in response.headers.keys()}  # noqa: SIM118
    body = json.loads(response.data) if response.data else ""
    assert_same(body, recorded["body"], DIFFERENT.get(recording.name, {}))


@pytest.mark.parametrize("recording", DELIVERIES)
def test_deliveries_are_the_recorded_ones(recording: Recording, outcomes: dict[str, Outcome]) -> None:
    """Order, address, raw body and both signatures; the headers are those recorded and no other."""
    sent = outcomes[recording.name].deliveries
    assert [request.path_url for request in sent] == [entry["path"] for entry in recording.data["requests"]]
    for request, recorded in zip(sent, recording.data["requests"], strict=True):
        body = request.body
        assert isinstance(body, bytes)
        assert body.decode("ascii") == recorded["body_raw"]
        headers = {key: value for key, value in recorded["headers"].items() if key != "Host"}
        assert dict(request.headers) == headers


def test_an_allowed_difference_is_a_difference(outcomes: dict[str, Outcome]) -> None:
    """The table above holds nothing that has become equal."""
    for name, attributes in DIFFERENT.items():
        response = outcomes[name].response
        assert response is not None
        assert response.json is not None
        recorded = outcomes[name].recording.response["body"]
        assert [key for key in attributes if response.json[key] == recorded[key]] == []


def test_every_recording_is_replayed_or_has_a_reason() -> None:
    replayed = {recording.name for recording in ALL}
    assert not replayed & (NOT_REPLAYED.keys() | OTHER_FILES.keys())
    assert replayed | NOT_REPLAYED.keys() | OTHER_FILES.keys() == {p.stem for p in FOLDER.glob("*.json")}
    assert len(replayed) == 283
