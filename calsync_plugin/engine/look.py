"""Outlook's side of a run: what has to be looked at before or between plans, read in batches.

Decides when the stored state of an event is not enough, and what an answer says about its presence. Plans
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from calsync_plugin.domain.links import (
    Copy,
    CopyPurpose,
    CopyState,
    Link,
    LinkState,
    Origin,
    Presence,
    marker,
)
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.operations import CreateEvent, DeleteEvent, UpdateEvent
from calsync_plugin.domain.planner import Theirs
from calsync_plugin.engine.failures import fail
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.progress import copy_confirmed, copy_found, copy_removed, etag_seen
from calsync_plugin.engine.roster import READY
from calsync_plugin.errors import CalsyncError, InvalidEvent, NotFound, Transient
from calsync_plugin.graph.calendar import calendar_of, find_by_marker, get_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request

Failed = Callable[[Item, CalsyncError], None]


def needs_look(item: Item) -> bool:
    """Whether this item cannot be planned from the store alone."""
    return bool(list(_wanted(item)))


def look(client: MailboxClient, items: Sequence[Item], installation_id: str) -> None:
    """Read what the items need, in as few batches as possible; what was learnt lies in the items afterwards.

    An error that concerns one item marks that item; one of the whole mailbox is kept on the items as `halt`.
    """
    _look(client, [(item, copy) for item in items for copy in _wanted(item)], installation_id, fail)


def moves_unseen(item: Item) -> bool:
    """Whether an event is about to move here that nobody has looked at in its former home (R2)."""
    home = item.link.home if item.link else None
    return (
        item.state is ItemState.OPEN
        and home is not None
        and home.state is CopyState.LIVE
        and home.event_id not in item.seen
        and item.former is not None
        and item.former.account.status in READY
        and not item.former_asked
        and any(isinstance(o, CreateEvent) and o.moves for o in item.plan)
    )


def look_at_former_homes(client: MailboxClient, items: Sequence[Item]) -> None:
    """Read events in the mailbox that they are about to leave: edited or removed there, they move otherwise.

    Reading needs no lease. What is wrong with that mailbox is not to be blamed on the one of this run.
    """
    pairs = [(item, item.link.home) for item in items if item.link and item.link.home]
    for item in items:
        item.former_asked = True
    _look(client, pairs, "", _of_another_mailbox)


def _of_another_mailbox(item: Item, error: CalsyncError) -> None:
    """Wait for a service that is away; an account that needs its user is not waited for."""
    if isinstance(error, Transient):
        item.state, item.error, item.retry_after = ItemState.RETRY, str(error), error.retry_after


def _look(
    client: MailboxClient, pairs: Sequence[tuple[Item, Copy]], installation_id: str, failed: Failed
) -> None:
    requests = [list(_requests(item, copy, installation_id)) for item, copy in pairs]
    outcomes = iter(client.batch([request for several in requests for request in several]))
    for (item, copy), several in zip(pairs, requests, strict=True):
        found = [next(outcomes) for _ in several]
        error = next((o.error for o in found if o.error and not isinstance(o.error, NotFound)), None)
        if error is not None:
            failed(item, error)
        elif copy.event_id:
            _read(item, copy, _present(found))
        else:
            _looked_up(item, copy, found[0].value)


def _requests(item: Item, copy: Copy, installation_id: str) -> Iterator[Request]:
    """Where an event lies is asked as well: a deleted item keeps its id and may still be readable."""
    if copy.event_id:
        yield get_event(copy.event_id, item=item.name)
        yield calendar_of(copy.event_id, item=item.name)
    else:
        assert item.link is not None
        yield find_by_marker(marker(installation_id, item.link.id), item=item.name)


def _present(outcomes: Sequence[Outcome]) -> JsonObject | None:
    """The event, or None if it is gone: not there, or in none of the mailbox's calendars."""
    return None if any(o.error for o in outcomes) else outcomes[0].value


def _wanted(item: Item) -> Iterator[Copy]:
    if item.state is not ItemState.OPEN or item.link is None:
        return
    if not item.looked_up:
        yield from (copy for copy in item.unresolved if not copy.event_id)
    home = item.home_here
    for copy in item.here:
        if not copy.event_id or copy.event_id in item.seen:
            continue
        deletes = any(isinstance(o, DeleteEvent) and o.event_id == copy.event_id for o in item.plan)
        begun = copy.state is CopyState.INTENDED
        matters = copy == home and _home_matters(item, item.link)
        if copy.event_id in item.must_see or begun or deletes or matters:
            yield copy


def _home_matters(item: Item, link: Link) -> bool:
    """Whether the event itself must be seen: to resume, to rebuild a base, before somebody would be mailed.

    Graph replaces the whole attendee list, and an online meeting lives in the body (Graph docs, Update
    event).
    """
    if link.state is LinkState.SUSPENDED and not item.policy.suspended:
        return True
    if link.state is LinkState.ACTIVE and (link.outlook_base is None or link.crm_base is None):
        return True
    if _join_url_missing(item, link):
        return True
    known = link.outlook_base.values if link.outlook_base else {}
    needed = {Field.ATTENDEES, Field.ONLINE} | ({Field.DESCRIPTION} if known.get(Field.ONLINE) else set())
    needed |= {Field.SPAN} if link.origin is Origin.OUTLOOK else set()
    return any(
        isinstance(o, UpdateEvent) and (bool(known.get(Field.ATTENDEES)) or bool(o.fields & needed))
        for o in item.plan
    )


def _join_url_missing(item: Item, link: Link) -> bool:
    online = bool(link.crm_base and link.crm_base.values.get(Field.ONLINE))
    return online and bool(item.entity.join_url) and item.view is not None and not item.view.meeting.join_url


def _looked_up(item: Item, intended: Copy, value: JsonObject | None) -> None:
    """The outcome of a begun create: the event that carries the marker, or none."""
    found = value.get("value") if value else None
    item.looked_up = True
    assert item.link is not None
    first = found[0] if isinstance(found, list) and found else None
    if isinstance(first, dict):
        event = read_event(first, label=item.member.label(item.entity))
        home = intended.purpose is CopyPurpose.HOME
        settle = copy_found if home else copy_confirmed
        item.link = settle(item.link, intended, event_id=event.id, ical_uid=event.ical_uid, etag=event.etag)
        _see(item, event, home=home)
    elif intended.purpose is CopyPurpose.HOME:
        item.theirs = Theirs(presence=Presence.ABSENT)
        return
    else:
        item.link = copy_removed(item.link, intended)
    item.changed_link = True


def _read(item: Item, copy: Copy, value: JsonObject | None) -> None:
    assert item.link is not None
    home = copy == item.link.home
    if value is None:
        item.seen[copy.event_id] = None
        if home:
            item.theirs = Theirs(presence=Presence.GONE)
        return
    owner = item.former if item.former and copy != item.home_here and home else item.member
    try:
        event = read_event(value, label=owner.label(item.entity))
    except InvalidEvent as error:
        item.problem, item.state = error, ItemState.PARKED
        return
    if event.etag != copy.etag:
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
