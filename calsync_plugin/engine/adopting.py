"""Records that an event belongs to although nothing links them yet (R21).

Decides where to look: by the CRM's own calendar ids always, and while a mailbox is read in full among the
records of its user and of the colleagues who organize what is found there. What matches is
`domain.matching`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.crm.records import read_record
from calsync_plugin.domain.links import Origin
from calsync_plugin.domain.matching import Candidate, Unmatched, match_records
from calsync_plugin.domain.operations import CreateEvent
from calsync_plugin.domain.timespan import AllDay, TimeSpan
from calsync_plugin.domain.window import Window
from calsync_plugin.engine.calendars import Scope
from calsync_plugin.engine.failures import asking_the_crm
from calsync_plugin.engine.importing import labelled
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.lookalikes import beginning, events_at
from calsync_plugin.engine.roster import Member
from calsync_plugin.engine.worker import backoff
from calsync_plugin.errors import ItemError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Store

Key = tuple[str, str]

KEPT = 20_000
"""Records of colleagues kept for a round; a colleague more is listed for each page."""
PORTION = 500
"""Candidates whose links are asked for at once."""
DAY = timedelta(days=1)
FIRST_READING = 30.0
"""Seconds at most until a record that waits for the first reading of its calendar is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """An event without a link."""

    view: EventView
    single: bool
    """Whether it may look like a record: an occurrence has no counterpart in a CRM without series."""
    host_id: str = ""
    """The CRM user who is named as the organizer of an invitation; empty if it is none of the users."""

    @property
    def from_outside(self) -> bool:
        """Whether somebody invites who is no user of the CRM."""
        return not self.view.is_organizer and not self.host_id


@dataclass(frozen=True, slots=True)
class Matches:
    """What the CRM has of some events."""

    records: Mapping[str, Key]
    """The record of each event that has one, by event id."""
    known: frozenset[str]
    """Ids of events that name a record which they may not speak for: the CRM's own invitations to meetings
    which are followed already, and what outsiders send under such an id."""


@dataclass(slots=True)
class _Round:
    """A full reading of a mailbox, as far as this process has a part in it."""

    window: Window
    client: MailboxClient
    calendars: Collection[str]
    records: Sequence[Candidate]
    """The user's own."""
    of_hosts: dict[str, Sequence[Candidate]] = field(default_factory=dict)
    """Those of colleagues who organize what is found, by user id."""


