"""Outlook's side of a run: what has to be looked at before or between plans, read in batches.

Decides when the stored state of an event is not enough, and what an answer says of it; plans nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
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
from calsync_plugin.domain.meeting import Field, Response
from calsync_plugin.domain.operations import CreateEvent, DeleteEvent, Respond, UpdateEvent, Wait
from calsync_plugin.domain.planner import Theirs
from calsync_plugin.engine.calendars import unreachable
from calsync_plugin.engine.failures import fail
from calsync_plugin.engine.inward import Inward, view_of
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.progress import copy_confirmed, copy_found, copy_removed, copy_replaced
from calsync_plugin.engine.roster import READY
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    InvalidEvent,
    ItemError,
    MailboxUnusable,
    NotFound,
    Transient,
    Unauthorized,
)
from calsync_plugin.graph.calendar import calendar_of, find_by_marker, get_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request

MASTER = "seriesMaster"
SERIES_WAIT = 1.0
"""Seconds until a record is looked at again whose event's series is read meanwhile."""

Failed = Callable[[Item, CalsyncError], None]


def needs_look(item: Item) -> bool:
    """Whether this item cannot be planned from the store alone."""
    return bool(list(_wanted(item)))


def look(client: MailboxClient, items: Sequence[Item], installation_id: str, inward: Inward) -> None:
    """Read what the items need, in as few batches as possible; what was learnt lies in the items afterwards.

    An error that concerns one item marks that item; one of the whole mailbox is kept on the items as `halt`.
    """
    pairs = [(item, copy) for item in items for copy in _wanted(item)]
    _look(client, pairs, installation_id, inward, fail)


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


def look_at_former_homes(client: MailboxClient, items: Sequence[Item], inward: Inward) -> None:
    """Read events in the mailbox that they are about to leave: edited or removed there, they move otherwise.

    Reading needs no lease. What is wrong with that mailbox is not to be blamed on the one of this run.
    """
    pairs = [(item, item.link.home) for item in items if item.link and item.link.home]
    for item in items:
        item.former_asked = True
    with suppress(Forbidden, MailboxUnusable, Unauthorized):
        # That mailbox's own run tells its user.
        _look(client, pairs, "", inward, _of_another_mailbox)


def _of_another_mailbox(item: Item, error: CalsyncError) -> None:
    """Wait for a service that is away; an account that needs its user is not waited for."""
    if isinstance(error, Transient):
        item.state, item.error, item.retry_after = ItemState.RETRY, str(error), error.retry_after


def _look(
    client: MailboxClient,
    pairs: Sequence[tuple[Item, Copy]],
    installation_id: str,
    inward: Inward,
    failed: Failed,
) -> None:
    requests = [list(_requests(item, copy, installation_id)) for item, copy in pairs]
    outcomes = iter(client.batch([request for several in requests for request in several]))
    answers = [[next(outcomes) for _ in several] for several in requests]
    known = [
        copy.calendar_id
        for (_, copy), found in zip(pairs, answers, strict=True)
        if copy.event_id and copy.calendar_id and _present(found) is None
    ]
    away = unreachable(client, known) if known else frozenset()
    for (item, copy), found in zip(pairs, answers, strict=True):
        error = next((o.error for o in found if o.error and not isinstance(o.error, NotFound)), None)
        if error is not None:
            failed(item, error)
        elif copy.event_id and _present(found) is None:
            _read_nothing(item, copy, away)
        elif copy.event_id:
            _read(item, copy, found[0].value or {}, _calendar_id(found), inward)
        else:
            _looked_up(item, copy, found[0].value, inward)


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


def _calendar_id(outcomes: Sequence[Outcome]) -> str:
    """Where the event lies now."""
    identity = outcomes[-1].value.get("id") if outcomes[-1].value else None
    return identity if isinstance(identity, str) else ""


def _wanted(item: Item) -> Iterator[Copy]:
    if item.state is not ItemState.OPEN or item.link is None:
        return
    if not item.looked_up:
        yield from (copy for copy in item.unresolved if not copy.event_id)
    home = None if item.link.state is LinkState.DETACHED else item.home_here
    for copy in item.here:
        if not copy.event_id or copy.event_id in item.seen:
            continue
        touched = any(isinstance(o, DeleteEvent | Respond) and o.event_id == copy.event_id for o in item.plan)
        begun = copy.state is CopyState.INTENDED
        matters = copy == home and _home_matters(item, item.link)
        if copy.purpose is CopyPurpose.ATTENDEE and not (touched or copy.event_id in item.must_see):
            continue
        if copy.event_id in item.must_see or begun or touched or matters:
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
    if link.state is LinkState.ACTIVE and item.ours.presence is Presence.GONE:
        # Gone on both sides is something else than left alone.
        return True
    if _join_url_missing(item, link) or (item.home_here is not None and not item.home_here.etag):
        return True
    if any(isinstance(o, Wait) and o.told for o in item.plan):
        # The owner is told who organizes it.
        return True
    known = link.outlook_base.values if link.outlook_base else {}
    needed = {Field.ATTENDEES, Field.ONLINE} | ({Field.DESCRIPTION} if known.get(Field.ONLINE) else set())
    needed |= {Field.SPAN} if link.origin is not Origin.CRM else set()
    return any(
        isinstance(o, UpdateEvent) and (bool(known.get(Field.ATTENDEES)) or bool(o.fields & needed))
        for o in item.plan
    )


