"""Where an arrived event stands in its link: which copy it is, and what is known of it.

Decides over values alone.
"""

from __future__ import annotations

from dataclasses import replace

from calsync_plugin.domain.links import Copy, CopyPurpose, CopyState, Link
from calsync_plugin.domain.meeting import Field, PersonKind, Response
from calsync_plugin.engine import progress
from calsync_plugin.engine.arriving import Arrival, Found
from calsync_plugin.engine.claims import plain_uid
from calsync_plugin.engine.item import Item
from calsync_plugin.engine.roster import Member


def placed(link: Link, event: Found, member: Member) -> Link:
    """The link with this event among its copies, as it is now."""
    view, place, mailbox_id = event.view, event.arrival.place, member.mailbox_id
    if place is not None and (link.series_ical_uid, link.original_start) != (
        place.series_uid,
        place.original_start,
    ):
        link = replace(link, series_ical_uid=place.series_uid, original_start=place.original_start)
    before = next((c for c in link.copies if c.event_id == view.id and c.mailbox_id == mailbox_id), None)
    if before is None:
        begun = next(
            (c for c in link.copies if c.transaction_id and c.transaction_id == view.transaction_id), None
        )
        if begun is not None and begun.state is CopyState.INTENDED:
            return progress.copy_found(link, begun, event_id=view.id, ical_uid=view.ical_uid, etag=view.etag)
        fresh = replace(copy_of(event, mailbox_id), response=said_before(link, member))
        return progress.joined(link, fresh, is_organizer=view.is_organizer)
    now = replace(
        before,
        etag=view.etag,
        ical_uid=uid_of_copy(event) or before.ical_uid,
        calendar_id=event.calendar_id or before.calendar_id,
        series_id=place.series_id if place else before.series_id,
    )
    return link if now == before else progress.copy_replaced(link, before, now)


def said_before(link: Link, member: Member) -> Response:
    """What the record said of a user's answer when the user was invited.

    It may be of a former invitation (EspoCRM keeps it); only what is answered from here on is sent.
    """
    known = link.crm_base.values.get(Field.RESPONSES) if link.crm_base else None
    said = known.get(f"{PersonKind.USER}:{member.account.user_id}") if isinstance(known, dict) else None
    return Response(said) if said in set(Response) else Response.NONE


def copy_of(event: Found, mailbox_id: int) -> Copy:
    """The event as a copy of its link."""
    place, view = event.arrival.place, event.view
    return Copy(
        mailbox_id=mailbox_id,
        purpose=CopyPurpose.ATTENDEE,
        state=CopyState.LIVE,
        event_id=view.id,
        calendar_id=event.calendar_id,
        ical_uid=uid_of_copy(event),
        etag=view.etag,
        series_id=place.series_id if place else "",
        response=Response.NONE,
    )


def uid_of_copy(event: Found) -> str:
    """The uid of this event alone: an occurrence may share its series', which names the whole series then."""
    place, uid = event.arrival.place, event.view.ical_uid
    return "" if place is not None and uid == plain_uid(place.series_uid) else uid


def came_by(item: Item, arrival: Arrival) -> None:
    """Remember which event brought the item."""
    item.event_id = arrival.event_id
    item.event_marks = (*item.event_marks, *arrival.mark_ids)
    item.event_attempts = max(item.event_attempts, arrival.attempts)
    item.series_id = arrival.place.series_id if arrival.place else item.series_id
