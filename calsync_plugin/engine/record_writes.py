"""The second half of carrying out a plan: the record, the link's own state, and the bases.

Decides what each operation that is no event's means, and what an error of the CRM means for the item. Bases
are only set here; the saver stores them last.
"""

from __future__ import annotations

from dataclasses import replace

from calsync_plugin.crm.attributes import bookkeeping_attributes, record_attributes
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import Base, CopyPurpose, LinkState, Presence
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.operations import (
    CreateEvent,
    DeleteRecord,
    Detach,
    DropLink,
    Operation,
    RecordClash,
    Resume,
    SaveBase,
    Suspend,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.planner import Standing
from calsync_plugin.engine import progress
from calsync_plugin.engine.failures import crm_refuses, fail
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.sweep import version_of
from calsync_plugin.errors import ItemError, NotFound, RemoteError, Unauthorized, VersionConflict


class RecordWriter:
    """Ends the work on items whose events are written."""

    def __init__(self, gateway: CrmGateway, gatherer: Gatherer) -> None:
        """Write through `gateway`; read back what was written through `gatherer`."""
        self._gateway = gateway
        self._gatherer = gatherer

    def write_first(self, item: Item) -> None:
        """Carry out a record's update that stands before an event's write in the plan.

        What Outlook changed in an event that is about to move must reach the record first, or it is lost
        with the event.
        """
        kinds = [type(operation) for operation in item.plan]
        if UpdateRecord not in kinds or CreateEvent not in kinds[kinds.index(UpdateRecord) :]:
            return
        try:
            for operation in item.plan:
                if isinstance(operation, UpdateRecord):
                    self._update(item, operation)
        except (VersionConflict, NotFound):
            item.state = ItemState.CONTESTED
        except (ItemError, RemoteError) as error:
            fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)

    def finish(self, item: Item) -> None:
        """Carry out what is left of the plan, and set the bases."""
        try:
            for operation in item.plan:
                self._settle(item, operation)
            _rebase(item)
            self._bookkeep(item)
        except (VersionConflict, NotFound):
            item.state = ItemState.CONTESTED
        except (ItemError, RemoteError) as error:
            # What the record did not take is still to be taken in.
            item.settled -= {f for o in item.plan if isinstance(o, UpdateRecord) for f in o.fields}
            item.settled |= item.taken_in
            _rebase(item)
            fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)
        else:
            _hand_on(item)
            item.state = ItemState.DONE

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
            case UpdateRecord(fields=fields):
                if not fields <= item.taken_in:
                    self._update(item, operation)
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

    def _update(self, item: Item, operation: UpdateRecord) -> None:
        meeting = _without_vanished(item, operation.meeting)
        write = record_attributes(meeting, operation.fields, item.entity, current=item.view)
        version = item.view.version if item.view else None
        self._gateway.update(item.key.entity_type, item.key.record_id, write.attributes, version=version)
        item.notes.extend(write.notes)
        item.wrote = True
        item.settled |= operation.fields
        item.taken_in |= operation.fields
        self._gatherer.reload(item)

    def _bookkeep(self, item: Item) -> None:
        """The join address is ours to write in any mode (R16)."""
        if not item.join_url or item.view is None or item.view.meeting.join_url == item.join_url:
            return
        attributes = bookkeeping_attributes(item.entity, join_url=item.join_url)
        if attributes:
            self._gateway.update(item.key.entity_type, item.key.record_id, attributes)


def _rebase(item: Item) -> None:
    """Both sides as they are now, in what was settled; what waits stays a change (`Base.after`)."""
    link, ours, theirs = item.link, item.ours.meeting, item.theirs.meeting
    if link is None or ours is None or not item.settled:
        return
    fields = frozenset(carried(link.origin, link.role, item.policy))
    settled = frozenset(item.settled)
    # A new event has nothing to do with the bases of a former one.
    fresh = item.created is not None
    crm = progress.rebased(
        None if fresh else link.crm_base,
        seen=item.planned[0],
        now=ours,
        fields=fields,
        settled=settled,
        version=version_of(item.ours.modified_at),
    )
    if item.created is not None and Field.ATTENDEES not in item.created.fields:
        # The create left them out on purpose: they are still to be invited if the meeting moves ahead.
        crm = progress.with_value(crm, Field.ATTENDEES, {})
    based = progress.home_based(link)
    outlook_base = based.outlook_base
    if theirs is not None and link.home is not None:
        outlook = progress.rebased(
            None if fresh else link.outlook_base,
            seen=item.planned[1],
            now=theirs,
            fields=fields,
            settled=settled,
            version=link.home.etag,
        )
        also = theirs.normal_form({Field.ATTENDEES, Field.ONLINE} - outlook.values.keys())
        outlook_base = Base({**outlook.values, **also}, outlook.version)
    item.link = replace(based, crm_base=crm, outlook_base=outlook_base)
    item.changed_link = True


def _without_vanished(item: Item, meeting: Meeting) -> Meeting:
    """The meeting without people who are only kept invited: the CRM refuses ids that are no more."""
    if item.view is None or item.ours.meeting is None:
        return meeting
    present = {a.person for a in item.view.meeting.attendees}
    vanished = {a.person for a in item.ours.meeting.attendees if a.person not in present} - {None}
    return replace(meeting, attendees=tuple(a for a in meeting.attendees if a.person not in vanished))


def _hand_on(item: Item) -> None:
    """Other mailboxes that hold a copy which this run made superfluous."""
    if item.link is None or item.dropped:
        return
    item.elsewhere |= {c.mailbox_id for c in item.link.leaving}
    if item.ours.presence is Presence.GONE:
        item.elsewhere |= {c.mailbox_id for c in item.link.copies if c.purpose is not CopyPurpose.ATTENDEE}
