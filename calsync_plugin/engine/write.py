"""Carries out what was planned: events in one batch, records through the gateway.

Decides how each operation is sent and what its answer means for the item. Intents and journal entries are
committed before anything is sent; bases are only set here, the saver stores them last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from calsync_plugin.crm.attributes import bookkeeping_attributes, record_attributes
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import Base, Copy, CopyPurpose, Link, LinkState, Presence, marker
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.operations import (
    CreateEvent,
    DeleteEvent,
    DeleteRecord,
    Detach,
    DropLink,
    Operation,
    RecordClash,
    Resume,
    SaveBase,
    Suspend,
    UpdateEvent,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.planner import Standing, Theirs
from calsync_plugin.engine import progress
from calsync_plugin.engine.brake import DELETION, MAIL
from calsync_plugin.engine.failures import fail
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, Stage
from calsync_plugin.engine.saver import Saver
from calsync_plugin.engine.sweep import version_of
from calsync_plugin.errors import (
    CalsyncError,
    DuplicateTransaction,
    InvalidEvent,
    ItemError,
    MailboxUnusable,
    NotFound,
    PreconditionFailed,
    RemoteError,
    UnknownOutcome,
    VersionConflict,
)
from calsync_plugin.graph.calendar import create_event, delete_event, update_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.event_body import event_body
from calsync_plugin.graph.events import read_event
from calsync_plugin.graph.protocol import JsonObject, Request
from calsync_plugin.state import Lease

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


class Writer:
    """Writes the planned operations of items."""

    def __init__(
        self,
        *,
        gateway: CrmGateway,
        gatherer: Gatherer,
        saver: Saver,
        installation_id: str,
        new_link_id: Callable[[], str],
    ) -> None:
        """Write to the CRM through `gateway`; commit intents through `saver`."""
        self._gateway = gateway
        self._gatherer = gatherer
        self._saver = saver
        self._new_link_id = new_link_id
        self.installation_id = installation_id

    def write(self, lease: Lease, client: MailboxClient, items: Sequence[Item]) -> None:
        """Carry out the plans; items that need another look stay open."""
        for item in items:
            item.again = False
        jobs = [job for item in items for job in self._jobs(item)]
        self._prepare(jobs)
        self._intend(lease, jobs)
        jobs = [j for j in jobs if j.item.stage is Stage.OPEN and j.request is not None]
        outcomes = client.batch([j.request for j in jobs if j.request])
        for job, outcome in zip(jobs, outcomes, strict=True):
            self._concluded(job, outcome.value, outcome.error)
        for item in items:
            if item.stage is Stage.OPEN and not item.again:
                self._finish(item)

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
            begun = progress.begin_create(link, operation.mailbox_id, self.installation_id)
            item.changed_link = item.changed_link or begun != item.link
            item.link = begun
            assert begun.home is not None
            return begun.home
        assert item.link is not None
        return next(c for c in item.link.copies if c.event_id == operation.event_id)

    def _prepare(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            try:
                job.request = self._request(job)
            except ItemError as error:
                fail(job.item, error)

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
            marker=marker(self.installation_id, item.link.id),
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

    def _intend(self, lease: Lease, jobs: Sequence[Job]) -> None:
        """Commit begun creates and the content of what is about to be deleted, before anything is sent."""
        ready = [j for j in jobs if j.item.stage is Stage.OPEN]
        begun = [j.item for j in ready if isinstance(j.operation, CreateEvent) and j.item.changed_link]
        journal = [
            (j.item, j.copy.event_id, _content(j.item, j.copy))
            for j in ready
            if isinstance(j.operation, DeleteEvent) and j.item.seen.get(j.copy.event_id)
        ]
        if begun or journal:
            self._saver.intend(lease, begun, journal)

    # --- what the answers mean

    def _concluded(self, job: Job, value: JsonObject | None, error: CalsyncError | None) -> None:
        item = job.item
        if error is None or (isinstance(error, NotFound) and isinstance(job.operation, DeleteEvent)):
            try:
                self._succeeded(job, value)
            except InvalidEvent as unreadable:
                fail(item, unreadable)
            return
        if isinstance(error, DuplicateTransaction):
            self._key_was_used(item)
        elif isinstance(error, UnknownOutcome) and item.unknown < 1:
            item.unknown += 1
            _look_again(item, job.copy)
        elif isinstance(error, PreconditionFailed) or job.lost_its_event(error):
            _look_again(item, job.copy)
        elif isinstance(error, NotFound):
            fail(item, MailboxUnusable("the chosen main calendar was not found; choose another one"))
        else:
            fail(item, error)

    def _key_was_used(self, item: Item) -> None:
        """The key belongs to an event that exists (then it carries our marker) or to one that was deleted."""
        assert item.link is not None
        item.again = True
        if item.looked_up:
            item.link = progress.renew_key(item.link, self.installation_id)
            item.changed_link = True
        item.looked_up = False

    def _succeeded(self, job: Job, value: JsonObject | None) -> None:
        item, operation = job.item, job.operation
        assert item.link is not None
        item.wrote = True
        item.changed_link = True
        if isinstance(operation, DeleteEvent):
            item.link = progress.copy_removed(item.link, job.copy)
            if job.copy.purpose is CopyPurpose.HOME:
                item.counted |= {DELETION} if operation.drops_link else set()
            else:
                # Whoever holds the new home may have waited for this.
                item.elsewhere |= {c.mailbox_id for c in item.link.copies if c.purpose is CopyPurpose.HOME}
            item.dropped = operation.drops_link and progress.nothing_left(item.link)
            item.notes.append(f"the event was deleted: {operation.reason}")
            return
        if value is None:
            item.again = True
            _look_again(item, job.copy)
            return
        event = read_event(value, label=item.member.label(item.entity))
        if isinstance(operation, CreateEvent):
            item.link = progress.copy_confirmed(
                item.link, job.copy, event_id=event.id, ical_uid=event.ical_uid, etag=event.etag
            )
            item.created = operation
            item.notes.append("the event was created")
        else:
            item.link = progress.etag_seen(item.link, job.copy, event.etag)
            item.counted |= {MAIL} if event.mails else set()
        item.settled |= operation.fields
        item.seen[event.id] = event
        item.theirs = Theirs(presence=Presence.PRESENT, meeting=event.meeting)
        item.join_url = event.join_url or item.join_url

    def _rebase(self, item: Item) -> None:
        """Both sides as they are now, in what was settled; what waits stays a change (`Base.after`)."""
        link, ours, theirs = item.link, item.ours.meeting, item.theirs.meeting
        if link is None or ours is None or not item.settled:
            return
        fields = frozenset(carried(link.origin, link.role, item.policy))
        settled = frozenset(item.settled)
        crm = progress.rebased(
            link.crm_base,
            seen=item.planned[0],
            now=ours,
            fields=fields,
            settled=settled,
            version=version_of(item.ours.modified_at),
        )
        if item.created is not None and Field.ATTENDEES not in item.created.fields:
            # The create left them out on purpose: they are still to be invited if the meeting moves ahead.
            crm = progress.with_value(crm, Field.ATTENDEES, {})
        item.link = replace(link, crm_base=crm)
        if theirs is not None and link.home is not None:
            outlook = progress.rebased(
                link.outlook_base,
                seen=item.planned[1],
                now=theirs,
                fields=fields,
                settled=settled,
                version=link.home.etag,
            )
            also = theirs.normal_form({Field.ATTENDEES, Field.ONLINE} - outlook.values.keys())
            item.link = replace(item.link, outlook_base=Base({**outlook.values, **also}, outlook.version))
        item.changed_link = True

    # --- after the events: the link itself, and the record

    def _finish(self, item: Item) -> None:
        try:
            for operation in item.plan:
                self._settle(item, operation)
            self._rebase(item)
            self._bookkeep(item)
        except VersionConflict:
            item.stage = Stage.CONTESTED
        except NotFound:
            item.stage = Stage.CONTESTED
        except (ItemError, RemoteError) as error:
            self._rebase(item)
            fail(item, error)
        else:
            self._hand_on(item)
            item.stage = Stage.DONE

    def _settle(self, item: Item, operation: Operation) -> None:
        match operation:
            case Detach(reason=reason) | Suspend(reason=reason):
                assert item.link is not None
                state = LinkState.DETACHED if isinstance(operation, Detach) else LinkState.SUSPENDED
                item.link = replace(item.link, state=state, reason=reason)
                item.notes.append(reason)
                item.changed_link = item.wrote = True
            case Resume():
                assert item.link is not None
                item.link = replace(item.link, state=LinkState.ACTIVE, reason="")
                item.changed_link = True
            case DropLink(reason=reason):
                item.dropped = True
                item.notes.append(reason)
            case RecordClash():
                item.clashes.append(operation)
            case UpdateRecord():
                self._update_record(item, operation)
            case DeleteRecord():
                self._gateway.delete(item.key.entity_type, item.key.record_id)
                item.dropped = True
                item.notes.append(operation.reason)
                item.wrote = True
            case SaveBase(fields=fields):
                item.settled |= fields
            case Wait() if item.ours.assignee.standing is Standing.WAITING:
                item.elsewhere.add(item.ours.assignee.mailbox_id)
            case _:
                pass

    def _update_record(self, item: Item, operation: UpdateRecord) -> None:
        write = record_attributes(operation.meeting, operation.fields, item.entity, current=item.view)
        version = item.view.version if item.view else None
        self._gateway.update(item.key.entity_type, item.key.record_id, write.attributes, version=version)
        item.notes.extend(write.notes)
        item.wrote = True
        item.settled |= operation.fields
        self._gatherer.reload(item)

    def _bookkeep(self, item: Item) -> None:
        """The join address is ours to write in any mode (R16)."""
        if not item.join_url or item.view is None or item.view.meeting.join_url == item.join_url:
            return
        attributes = bookkeeping_attributes(item.entity, join_url=item.join_url)
        if attributes:
            self._gateway.update(item.key.entity_type, item.key.record_id, attributes)

    def _hand_on(self, item: Item) -> None:
        """Other mailboxes that hold a copy which this run made superfluous."""
        if item.link is None or item.dropped:
            return
        item.elsewhere |= {c.mailbox_id for c in item.link.leaving}
        if item.ours.presence is Presence.GONE:
            item.elsewhere |= {c.mailbox_id for c in item.link.copies}


def _look_again(item: Item, copy: Copy) -> None:
    """Read what is really there, and plan again from that."""
    item.again = True
    item.looked_up = False
    if copy.event_id:
        item.seen.pop(copy.event_id, None)
        item.must_see.add(copy.event_id)


def _content(item: Item, copy: Copy) -> str:
    """What the journal keeps of an event, as the service gave it."""
    return json.dumps(item.raw[copy.event_id])