def _join_url_missing(item: Item, link: Link) -> bool:
    online = bool(link.crm_base and link.crm_base.values.get(Field.ONLINE))
    return online and bool(item.entity.join_url) and item.view is not None and not item.view.meeting.join_url


def _looked_up(item: Item, intended: Copy, value: JsonObject | None, inward: Inward) -> None:
    """The outcome of a begun create: the event that carries the marker, or none."""
    found = value.get("value") if value else None
    item.looked_up = True
    assert item.link is not None
    first = found[0] if isinstance(found, list) and found else None
    if isinstance(first, dict):
        event = view_of(first, item.member, item.entity, item.link)
        home = intended.purpose is CopyPurpose.HOME
        settle = copy_found if home else copy_confirmed
        item.link = settle(item.link, intended, event_id=event.id, ical_uid=event.ical_uid, etag=event.etag)
        item.raw[event.id] = first
        _see(item, event, first, inward, home=home)
    elif intended.purpose is CopyPurpose.HOME:
        item.theirs = Theirs(presence=Presence.ABSENT)
        _forget_begun(item, intended)
        return
    else:
        item.link = copy_removed(item.link, intended)
    item.changed_link = True


def _read_nothing(item: Item, copy: Copy, away: frozenset[str]) -> None:
    """An event that is not there. Gone it is only if we would see it: in a calendar that is read (R12)."""
    assert item.link is not None
    # Reading a series says nothing of dates that are left alone: nobody would end the wait.
    if copy.series_id and not item.series_read and item.link.state is not LinkState.DETACHED:
        _wait_for_series(item, copy.series_id)
        return
    item.seen[copy.event_id] = None
    here = copy.mailbox_id == item.mailbox_id
    left_out = here and bool(item.scope) and bool(copy.calendar_id) and copy.calendar_id not in item.scope
    out_of_reach = copy.calendar_id in away or left_out
    if copy == item.link.home:
        presence = Presence.OUT_OF_SCOPE if out_of_reach else Presence.GONE
        item.theirs = replace(item.theirs, presence=presence, meeting=None)
        if presence is Presence.GONE:
            _forget_begun(item, copy)
    elif copy.purpose is CopyPurpose.ATTENDEE and not out_of_reach:
        _lost(item, copy)


def _forget_begun(item: Item, home: Copy) -> None:
    """Nothing came of the create for a record that is gone: former homes' runs must know, and cannot look."""
    if item.link and item.ours.presence is Presence.GONE and home.state is CopyState.INTENDED:
        item.link, item.changed_link = copy_removed(item.link, home), True


def _read(item: Item, copy: Copy, value: JsonObject, calendar_id: str, inward: Inward) -> None:
    assert item.link is not None
    home, home_here = copy == item.link.home, copy == item.home_here
    if value.get("type") == MASTER:
        # What is written to a series is written to all of its dates: they are read first.
        _wait_for_series(item, copy.event_id)
        return
    owner = item.former if item.former and not home_here and home else item.member
    try:
        event = view_of(value, owner, item.entity, item.link)
    except InvalidEvent as error:
        item.problem, item.state = error, ItemState.PARKED
        return
    found = replace(copy, etag=event.etag, calendar_id=calendar_id or copy.calendar_id)
    if found != copy:
        item.link = copy_replaced(item.link, copy, found)
        item.changed_link = True
    item.raw[event.id] = value
    _see(item, event, value, inward, home=home)
    if home_here and item.scope and calendar_id and calendar_id not in item.scope:
        # Moved to a calendar that the user did not choose (R12).
        item.theirs = replace(item.theirs, presence=Presence.OUT_OF_SCOPE)


def _wait_for_series(item: Item, series_id: str) -> None:
    """Let the series tell what became of a date: one that is gone may go on as another event (R13)."""
    item.series_to_read, item.state = series_id, ItemState.RETRY
    item.error, item.retry_after = f"{item.name}: its series is read first", SERIES_WAIT


def _lost(item: Item, copy: Copy) -> None:
    """An attendee's copy is gone: that is this person's answer, unless it belonged to a former event (R3)."""
    item.lost_copy = copy
    own, home = item.theirs.own, item.link.home if item.link else None
    former = home is not None and home.ical_uid != copy.ical_uid and bool(home.ical_uid)
    if own is not None and own.event_id == copy.event_id:
        answer = own.known if former else Response.DECLINED
        # Nothing can be answered through an event that is no more.
        item.theirs = replace(item.theirs, own=replace(own, response=answer, takes=False))


def _see(item: Item, event: EventView, raw: JsonObject, inward: Inward, *, home: bool) -> None:
    item.seen[event.id] = event
    try:
        seen = inward.theirs(item, event, raw)
    except ItemError as error:
        item.problem, item.state = error, ItemState.PARKED
        return
    item.theirs = seen if home else replace(item.theirs, own=seen.own)
    if home and item.begun_before:
        item.owner_id = inward.owner(event, item.runner)
    if home and event.join_url:
        item.join_url = event.join_url
