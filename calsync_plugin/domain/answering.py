"""A user's own answer to an invitation, between the record and the user's own mailbox (R3).

Decides whether an answer goes out through the user's own copy, comes in to the record, or stays. The answers
of others, which the home copy tells, are decided in `people`. Touches nothing else of the meeting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Response
from calsync_plugin.domain.operations import Operation, Respond, SaveBase, UpdateRecord
from calsync_plugin.domain.policy import Policy

Plan = tuple[Operation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The meeting in the mailbox of somebody invited: an attendee copy, or a home of that role."""

    mailbox_id: int
    event_id: str
    person_key: str
    """The mailbox's user as attendees are keyed: `user:ID`."""
    response: Response
    """The user's answer in Outlook now."""
    known: Response
    """The answer at the last success (`Copy.response`): the one base of both sides. Of a copy that was only
    just found: what the record says (`said`), so that nothing is sent for it."""
    takes: bool
    """Whether the user's mode lets answers go out."""
    gives: bool
    """Whether the user's mode lets answers come in."""


def said(record: Meeting | None, person_key: str) -> Response | None:
    """A person's answer as the record has it; None if the person is not on it."""
    people = record.attendees if record else ()
    return next((a.response for a in people if a.key == person_key), None)


def known_after(own: Own, record: Meeting | None) -> Response:
    """What `Copy.response` becomes after a run: it moves only if both sides say the same then.

    `own` as it is after the run (with the answer that was sent), `record` likewise.
    """
    return own.response if said(record, own.person_key) is own.response else own.known


def answered(
    planned: Plan,
    own: Own | None,
    record: Meeting,
    policy: Policy,
    *,
    over: bool,
    moved: bool,
    told: object = None,
) -> Plan:
    """The plan with what follows from the user's own answer.

    A person's own mailbox is right about the answer, unless its mode keeps it out of the CRM. `over`: nobody
    answers any more. `moved`: the event's time changed, so that the answer may have fallen to none; else one
    that fell is no news (R7), Outlook drops answers for lesser reasons. `told` is what the organizer's own
    event says already: an answer that the record has from there is not sent back.
    """
    if own is None or Field.RESPONSES not in policy.entity_fields:
        return planned
    before, after = said(record, own.person_key), _said_by(planned, record, own.person_key)
    if after is None:
        return planned
    if after is own.response:
        return planned if before is not after or own.response is own.known else _agreed(planned)
    news = own.response is not own.known and (own.response is not Response.NONE or moved)
    joined = before is None and own.response is not Response.NONE
    if (news or joined or before is own.response) and own.gives:
        return _taken(planned, own, record)
    if before in (None, own.known, Response.NONE, told) or not own.takes or over:
        return planned
    assert before is not None
    return (*planned, Respond(mailbox_id=own.mailbox_id, event_id=own.event_id, response=before))


def with_answer(meeting: Meeting, own: Own | None) -> Meeting:
    """A meeting that is to be imported, with the answer of the user whose copy of it was found."""
    if own is None or not own.gives:
        return meeting
    return replace(meeting, attendees=_with(meeting.attendees, own))


def _agreed(planned: Plan) -> Plan:
    """The plan that remembers an answer which both sides say already."""
    fields = frozenset({Field.RESPONSES})
    if any(isinstance(o, SaveBase) for o in planned):
        return tuple(replace(o, fields=o.fields | fields) if isinstance(o, SaveBase) else o for o in planned)
    return (*planned, SaveBase(fields=fields))


def _said_by(planned: Plan, record: Meeting, key: str) -> Response | None:
    """The person's answer on the record once the plan is carried out."""
    updates = (o for o in planned if isinstance(o, UpdateRecord))
    given = next((o.meeting for o in updates if o.fields & {Field.ATTENDEES, Field.RESPONSES}), record)
    return said(given, key)


def _taken(planned: Plan, own: Own, record: Meeting) -> Plan:
    """The plan with the answer in its update of the record, or in one of its own."""
    responses = frozenset({Field.RESPONSES})
    if not any(isinstance(o, UpdateRecord) for o in planned):
        meeting = replace(record, attendees=_with(record.attendees, own))
        return (*planned, UpdateRecord(meeting=meeting, fields=responses))
    return tuple(
        replace(
            o,
            meeting=replace(o.meeting, attendees=_with(o.meeting.attendees, own)),
            fields=o.fields | responses,
        )
        if isinstance(o, UpdateRecord)
        else o
        for o in planned
    )


def _with(people: Iterable[Attendee], own: Own) -> tuple[Attendee, ...]:
    return tuple(replace(a, response=own.response) if a.key == own.person_key else a for a in people)
