"""What of an event may enter the CRM: who its people are there, what plugins and the user's privacy let in.

Decides the meeting that is compared with the record, and the mailbox owner's own answer. Does not decide what
is done about a difference. The counterpart of `outward`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from calsync_plugin.crm.directory import Directory
from calsync_plugin.domain.answering import Own
from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.links import Copy, CopyPurpose, CopyState, Link, Presence, Role
from calsync_plugin.domain.meeting import Meeting, Person, PersonKind, Response
from calsync_plugin.domain.people import recognised
from calsync_plugin.domain.planner import Theirs
from calsync_plugin.domain.policy import Mode
from calsync_plugin.engine.failures import asking_the_crm
from calsync_plugin.engine.item import Item
from calsync_plugin.engine.roster import Member
from calsync_plugin.errors import ItemError
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.hookspecs import Veto
from calsync_plugin.settings import EntitySettings

Inbound = Callable[[Meeting, Mapping[str, object]], Meeting | Veto]
"""What the host's and third parties' `calsync_inbound` make of a meeting."""


class Inward:
    """Prepares meetings of events for the way in."""

    def __init__(self, directory: Directory, inbound: Inbound) -> None:
        """Ask `directory` who somebody is, and `inbound` what plugins change."""
        self._directory = directory
        self._inbound = inbound

    def prefetch(self, views: Iterable[EventView]) -> None:
        """Find the people of many events at once."""
        addresses = {address for view in views for address in _addresses(view.meeting)}
        with asking_the_crm():
            self._directory.by_address(addresses)

    def theirs(self, item: Item, view: EventView, raw: Mapping[str, object]) -> Theirs:
        """Outlook's side as this event shows it. Raises ItemError for one that must not enter."""
        answer = self._inbound(self._named(view.meeting, item.link), raw)
        if isinstance(answer, Veto):
            raise ItemError(answer.reason, item=item.name, reason="vetoed")
        own = item.theirs.own
        if own is not None and own.event_id == view.id:
            own = replace(own, response=view.response)
        return Theirs(presence=Presence.PRESENT, meeting=answer, own=own)

    def same_person(self, one: str, others: Iterable[str]) -> bool:
        """Whether the CRM knows this address and one of the others as one person's."""
        with asking_the_crm():
            people = self._directory.by_address([one, *others])
        return one in people and any(people.get(other) == people[one] for other in others)

    def organizer(self, view: EventView) -> Person | None:
        """The active CRM user who organizes the meeting; None if it is nobody of the CRM's users."""
        organizer = view.meeting.organizer
        if organizer is None or not organizer.address:
            return None
        with asking_the_crm():
            person = self._directory.by_address([organizer.address]).get(organizer.address)
            if person is None or person.kind is not PersonKind.USER:
                return None
            card = self._directory.card(person)
        return person if card is not None and card.active else None

    def owner(self, view: EventView, member: Member) -> str:
        """The user to whom a new record of an event in this member's mailbox belongs (4.2).

        That is the organizer if it is an active CRM user, else the mailbox's user.
        """
        organizer = None if view.is_organizer else self.organizer(view)
        return organizer.id if organizer else member.account.user_id

    def _named(self, meeting: Meeting, link: Link | None) -> Meeting:
        """The meeting with its people as the CRM knows them; whom the link knows by address stays (R7)."""
        meeting = recognised(link.outlook_base if link else None, meeting)
        strangers = [a.address for a in meeting.attendees if a.person is None and a.address]
        if not strangers:
            return meeting
        with asking_the_crm():
            known = self._directory.by_address(strangers)
        taken = {a.person for a in meeting.attendees if a.person}
        people = []
        for attendee in meeting.attendees:
            person = known.get(attendee.address) if attendee.person is None else None
            if person is not None and person not in taken:
                taken.add(person)
                attendee = replace(attendee, person=person)  # noqa: PLW2901
            people.append(attendee)
        return replace(meeting, attendees=tuple(people))


def view_of(raw: JsonObject, member: Member, entity: EntitySettings | None, link: Link | None) -> EventView:
    """An event of a member's mailbox, its subject without the label, be it a former one (R4).

    Raises InvalidEvent.
    """
    former = link.outlook_base.label if link and link.outlook_base else ""
    return read_event(raw, label=member.label(entity) if entity else "", former_label=former)


def own_copy(link: Link | None, runner: Member) -> Own | None:
    """The copy of a meeting in a mailbox whose user is invited to it; as in the store, nobody has looked."""
    if link is None:
        return None
    copy = next((c for c in link.copies if _answers(c, link, runner.mailbox_id)), None)
    if copy is None:
        return None
    flow = MODE_FLOW[Mode(runner.settings.mode)]
    return Own(
        mailbox_id=copy.mailbox_id,
        event_id=copy.event_id,
        person_key=f"{PersonKind.USER}:{runner.account.user_id}",
        response=copy.response,
        known=copy.response,
        takes=Flow.OUT in flow,
        gives=Flow.IN in flow,
    )


def refused(own: Own | None) -> Own | None:
    """The answer of somebody whose own copy of a meeting is gone; through it nothing can be answered (R3)."""
    return own and replace(own, response=Response.DECLINED, takes=False)


def _answers(copy: Copy, link: Link, mailbox_id: int) -> bool:
    if copy.mailbox_id != mailbox_id or copy.state is not CopyState.LIVE or not copy.event_id:
        return False
    return copy.purpose is CopyPurpose.ATTENDEE or (
        copy.purpose is CopyPurpose.HOME and link.role is Role.ATTENDEE
    )


def _addresses(meeting: Meeting) -> set[str]:
    organizer = {meeting.organizer.address} if meeting.organizer else set()
    return ({a.address for a in meeting.attendees} | organizer) - {""}
