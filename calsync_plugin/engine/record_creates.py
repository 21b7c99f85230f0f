"""Records of events: created once, whatever happens on the way.

Decides to whom a new record belongs, and how a create whose outcome is not known is looked up before anything
is sent again: the CRM has no idempotency key. What a record is to hold was planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from calsync_plugin.crm.attributes import RecordWrite, new_record_attributes
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.crm.relating import write_related
from calsync_plugin.domain.links import Role, marker
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Sensitivity
from calsync_plugin.domain.operations import CreateRecord
from calsync_plugin.engine.failures import crm_refuses, fail
from calsync_plugin.engine.flooding import INVITATION
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.vouching import Vouching
from calsync_plugin.errors import ItemError, RemoteError, Unauthorized
from calsync_plugin.state import Store

BEGUN = timedelta(days=7)
"""How far back a record without a marker is looked for; what was begun is tried again within hours."""
OPEN = frozenset({Sensitivity.NORMAL, Sensitivity.PERSONAL})


class RecordCreator:
    """Creates the records that plans ask for."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        gatherer: Gatherer,
        directory: Directory,
        vouching: Vouching,
        *,
        installation_id: str,
    ) -> None:
        """Create through `gateway`, read back through `gatherer`; `vouching` knows who organizes."""
        self._store = store
        self._gateway = gateway
        self._gatherer = gatherer
        self._directory = directory
        self._vouching = vouching
        self._installation_id = installation_id

    def create(self, items: Sequence[Item]) -> None:
        """Create the records of those items whose plan says so, and read all of them back at once."""
        planned = {id(i): o for i in items for o in i.plan if isinstance(o, CreateRecord)}
        wanted = [i for i in items if id(i) in planned and i.link is not None and not i.link.record_id]
        self._vouching.confirm(wanted)
        created = []
        for item in wanted:
            operation = planned[id(item)]
            if item.state is not ItemState.OPEN:
                continue
            try:
                if self._create(item, operation):
                    created.append(item)
            except (ItemError, RemoteError) as error:
                fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)
        if created:
            self._read_back(created)

    def with_contacts(self, item: Item, meeting: Meeting) -> Meeting:
        """The meeting with contacts for its strangers, if the user wants them created (R7)."""
        if not item.runner.settings.create_contacts:
            return meeting
        people = tuple(a if a.person else self._known(item, a) for a in meeting.attendees)
        return replace(meeting, attendees=people)

    def _known(self, item: Item, stranger: Attendee) -> Attendee:
        if "@" not in stranger.address:
            return stranger
        try:
            person = self._gateway.create_contact(stranger.address, stranger.name)
        except ItemError as error:
            # The CRM wants more of a contact than this; the meeting is worth more than the relation.
            item.notes.append(f"no contact was created for {stranger.address}: {error}")
            return stranger
        self._directory.remember(stranger.address, person)
        return replace(stranger, person=person)

    def _create(self, item: Item, operation: CreateRecord) -> bool:
        """Create one record, or take over the one that an earlier run created; False to plan again."""
        assert item.link is not None
        write = self._attributes(item, operation)
        found = self._begun(item, write) if item.begun_before else None
        if found is not None:
            self._is(item, found)
            if self._gatherer.reload([item]):
                item.again = True
            else:
                item.state, item.error = ItemState.RETRY, f"{item.name}: it cannot be read back yet"
            return False
        record_id, sent = write_related(
            lambda attributes: self._gateway.create(item.key.entity_type, attributes), write, self._directory
        )
        self._is(item, record_id)
        item.notes += ["the record was created", *sent.notes]
        item.wrote = True
        item.writes.append(("crm", "create"))
        item.counted |= item.counting & {INVITATION}
        item.settled |= operation.fields
        item.taken_in |= operation.fields
        return True

    def _attributes(self, item: Item, operation: CreateRecord) -> RecordWrite:
        assert item.link is not None
        meeting = operation.meeting
        if Field.ATTENDEES in operation.fields:
            meeting = self.with_contacts(item, meeting)
        settings, own = item.runner.settings, item.theirs.own
        mine = item.link.role is Role.ATTENDEE and item.owner_id == item.runner.account.user_id
        return new_record_attributes(
            meeting,
            operation.fields,
            item.entity,
            assigned_user_id=item.owner_id or item.runner.account.user_id,
            teams=[settings.default_team] if settings.default_team and meeting.sensitivity in OPEN else [],
            marker=marker(self._installation_id, item.link.id),
            response=own.response if mine and own is not None else None,
        )

    def _begun(self, item: Item, write: RecordWrite) -> str | None:
        """The record that an earlier run created without learning of it."""
        assert item.link is not None
        entity_type, attribute = item.key.entity_type, item.entity.marker
        if attribute:
            value = marker(self._installation_id, item.link.id)
            return self._gateway.find_by_marker(entity_type, attribute, value)
        since = self._gateway.now() - BEGUN
        found = self._gateway.find_created(entity_type, write.attributes, since)
        taken = found is not None and self._store.links.by_records([(entity_type, found)])
        return None if taken else found

    def _is(self, item: Item, record_id: str) -> None:
        assert item.link is not None
        item.link = replace(item.link, record_id=record_id)
        item.key = replace(item.key, record_id=record_id)
        item.changed_link = True

    def _read_back(self, items: Sequence[Item]) -> None:
        try:
            self._gatherer.reload(items)
        except (ItemError, RemoteError) as error:
            for item in items:
                fail(item, crm_refuses(error) if isinstance(error, Unauthorized) else error)
            return
        for item in items:
            if item.problem is not None:
                fail(item, item.problem)
            elif item.ours.meeting is None:
                # Removed as soon as it was created: another look finds that out.
                item.state, item.error = ItemState.RETRY, f"{item.name}: it cannot be read back yet"
