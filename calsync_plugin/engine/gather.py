"""The CRM's side of a run: from marks to items, in bulk.

Decides what each record is now and who is responsible for it. What of it may leave the CRM is `outward`'s.
Does not read Outlook (`look`) and plans nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from calsync_plugin.crm.attendance import people_of
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway, Found, Loaded, Missing, Record
from calsync_plugin.crm.records import RecordView, read_record
from calsync_plugin.domain.links import CopyState, Link, Presence
from calsync_plugin.domain.planner import NOBODY, Ours, Theirs, governing_mailbox
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.outward import Outbound, Outward
from calsync_plugin.engine.roster import Member, Roster
from calsync_plugin.errors import ItemError
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import ChangeKey, Store


class Gatherer:
    """Loads links, records, people and accounts of many marks at once."""

    def __init__(
        self,
        *,
        store: Store,
        gateway: CrmGateway,
        directory: Directory,
        roster: Roster,
        entities: Mapping[str, EntitySettings],
        zone: str,
        outbound: Outbound,
    ) -> None:
        """Read from `store`, `gateway` and `directory`; `zone` is the CRM installation's."""
        self._store = store
        self._gateway = gateway
        self._directory = directory
        self._roster = roster
        self._entities = entities
        self._zone = zone
        self._outward = Outward(directory, outbound)

    def gather(self, member: Member, keys: Sequence[ChangeKey], now: float) -> list[Item]:
        """Items for the marks of a member's mailbox, in their order; unknown entity types are left out."""
        mailbox_id, user_id = member.mailbox_id, member.account.user_id
        known = [k for k in keys if k.entity_type in self._entities]
        links = self._store.links.by_records([(k.entity_type, k.record_id) for k in known])
        loaded = self._load(known)
        found = [answer.record for answer in loaded.values() if isinstance(answer, Found)]
        self._directory.prefetch({person for record in found for person in people_of(record)})
        members = {user_id: member}
        members |= self._roster.by_users({str(r.get("assignedUserId") or "") for r in found} - {user_id})
        homes = {mailbox_id: member}
        homes |= self._roster.by_mailboxes(
            {link.home.mailbox_id for link in links.values() if link.home} - {mailbox_id}
        )
        items = []
        for key in known:
            record = (key.entity_type, key.record_id)
            link, answer = links.get(record), loaded[record]
            assigned = str(answer.record.get("assignedUserId") or "") if isinstance(answer, Found) else ""
            home = homes.get(link.home.mailbox_id) if link and link.home else None
            item = self._item(
                key, mailbox_id, link, answer, members.get(assigned), home or homes[mailbox_id], now
            )
            item.former = home if home and home.mailbox_id != mailbox_id else None
            items.append(item)
        return items

    def reload(self, item: Item) -> None:
        """Read one record again, after it was written (the base is what a GET says then)."""
        loaded = self._gateway.load(item.key.entity_type, [item.key.record_id])[item.key.record_id]
        if isinstance(loaded, Found):
            view = read_record(loaded.record, item.entity, self._directory, installation_zone=self._zone)
            self._take_in(item, view, loaded.record)

    def _load(self, keys: Sequence[ChangeKey]) -> dict[tuple[str, str], Loaded]:
        by_type: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            by_type[key.entity_type].append(key.record_id)
        return {
            (entity_type, record_id): answer
            for entity_type, ids in by_type.items()
            for record_id, answer in self._gateway.load(entity_type, ids).items()
        }

    def _item(
        self,
        key: ChangeKey,
        mailbox_id: int,
        link: Link | None,
        loaded: Loaded,
        assigned: Member | None,
        home: Member,
        now: float,
    ) -> Item:
        entity = self._entities[key.entity_type]
        assignee = assigned.assignee(key.entity_type) if assigned else NOBODY
        presence = loaded.presence if isinstance(loaded, Missing) else Presence.PRESENT
        ours = Ours(presence=presence, assignee=assignee)
        governs = governing_mailbox(link, ours)
        member = assigned if assigned and governs == assigned.mailbox_id else home
        item = Item(
            key=key,
            mailbox_id=mailbox_id,
            entity=entity,
            member=member,
            policy=member.policy(entity, now),
            link=link,
            ours=ours,
            theirs=_as_stored(link),
        )
        if isinstance(loaded, Missing):
            if loaded.presence is Presence.UNKNOWN:
                # A mark must not end on an answer that says nothing.
                item.state, item.error = ItemState.RETRY, f"{item.name}: {loaded.reason}"
            return item
        try:
            view = read_record(loaded.record, entity, self._directory, installation_zone=self._zone)
            self._take_in(item, view, loaded.record)
        except ItemError as error:
            item.problem = error
        return item

    def _take_in(self, item: Item, view: RecordView, record: Record) -> None:
        """Put a record that was read on its item, as far as it may leave the CRM. Raises ItemError."""
        meeting = self._outward.of(view.meeting, record, item.member, item.link, item.name)
        assignee = item.ours.assignee
        item.view = view
        item.ours = Ours(
            presence=Presence.PRESENT,
            meeting=meeting,
            assignee=assignee if assignee.user_id else replace(NOBODY, user_id=view.assigned_user_id),
            modified_at=view.modified_at,
        )
        item.notes.extend(note for note in view.notes if note not in item.notes)


def _as_stored(link: Link | None) -> Theirs:
    """Outlook's side as far as the store knows it: unchanged since its base, unless somebody looks."""
    if link is None or link.home is None:
        return Theirs(presence=Presence.ABSENT)
    known = link.home.state is CopyState.LIVE
    return Theirs(presence=Presence.PRESENT if known else Presence.UNKNOWN)
