"""The judge itself: without the description the suite says so, and the judge can refuse."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.contract.outlook.description import Description, Exchange

GOOD = Exchange(
    "GET",
    "/v1.0/users/x/events",
    "",
    {},
    b"",
    200,
    json.dumps({"value": [{"id": "1", "subject": "a"}]}).encode(),
)


@pytest.fixture
def judge(description: Description | None) -> Description:
    if description is None:
        pytest.skip("CALSYNC_GRAPH_OPENAPI does not name Graph's strict description: answers are not judged")
    return description


@pytest.mark.parametrize(
    ("exchange", "holds"),
    [
        pytest.param(GOOD, True, id="good"),
        pytest.param(replace(GOOD, answer=b'{"value": [{"smell": 1}]}'), False, id="unknown property"),
        pytest.param(replace(GOOD, status=404, answer=b'{"error": "x"}'), False, id="no envelope"),
        pytest.param(replace(GOOD, path="/v1.0/me/nonsense"), False, id="unknown path answered"),
        pytest.param(
            replace(
                GOOD, path="/v1.0/me/nonsense", status=400, answer=b'{"error": {"code": "a", "message": "b"}}'
            ),
            True,
            id="unknown path refused",
        ),
        pytest.param(replace(GOOD, query="$top=0"), False, id="bad request taken"),
    ],
)
def test_the_judge(judge: Description, exchange: Exchange, holds: bool) -> None:
    assert (not judge.problems([exchange], judge_requests=True)) is holds


def test_members_of_a_batch_are_judged(judge: Description) -> None:
    body = json.dumps({"requests": [{"id": "1", "method": "GET", "url": "/me"}]}).encode()
    answer = {"responses": [{"id": "1", "status": 200, "body": {"displayName": 5}}]}
    batch = Exchange("POST", "/v1.0/$batch", "", {}, body, 200, json.dumps(answer).encode())
    assert judge.problems([batch], judge_requests=True)
