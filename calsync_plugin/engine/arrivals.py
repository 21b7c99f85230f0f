"""From events that Outlook told of to items: which meeting each of them is.

Decides, event by event, whether it is known, another copy of a known meeting, one that the CRM has already,
or a new one (R3, R21); and what is only an echo of our own writes. Matching is `adopting`'s, series are
`series_reading`'s, and what is done about an item is planned as for any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from calsync_plugin.domain.links import CopyPurpose, Link, Origin, Role
from calsync_plugin.engine import progress
from calsync_plugin.engine.adopting import Adopting, Stranger
from calsync_plugin.engine.arriving import Arrival, Found, Sorted
from calsync_plugin.engine.calendars import Scope
from calsync_plugin.engine.claims import Claims
from calsync_plugin.engine.failures import asking_the_crm
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.hosts import Hosts
from calsync_plugin.engine.identifying import (
    at_once,
    is_echo,
    of_series,
    same_meeting,
    series_of,
    stays_out,
    uid_of,
    vacant,
)
from calsync_plugin.engine.importing import entity_of
from calsync_plugin.engine.inward import Inward, own_copy, view_of
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.placing import came_by, copy_of, placed
from calsync_plugin.engine.roster import Member
from calsync_plugin.errors import InvalidEvent, ItemError
from calsync_plugin.state import Store


class Arrivals:
    """Sorts what arrives in one mailbox."""

    def __init__(
        self,
        store: Store,
        gatherer: Gatherer,
        inward: Inward,
        adopting: Adopting,
        hosts: Hosts,
        *,
        new_link_id: Callable[[], str],
    ) -> None:
        """Find links in `store` and records by `adopting`; `hosts` knows who organizes."""
        self._store = store
        self._gatherer = gatherer
        self._inward = inward
        self._adopting = adopting
        self._hosts = hosts
        self._new_link_id = new_link_id
        self.claims = Claims(store, inward)

    def sort(
        self,
        member: Member,
        arrivals: Sequence[Arrival],
        scope: Scope,
        now: float,
        *,
        calendar_id: str = "",
        marked: Mapping[str, str] | None = None,
    ) -> Sorted:
        """Items for `arrivals`, which lie in one calendar if it is named.

        `marked`: link ids of this installation's markers by event id, known in a full read only.
        """
        result = Sorted()
        found, unread = self._look_through(member, arrivals, result)
        result.changes = len(found) + len(unread) + len(result.to_mark) + len(result.items)
        self._identify(member, found, marked or {})
        found = [f for f in found if not stays_out(member, f, result)]
        unread = at_once(unread, found, result)
        for event in found:
            event.calendar_id = event.arrival.calendar_id or calendar_id
        with asking_the_crm():
            result.items += self._to_look_at(member, unread, now)
            result.items += self._linked(member, [f for f in found if f.link], now)
            result.items += self._unlinked(member, [f for f in found if not f.link], now, result)
        for item in result.items:
            item.scope, item.runner_main = frozenset(scope.read), scope.main
        return result

    def _look_through(
        self, member: Member, arrivals: Sequence[Arrival], result: Sorted
    ) -> tuple[list[Found], list[tuple[Arrival, Link]]]:
        """What was read of `arrivals` and is news, and those of which only the id is known."""
        known = self._store.links.by_events(member.mailbox_id, [a.event_id for a in arrivals])
        unread: list[tuple[Arrival, Link]] = []
        found: list[Found] = []
        for arrival in arrivals:
            link = arrival.link or known.get(arrival.event_id)
            if arrival.problem is not None:
                result.items.append(self._unreadable(member, arrival, link, arrival.problem))
            elif arrival.raw is None:
                series_id = series_of(arrival, link, member.mailbox_id)
                if series_id:
                    result.masters.add(series_id)
                elif link is not None:
                    unread.append((arrival, link))
                else:
                    result.settled += arrival.mark_ids
                    result.removed.append(arrival.event_id)
            elif not is_echo(arrival, link, member.mailbox_id):
                self._read(member, arrival, link, found, result)
            else:
                result.settled += arrival.mark_ids
        result.masters |= self._series_among(member.mailbox_id, result.removed)
        return found, unread

    def _series_among(self, mailbox_id: int, event_ids: Sequence[str]) -> set[str]:
        """Of events that nothing links: the series whose dates are followed here."""
        links = self._store.links.of_series(mailbox_id, event_ids)
        followed = {copy.series_id for link in links for copy in link.copies}
        return followed.intersection(event_ids)

    # --- reading

    def _read(
        self, member: Member, arrival: Arrival, link: Link | None, found: list[Found], result: Sorted
    ) -> None:
        raw = arrival.raw
        assert raw is not None
        if arrival.place is None and not arrival.alone and of_series(arrival, raw, result):
            result.settled += arrival.mark_ids
            return
        try:
            entity = self._gatherer.entity(link.entity_type) if link is not None else None
            view = view_of(raw, member, entity, link)
        except InvalidEvent as error:
            result.items.append(self._unreadable(member, arrival, link, error))
            return
        found.append(Found(arrival, view, raw, link))

    def _unreadable(self, member: Member, arrival: Arrival, link: Link | None, error: ItemError) -> Item:
        """An event that cannot be synced is parked; nothing of its link changes."""
        entity_type = link.entity_type if link else member.settings.default_entity
        if self._gatherer.entity(entity_type) is None:
            entity_type = self._gatherer.any_entity
        item = self._gatherer.fresh(member, entity_type, 0.0)
        came_by(item, arrival)
        item.problem, item.state = error, ItemState.PARKED
        return item

    # --- which meeting it is

    def _identify(self, member: Member, found: Sequence[Found], marked: Mapping[str, str]) -> None:
        """Find the links of events that no link names by id (R21)."""
        strangers = [f for f in found if f.link is None]
        if not strangers:
            return
        by_key = self._store.links.by_transactions(
            member.mailbox_id, [f.view.transaction_id for f in strangers]
        )
        claims = self.claims.of({f.view.id: (uid_of(f), f.view) for f in strangers}, member)
        by_marker = self._store.links.by_ids({marked[f.view.id] for f in strangers if f.view.id in marked})
        for event in strangers:
            claim = claims[event.view.id]
            event.meeting_uid = claim.uid
            link = by_key.get(event.view.transaction_id) or same_meeting(claim.links, event)
            # Of an invitation the marker says nothing: whoever was invited once may know it.
            if link is None and event.view.id in marked and event.view.is_organizer:
                link = vacant(by_marker.get(marked[event.view.id]), member.mailbox_id)
                link = link if link and self.claims.may_be(link, event.view, member) else None
            event.link = link
            entity = self._gatherer.entity(link.entity_type) if link else None
            event.view = view_of(event.raw, member, entity, link) if entity else event.view

    def _to_look_at(self, member: Member, unread: Sequence[tuple[Arrival, Link]], now: float) -> list[Item]:
        """Items for events of which only the id is known."""
        links = {link.id: link for _, link in unread}
        gathered = self._gatherer.gather_links(member, list(links.values()), now)
        items = {item.link.id: item for item in gathered if item.link}
        for arrival, link in unread:
            item = items.get(link.id)
            if item is not None:
                item.must_see.add(arrival.event_id)
                item.series_read = arrival.link is not None
                came_by(item, arrival)
        return list(items.values())

    def _linked(self, member: Member, found: Sequence[Found], now: float) -> list[Item]:
        """Items for events of known meetings, with what was seen."""
        by_link: dict[str, list[Found]] = {}
        links: dict[str, Link] = {}
        changed: set[str] = set()
        for event in found:
            assert event.link is not None
            before = links.get(event.link.id, event.link)
            after = placed(before, event, member)
            links[before.id] = after
            by_link.setdefault(before.id, []).append(event)
            if after != event.link:
                changed.add(before.id)
        self._inward.prefetch(event.view for event in found)
        items = self._gatherer.gather_links(member, list(links.values()), now)
        for item in items:
            assert item.link is not None
            item.changed_link = item.changed_link or item.link.id in changed
            for event in by_link[item.link.id]:
                self._show(item, member, event)
            if not item.link.record_id:
                item.owner_id = self._inward.owner(by_link[item.link.id][-1].view, member)
        return items

    def _show(self, item: Item, member: Member, event: Found) -> None:
        """Put an event that was read on its item."""
        came_by(item, event.arrival)
        item.seen[event.view.id] = event.view
        item.raw[event.view.id] = event.raw
        assert item.link is not None
        item.theirs = replace(item.theirs, own=own_copy(item.link, member))
        home = item.link.home
        is_home = home is not None and home.event_id == event.view.id and home.mailbox_id == member.mailbox_id
        if event.view.cancelled and not is_home:
            # Called off: the copy that is left says nothing of its owner's answer.
            item.link = progress.without_event(item.link, event.view.id)
            item.theirs, item.changed_link = replace(item.theirs, own=None), True
            return
        try:
            theirs = self._inward.theirs(item, event.view, event.raw)
        except ItemError as error:
            item.problem, item.state = error, ItemState.PARKED
            return
        item.theirs = theirs if is_home else replace(item.theirs, own=theirs.own)
        if is_home and event.view.join_url:
            item.join_url = event.view.join_url

    def _unlinked(self, member: Member, found: Sequence[Found], now: float, result: Sorted) -> Iterator[Item]:
        """Items for events without a link: adopted if a record matches, else new."""
        self._inward.prefetch(event.view for event in found)
        matches = self._adopting.match(member, [self._stranger(f) for f in found])
        matched = matches.records
        adopted = [f for f in found if f.view.id in matched]
        items = self._gatherer.gather_matched(member, [matched[f.view.id] for f in adopted], now)
        by_record = {(i.key.entity_type, i.key.record_id): i for i in items}
        for event in found:
            if event.view.id in matches.known:
                result.settled += event.arrival.mark_ids
                continue
            record = matched.get(event.view.id)
            item = by_record.pop(record, None) if record else None
            entity_type, note = (record[0], "") if record else entity_of(event.view, member, self._gatherer)
            origin = Origin.ADOPTED if item else Origin.OUTLOOK
            item = item or self._gatherer.fresh(member, entity_type, now)
            item.notes += [note] if note else []
            self._propose(item, member, event, origin)
            if item.state is ItemState.OPEN and origin is Origin.OUTLOOK:
                self._hosts.wait_for(item, event.view, self._store.links.creates_begun)
            yield item

    def _stranger(self, event: Found) -> Stranger:
        host = None if event.view.is_organizer else self._inward.organizer(event.view)
        return Stranger(
            view=event.view,
            single=event.arrival.place is None,
            host_id=host.id if host else "",
        )

    def _propose(self, item: Item, member: Member, event: Found, origin: Origin) -> None:
        """The link that the plan may make, and what of the event may enter."""
        place = event.arrival.place
        view = event.view
        if member.label(item.entity):
            view = event.view = view_of(event.raw, member, item.entity, None)
        copy = replace(copy_of(event, member.mailbox_id), purpose=CopyPurpose.HOME)
        item.proposed = Link(
            id=self._new_link_id(),
            entity_type=item.key.entity_type,
            record_id=item.key.record_id,
            origin=origin,
            role=Role.ORGANIZER if view.is_organizer else Role.ATTENDEE,
            copies=(copy,),
            series_ical_uid=event.meeting_uid,
            original_start=place.original_start if place else None,
        )
        came_by(item, event.arrival)
        item.seen[view.id], item.raw[view.id] = view, event.raw
        item.owner_id = self._inward.owner(view, member)
        item.theirs = replace(item.theirs, own=own_copy(item.proposed, member))
        try:
            item.theirs = self._inward.theirs(item, view, event.raw)
        except ItemError as error:
            item.problem, item.state = error, ItemState.PARKED
            return
        item.join_url = view.join_url
