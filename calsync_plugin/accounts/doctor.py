"""Checks an installation step by step and says what to do about each finding.

Decides what is looked at. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from calsync_plugin.accounts.crm_check import check_crm
from calsync_plugin.accounts.integration_check import State, Step, check
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.errors import CalsyncError, UnknownOutcome
from calsync_plugin.graph.auth import Login
from calsync_plugin.graph.client import Clock
from calsync_plugin.http import Http
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Account, AccountStatus, Notify, Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One step: what was looked at, whether it is well, and what it said or what to do."""

    what: str
    ok: bool
    detail: str
    note: bool = False
    """Well, but worth knowing."""


class Patient(Protocol):
    """What the doctor looks at."""

    store: Store
    http: Http
    login: Login
    clock: Clock
    entities: dict[str, EntitySettings]
    espocrm: EspoClient

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...

    def doubts(self) -> dict[str, str]:
        """What the CRM seems to have lost, by entity type."""
        ...


ACTIVE = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})


def all_accounts(store: Store) -> Iterator[Account]:
    """Every account, in the order of the user ids."""
    after = ""
    while page := store.accounts.all(after=after):
        yield from page
        after = page[-1].user_id


def examine(patient: Patient) -> Iterator[Finding]:
    """Look at everything; a failed step does not end the others."""
    after: list[tuple[str, Callable[[Patient], str]]] = [
        ("accounts", _accounts),
        ("changes in Outlook", _reading),
        ("markers", _markers),
    ]
    yield _found("store", _store, patient)
    yield from (Finding(seen.what, seen.ok, seen.text, seen.note) for seen in check_crm(patient))
    yield _found("records of the CRM", _records, patient)
    yield _found("Microsoft Graph", _graph, patient)
    yield from (_finding(step) for step in check(patient))
    yield from (_found(what, look, patient) for what, look in after)


def _found(what: str, look: Callable[[Patient], str], patient: Patient) -> Finding:
    try:
        return Finding(what, True, look(patient))
    except CalsyncError as error:
        return Finding(what, False, str(error))


def _finding(step: Step) -> Finding:
    """A step of the admin page's check; what cannot be proven from here is no fault."""
    unproven = "not checked: " if step.state is State.NOT_CHECKED else ""
    return Finding(step.name, step.state is not State.FAILED, unproven + step.text)


def _store(patient: Patient) -> str:
    if not patient.settings.graph.enabled:
        raise UnknownOutcome("the sync is switched off (graph.enabled, or the admin page); everything waits")
    found = patient.store.installation.get()
    if found.paused:
        raise UnknownOutcome(f"everything is paused: {found.paused}; say calsync installation moved or copy")
    waiting = patient.store.changes.waiting()
    return f"{found.kind}, {sum(waiting.values())} changes wait, keys in use: {_keys(patient)}"


def _keys(patient: Patient) -> str:
    return ", ".join(sorted(patient.store.key_ids_in_use())) or "none"


def _records(patient: Patient) -> str:
    doubts = "; ".join(f"{entity_type}: {what}" for entity_type, what in patient.doubts().items())
    if doubts:
        raise UnknownOutcome(
            f"{doubts}; what is gone there is not removed from Outlook. If it does not come back, decide for "
            "each user: calsync accounts resume USER --confirm (or --discard)"
        )
    return "none seem to be lost"


def _graph(patient: Patient) -> str:
    answer = patient.http.send("GET", f"{patient.settings.graph.url}/me")
    return f"{patient.settings.graph.url} answers ({answer.status} without a token, as it should)"


def _reading(patient: Patient) -> str:
    """Whether Outlook notifies; polling works as well, only later."""
    connected = [account for account in all_accounts(patient.store) if account.status in ACTIVE]
    polled = [account for account in connected if account.notify is Notify.POLL]
    unread = sum(account.pulled_at is None for account in connected)
    words = [f"{len(connected) - len(polled)} by notifications, {len(polled)} by the poll"]
    words += sorted({account.notify_reason for account in polled})
    words += [f"{unread} not read to the end yet"] if unread else []
    return "; ".join(words)


def _markers(patient: Patient) -> str:
    """A record whose create was cut off is looked up by its marker."""
    without = sorted(e.entity_type for e in patient.entities.values() if not e.marker)
    if without:
        return (
            f"{', '.join(without)}: no marker attribute is configured (crm.entities[].marker); a record "
            "whose create was cut off is looked up by its name and times instead"
        )
    return "all kinds of records have one"


def _accounts(patient: Patient) -> str:
    counts = patient.store.accounts.counts()
    broken = counts[AccountStatus.RECONNECT] + counts[AccountStatus.NEEDS_ATTENTION]
    words = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count) or "none yet"
    if broken:
        raise UnknownOutcome(f"{words}; see calsync accounts list")
    return words
