"""A week of one user: CRM records and Outlook events side by side, with what links them.

Decides what belongs together and in which words its state is told. Reads both sides as they are now and
writes nothing. For that user's eyes alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

from calsync_plugin.accounts.outlook_events import events_between
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import Found, Record
from calsync_plugin.crm.records import RecordView, read_record
from calsync_plugin.domain.links import Link, LinkState
from calsync_plugin.domain.meeting import Sensitivity
from calsync_plugin.domain.timespan import AllDay, TimeSpan
from calsync_plugin.errors import ItemError
from calsync_plugin.graph import zones
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView
from calsync_plugin.settings import EntitySettings, UserSettings, user_settings
from calsync_plugin.state import Account, Store
from calsync_plugin.wording import gettext as _

DAYS = 7
MOST = 500
"""Entries of one side that are shown; nobody reads more of a week."""


class Side(StrEnum):
    """Where an entry of the week stands."""

    BOTH = "both"
    CRM = "crm"
    OUTLOOK = "outlook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One meeting as it is shown: `side` says who has it at this time; `state` is told in words."""

    subject: str
    span: TimeSpan
    side: Side
    state: str
    detail: str = ""
    entity_type: str = ""
    link_id: str = ""

    def on(self, day: date, zone: str) -> bool:
        """Whether it is shown on a day of a zone."""
        if isinstance(self.span, AllDay):
            return self.span.first <= day < self.span.until
        begins, ends = (zones.wall(at, zone).date() for at in (self.span.start, self.span.end))
        over_midnight = zones.wall(self.span.end, zone).time() == time(0) and ends > begins
        return begins <= day <= (ends - timedelta(days=1) if over_midnight else ends)


class Installation(Protocol):
    """What a week is read from."""

    store: Store
    entities: dict[str, EntitySettings]

    @property
    def gateway(self) -> Any:
        """A `CrmGateway`; that it is made when it is first asked for hides its type from pyright."""
        ...

    def open_mailbox(self, user_id: str, mailbox_id: int) -> MailboxClient:
        """Graph as one user's mailbox."""
        ...


def week_of(calsync: Installation, account: Account, monday: date, zone: str) -> list[Entry]:
    """What lies in the week that begins on `monday` in `zone`, by its start.

    Raises RemoteError if one of the sides does not answer.
    """
    start = zones.instant(datetime.combine(monday, time(0)), zone)
    end = zones.instant(datetime.combine(monday + timedelta(days=DAYS), time(0)), zone)
    settings = user_settings(account.settings)
    records = list(islice(_records(calsync, account, settings, start, end), MOST))
    client = calsync.open_mailbox(account.user_id, account.mailbox_id or 0)
    events = list(islice(events_between(client, settings, start, end), MOST))
    entries = _paired(calsync, account, records, events)
    return sorted((e for e in entries if _within(e, monday, zone)), key=_order)


def _within(entry: Entry, monday: date, zone: str) -> bool:
    return any(entry.on(monday + timedelta(days=n), zone) for n in range(DAYS))


def _order(entry: Entry) -> tuple[int, str, str]:
    return (0 if isinstance(entry.span, AllDay) else 1, entry.span.normal()[1], entry.subject)


def _records(
    calsync: Installation, account: Account, settings: UserSettings, start: datetime, end: datetime
) -> Iterator[RecordView]:
    people = Directory(calsync.gateway)
    for entity_type, entity in calsync.entities.items():
        if settings.entity(entity_type) is not None:
            found = calsync.gateway.records_of(entity_type, account.user_id, start, end)
            yield from _readable(found, entity, people)


def _readable(found: Iterable[Record], entity: EntitySettings, people: Directory) -> Iterator[RecordView]:
    for record in found:
        try:
            yield read_record(record, entity, people)
        except ItemError:
            # Parked, and told of on the account's page.
            continue


def _others_records(calsync: Installation, links: Iterable[Link]) -> Iterator[RecordView]:
    """The records of these links, whoever they are assigned to."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for link in links:
        if link.record_id and link.entity_type in calsync.entities:
            wanted[link.entity_type].add(link.record_id)
    people = Directory(calsync.gateway)
    for entity_type, ids in wanted.items():
        answers = calsync.gateway.load(entity_type, sorted(ids)).values()
        found = [answer.record for answer in answers if isinstance(answer, Found)]
        yield from _readable(found, calsync.entities[entity_type], people)


def _paired(
    calsync: Installation, account: Account, records: list[RecordView], events: list[EventView]
) -> Iterator[Entry]:
    store = calsync.store
    of_records = store.links.by_records([(r.entity_type, r.id) for r in records])
    of_events = store.links.by_events(account.mailbox_id or 0, [event.id for event in events])
    by_link = {link.id: event for event in events if (link := of_events.get(event.id))}
    shown: set[str] = set()
    for record in records:
        link = of_records.get((record.entity_type, record.id))
        event = by_link.get(link.id) if link else None
        if event is not None and event.meeting.span == record.meeting.span:
            shown.add(event.id)
            yield _entry(record.meeting.subject, record.meeting.span, Side.BOTH, link, record.entity_type)
        else:
            yield _entry(record.meeting.subject, record.meeting.span, Side.CRM, link, record.entity_type)
    left = [event for event in events if event.id not in shown]
    known = {(record.entity_type, record.id) for record in records}
    links = (of_events[event.id] for event in left if event.id in of_events)
    others = _others_records(calsync, (li for li in links if (li.entity_type, li.record_id) not in known))
    spans = {(record.entity_type, record.id): record.meeting.span for record in others}
    for event in left:
        link = of_events.get(event.id)
        span = spans.get((link.entity_type, link.record_id)) if link else None
        yield _of_event(event, link, Side.BOTH if span == event.meeting.span else Side.OUTLOOK)


def _of_event(event: EventView, link: Link | None, side: Side) -> Entry:
    private = event.meeting.sensitivity is not Sensitivity.NORMAL
    subject = _("Private meeting") if private else event.meeting.subject
    return _entry(subject, event.meeting.span, side, link, link.entity_type if link else "")


def _entry(subject: str, span: TimeSpan, side: Side, link: Link | None, entity_type: str) -> Entry:
    state, detail = _words(side, link)
    return Entry(
        subject=subject or _("(no subject)"),
        span=span,
        side=side,
        state=state,
        detail=detail,
        entity_type=entity_type,
        link_id=link.id if link else "",
    )


def _words(side: Side, link: Link | None) -> tuple[str, str]:
    """The state of a meeting's link, and what there is to say of it."""
    if link is None:
        return (_("Not linked"), _("Only in Outlook") if side is Side.OUTLOOK else _("Only in the CRM"))
    if link.state is LinkState.DETACHED:
        return (_("No longer followed"), link.reason)
    if link.state is LinkState.SUSPENDED:
        return (_("On hold"), link.reason)
    if side is Side.BOTH:
        return (_("In step"), "")
    if side is Side.OUTLOOK:
        where = _("At this time only in Outlook so far, or elsewhere in the week on the other side")
    else:
        where = _("At this time only in the CRM so far, or elsewhere in the week on the other side")
    return (_("Under way"), where)
