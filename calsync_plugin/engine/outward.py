"""What of a record may leave the CRM: whom its owner lets out, who stays invited, what plugins make of it.

Decides the meeting that is compared with the event. Does not decide what is done about a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import Record
from calsync_plugin.domain.links import CopyState, Link
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

    def of(self, meeting: Meeting, record: Record, member: Member, link: Link | None, item: str) -> Meeting:
        """The meeting as it may go out to this member's calendar. Raises ItemError if it must not."""
        mine = link is not None and link.home is not None and link.home.mailbox_id == member.mailbox_id
        meeting = _let_out(meeting, member, link, _invited(link) if mine else {})
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


def _let_out(meeting: Meeting, member: Member, link: Link | None, invited: dict[str, str]) -> Meeting:
    """Users always, contacts and leads by setting (R7), Teams by setting for new ones (R16).

    Whoever is invited already stays so when the setting is switched off: that removes nobody.
    """
    kinds = {PersonKind.USER}
    kinds |= {PersonKind.CONTACT} if member.settings.push_contacts else set()
    kinds |= {PersonKind.LEAD} if member.settings.push_leads else set()
    people = tuple(
        a for a in meeting.attendees if a.person is None or a.person.kind in kinds or a.key in invited
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


def _invited(link: Link | None) -> dict[str, str]:
    """Addresses of the people on the record at the last success, by key."""
    base = link.crm_base.values.get(Field.ATTENDEES) if link and link.crm_base else None
    return {str(key): str(address) for key, address in base.items()} if isinstance(base, dict) else {}
