"""What each answer of Graph means."""

from __future__ import annotations

import pytest

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import (
    CalsyncError,
    CursorExpired,
    DuplicateTransaction,
    Forbidden,
    MailboxUnusable,
    NotFound,
    PreconditionFailed,
    Refused,
    RemoteError,
    Throttled,
    Transient,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.protocol import Outcome, Reply, Request, decipher
from calsync_plugin.http import Answer


def refusal(code: str, **more: JsonValue) -> JsonValue:
    return {"error": {"code": code, "message": "secret message", **more}}


def nested(*codes: str) -> JsonValue:
    """An error whose innerError holds the next code, spelt both ways as the pages do."""
    value: dict[str, JsonValue] = {}
    for depth, code in enumerate(reversed(codes)):
        value = {"code": code, **({"innererror" if depth % 2 else "innerError": value} if value else {})}
    return {"error": value}


MEANINGS = [
    pytest.param(400, refusal("ErrorInvalidRequest"), Refused, id="400-content"),
    pytest.param(400, refusal("ErrorInvalidIdMalformed"), Refused, id="400-malformed-id"),
    pytest.param(400, refusal("TimeZoneNotSupportedException"), Refused, id="400-zone"),
    pytest.param(400, None, Refused, id="400-bare"),
    pytest.param(400, refusal("syncStateNotFound"), CursorExpired, id="400-cursor"),
    pytest.param(400, refusal("ErrorDuplicateTransactionId"), DuplicateTransaction, id="400-duplicate"),
    pytest.param(409, refusal("errorDuplicateTransactionID"), DuplicateTransaction, id="409-duplicate"),
    pytest.param(400, refusal("MailboxNotEnabledForRESTAPI"), MailboxUnusable, id="400-mailbox"),
    pytest.param(400, refusal("ErrorIrresolvableConflict"), PreconditionFailed, id="400-conflict"),
    pytest.param(401, refusal("InvalidAuthenticationToken"), Unauthorized, id="401"),
    pytest.param(401, None, Unauthorized, id="401-bare"),
    pytest.param(403, refusal("ErrorAccessDenied"), Forbidden, id="403"),
    pytest.param(403, refusal("ErrorExceededMessageLimit"), Throttled, id="403-mails-of-the-day"),
    pytest.param(404, refusal("ErrorItemNotFound"), NotFound, id="404"),
    pytest.param(404, refusal("itemNotFound"), NotFound, id="404-item"),
    pytest.param(404, refusal("Request_ResourceNotFound"), NotFound, id="404-directory"),
    pytest.param(404, refusal("ResourceNotFound"), MailboxUnusable, id="404-no-such-mailbox"),
    pytest.param(404, refusal("mailboxnotenabledforrestapi"), MailboxUnusable, id="404-mailbox"),
    pytest.param(404, refusal("SyncStateNotFound"), CursorExpired, id="404-cursor"),
    pytest.param(404, refusal("UnknownError"), Unavailable, id="404-unexplained"),
    pytest.param(404, None, Unavailable, id="404-of-a-gateway"),
    pytest.param(409, refusal("ConcurrentItemSave"), PreconditionFailed, id="409-save"),
    pytest.param(409, None, PreconditionFailed, id="409-bare"),
    pytest.param(410, refusal("SyncStateInvalid"), CursorExpired, id="410"),
    pytest.param(410, None, CursorExpired, id="410-bare"),
    pytest.param(412, refusal("ErrorIrresolvableConflict"), PreconditionFailed, id="412"),
    pytest.param(412, None, PreconditionFailed, id="412-bare"),
    pytest.param(413, None, Refused, id="413"),
    pytest.param(405, refusal("Request_BadRequest"), Refused, id="405"),
    pytest.param(408, None, UnknownOutcome, id="408"),
    pytest.param(423, refusal("Locked"), Unavailable, id="423"),
    pytest.param(424, refusal("FailedDependency"), Unavailable, id="424"),
    pytest.param(429, refusal("ApplicationThrottled"), Throttled, id="429"),
    pytest.param(429, None, Throttled, id="429-bare"),
    pytest.param(500, refusal("ErrorInternalServerTransientError"), UnknownOutcome, id="500"),
    pytest.param(500, refusal("ErrorItemNotFound"), UnknownOutcome, id="500-whatever-its-code"),
    pytest.param(502, None, UnknownOutcome, id="502"),
    pytest.param(503, refusal("ErrorServerBusy"), Unavailable, id="503"),
    pytest.param(504, refusal("UnknownError"), UnknownOutcome, id="504"),
    pytest.param(509, None, Unavailable, id="509"),
    pytest.param(302, None, Unavailable, id="redirect"),
    pytest.param(400, nested("BadRequest", "ErrorInvalid", "syncStateNotFound"), CursorExpired, id="inner"),
    pytest.param(404, nested("Generic", "ErrorItemNotFound"), NotFound, id="inner-gone"),
    pytest.param(400, "not an object", Refused, id="text"),
    pytest.param(400, {"error": "text"}, Refused, id="error-text"),
    pytest.param(400, {"error": {"code": 7, "innerError": [1]}}, Refused, id="odd-types"),
]


@pytest.mark.parametrize(("status", "body", "meaning"), MEANINGS)
def test_an_answer_means_one_error(status: int, body: JsonValue, meaning: type[CalsyncError]) -> None:
    with pytest.raises(CalsyncError) as caught:
        decipher(Reply(status, {}, body), "Meeting 1")
    assert type(caught.value) is meaning
    assert str(caught.value).startswith("Meeting 1: ")
    assert str(caught.value).count("Meeting 1") == 1
    assert "secret" not in str(caught.value)
    if isinstance(caught.value, RemoteError):
        assert caught.value.status == status


def test_a_success_is_its_object() -> None:
    assert decipher(Reply(200, {}, {"a": 1})) == {"a": 1}
    assert decipher(Reply(202)) is None
    with pytest.raises(UnknownOutcome):
        decipher(Reply(200, {}, [1]))


def test_an_error_names_the_request_for_microsofts_support() -> None:
    body = refusal("ErrorAccessDenied", innerError={"request-id": "r1", "date": "x"})
    with pytest.raises(Forbidden) as caught:
        decipher(Reply(403, {"request-id": "r2"}, body))
    assert (caught.value.code, caught.value.request_id) == ("ErrorAccessDenied", "r1")
    with pytest.raises(Forbidden) as caught:
        decipher(Reply(403, {"request-id": "r2"}, None))
    assert caught.value.request_id == "r2"


@pytest.mark.parametrize("status", [429, 423, 503, 500, 504])
def test_the_wait_that_the_service_asks_for_is_kept(status: int) -> None:
    with pytest.raises(Transient) as caught:
        decipher(Reply(status, {"retry-after": "7"}))
    assert caught.value.retry_after == 7


def test_a_duplicate_names_the_event_that_holds_the_key() -> None:
    body = refusal("ErrorDuplicateTransactionId", **{"@event.existingEventId": "AAMk="})
    with pytest.raises(DuplicateTransaction) as caught:
        decipher(Reply(409, {}, body))
    assert (caught.value.existing_event_id, caught.value.status) == ("AAMk=", 409)


def test_an_occurrence_that_crosses_its_neighbour_has_a_reason_of_its_own() -> None:
    with pytest.raises(Refused) as caught:
        decipher(Reply(400, {}, refusal("ErrorOccurrenceCrossingBoundary")), "Meeting 1")
    assert (caught.value.reason, caught.value.item) == ("occurrence_crosses_neighbour", "Meeting 1")
    assert str(caught.value).count("Meeting 1") == 1


def test_answers_are_parsed_with_names_in_lower_case() -> None:
    reply = Reply.of(Answer(429, {"Retry-After": "3"}, b'{"error":{"code":"x"}}'))
    assert reply == Reply(429, {"retry-after": "3"}, {"error": {"code": "x"}})
    assert Reply.of(Answer(503, {}, b"<html>busy</html>")).body is None
    with pytest.raises(UnknownOutcome):
        Reply.of(Answer(200, {}, b'{"a":'))


def test_an_outcome_gives_its_value_or_its_error() -> None:
    request = Request(method="GET", path="/me")
    assert Outcome(request, {"a": 1}).unwrap() == {"a": 1}
    with pytest.raises(NotFound):
        Outcome(request, error=NotFound("gone")).unwrap()
