"""The steps of a plan that changes an EspoCRM, and how they are carried out one after the other.

Decides what a step says, that a step which surely did nothing is tried again, and that the first other
failure ends the run: a second run finds what the first one did and goes on from there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from calsync_plugin.crm.client import EspoClient, Row
from calsync_plugin.errors import Unavailable, UnknownOutcome
from calsync_plugin.http import Http
from calsync_plugin.settings import CrmSettings
from calsync_plugin.state import Store


class Doing(StrEnum):
    """What becomes of the thing that a step is about."""

    NOTHING = "nothing"
    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"
    PERSON = "by hand"
    """Only a person can do it."""
    NOTE = "note"
    """Nothing to do, but to be known."""


@dataclass(slots=True, kw_only=True)
class Hands:
    """What the steps work with, and what one of them found out for the next."""

    admin: EspoClient
    crm: CrmSettings
    http: Http
    store: Store
    role_id: str = ""
    user: Row = field(default_factory=dict, repr=False)

    by_key: bool = False
    """Whether the configured key is the user's."""

    def bridge(self) -> EspoClient:
        """EspoCRM as our API user. UnknownOutcome if its key is not known."""
        if self.by_key:
            return EspoClient(self.crm, self.http)
        return EspoClient(replace(self.crm, api_key=self.key(), secret_key=""), self.http)

    def key(self) -> str:
        """The key of the API user as an administrator reads it. UnknownOutcome if EspoCRM does not tell."""
        key = str(self.user.get("apiKey") or "")
        if not key:
            raise UnknownOutcome("EspoCRM tells no key of the API user; make a new one on the user's page")
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the plan: what it is about, what there is now, and what will be done and why."""

    part: str
    name: str
    found: str
    doing: Doing
    action: str = ""
    why: str = ""
    run: Callable[[Hands], None] | None = field(default=None, repr=False, compare=False)

    def told(self) -> dict[str, str]:
        """The step for programs."""
        return {
            "part": self.part,
            "name": self.name,
            "found": self.found,
            "doing": self.doing.value,
            "action": self.action,
            "why": self.why,
        }


Plan = Sequence[Step]


def to_do(plan: Plan) -> list[Step]:
    """The steps that change something."""
    return [step for step in plan if step.run is not None]


WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before a step that did nothing is tried again: after a rebuild EspoCRM answers wrongly for some."""


def carry_out(plan: Plan, hands: Hands, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[Step]:
    """Do the steps in their order and yield each one before it is done. Raises what the first failure was."""
    for step in to_do(plan):
        yield step
        assert step.run is not None
        _run(step.run, hands, sleep)


def _run(run: Callable[[Hands], None], hands: Hands, sleep: Callable[[float], None]) -> None:
    for wait in WAITS:
        try:
            return run(hands)
        except Unavailable:
            sleep(wait)
    return run(hands)


def save_key(file: Path, key: str) -> None:
    """Keep a key in a file that only its owner reads, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(key + "\n")
    partial.replace(file)


def kept_key(file: Path) -> str:
    """The key that such a file holds, "" if there is none."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def as_row(value: object, what: str) -> Row:
    """The record that EspoCRM answered with. UnknownOutcome if it is none."""
    if isinstance(value, Mapping) and value.get("id"):
        return value
    raise UnknownOutcome(f"EspoCRM's answer about {what} names no record; run the command again")
