"""The CRM's side of a run: from marks to items, in bulk.

Decides what each record is now and who is responsible for it. What of it may leave the CRM is `outward`'s.
Does not read Outlook (`look`) and plans nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from calsync_plugin.crm.attendance import people_of
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway, Found, Loaded, Missing, Record
from calsync_plugin.crm.records import RecordView, read_record
from calsync_plugin.domain.links import CopyState, Link, Presence, link_of_marker
from calsync_plugin.domain.planner import NOBODY, Ours, Theirs, governing_mailbox
from calsync_plugin.engine.counting import Count, uncounted
from calsync_plugin.engine.inward import own_copy
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.outward import Outbound, Outward
from calsync_plugin.engine.roster import Member, Roster
from calsync_plugin.engine.versions import is_older
from calsync_plugin.errors import ItemError, Unavailable
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import ChangeKey, Store

IMPORT_WAIT = 5.0
"""Seconds until a record is looked at again that another run is about to link."""


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
        zone: Callable[[], str],
        outbound: Outbound,
        installation_id: str,
        counted: Count = uncounted,
    ) -> None:
        """Read from `store`, `gateway` and `directory`; `zone` tells the CRM installation's."""
        self._counted = counted
        self._store = store
        self._gateway = gateway
        self._directory = directory
        self._roster = roster
        self._entities = entities
        self._zone = zone
        self._installation_id = installation_id
        self._outward = Outward(directory, outbound)

    def entity(self, entity_type: str) -> EntitySettings | None:
        """The settings of an entity type, None if it is not synced."""
        return self._entities.get(entity_type)

    @property
    def any_entity(self) -> str:
        """The first entity type that is synced at all."""
        return next(iter(self._entities))

    def gather(
        self,
        member: Member,
        keys: Sequence[ChangeKey],
        now: float,
        loaded: Mapping[tuple[str, str], Loaded] | None = None,
    ) -> list[Item]:
        """Items for the marks of a member's mailbox, in their order; unknown entity types are left out.

        `loaded`: the records, if the CRM was asked for them just now.
        """
        known = [k for k in keys if k.entity_type in self._entities]
        links = self._store.links.by_records([(k.entity_type, k.record_id) for k in known])
        pairs = [(k, links.get((k.entity_type, k.record_id))) for k in known]
        return self._gather(member, pairs, now, loaded)

    def gather_links(self, member: Member, links: Sequence[Link], now: float) -> list[Item]:
        """Items for links of which an event said something; those of unknown entity types are left out."""
        known = [link for link in links if link.entity_type in self._entities]
        return self._gather(member, [(key_of(link.entity_type, link.record_id), link) for link in known], now)

    def gather_matched(self, member: Member, records: Sequence[tuple[str, str]], now: float) -> list[Item]:
        """Items for records without a link that match an event of this member's mailbox (R21).

        Raises Unavailable if one cannot be read just now: the match is known in this reading only, and an
        event that is looked at again later would get a second record.
        """
        items = self._gather(member, [(key_of(*record), None) for record in records], now)
        for item in items:
            item.member, item.policy = member, member.policy(item.entity, now)
            if item.ours.presence is Presence.UNKNOWN:
                raise Unavailable(f"{item.name} matches an event and cannot be read now")
        return items

    def fresh(self, member: Member, entity_type: str, now: float) -> Item:
        """An item for an event that has no record."""
        entity = self._entities[entity_type]
        return Item(
            key=key_of(entity_type, ""),
            mailbox_id=member.mailbox_id,
            entity=entity,
            runner=member,
            member=member,
            policy=member.policy(entity, now),
            link=None,
            ours=Ours(presence=Presence.ABSENT),
            theirs=Theirs(presence=Presence.ABSENT),
        )

    def _gather(
        self,
        member: Member,
        pairs: Sequence[tuple[ChangeKey, Link | None]],
        now: float,
        loaded: Mapping[tuple[str, str], Loaded] | None = None,
    ) -> list[Item]:
        mailbox_id, user_id = member.mailbox_id, member.account.user_id
        if loaded is None:
            loaded = self._load([key for key, _ in pairs if key.record_id])
        found = [answer.record for answer in loaded.values() if isinstance(answer, Found)]
        self._directory.prefetch({person for record in found for person in people_of(record)})
        members = {user_id: member}
        members |= self._roster.by_users({str(r.get("assignedUserId") or "") for r in found} - {user_id})
        homes = {mailbox_id: member}
        homes |= self._roster.by_mailboxes(
            {link.home.mailbox_id for _, link in pairs if link and link.home} - {mailbox_id}
        )
        items = []
        for key, link in pairs:
            answer = loaded.get((key.entity_type, key.record_id), NOT_CREATED)
            assigned = str(answer.record.get("assignedUserId") or "") if isinstance(answer, Found) else ""
            home = homes.get(link.home.mailbox_id) if link and link.home else None
            item = self._item(key, member, link, answer, members.get(assigned), home or member, now)
            item.former = home if home and home.mailbox_id != mailbox_id else None
            items.append(item)
        return items

    def reload(self, items: Sequence[Item]) -> bool:
        """Read records again after they were written, all at once (the base is what a GET says then).

        Returns whether all of them were there; what is not keeps what was known before. Raises ItemError for
        the only one that cannot be read; of several each gets its own `problem`.
        """
        loaded = self._load([item.key for item in items])
        for item in items:
            answer = loaded[item.key.entity_type, item.key.record_id]
            if not isinstance(answer, Found):
                continue
            try:
                view = self._view(item, answer.record)
                self._take_in(item, view, answer.record)
            except ItemError as error:
                if len(items) == 1:
                    raise
                item.problem = error
        return all(isinstance(answer, Found) for answer in loaded.values())

    def _load(self, keys: Sequence[ChangeKey]) -> dict[tuple[str, str], Loaded]:
        by_type: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            by_type[key.entity_type].append(key.record_id)
        loaded = {
            (entity_type, record_id): answer
            for entity_type, ids in by_type.items()
            for record_id, answer in self._gateway.load(entity_type, ids).items()
        }
        self._counted("reads", "records", len(loaded))
        return loaded

    def _item(
        self,
        key: ChangeKey,
        runner: Member,
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
            mailbox_id=runner.mailbox_id,
            entity=entity,
            runner=runner,
            member=member,
            policy=member.policy(entity, now),
            link=link,
            ours=ours,
            theirs=replace(as_stored(link), own=own_copy(link, runner)),
            begun_before=link is not None and not link.record_id,
        )
        if isinstance(loaded, Missing):
            if loaded.presence is Presence.UNKNOWN:
                # A mark must not end on an answer that says nothing.
                item.state, item.error = ItemState.RETRY, f"{item.name}: {loaded.reason}"
            return item
        self._read(item, loaded.record)
        if item.link is not None and item.view is not None and is_older(item.link, item.view.modified_at):
            # Nobody edited it back: what both sides are is compared anew (section 4.1, a lost base).
            item.link = replace(item.link, crm_base=None)
        return item

    def _read(self, item: Item, record: Record) -> None:
        try:
            self._take_in(item, self._view(item, record), record)
        except ItemError as error:
            item.problem = error
        if item.link is None and item.view is not None and self._is_being_imported(item.view):
            item.state, item.retry_after = ItemState.RETRY, IMPORT_WAIT
            item.error = f"{item.name}: it is being created from an event"

    def _view(self, item: Item, record: Record) -> RecordView:
        """A record as a meeting; one without a zone has its user's, else the installation's (R15)."""
        zone = item.member.account.user_zone or self._zone()
        return read_record(record, item.entity, self._directory, installation_zone=zone)

    def _is_being_imported(self, view: RecordView) -> bool:
        """Whether a run is creating this very record: its host reports it before the link is saved.

        A marker that came along when somebody duplicated a record names a link that has its record.
        """
        link_id = link_of_marker(view.marker, self._installation_id) if view.marker else None
        link = self._store.links.by_ids([link_id]).get(link_id) if link_id else None
        return link is not None and not link.record_id

    def _take_in(self, item: Item, view: RecordView, record: Record) -> None:
        """Put a record that was read on its item, as far as it may leave the CRM. Raises ItemError."""
        meeting = self._outward.of(
            view.meeting, record, item.member, item.link, item.name, event=item.theirs.meeting
        )
        assignee = item.ours.assignee
        item.view, item.record = view, record
        item.ours = Ours(
            presence=Presence.PRESENT,
            meeting=meeting,
            assignee=assignee if assignee.user_id else replace(NOBODY, user_id=view.assigned_user_id),
            modified_at=view.modified_at,
        )
        item.notes.extend(note for note in view.notes if note not in item.notes)


NOT_CREATED = Missing(Presence.ABSENT, "the record is not created yet")


def key_of(entity_type: str, record_id: str) -> ChangeKey:
    """A key without marks: an event brought the item, not a record's change."""
    return ChangeKey(entity_type, record_id, (), 0, 0.0)


def as_stored(link: Link | None) -> Theirs:
    """Outlook's side as far as the store knows it: unchanged since its base, unless somebody looks."""
    if link is None or link.home is None:
        return Theirs(presence=Presence.ABSENT)
    known = link.home.state is CopyState.LIVE
    return Theirs(presence=Presence.PRESENT if known else Presence.UNKNOWN)
