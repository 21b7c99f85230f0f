"""What of a record may leave the CRM: whom its owner lets out, who stays invited, what plugins make of it.

Decides the meeting that is compared with the event. Does not decide what is done about a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import Record
from calsync_plugin.domain.links import CopyState, Link, Origin, Role
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Person, PersonKind
from calsync_plugin.engine.roster import Member
from calsync_plugin.errors import ItemError
from calsync_plugin.hookspecs import Veto

Outbound = Callable[[Meeting, Record], Meeting | Veto]
"""What the host's and third parties' `calsync_outbound` make of a meeting."""


class Outward:
    """Prepares meetings of records for the way out."""

    def __init__(self, directory: Directory, outbound: Outbound) -> None:
        """Ask `directory` who still exists, and `outbound` what plugins change."""
        self._directory = directory
        self._outbound = outbound

    def of(
        self,
        meeting: Meeting,
        record: Record,
        member: Member,
        link: Link | None,
        item: str,
        *,
        event: Meeting | None = None,
    ) -> Meeting:
        """The meeting as it may go out to this member's calendar. Raises ItemError if it must not.

        `event`: what the calendar holds, if somebody looked; its people are out already.
        """
        meeting = _let_out(meeting, member, link, _out_already(link, event))
        meeting = _seated(meeting, member, link, event)
        meeting = self._keep_vanished(meeting, _invited(link))
        answer = self._outbound(meeting, record)
        if isinstance(answer, Veto):
            raise ItemError(answer.reason, item=item, reason="vetoed")
        return answer

    def _keep_vanished(self, meeting: Meeting, invited: dict[str, str]) -> Meeting:
        """People who were deleted in the CRM vanish from records by themselves and stay invited (R7)."""
        present = {a.key for a in meeting.attendees}
        missing = [Attendee.from_key(key, address) for key, address in invited.items() if key not in present]
        vanished = tuple(a for a in missing if a.person and not self._exists(a.person))
        return replace(meeting, attendees=(*meeting.attendees, *vanished)) if vanished else meeting

    def _exists(self, person: Person) -> bool:
        # What is remembered may be older than the deletion, and a cancellation cannot be taken back.
        self._directory.forget(person)
        return self._directory.card(person) is not None


def _let_out(meeting: Meeting, member: Member, link: Link | None, invited: set[str]) -> Meeting:
    """Users always, contacts and leads by setting (R7), Teams by setting for new ones (R16).

    Whoever is invited already stays so when the setting is switched off: that removes nobody.
    """
    kinds = {PersonKind.USER}
    kinds |= {PersonKind.CONTACT} if member.settings.push_contacts else set()
    kinds |= {PersonKind.LEAD} if member.settings.push_leads else set()
    people = tuple(
        a
        for a in meeting.attendees
        if a.person is None or a.person.kind in kinds or a.key in invited or a.address in invited
    )
    based = bool(link and link.crm_base and link.crm_base.values.get(Field.ONLINE))
    # A create that was begun and not confirmed is still a new one; a home that moves is none.
    begun = link is not None and link.home is not None and link.home.state is CopyState.INTENDED
    new = link is None or link.home is None or (begun and link.crm_base is None)
    wanted = member.settings.teams_for_new and new
    online = meeting.online or based or wanted
    if online == meeting.online and len(people) == len(meeting.attendees):
        return meeting
    return replace(meeting, attendees=people, online=online)


def _seated(meeting: Meeting, member: Member, link: Link | None, event: Meeting | None) -> Meeting:
    """The people as the event seats them: its host is no guest, the record's owner may be one.

    They differ where the organizer is not the record's assigned user: in somebody else's meeting, or after
    the record of an event born in Outlook was given to somebody else (4.2).
    """
    if (link is None or link.origin is Origin.CRM) and event is None:
        return meeting
    host = f"{PersonKind.USER}:{member.account.user_id}"
    hosts = link is None or (
        link.role is Role.ORGANIZER and link.home is not None and link.home.mailbox_id == member.mailbox_id
    )
    people = tuple(a for a in meeting.attendees if not (hosts and a.key == host))
    owner = meeting.organizer
    if owner is not None and owner.person and owner.key in _out_already(link, event):
        people = (*people, owner)
    return meeting if people == meeting.attendees else replace(meeting, attendees=people)


def _out_already(link: Link | None, event: Meeting | None) -> set[str]:
    """Who is on the event, at the last success or as it was seen: a setting hides nobody of them.

    Keys; of people who were not known then it is the address.
    """
    keys = set(_invited(link))
    base = link.outlook_base.values.get(Field.ATTENDEES) if link and link.outlook_base else None
    keys |= set(base) if isinstance(base, dict) else set()
    return keys | ({a.key for a in event.attendees} if event else set())


def _invited(link: Link | None) -> dict[str, str]:
    """Addresses of the people on the record at the last success, by key."""
    base = link.crm_base.values.get(Field.ATTENDEES) if link and link.crm_base else None
    return {str(key): str(address) for key, address in base.items()} if isinstance(base, dict) else {}
