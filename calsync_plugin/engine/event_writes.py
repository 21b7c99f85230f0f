"""The first half of carrying out a plan: the events of one mailbox, all items in one batch.

Decides how each operation is sent and what its answer means for the item. Intents and journal entries are
committed before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from calsync_plugin.domain.links import Copy, CopyPurpose, Link, Presence, marker
from calsync_plugin.domain.operations import CreateEvent, DeleteEvent, UpdateEvent
from calsync_plugin.domain.planner import Theirs
from calsync_plugin.engine import progress
from calsync_plugin.engine.brake import DELETION, MAIL
from calsync_plugin.engine.failures import fail
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.roster import OFF
from calsync_plugin.engine.saver import Intent
from calsync_plugin.errors import (
    CalsyncError,
    DuplicateTransaction,
    InvalidEvent,
    ItemError,
    MailboxUnusable,
    NotFound,
    PreconditionFailed,
    Refused,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.calendar import create_event, delete_event, update_event
from calsync_plugin.graph.event_body import event_body
from calsync_plugin.graph.events import read_event
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request

GraphOperation = CreateEvent | UpdateEvent | DeleteEvent


@dataclass(slots=True)
class Job:
    """One call of Graph: whose it is, what for, and which copy it is about."""

    item: Item
    operation: GraphOperation
    copy: Copy
    request: Request | None = None

    def lost_its_event(self, error: CalsyncError) -> bool:
        """Whether the event to be updated is no longer there."""
        return isinstance(error, NotFound) and isinstance(self.operation, UpdateEvent)

    def had_lost_it(self, error: CalsyncError) -> bool:
        """Whether the event to be deleted was gone already."""
        return isinstance(error, NotFound) and isinstance(self.operation, DeleteEvent)


@dataclass(slots=True)
class Draft:
    """What is to be sent for some items."""

    items: Sequence[Item]
    jobs: list[Job]
    begun: list[Item] = field(default_factory=list)
    """Items whose link `intend` made."""

    @property
    def only_creates(self) -> bool:
        """Whether nothing of it counts for the breaker."""
        return all(isinstance(job.operation, CreateEvent) for job in self.jobs)

    def intend(self) -> Intent:
        """What has to be committed first: begun creates, and the content of what is to be deleted."""
        ready = [j for j in self.jobs if j.item.state is ItemState.OPEN]
        begun = [j.item for j in ready if isinstance(j.operation, CreateEvent) and j.item.changed_link]
        self.begun = [item for item in begun if item.link is not None and item.link.version == 0]
        journal = [
            (j.item, j.copy.event_id, json.dumps(j.item.raw[j.copy.event_id]))
            for j in ready
            if isinstance(j.operation, DeleteEvent) and j.item.seen.get(j.copy.event_id)
        ]
        return Intent(begun, journal)

    def take_off(self) -> list[Request]:
        """The requests to send now; what lost a race at the commit stays behind."""
        self.jobs = [j for j in self.jobs if j.item.state is ItemState.OPEN and j.request is not None]
        return [j.request for j in self.jobs if j.request is not None]


class EventWriter:
    """Writes the planned events of items."""

    def __init__(self, *, installation_id: str, new_link_id: Callable[[], str]) -> None:
        """New links get their ids from `new_link_id`."""
        self._installation_id = installation_id
        self._new_link_id = new_link_id

    def draft(self, items: Sequence[Item]) -> list[Job]:
        """What the plans say of this mailbox's events, as requests."""
        jobs = [job for item in items for job in self._jobs(item)]
        self._prepare(jobs)
        return jobs

    def conclude(self, draft: Draft, outcomes: Sequence[Outcome]) -> None:
        """Take the answers in; what needs another look is marked `again`."""
        for job, outcome in zip(draft.jobs, outcomes, strict=True):
            if outcome.error is None or job.had_lost_it(outcome.error):
                self._succeeded(job, outcome.value)
            else:
                self._failed(job, outcome.error)

    # --- before anything is sent

    def _jobs(self, item: Item) -> list[Job]:
        jobs: list[Job] = []
        for operation in item.plan:
            if not isinstance(operation, GraphOperation):
                continue
            if operation.mailbox_id != item.mailbox_id:
                item.elsewhere.add(operation.mailbox_id)
            else:
                jobs.append(Job(item, operation, self._copy(item, operation)))
        return jobs

    def _copy(self, item: Item, operation: GraphOperation) -> Copy:
        if isinstance(operation, CreateEvent):
            link = item.link or Link(
                id=self._new_link_id(), entity_type=item.key.entity_type, record_id=item.key.record_id
            )
            begun = progress.begin_create(link, operation.mailbox_id, self._installation_id)
            item.changed_link = item.changed_link or begun != item.link
            item.link = begun
            assert begun.home is not None
            return begun.home
        assert item.link is not None
        return next(c for c in item.link.copies if c.event_id == operation.event_id)

    def _prepare(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            before = job.item.link
            try:
                job.request = self._request(job)
            except ItemError as error:
                fail(job.item, error)
                if before is not None and before.version == 0:
                    # Nothing was begun: no intent is to be kept of it.
                    job.item.link, job.item.changed_link = None, False

    def _request(self, job: Job) -> Request:
        item, operation = job.item, job.operation
        assert item.link is not None
        if isinstance(operation, DeleteEvent):
            return delete_event(operation.event_id, etag=job.copy.etag, item=item.name)
        body = self._body(item, operation)
        if isinstance(operation, UpdateEvent):
            return update_event(operation.event_id, body, etag=job.copy.etag, item=item.name)
        return create_event(
            body,
            transaction=job.copy.transaction_id,
            marker=marker(self._installation_id, item.link.id),
            calendar_id=item.member.settings.main_calendar,
            item=item.name,
        )

    def _body(self, item: Item, operation: CreateEvent | UpdateEvent) -> JsonObject:
        meeting = operation.meeting
        removed: list[str] = []
        if isinstance(operation, UpdateEvent):
            meeting = replace(meeting, attendees=operation.added)
            removed = [a.address for a in operation.removed if a.address]
        home = item.home_here
        body = event_body(
            meeting,
            operation.fields,
            zone=item.member.account.zone or meeting.zone or "UTC",
            label=item.member.label(item.entity),
            present=item.seen.get(home.event_id) if home else None,
            removed=removed,
            item=item.name,
        )
        item.notes.extend(body.notes)
        return body.json

    # --- what the answers mean

    def _failed(self, job: Job, error: CalsyncError) -> None:
        item = job.item
        if isinstance(error, DuplicateTransaction):
            self._key_was_used(job, error)
        elif isinstance(error, UnknownOutcome) and item.unknown < 1:
            item.unknown += 1
            _look_again(item, job.copy)
        elif isinstance(error, PreconditionFailed) or job.lost_its_event(error):
            _look_again(item, job.copy)
        elif isinstance(error, NotFound):
            fail(item, MailboxUnusable("the chosen main calendar was not found; choose another one"))
        else:
            if isinstance(error, Refused) and isinstance(job.operation, CreateEvent):
                # Surely nothing came of it, and the corrected record may not use its key again.
                assert item.link is not None
                item.link, item.changed_link = progress.renew_key(item.link, self._installation_id), True
            fail(item, error)

    def _key_was_used(self, job: Job, error: DuplicateTransaction) -> None:
        """The key belongs to an event of ours: the look-up finds it, or somebody removed it in Outlook.

        What was removed is not created again under another key: nothing is recreated by itself.
        """
        item = job.item
        if not item.looked_up:
            _look_again(item, job.copy)
        elif error.existing_event_id:
            fail(
                item,
                Unavailable(f"{item.name}: the event exists and cannot be found yet", status=error.status),
            )
        else:
            item.theirs = Theirs(presence=Presence.GONE)
            item.again = True

    def _succeeded(self, job: Job, value: JsonObject | None) -> None:
        item, operation = job.item, job.operation
        if isinstance(operation, DeleteEvent):
            _deleted(item, operation, job.copy)
        elif value is None:
            _look_again(item, job.copy)
        else:
            try:
                _written(item, operation, job.copy, value)
            except InvalidEvent as unreadable:
                fail(item, unreadable)


def _deleted(item: Item, operation: DeleteEvent, copy: Copy) -> None:
    assert item.link is not None
    item.wrote = item.changed_link = True
    item.link = progress.copy_removed(item.link, copy)
    if copy.purpose is CopyPurpose.HOME:
        item.counted |= item.counting & {DELETION}
    else:
        # Whoever holds the new home may have waited for this.
        item.elsewhere |= {c.mailbox_id for c in item.link.copies if c.purpose is CopyPurpose.HOME}
    item.dropped = operation.drops_link and progress.nothing_left(item.link)
    item.notes.append(f"the event was deleted: {operation.reason}")


def _written(item: Item, operation: CreateEvent | UpdateEvent, copy: Copy, value: JsonObject) -> None:
    assert item.link is not None
    item.wrote = item.changed_link = True
    event = read_event(value, label=item.member.label(item.entity))
    if isinstance(operation, CreateEvent):
        item.link = progress.copy_confirmed(
            item.link, copy, event_id=event.id, ical_uid=event.ical_uid, etag=event.etag
        )
        item.created = operation
        item.notes.append("the event was created")
        if operation.moves and item.former and item.former.account.status in OFF:
            where = item.former.account.address
            item.notes.append(f"the former event is left behind in the calendar of {where}, which is off")
    else:
        item.link = progress.etag_seen(item.link, copy, event.etag)
        item.counted |= item.counting & {MAIL} if event.mails else set()
    item.settled |= operation.fields
    item.seen[event.id] = event
    item.theirs = Theirs(presence=Presence.PRESENT, meeting=event.meeting)
    item.join_url = event.join_url or item.join_url


def _look_again(item: Item, copy: Copy) -> None:
    """Read what is really there, and plan again from that."""
    item.again = True
    item.looked_up = False
    if copy.event_id:
        item.seen.pop(copy.event_id, None)
        item.must_see.add(copy.event_id)
