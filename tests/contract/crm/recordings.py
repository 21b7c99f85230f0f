"""Reads the recordings of EspoCRM 9.2.7: requests with their answers, and webhook deliveries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "samples" / "espocrm"
# What is not replayed, and why.
NOT_REPLAYED = {
    "344-stream-meeting": "the simulator keeps no notes of a record's stream, and calsync reads none",
}
# What is no recording of a request or delivery; other tests read it.
OTHER_FILES = {
    "acl-alice": "the access of a user, in test_crm_access",
    "seed-of-captures": "the world in which everything was recorded, in `replay`",
    "webhook-answer-codes": "what becomes of a delivery, in test_crm_webhooks",
}


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
    """Every recording that is replayed, in the order in which they were made."""
    left_out = NOT_REPLAYED.keys() | OTHER_FILES.keys()
    paths = [path for path in sorted(FOLDER.glob("*.json")) if path.stem not in left_out]
    return [Recording(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def recorded_uids() -> dict[str, str]:
    """The `uid` of each recorded meeting that ever showed it."""
    bodies = [entry.response["body"] for entry in recordings() if not entry.is_delivery]
    return {body["id"]: body["uid"] for body in bodies if isinstance(body, dict) and "uid" in body}