class Adopting:
    """Looks for the records of events."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        directory: Directory,
        entities: Mapping[str, EntitySettings],
    ) -> None:
        """Ask `gateway` for records; those that have a link are nobody's match."""
        self._store = store
        self._gateway = gateway
        self._directory = directory
        self._entities = entities
        self._rounds: dict[int, _Round] = {}
        """By mailbox."""

    def begin(self, member: Member, window: Window, client: MailboxClient, scope: Scope) -> None:
        """A full round of a mailbox begins, or goes on in this process: list the user's records once."""
        known = self._rounds.get(member.mailbox_id)
        if known is not None:
            known.client, known.calendars = client, scope.read
            return
        with asking_the_crm():
            records = self._records_of(member.account.user_id, member, window)
        self._rounds[member.mailbox_id] = _Round(window, client, scope.read, records)

    def end(self, member: Member) -> None:
        """The round is over."""
        self._rounds.pop(member.mailbox_id, None)

    def match(self, member: Member, strangers: Sequence[Stranger]) -> Matches:
        """Match events with records."""
        singles = [one for one in strangers if one.single]
        now = self._rounds.get(member.mailbox_id)
        records = self._by_uid([one.view for one in singles])
        if now is not None:
            records += [*now.records, *self._of_hosts(member, singles, now)]
        if not records:
            return Matches({}, frozenset())
        unmatched = [self._unmatched(one.view, member) for one in singles]
        matched = match_records(unmatched, records)
        alike = [e for e in unmatched if e.event_id in matched and matched[e.event_id].uid != e.ical_uid]
        if now is not None and alike:
            matched = match_records([*unmatched, *self._beside(member, now, unmatched, alike)], records)
            matched = {e.event_id: matched[e.event_id] for e in unmatched if e.event_id in matched}
        keys = {event_id: (c.entity_type, c.record_id) for event_id, c in matched.items()}
        linked = self._store.links.by_records(set(keys.values()))
        # Whoever was invited by the CRM knows the id: only its users may bring content under it.
        known = {
            one.view.id
            for one in singles
            if (match := matched.get(one.view.id)) is not None
            and match.uid == one.view.ical_uid
            and (keys[one.view.id] in linked or one.from_outside)
        }
        news = {e: key for e, key in keys.items() if key not in linked and e not in known}
        return Matches(news, frozenset(known))

    def _unmatched(self, view: EventView, member: Member) -> Unmatched:
        entity_type, subject = labelled(view, member, self._entities.get)
        return Unmatched(
            event_id=view.id,
            ical_uid=view.ical_uid,
            meeting=replace(view.meeting, subject=subject),
            entity_type=entity_type,
        )

    def _beside(
        self, member: Member, now: _Round, page: Sequence[Unmatched], alike: Sequence[Unmatched]
    ) -> list[Unmatched]:
        """Events at the same times as these which are not on the same page: one may look just like them.

        What is linked counts if it came into the CRM as a meeting of its own: maybe for that very reason.
        """
        here = {event.event_id for event in page}
        views = events_at(now.client, now.calendars, {beginning(event.meeting.span) for event in alike})
        others = {view.id: view for view in views if view.id not in here}
        links = self._store.links.by_events(member.mailbox_id, others)
        return [
            self._unmatched(view, member)
            for view in others.values()
            if view.id not in links or links[view.id].origin is Origin.OUTLOOK
        ]

    def _records_of(self, user_id: str, member: Member, window: Window) -> list[Candidate]:
        """A user's records of the kinds that a member syncs, as far as they have no link."""
        found: list[Candidate] = []
        for chosen in member.settings.entities:
            entity = self._entities.get(chosen.entity_type)
            found += self._candidates(user_id, entity, window) if entity is not None else ()
        return found

    def _of_hosts(self, member: Member, strangers: Sequence[Stranger], now: _Round) -> list[Candidate]:
        """Records of colleagues who organize these events: all of the window, listed once for a round.

        Beyond what is kept of them they are listed about the time of the events.
        """
        spans: dict[str, list[TimeSpan]] = defaultdict(list)
        for one in strangers:
            if one.host_id and one.host_id != member.account.user_id:
                spans[one.host_id].append(one.view.meeting.span)
        found: list[Candidate] = []
        for host_id, theirs in spans.items():
            if host_id not in now.of_hosts and sum(len(kept) for kept in now.of_hosts.values()) >= KEPT:
                ends = [moment for span in theirs for moment in _about(span)]
                found += self._records_of(host_id, member, Window(min(ends), max(ends)))
                continue
            if host_id not in now.of_hosts:
                now.of_hosts[host_id] = self._records_of(host_id, member, now.window)
            found += now.of_hosts[host_id]
        return found

    def _candidates(self, user_id: str, entity: EntitySettings, window: Window) -> list[Candidate]:
        found: list[Candidate] = []
        portion: list[Candidate] = []
        for record in self._gateway.records_of(entity.entity_type, user_id, window.start, window.end):
            try:
                view = read_record(record, entity, self._directory)
            except ItemError:
                continue
            owner = view.meeting.organizer
            portion.append(
                Candidate(
                    entity_type=entity.entity_type,
                    record_id=view.id,
                    uid=view.uid,
                    subject=view.meeting.subject,
                    span=view.meeting.span,
                    addresses=frozenset(a.address for a in view.meeting.attendees if a.address),
                    owner=owner.address if owner else "",
                )
            )
            if len(portion) == PORTION:
                found += self._without_links(portion)
                portion = []
        return found + self._without_links(portion)

    def _without_links(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        linked = self._store.links.by_records({(c.entity_type, c.record_id) for c in candidates})
        return [c for c in candidates if (c.entity_type, c.record_id) not in linked]

    def _by_uid(self, views: Sequence[EventView]) -> list[Candidate]:
        """Records whose own calendar id is the event's: the CRM mails invitations of its own."""
        by_uid = {view.ical_uid: view.meeting for view in views if view.ical_uid}
        found = []
        for entity_type in self._entities:
            ids = self._gateway.find_by_uid(entity_type, by_uid.keys()) if by_uid else {}
            found += [
                Candidate(
                    entity_type=entity_type,
                    record_id=record_id,
                    uid=uid,
                    subject=by_uid[uid].subject,
                    span=by_uid[uid].span,
                    addresses=frozenset(a.address for a in by_uid[uid].attendees),
                )
                for uid, record_id in ids.items()
                if uid in by_uid
            ]
        return found


def wait_for_first_reading(item: Item) -> None:
    """Create nothing in a calendar that was not read to its end: it may hold the meeting already (R21).

    What was saved for the first time since the account was connected does not wait.
    """
    creates = item.link is None and any(isinstance(o, CreateEvent) for o in item.plan)
    if item.state is not ItemState.OPEN or not creates or item.member.account.pulled_at is not None:
        return
    created, since = item.view.created_at if item.view else None, item.policy.push_from
    if created is None or (since is not None and created < since):
        item.state, item.retry_after = ItemState.RETRY, min(backoff(item.key.attempts + 1), FIRST_READING)
        item.error = f"{item.name}: it is created once the calendar was read for the first time"


def _about(span: TimeSpan) -> tuple[datetime, datetime]:
    """The instants between which a time span lies, wherever its days are meant."""
    if isinstance(span, AllDay):
        first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (span.first, span.until))
        return first - DAY, last + DAY
    return span.start, max(span.end, span.start + timedelta(seconds=1))
