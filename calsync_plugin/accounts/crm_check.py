"""Looks at every point of the CRM's set-up with the API key alone, and says what to do about each.

Decides what is a fault and what is only worth knowing. Changes nothing; the one request to our own address
is a delivery without content, as the CRM would sign it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from calsync_plugin.accounts.crm_survey import read_mails, read_version
from calsync_plugin.accounts.integration_check import SECONDS
from calsync_plugin.crm.access import Access, read_access
from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.event_types import EventType, read_event_types
from calsync_plugin.crm.wanted import supported
from calsync_plugin.crm.webhook_setup import compare_webhooks, list_webhooks, wanted_events
from calsync_plugin.errors import CalsyncError
from calsync_plugin.graph.client import Clock
from calsync_plugin.http import Http
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Store

CLOCK_SECONDS = 60.0
"""Clocks that differ by less are set well enough."""


class Patient(Protocol):
    """What is looked at."""

    store: Store
    http: Http
    clock: Clock
    entities: dict[str, EntitySettings]
    espocrm: EspoClient

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One point: well, well but worth knowing (`note`), or a fault."""

    what: str
    ok: bool
    text: str
    note: bool = False


def check_crm(patient: Patient) -> Iterator[Seen]:
    """Every point in its order. If the CRM does not even know us, nothing else is asked."""
    try:
        access = read_access(patient.espocrm)
    except CalsyncError as error:
        yield Seen("CRM", False, str(error))
        return
    yield _rights(patient, access)
    looks: tuple[tuple[str, Callable[[Patient, Access], Iterator[Seen]]], ...] = (
        ("CRM version", _version),
        ("CRM user", _wishes),
        ("kinds of records", _kinds),
        ("webhooks", _webhooks),
        ("webhook address", _address),
        ("CRM mails", _mails),
        ("CRM clock", _clock),
    )
    for what, look in looks:
        try:
            yield from look(patient, access)
        except CalsyncError as error:
            yield Seen(what, False, str(error))


def _rights(patient: Patient, access: Access) -> Seen:
    missing = access.shortcomings(patient.entities.values())
    if missing:
        return Seen("CRM", False, "; ".join(missing) + "; calsync espocrm setup mends the role")
    return Seen("CRM", True, f"{patient.settings.crm.url} knows us as {access.user_name}")


def _version(patient: Patient, _access: Access) -> Iterator[Seen]:
    version = read_version(patient.espocrm)
    if supported(version):
        yield Seen("CRM version", True, f"EspoCRM {version}")
    else:
        yield Seen("CRM version", False, f"EspoCRM {version or '?'} is too old; update it to 9.2 or newer")


def _wishes(patient: Patient, access: Access) -> Iterator[Seen]:
    wishes = access.wishes(patient.entities.values())
    yield Seen("CRM user", True, "; ".join(wishes) or "has all rights", note=bool(wishes))


def _kinds(patient: Patient, access: Access) -> Iterator[Seen]:
    kinds = read_event_types(patient.espocrm)
    troubles = [
        trouble for entity in patient.entities.values() for trouble in _troubles(entity, kinds, access)
    ]
    if troubles:
        yield Seen("kinds of records", False, "; ".join(troubles))
    else:
        yield Seen("kinds of records", True, ", ".join(patient.entities))
    words = list(_remarks(patient.entities, kinds))
    if words:
        yield Seen("kinds of records, in addition", True, "; ".join(words), note=True)


def _remarks(entities: dict[str, EntitySettings], kinds: dict[str, EventType]) -> Iterator[str]:
    known = [kind for kind in kinds.values() if kind.name in entities]
    slow = [
        f"{kind.name}.{entities[kind.name].marker}"
        for kind in known
        if (marker := kind.fields.get(entities[kind.name].marker)) is not None and not marker.index
    ]
    if slow:
        yield f"{', '.join(slow)}: no index, so looking it up is slow; calsync espocrm setup makes it"
    more = [name for name in kinds if name not in entities]
    if more:
        yield f"in the CRM's calendar and not configured: {', '.join(more)}"
    loose = [kind.name for kind in known if not kind.concurrency]
    if loose:
        yield (
            f"{', '.join(loose)}: saves of the same moment overwrite each other; calsync espocrm setup "
            "--concurrency switches Optimistic Concurrency Control on"
        )


_ATTRIBUTES = (
    "description",
    "location",
    "reminder",
    "sensitivity",
    "show_as",
    "online",
    "marker",
    "join_url",
)


