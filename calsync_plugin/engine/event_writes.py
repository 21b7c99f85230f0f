"""The first half of carrying out a plan: the events of one mailbox, all items in one batch.

Decides how each operation is sent and what its answer means for the item. Intents and journal entries are
committed before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from calsync_plugin.domain.links import Copy, Link, Presence, marker
from calsync_plugin.domain.operations import (
    CreateEvent,
    CreateRecord,
    DeleteEvent,
    DeleteRecord,
    Respond,
    SaveBase,
    UpdateEvent,
    UpdateRecord,
)
from calsync_plugin.domain.planner import Theirs
from calsync_plugin.engine import progress
from calsync_plugin.engine.event_answers import deleted, look_again, written
from calsync_plugin.engine.failures import fail
from calsync_plugin.engine.inward import Inward
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.saver import Intent
from calsync_plugin.errors import (
    CalsyncError,
    DuplicateTransaction,
    ItemError,
    MailboxUnusable,
    NotFound,
    PreconditionFailed,
    Refused,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.calendar import create_event, delete_event, respond, update_event
from calsync_plugin.graph.event_body import event_body
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request

GraphOperation = CreateEvent | UpdateEvent | DeleteEvent | Respond
_KINDS = {CreateEvent: "create", UpdateEvent: "update", DeleteEvent: "delete", Respond: "respond"}


@dataclass(slots=True)
class Job:
    """One call of Graph: whose it is, what for, and which copy it is about."""

    item: Item
    operation: GraphOperation
    copy: Copy
    request: Request | None = None

    def lost_its_event(self, error: CalsyncError) -> bool:
        """Whether the event to be updated or answered is no longer there."""
        return isinstance(error, NotFound) and isinstance(self.operation, UpdateEvent | Respond)

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
        opened = [i for i in self.items if i.state is ItemState.OPEN and not i.again]
        begun += [i for i in opened if i.changed_link and _has(i, CreateRecord)]
        self.begun = [item for item in begun if item.link is not None and item.link.version == 0]
        journal = [
            (j.item, j.copy.event_id, json.dumps(j.item.raw[j.copy.event_id]))
            for j in ready
            if isinstance(j.operation, DeleteEvent) and j.item.seen.get(j.copy.event_id)
        ]
        journal += [
            (i, "", json.dumps(dict(i.record), default=str))
            for i in opened
            if i.record is not None and _has(i, DeleteRecord)
        ]
        return Intent(begun, journal)

    def take_off(self) -> list[Request]:
        """The requests to send now; what lost a race at the commit stays behind."""
        self.jobs = [j for j in self.jobs if j.item.state is ItemState.OPEN and j.request is not None]
        return [j.request for j in self.jobs if j.request is not None]


class EventWriter:
    """Writes the planned events of items."""

    def __init__(self, inward: Inward, *, installation_id: str, new_link_id: Callable[[], str]) -> None:
        """New links get their ids from `new_link_id`; what Outlook answers comes in through `inward`."""
        self._inward = inward
        self._installation_id = installation_id
        self._new_link_id = new_link_id

    def draft(self, items: Sequence[Item]) -> list[Job]:
        """What the plans say of this mailbox's events, as requests."""
        for item in items:
            if item.link is None and item.proposed is not None and _links(item):
                item.link, item.changed_link = item.proposed, True
        jobs = [job for item in items for job in self._jobs(item)]
        self._prepare(jobs)
        return jobs

    def conclude(self, draft: Draft, outcomes: Sequence[Outcome]) -> None:
        """Take the answers in; what needs another look is marked `again`."""
        for job, outcome in zip(draft.jobs, outcomes, strict=True):
            if outcome.error is None:
                job.item.writes.append(("outlook", _KINDS[type(job.operation)]))
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
            begun = progress.begin_create(
                link, operation.mailbox_id, self._installation_id, calendar_id=item.runner_main
            )
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
        if isinstance(operation, Respond):
            return respond(operation.event_id, operation.response, item=item.name)
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
            look_again(item, job.copy)
        elif isinstance(error, PreconditionFailed) or job.lost_its_event(error):
            look_again(item, job.copy)
        elif isinstance(job.operation, Respond) and isinstance(error, ItemError):
            # What Outlook does not take as an answer concerns nothing else of the meeting.
            item.answered = job.operation.response
            item.remarks.append(f"Outlook refused the answer to the invitation: {error}")
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
            look_again(item, job.copy)
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
            deleted(item, operation, job.copy)
        elif isinstance(operation, Respond):
            item.answered, item.wrote = operation.response, True
            item.notes.append(f"the invitation was answered in Outlook: {operation.response.value}")
        elif value is None:
            look_again(item, job.copy)
        else:
            try:
                written(item, operation, job.copy, value)
                item.theirs = self._inward.theirs(item, item.seen[str(value["id"])], value)  # type: ignore[arg-type]
            except ItemError as unreadable:
                fail(item, unreadable)


def _has(item: Item, kind: type[CreateRecord | DeleteRecord]) -> bool:
    return any(isinstance(operation, kind) for operation in item.plan)


def _links(item: Item) -> bool:
    """Whether the plan makes a link of an event that has none: it is imported or adopted."""
    return any(isinstance(o, CreateRecord | UpdateRecord | SaveBase) for o in item.plan)
