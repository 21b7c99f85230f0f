"""Every error answer that was recorded, and what it means to us."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from calsync_plugin.crm.protocol import Asked, credentials, decode, error_of, server_time
from calsync_plugin.errors import (
    CalsyncError,
    ConfigurationError,
    Forbidden,
    ItemError,
    NotFound,
    Refused,
    RemoteError,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
    VersionConflict,
)
from tests.unit.crm.recordings import SAMPLES, recordings

RECORDINGS = recordings()

# Recording -> the error and its code (RemoteError) or reason (ItemError).
RECORDED: dict[str, tuple[type[CalsyncError], str]] = {
    "007-meeting-list-wherejson": (Refused, "refused"),
    "008-meeting-list-invalid-where": (ConfigurationError, ""),
    "019-meeting-link-user": (Refused, "cannot_relate:users"),
    "021-meeting-unlink-user": (Refused, "cannot_relate:users"),
    "022-meeting-link-twice-ids": (Refused, "cannot_relate:users"),
    "024-accept-api": (Forbidden, ""),
    "030-meeting-create-allday-3": (Refused, "valid:dateStart"),
    "036-err-required": (Refused, "required:dateStart"),
    "037-err-required-name": (Refused, "required:name"),
    "038-err-no-assigned": (Refused, "required:assignedUser"),
    "040-err-bad-enum": (Refused, "valid:status"),
    "041-err-bad-name-chars": (Refused, "pattern:name"),
    "042-err-long-name": (Refused, "maxLength:name"),
    "043-err-bad-user": (Refused, "cannot_relate:assignedUser"),
    "044-err-bad-attendee": (Refused, "cannot_relate:contacts"),
    "045-err-not-json": (UnknownOutcome, ""),
    "046-err-no-content-type": (Refused, "required:name"),
    "047-err-404-record": (NotFound, "record"),
    "048-err-404-put": (NotFound, "record"),
    "049-err-404-delete": (NotFound, "record"),
    "050-err-404-entity": (Unavailable, "not_a_record"),
    "051-err-403-opportunity": (Forbidden, "no_access"),
    "052-err-403-bob-edit": (Forbidden, "no_access"),
    "053-err-401-nokey": (Unauthorized, ""),
    "054-err-401-badkey": (Unauthorized, ""),
    "056-meeting-get-deleted": (NotFound, "record"),
    "058-meeting-put-deleted": (NotFound, "record"),
    "059-meeting-delete-again": (NotFound, "record"),
    "062-meeting-restore-api": (Forbidden, ""),
    "065-lead-dup": (Refused, "duplicate"),
    "066-contact-dup": (Refused, "duplicate"),
    "069-email-search": (Forbidden, ""),
    "105-webhook-create-Meeting-fieldUpdate-assignedUserId-all-Meeting.fieldUpdate.assignedUserId": (
        Forbidden,
        "",
    ),
    "116-webhook-create-alice": (Forbidden, "no_access"),
    "117-webhook-create-bad-event": (Forbidden, ""),
    "118-webhook-create-opportunity": (Forbidden, ""),
    "202-date-iso-frac": (Refused, "valid:dateStart"),
    "208-att-bad-user-id": (Refused, "cannot_relate:users"),
    "209-att-dup-user": (UnknownOutcome, ""),
    "220-hmac-wrong": (Unauthorized, ""),
    "225-by-token-wrong-username": (Unauthorized, ""),
    "229-token-with-secret-no-cookie": (Unauthorized, ""),
    "232-another-user-by-api": (Unauthorized, ""),
    "236-after-destroy": (Unauthorized, ""),
    "237-bad-password": (Unauthorized, ""),
    "238-bad-auth-string": (Unauthorized, ""),
    "239-no-auth-xhr": (Unauthorized, ""),
    "308-own-read-other": (Forbidden, "no_access"),
    "309-own-delete": (Forbidden, "no_access"),
    "312-own-invite-other": (Refused, "assignment"),
    "317-oc-put-stale": (VersionConflict, "modified"),
    "319-oc-put-stale-users": (VersionConflict, "modified"),
    "329-max-size-201": (Forbidden, ""),
    "332-order-bad": (ConfigurationError, ""),
    "343-external-account-api": (Forbidden, "no_access"),
    "410-2fa-no-code": (Unauthorized, ""),
    "411-2fa-bad-code": (Unauthorized, ""),
    "414-2fa-password-on-meeting": (Unauthorized, ""),
    "416-limit-good-password": (Throttled, "address_blocked"),
    "417-limit-api-key": (Throttled, "address_blocked"),
    "504-integration-put-alice": (Forbidden, ""),
    "509-user-acl-by-api": (Forbidden, ""),
    "515-ea-code-bad": (UnknownOutcome, ""),
    "520-ea-get-by-bob": (Forbidden, ""),
    "521-ea-get-by-api": (Forbidden, "no_access"),
    "601-name-lt": (Refused, "pattern:name"),
    "602-name-gt": (Refused, "pattern:name"),
    "603-name-eq": (Refused, "pattern:name"),
    "607-name-empty": (Refused, "required:name"),
    "608-name-spaces": (Refused, "required:name"),
    "611-name-len256": (Refused, "maxLength:name"),
    "631-deleted-contact-put": (Refused, "cannot_relate:contacts"),
    "632-assign-inactive": (Refused, "cannot_relate:assignedUser"),
}


def test_the_table_covers_every_recorded_error() -> None:
    assert RECORDED.keys() == {name for name, r in RECORDINGS.items() if r.status >= 400}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_error(name: str) -> None:
    recording = RECORDINGS[name]
    expected, code = RECORDED[name]
    asked = Asked(recording.method, recording.entity_path, recording.record_id)

    error = error_of(asked, recording.status, recording.headers, recording.raw_body)

    assert type(error) is expected
    if isinstance(error, ItemError):
        assert error.reason == code
        assert asked.item in str(error)
    if isinstance(error, RemoteError):
        assert (error.status, error.code) == (recording.status, code)
    said = recording.headers.get("X-Status-Reason", "")
    if said and not said.startswith(("Field validation", "duplicate", "second-step")):
        assert said in str(error)


def test_a_conflict_holds_the_present_values() -> None:
    recording = RECORDINGS["317-oc-put-stale"]

    error = error_of(Asked("PUT", "Meeting", recording.record_id), 409, recording.headers, recording.raw_body)

    assert isinstance(error, VersionConflict)
    assert error.values == {"name": "oc1", "description": None}
    assert error.version == 2


@pytest.mark.parametrize(
    ("label", "said", "reason"),
    [
        pytest.param(
            "noLinkAccess",
            "No access for link operation (Meeting:teams).",
            "cannot_relate:teams",
            id="checker",
        ),
        pytest.param(
            "cannotRelateForbiddenLink",
            "No access to link parent.",
            "cannot_relate:parent",
            id="forbidden link",
        ),
        pytest.param("cannotRelateNonExisting", "In other words.", "cannot_relate", id="no link named"),
    ],
)
def test_refusals_to_relate_that_stand_in_the_source(label: str, said: str, reason: str) -> None:
    body = json.dumps({"messageTranslation": {"label": label, "scope": None, "data": {}}}).encode()

    error = error_of(Asked("POST", "Meeting"), 403, {"X-Status-Reason": said}, body)

    assert isinstance(error, Refused)
    assert error.reason == reason


def test_a_blocked_address_waits_a_minute_and_a_second() -> None:
    recording = RECORDINGS["417-limit-api-key"]

    error = error_of(Asked("GET", "Meeting"), 403, recording.headers, b"")

    assert isinstance(error, Throttled)
    assert error.retry_after == 61


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        pytest.param(200, {}, b'{"id": "1', UnknownOutcome, id="truncated"),
        pytest.param(200, {}, b"<html>proxy</html>", UnknownOutcome, id="html"),
        pytest.param(200, {}, b"", UnknownOutcome, id="empty"),
        pytest.param(200, {}, b"\xff\xfe{", UnknownOutcome, id="no text"),
        pytest.param(200, {}, b"[" * 100_000, UnknownOutcome, id="nested without end"),
        pytest.param(301, {}, b"", RemoteError, id="redirect"),
        pytest.param(400, {}, b"", Refused, id="400 without a reason"),
        pytest.param(403, {"x-status-reason": "No access."}, b"", Forbidden, id="header in lower case"),
        pytest.param(404, {}, b"", Unavailable, id="404 of a proxy"),
        pytest.param(404, {"X-Status-Reason": "Record 2 not found."}, b"", Unavailable, id="404 for another"),
        pytest.param(405, {}, b"", RemoteError, id="other 4xx"),
        pytest.param(409, {"X-Status-Reason": "?"}, b"", RemoteError, id="other 409"),
        pytest.param(413, {}, b"", Refused, id="too large"),
        pytest.param(429, {"Retry-After": "7"}, b"", Throttled, id="429 of a proxy"),
        pytest.param(500, {}, b"", UnknownOutcome, id="500"),
        pytest.param(502, {}, b"", UnknownOutcome, id="502"),
        pytest.param(503, {"Retry-After": "soon"}, b"", Unavailable, id="503"),
        pytest.param(504, {}, b"", UnknownOutcome, id="504"),
    ],
)
def test_other_answers(
    status: int, headers: dict[str, str], body: bytes, expected: type[CalsyncError]
) -> None:
    with pytest.raises(expected) as caught:
        decode(Asked("PUT", "Meeting", "1"), status, headers, body)

    assert type(caught.value) is expected


def test_values_come_through() -> None:
    assert decode(Asked("DELETE", "Meeting", "1"), 200, {}, b"true") is True


@pytest.mark.parametrize(
    "name", ["217-hmac-get", "218-hmac-get-query"], ids=["one record", "the query is not signed"]
)
def test_hmac_as_recorded(name: str) -> None:
    recording = RECORDINGS[name]
    seed = json.loads((SAMPLES / "seed-of-captures.json").read_text("utf-8"))["bridge_hmac"]

    header = credentials(seed["apiKey"], seed["secretKey"], recording.method, recording.path)

    assert header == {"X-Hmac-Authorization": recording.sent_headers["X-Hmac-Authorization"]}


def test_without_a_secret_the_key_is_sent() -> None:
    assert credentials("k", "", "GET", "Meeting") == {"X-Api-Key": "k"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            {"date": "Fri, 20 Nov 2026 09:06:53 GMT"}, datetime(2026, 11, 20, 9, 6, 53, tzinfo=UTC), id="told"
        ),
        pytest.param({"Date": "yesterday"}, None, id="unreadable"),
        pytest.param({}, None, id="none"),
    ],
)
def test_server_time(headers: dict[str, str], expected: datetime | None) -> None:
    assert server_time(headers) == expected
