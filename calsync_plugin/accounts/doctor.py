"""Checks an installation step by step and says what to do about each finding.

Decides what is looked at. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from calsync_plugin.crm.access import read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.webhook_setup import wanted_events
from calsync_plugin.errors import CalsyncError, UnknownOutcome
from calsync_plugin.http import Http
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import AccountStatus, Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One step: what was looked at, whether it is well, and what it said or what to do."""

    what: str
    ok: bool
    detail: str


class Patient(Protocol):
    """What the doctor looks at."""

    settings: Settings
    store: Store
    http: Http
    entities: dict[str, EntitySettings]
    espocrm: EspoClient


def examine(patient: Patient) -> Iterator[Finding]:
    """Look at everything; a failed step does not end the others."""
    steps: list[tuple[str, Callable[[Patient], str]]] = [
        ("store", _store),
        ("CRM", _crm),
        ("webhooks", _webhooks),
        ("Microsoft Graph", _graph),
        ("login service", _login),
        ("accounts", _accounts),
    ]
    for what, look in steps:
        try:
            yield Finding(what, True, look(patient))
        except CalsyncError as error:
            yield Finding(what, False, str(error))


def _store(patient: Patient) -> str:
    found = patient.store.installation.get()
    if found.paused:
        raise UnknownOutcome(f"everything is paused: {found.paused}; say calsync installation moved or copy")
    waiting = patient.store.changes.waiting()
    return f"{found.kind}, {sum(waiting.values())} changes wait, keys in use: {_keys(patient)}"


def _keys(patient: Patient) -> str:
    return ", ".join(sorted(patient.store.key_ids_in_use())) or "none"


def _crm(patient: Patient) -> str:
    access = read_access(patient.espocrm)
    missing = access.shortcomings(patient.entities.values())
    if missing:
        raise UnknownOutcome("; ".join(missing))
    return f"{patient.settings.crm.url} knows us as {access.user_name}"


def _webhooks(patient: Patient) -> str:
    wanted = set(wanted_events(patient.entities.values()))
    missing = wanted - {webhook.event for webhook in patient.store.webhooks.all()}
    if missing:
        raise UnknownOutcome(f"not set up yet: {', '.join(sorted(missing))}; calsync serve makes them")
    return f"{len(wanted)} report changes"


def _graph(patient: Patient) -> str:
    answer = patient.http.send("GET", f"{patient.settings.graph.url}/me")
    return f"{patient.settings.graph.url} answers ({answer.status} without a token, as it should)"


def _login(patient: Patient) -> str:
    authority = patient.settings.graph.authority
    answer = patient.http.send("GET", f"{authority}/v2.0/.well-known/openid-configuration")
    if answer.status != 200:
        raise UnknownOutcome(f"{authority} answered {answer.status}; check graph.authority and the tenant")
    return f"{authority} answers"


def _accounts(patient: Patient) -> str:
    counts = patient.store.accounts.counts()
    broken = counts[AccountStatus.RECONNECT] + counts[AccountStatus.NEEDS_ATTENTION]
    words = ", ".join(f"{count} {status.value}" for status, count in counts.items() if count) or "none yet"
    if broken:
        raise UnknownOutcome(f"{words}; see calsync accounts list")
    return words
