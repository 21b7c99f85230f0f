"""What is sent to Outlook: creates and updates, and when they have to wait (R1, R8).

Decides whether and with which fields the event is written, so that nobody is mailed without need. Does not
decide what the two sides should look like (`merge`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from calsync_plugin.domain.backfill import may_push
from calsync_plugin.domain.carried import Flow, with_flow
from calsync_plugin.domain.links import Copy, Link
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.merge import Merged
from calsync_plugin.domain.operations import CreateEvent, UpdateEvent, Wait
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.privacy import masked
from calsync_plugin.domain.timespan import over_in_normal_form

MAILING = frozenset({Field.ATTENDEES, Field.ONLINE})
"""What makes a meeting of an appointment; without them Outlook writes to nobody."""

OLD = Wait(reason="older than the account; waits for the confirmed back-fill")


def create_event(
    mailbox_id: int,
    meeting: Meeting,
    modified_at: datetime | None,
    flows: Mapping[Field, Flow],
    policy: Policy,
    *,
    moves: bool,
) -> CreateEvent | Wait | None:
    """The create of one event, or why it has to wait; None if nothing may go out."""
    fields = with_flow(flows, Flow.OUT)
    if not fields:
        return None
    if not may_push(modified_at, policy):
        return OLD
    if meeting.span.over_at(policy.now):
        # Outlook would invite people to a meeting that is over; the appointment alone mails nobody.
        fields -= MAILING
    return CreateEvent(mailbox_id=mailbox_id, meeting=meeting, fields=fields, moves=moves)


def update_event(
    link: Link,
    home: Copy,
    merged: Merged,
    theirs: Meeting | None,
    modified_at: datetime | None,
    policy: Policy,
) -> UpdateEvent | Wait | None:
    """The update of the home copy, or why it has to wait; None if there is nothing to write."""
    if not merged.to_outlook:
        return None
    if not may_push(modified_at, policy):
        return OLD
    update = UpdateEvent(
        mailbox_id=home.mailbox_id,
        event_id=home.event_id,
        meeting=merged.meeting,
        fields=merged.to_outlook,
        added=merged.added,
        removed=merged.removed,
    )
    if not (merged.meeting.span.over_at(policy.now) and has_ended(link, theirs, policy.now)):
        return update
    if has_attendees(link, theirs, policy):
        return Wait(reason="the meeting is over; an update would only mail its attendees")
    if quiet := merged.to_outlook - MAILING:
        return replace(update, fields=quiet, added=(), removed=())
    return Wait(reason="the meeting is over; nobody is invited to it any more")


def has_ended(link: Link, theirs: Meeting | None, now: datetime) -> bool:
    """Whether the event, as Outlook has it, is over."""
    if theirs is not None:
        return theirs.span.over_at(now)
    known = link.outlook_base.values.get(Field.SPAN) if link.outlook_base else None
    return known is None or over_in_normal_form(known, now)


def has_attendees(link: Link, theirs: Meeting | None, policy: Policy) -> bool:
    """Whether Outlook would write to somebody about the event, or may: whom a mask hides is not known."""
    if theirs is not None:
        return bool(theirs.attendees)
    if masked(link, None, policy):
        return True
    return bool(link.outlook_base and link.outlook_base.values.get(Field.ATTENDEES))