def _troubles(entity: EntitySettings, kinds: dict[str, EventType], access: Access) -> Iterator[str]:
    name = entity.entity_type
    kind = kinds.get(name)
    if kind is None:
        yield (
            f"{name} does not exist in the CRM, is switched off there, or may not be read; correct "
            "crm.entities or the role"
        )
        return
    if entity.all_day and not kind.all_day:
        yield f"{name} cannot be all-day; set all_day: false in crm.entities"
    for setting in _ATTRIBUTES:
        attribute: str = getattr(entity, setting)
        if not attribute:
            continue
        found = kind.fields.get(attribute)
        if found is None:
            yield (
                f"{name} has no field {attribute} ({setting} in crm.entities); correct its name, or make it "
                "with calsync espocrm setup"
            )
        elif found.read_only or not access.may_field(name, attribute, "edit"):
            yield f"{name}.{attribute} may not be written ({setting} in crm.entities)"


def _webhooks(patient: Patient, access: Access) -> Iterator[Seen]:
    events = wanted_events(patient.entities.values())
    address = patient.settings.serve.public_url + patient.settings.crm.webhook_path
    secrets = {webhook.id: webhook.secret for webhook in patient.store.webhooks.all()}
    compared, strays = compare_webhooks(
        list_webhooks(patient.espocrm), address, events, secrets, access.user_id
    )
    missing = [one.event for one in compared if one.present is None]
    troubles = [f"not set up: {', '.join(missing)}"] if missing else []
    troubles += [f"{one.event} {', '.join(one.troubles)}" for one in compared if one.troubles]
    if troubles:
        yield Seen("webhooks", False, "; ".join(troubles) + "; calsync espocrm setup mends them")
    else:
        yield Seen("webhooks", True, f"{len(compared)} report changes to {address}")
    if strays:
        words = "; ".join(f"one for {stray.row.get('event')} {stray.reason}" for stray in strays)
        remedy = "calsync espocrm setup removes them, unless crm.entities is to name that kind of record"
        yield Seen("webhooks, in addition", True, f"{words}; {remedy}", note=True)


def _address(patient: Patient, _access: Access) -> Iterator[Seen]:
    """Deliver nothing, signed as the CRM signs, to the address that the CRM has."""
    known = patient.store.webhooks.all()
    public = patient.settings.serve.public_url
    if not known:
        yield Seen("webhook address", True, "not checked: no webhook is set up yet", note=True)
        return
    webhook, body = known[0], b"[]"
    mac = hmac.new(webhook.secret.encode(), body, hashlib.sha256).hexdigest()
    signature = base64.b64encode(f"{webhook.id}:{mac}".encode()).decode()
    place = f"{public}{patient.settings.crm.webhook_path}/{webhook.event}"
    headers = {"Content-Type": "application/json", "Signature": signature}
    try:
        answer = patient.http.send("POST", place, headers=headers, body=body, timeout=SECONDS)
    except CalsyncError as error:
        yield Seen(
            "webhook address",
            False,
            f"{error}; start calsync serve, and lead {public} to it: the CRM delivers there",
        )
        return
    if 200 <= answer.status < 300:
        text = f"{public} takes what the CRM delivers, asked from this machine; the CRM must reach it, too"
        yield Seen("webhook address", True, text)
    else:
        yield Seen(
            "webhook address",
            False,
            f"{place} answered {answer.status} to a delivery; lead {public} to this calsync, without a "
            "sign-in before it",
        )


def _mails(patient: Patient, _access: Access) -> Iterator[Seen]:
    mailed = sorted(read_mails(patient.espocrm) & set(patient.entities))
    if mailed:
        yield Seen(
            "CRM mails",
            True,
            f"the CRM mails users each {' and '.join(mailed)} that is assigned to them, beside Outlook's "
            "invitation; take them out in EspoCRM: Administration > Email Notifications",
            note=True,
        )
    else:
        text = "no mails about assignments; invitations only when somebody presses Send Invitations"
        yield Seen("CRM mails", True, text)


def _clock(patient: Patient, _access: Access) -> Iterator[Seen]:
    ahead = patient.espocrm.now().timestamp() - patient.clock.now()
    if abs(ahead) < CLOCK_SECONDS:
        yield Seen("CRM clock", True, "agrees with this machine's")
    else:
        way = "ahead of" if ahead > 0 else "behind"
        text = (
            f"is {abs(ahead):.0f} s {way} this machine's; calsync goes by the CRM's, but set both right: "
            "Microsoft refuses logins of a machine whose clock is wrong"
        )
        yield Seen("CRM clock", True, text, note=True)
