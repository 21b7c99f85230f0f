"""The second half of carrying out a plan: the record, the link's own state, and the bases.

Decides what each operation that is no event's means, and what an error of the CRM means for the item. Bases
are only set here; the saver stores them last.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from calsync_plugin.crm.attributes import (
    bookkeeping_attributes,
    cancelled_attributes,
    private_attributes,
    record_attributes,
)
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway, Found, Record
from calsync_plugin.crm.relating import write_related
from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.links import CopyPurpose, LinkState, Presence
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.operations import (
    CancelRecord,
    CreateEvent,
    DeleteRecord,
    Detach,
    DropLink,
    MaskLog,
    Operation,
    RecordClash,
    Resume,
    SaveBase,
    Suspend,
    UpdateEvent,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.planner import Standing
from calsync_plugin.domain.privacy import became_closed, masked
from calsync_plugin.engine.brake import DELETION
from calsync_plugin.engine.failures import crm_refuses, fail
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.meanwhile import changed_meanwhile, is_new_match, keep_what_was_done, plan_again
from calsync_plugin.engine.rebasing import keep_answer, overlooked, rebase
from calsync_plugin.engine.record_creates import RecordCreator
from calsync_plugin.errors import (
    ItemError,
    NotFound,
    Refused,
    RemoteError,
    Unauthorized,
    VersionConflict,
)

UPDATE = ("crm", "update")


class RecordWriter:
    """Ends the work on items whose events are written."""

    def __init__(
        self, gateway: CrmGateway, gatherer: Gatherer, directory: Directory, creator: RecordCreator
    ) -> None:
        """Write through `gateway`; read back what was written through `gatherer`."""
        self._gateway = gateway
        self._gatherer = gatherer
        self._directory = directory
        self._creator = creator

    def write_first(self, item: Item) -> None:
        """Carry out a record's update that stands before an event's write in the plan.

        What Outlook changed in an event that is about to move must reach the record first, or it is lost
        with the event. The same holds for one that is about to be closed: its owner's alone afterwards.
        """
        kinds = [type(operation) for operation in item.plan]
        if UpdateRecord not in kinds:
            return
        if not {CreateEvent, UpdateEvent}.intersection(kinds[kinds.index(UpdateRecord) :]):
            return
        try:
            for operation in item.plan:
                if isinstance(operation, UpdateRecord):
                    self._update(item, operation)
        except (VersionConflict, NotFound) as error:
            plan_again(item, error)
        except (ItemError, RemoteError) as error:
            fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)

    def finish(self, item: Item) -> None:
        """Carry out what is left of the plan, and set the bases."""
        try:
            for operation in item.plan:
                self._settle(item, operation)
            self._pass_on(item)
            self._close(item)
            rebase(item)
            keep_answer(item)
            self._bookkeep(item)
        except (VersionConflict, NotFound) as error:
            if not is_new_match(item):
                keep_what_was_done(item)
            plan_again(item, error)
        except (ItemError, RemoteError) as error:
            keep_what_was_done(item)
            fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)
        else:
            _hand_on(item)
            item.again = overlooked(item)
            item.unseen.clear()
            item.state = ItemState.OPEN if item.again else ItemState.DONE

    def take_in(self, item: Item) -> None:
        """What Outlook changed comes in although it refuses what the record changed: that alone is parked."""
        updates = [o for o in item.plan if isinstance(o, UpdateRecord) and not o.fields <= item.taken_in]
        if item.link is None or not item.link.record_id or not updates:
            return
        try:
            for operation in updates:
                self._update(item, operation)
        except (VersionConflict, NotFound) as error:
            plan_again(item, error)
        except (ItemError, RemoteError) as error:
            fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)
        else:
            item.clashes += [o for o in item.plan if isinstance(o, RecordClash) and o.field in item.taken_in]
            rebase(item)

    def _settle(self, item: Item, operation: Operation) -> None:
        match operation:
            case Detach() | Suspend() | Resume():
                _change_state(item, operation)
            case DropLink(reason=reason):
                item.dropped = True
                item.notes.append(reason)
            case RecordClash():
                item.clashes.append(operation)
            case UpdateRecord(fields=fields):
                if not fields <= item.taken_in:
                    self._update(item, operation)
            case CancelRecord(reason=reason):
                self._gateway.update(item.key.entity_type, item.key.record_id, cancelled_attributes())
                item.writes.append(UPDATE)
                item.notes.append(reason)
                item.wrote = True
            case MaskLog():
                item.masks_log = True
            case DeleteRecord():
                with suppress(NotFound):
                    self._gateway.delete(item.key.entity_type, item.key.record_id)
                    item.writes.append(("crm", "delete"))
                item.dropped = True
                item.counted |= item.counting & {DELETION}
                item.notes.append(operation.reason)
                item.wrote = True
            case SaveBase(fields=fields, apart=apart):
                item.settled |= fields
                _tell_apart(item, apart)
            case Wait():
                _waits(item, operation)
            case _:
                pass

    def _update(self, item: Item, operation: UpdateRecord) -> None:
        meeting = _with_unseen(item, _without_vanished(item, operation.meeting))
        if Field.ATTENDEES in operation.fields:
            meeting = self._creator.with_contacts(item, meeting)
        write = record_attributes(meeting, operation.fields, item.entity, current=item.view)
        version = item.view.version if item.view else None
        _, sent = write_related(
            lambda attributes: self._gateway.update(
                item.key.entity_type, item.key.record_id, attributes, version=version
            ),
            write,
            self._directory,
            present=item.view.people if item.view else (),
        )
        item.writes.append(UPDATE)
        item.notes.extend(sent.notes)
        item.wrote = True
        item.settled |= operation.fields
        item.taken_in |= operation.fields
        before = item.view
        if not self._gatherer.reload([item]):
            # A base of what was there before our write would make an edit of the CRM out of it.
            raise NotFound(f"{item.name}: it cannot be read back")
        item.unseen |= changed_meanwhile(before, item.view) - operation.fields

    def _pass_on(self, item: Item) -> None:
        """The record goes to the user whose copy stands for the meeting now (R3)."""
        if item.passes_to and not item.dropped:
            owner: Record = {"assignedUserId": item.passes_to}
            self._gateway.update(item.key.entity_type, item.key.record_id, owner)
            item.writes.append(UPDATE)
            self._check_owner(item)
            item.notes.append("the organizer took its user off the meeting; it goes on with a colleague")
            item.wrote, item.passes_to = True, ""

    def _check_owner(self, item: Item) -> None:
        """Without the right to assign to others EspoCRM saves another owner, and says nothing of it."""
        loaded = self._gateway.load(item.key.entity_type, [item.key.record_id])[item.key.record_id]
        if isinstance(loaded, Found) and loaded.record.get("assignedUserId") != item.passes_to:
            raise Refused(
                "the CRM does not let us assign it to another user; its Assignment Permission must say 'all'",
                item=item.name,
                reason="assignment",
            )

    def _close(self, item: Item) -> None:
        """No team reads the record of an event that became private (R14)."""
        link, takes = item.link, Flow.IN in MODE_FLOW[item.policy.mode]
        if link is None or link.state is not LinkState.ACTIVE or item.dropped or item.view is None:
            return
        if not (takes and became_closed(link, item.theirs.meeting)):
            return
        if item.record is not None and item.record.get("teamsIds"):
            self._gateway.update(item.key.entity_type, item.key.record_id, private_attributes())
            item.writes.append(UPDATE)
        item.settled.add(Field.SENSITIVITY)

    def _bookkeep(self, item: Item) -> None:
        """The join address is ours to write in any mode (R16), and to take away if it is hidden (R14)."""
        if item.link is None or item.link.state is not LinkState.ACTIVE or item.dropped or item.view is None:
            return
        known = item.view.meeting.join_url
        if masked(item.link, item.theirs.meeting, item.policy):
            attributes: Record = {item.entity.join_url: ""} if known else {}
        else:
            wanted = item.join_url if item.join_url != known else ""
            attributes = bookkeeping_attributes(item.entity, join_url=wanted)
        if attributes:
            self._gateway.update(item.key.entity_type, item.key.record_id, attributes)
            item.writes.append(UPDATE)


def _change_state(item: Item, operation: Detach | Suspend | Resume) -> None:
    assert item.link is not None
    item.changed_link = True
    if isinstance(operation, Resume):
        item.link = replace(item.link, state=LinkState.ACTIVE, reason="")
        return
    state = LinkState.DETACHED if isinstance(operation, Detach) else LinkState.SUSPENDED
    item.link = replace(item.link, state=state, reason=operation.reason)
    item.notes.append(operation.reason)
    item.wrote = True


def _waits(item: Item, operation: Wait) -> None:
    """Whoever has to go on with it later is handed it, and its owner may have to know."""
    if item.ours.assignee.standing is Standing.WAITING:
        item.elsewhere.add(item.ours.assignee.mailbox_id)
    if operation.told and item.home_here is not None:
        item.remarks.append(operation.reason)


def _tell_apart(item: Item, fields: frozenset[Field]) -> None:
    """A change of settings lets fields cross that differ: nothing is written, a person shall know."""
    if fields:
        names = ", ".join(sorted(name.replace("_", " ") for name in fields))
        item.notes.append(f"differs in both places since the settings were changed, and stays so: {names}")
        item.wrote = True


def _without_vanished(item: Item, meeting: Meeting) -> Meeting:
    """The meeting without people who are only kept invited: the CRM refuses ids that are no more."""
    if item.view is None or item.ours.meeting is None:
        return meeting
    present = item.view.people
    vanished = {a.person for a in item.ours.meeting.attendees if a.person not in present} - {None}
    return replace(meeting, attendees=tuple(a for a in meeting.attendees if a.person not in vanished))


def _with_unseen(item: Item, meeting: Meeting) -> Meeting:
    """The meeting with the people of the record who take no part in the comparison (`outward`).

    The CRM replaces its lists as a whole: whom nobody compared must not vanish from them.
    """
    if item.view is None or item.ours.meeting is None:
        return meeting
    compared = {a.person for a in item.ours.meeting.attendees} | {a.person for a in meeting.attendees}
    unseen = tuple(a for a in item.view.meeting.attendees if a.person and a.person not in compared)
    return replace(meeting, attendees=(*meeting.attendees, *unseen))


def _hand_on(item: Item) -> None:
    """Other mailboxes that hold a copy which this run made superfluous."""
    if item.link is None or item.dropped:
        return
    item.elsewhere |= {c.mailbox_id for c in item.link.leaving}
    if item.ours.presence is Presence.GONE:
        item.elsewhere |= {c.mailbox_id for c in item.link.copies if c.purpose is not CopyPurpose.ATTENDEE}
