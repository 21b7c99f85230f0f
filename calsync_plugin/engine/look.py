"""Outlook's side of a run: what has to be looked at before or between plans, read in batches.

Decides when the stored state of an event is not enough, and what an answer says about its presence. Plans
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from calsync_plugin.domain.links import Copy, CopyPurpose, Link, LinkState, Origin, Presence, marker
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.operations import DeleteEvent, UpdateEvent
from calsync_plugin.domain.planner import Theirs
from calsync_plugin.engine.failures import fail
from calsync_plugin.engine.item import Item, Stage
from calsync_plugin.engine.progress import copy_confirmed, copy_removed, etag_seen
from calsync_plugin.errors import InvalidEvent, NotFound
from calsync_plugin.graph.calendar import calendar_of, find_by_marker, get_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.protocol import JsonObject, Request


def needs_look(item: Item) -> bool:
    """Whether this item cannot be planned from the store alone."""
    return bool(list(_wanted(item)))


def look(client: MailboxClient, items: Sequence[Item], installation_id: str) -> None:
    """Read what the items need, in as few batches as possible; what was learnt lies in the items afterwards.

    An error that concerns one item marks that item; one of the whole mailbox is kept on the items as `halt`.
    """
    wanted = [(item, request, copy) for item in items for request, copy in _requests(item, installation_id)]
    outcomes = client.batch([request for _, request, _ in wanted])
    moved: list[tuple[Item, Copy, JsonObject]] = []
    for (item, _, copy), outcome in zip(wanted, outcomes, strict=True):
        if outcome.error is not None and not isinstance(outcome.error, NotFound):
            fail(item, outcome.error)
        elif copy in item.unresolved:
            _looked_up(item, copy, outcome.value)
        elif outcome.value is not None and outcome.value.get("@odata.etag") != copy.etag:
            moved.append((item, copy, outcome.value))
        else:
            _read(item, copy, outcome.value)
    if moved:
        _where(client, moved)


def _where(client: MailboxClient, moved: Sequence[tuple[Item, Copy, JsonObject]]) -> None:
    """An event that changed may have been deleted: a deleted item keeps its id and can still be read.

    It is gone if it lies in none of the mailbox's calendars.
    """
    outcomes = client.batch([calendar_of(copy.event_id, item=item.name) for item, copy, _ in moved])
    for (item, copy, value), outcome in zip(moved, outcomes, strict=True):
        if outcome.error is None or isinstance(outcome.error, NotFound):
            _read(item, copy, None if outcome.error else value)
        else:
            fail(item, outcome.error)


def _requests(item: Item, installation_id: str) -> Iterator[tuple[Request, Copy]]:
    for copy in _wanted(item):
        if copy.event_id:
            yield get_event(copy.event_id, item=item.name), copy
        else:
            assert item.link is not None
            yield find_by_marker(marker(installation_id, item.link.id), item=item.name), copy


def _wanted(item: Item) -> Iterator[Copy]:
    if item.stage is not Stage.OPEN or item.link is None:
        return
    if not item.looked_up:
        yield from item.unresolved
    home = item.home_here
    for copy in item.here:
        if not copy.event_id or copy.event_id in item.seen:
            continue
        deletes = any(isinstance(o, DeleteEvent) and o.event_id == copy.event_id for o in item.plan)
        if copy.event_id in item.must_see or deletes or (copy == home and _home_matters(item, item.link)):
            yield copy


def _home_matters(item: Item, link: Link) -> bool:
    """Whether the event itself must be seen: to resume, to rebuild a base, to keep what is not ours.

    Graph replaces the whole attendee list, and an online meeting lives in the body (Graph docs, Update
    event).
    """
    if link.state is LinkState.SUSPENDED and not item.policy.suspended:
        return True
    if link.state is LinkState.ACTIVE and (link.outlook_base is None or link.crm_base is None):
        return True
    if _join_url_missing(item, link):
        return True
    online = bool(link.outlook_base and link.outlook_base.values.get(Field.ONLINE))
    needed = {Field.ATTENDEES, Field.ONLINE} | ({Field.DESCRIPTION} if online else set())
    needed |= {Field.SPAN} if link.origin is Origin.OUTLOOK else set()
    return any(isinstance(o, UpdateEvent) and bool(o.fields & needed) for o in item.plan)


def _join_url_missing(item: Item, link: Link) -> bool:
    online = bool(link.crm_base and link.crm_base.values.get(Field.ONLINE))
    return online and bool(item.entity.join_url) and item.view is not None and not item.view.meeting.join_url


def _looked_up(item: Item, intended: Copy, value: JsonObject | None) -> None:
    """The outcome of a begun create: the event that carries the marker, or none."""
    found = value.get("value") if value else None
    item.looked_up = True
    assert item.link is not None
    if isinstance(found, list) and found:
        event = read_event(found[0], label=item.member.label(item.entity))
        item.link = copy_confirmed(
            item.link, intended, event_id=event.id, ical_uid=event.ical_uid, etag=event.etag
        )
        _see(item, event, home=intended.purpose is CopyPurpose.HOME)
    elif intended.purpose is CopyPurpose.HOME:
        item.theirs = Theirs(presence=Presence.ABSENT)
        return
    else:
        item.link = copy_removed(item.link, intended)
    item.changed_link = True


def _read(item: Item, copy: Copy, value: JsonObject | None) -> None:
    home = copy == item.home_here
    if value is None:
        item.seen[copy.event_id] = None
        if home:
            item.theirs = Theirs(presence=Presence.GONE)
        return
    try:
        event = read_event(value, label=item.member.label(item.entity))
    except InvalidEvent as error:
        item.problem, item.stage = error, Stage.PARKED
        return
    if item.link is not None and event.etag != copy.etag:
        item.link = etag_seen(item.link, copy, event.etag)
        item.changed_link = True
    item.raw[event.id] = value
    _see(item, event, home=home)


def _see(item: Item, event: EventView, *, home: bool) -> None:
    item.seen[event.id] = event
    if home:
        item.theirs = replace(item.theirs, presence=Presence.PRESENT, meeting=event.meeting)
    if home and event.join_url:
        item.join_url = event.join_url
