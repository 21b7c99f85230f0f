"""Somebody with a mailbox, who talks to the simulator in process; and the events they make."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.test import TestResponse

Json = dict[str, Any]
MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name CalsyncMark"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


def attendee(address: str, **more: Any) -> Json:
    return {"emailAddress": {"address": address}, "type": "required", **more}


def event(subject: str = "Plan", *, day: str = "2026-11-24", hour: int = 10, **more: Any) -> Json:
    """Return an event of one hour in Central Europe."""
    zone = "W. Europe Standard Time"
    return {
        "subject": subject,
        "start": {"dateTime": f"{day}T{hour:02}:00:00", "timeZone": zone},
        "end": {"dateTime": f"{day}T{hour + 1:02}:00:00", "timeZone": zone},
        **more,
    }


def weekly(*, start: str = "2026-11-24", count: int = 4, **more: Any) -> Json:
    """Return a recurrence every week on the day of its start, a Tuesday by default."""
    return {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], **more},
        "range": {"type": "numbered", "startDate": start, "numberOfOccurrences": count},
    }


class Person:
    """Requests of one mailbox; `path` is relative to `/me` unless it starts with a slash."""

    def __init__(self, app: Flask, address: str) -> None:
        self.address = address
        self._client = app.test_client()

    def _call(
        self, method: str, path: str, body: Any, headers: dict[str, str] | None, **query: Any
    ) -> TestResponse:
        if path.startswith("http"):
            path = "/" + path.split("/", 3)[3]
        elif not path.startswith("/"):
            path = f"/v1.0/me/{path}"
        sent = {"Authorization": f"Bearer sandbox:{self.address}", **(headers or {})}
        if query:
            path += ("&" if "?" in path else "?") + "&".join(
                f"{key}={quote(str(value))}" for key, value in query.items()
            )
        return self._client.open(path, method=method, json=body, headers=sent)

    def get(self, path: str, *, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        return self._call(
            "GET",
            path,
            None,
            headers,
            **{f"${key}" if key in _OPTIONS else key: value for key, value in query.items()},
        )

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> TestResponse:
        return self._call("POST", path, body, headers)

    def patch(self, path: str, body: Any, *, headers: dict[str, str] | None = None) -> TestResponse:
        return self._call("PATCH", path, body, headers)

    def delete(self, path: str, *, headers: dict[str, str] | None = None) -> TestResponse:
        return self._call("DELETE", path, None, headers)

    def create(self, subject: str = "Plan", *, headers: dict[str, str] | None = None, **more: Any) -> Json:
        """Create an event and return it."""
        answer = self.post("events", event(subject, **more), headers=headers)
        assert answer.status_code == 201, answer.text
        return json_of(answer)

    def events(self, **query: Any) -> list[Json]:
        """Return the mailbox's single events and masters."""
        answer = self.get("events", **{"top": 100, **query})
        assert answer.status_code == 200, answer.text
        return list(json_of(answer)["value"])

    def batch(self, *requests: Json) -> dict[str, Json]:
        """Run a batch; return its answers by id."""
        answer = self.post("/v1.0/$batch", {"requests": list(requests)})
        assert answer.status_code == 200, answer.text
        return {part["id"]: part for part in json_of(answer)["responses"]}


_OPTIONS = {"filter", "select", "expand", "top", "skip", "orderby", "count"}


def json_of(answer: TestResponse) -> Json:
    value = answer.get_json()
    assert isinstance(value, dict), answer.text
    return value


def code_of(answer: TestResponse) -> str:
    """Return the error code of a refusal."""
    return str(json_of(answer)["error"]["code"])


def member(identity: str, method: str, url: str, body: Json | None = None, **more: Any) -> Json:
    """Return one request of a batch."""
    made: Json = {"id": identity, "method": method, "url": url, **more}
    if body is not None:
        made["headers"] = {"Content-Type": "application/json", **made.get("headers", {})}
        made["body"] = body
    return made
