"""Reads the recordings of EspoCRM 9.2.7: requests with their answers, and webhook deliveries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "samples" / "espocrm"
# What the simulator does not know: external accounts and extensions, the calendar and stream of the web
# client.
UNKNOWN = frozenset(
    {
        *("073-activities-calendar", "074-busy-ranges", "344-stream-meeting"),
        *("342-external-account-alice", "343-external-account-api"),
    }
)
# 5xx are about external accounts, with one exception.
KNOWN_OF_5XX = frozenset({"509-user-acl-by-api"})


@dataclass(frozen=True, slots=True)
class Recording:
    """One file: a request with its answer, or the deliveries that followed an action."""

    name: str
    data: dict[str, Any]

    @property
    def is_delivery(self) -> bool:
        """True for a file of webhook deliveries."""
        return "requests" in self.data

    @property
    def request(self) -> dict[str, Any]:
        """Method, path, headers and body."""
        found: dict[str, Any] = self.data["request"]
        return found

    @property
    def response(self) -> dict[str, Any]:
        """Status, headers and body."""
        found: dict[str, Any] = self.data["response"]
        return found

    @property
    def at(self) -> datetime:
        """When EspoCRM answered."""
        return parsedate_to_datetime(self.response["headers"]["Date"]).astimezone(UTC)


def load(name: str) -> Any:
    """A file that is no recording, such as `seed-of-captures.json`."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def recordings() -> list[Recording]:
    """Every recording that the simulator knows, in the order in which they were made."""
    found = []
    for path in sorted(FOLDER.glob("[0-9]*.json")):
        known = path.stem not in UNKNOWN and not (path.name.startswith("5") and path.stem not in KNOWN_OF_5XX)
        if known:
            found.append(Recording(path.stem, json.loads(path.read_text(encoding="utf-8"))))
    return found


def recorded_uids() -> dict[str, str]:
    """The `uid` of each recorded meeting that ever showed it."""
    bodies = [entry.response["body"] for entry in recordings() if not entry.is_delivery]
    return {body["id"]: body["uid"] for body in bodies if isinstance(body, dict) and "uid" in body}
