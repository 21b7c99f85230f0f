"""Whose meeting an event is that names the iCalUId of a known one.

Decides by the organizer. Whoever may send an invitation chooses its iCalUId: only with the same organizer it
is the same meeting, else it is one more that happens to have that id. Does not decide which of the links it
is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calsync_plugin.domain.links import CopyState, Link
from calsync_plugin.engine.inward import Inward
from calsync_plugin.engine.roster import Member
from calsync_plugin.graph.events import EventView
from calsync_plugin.state import Store

_BY = "\nby "
"""Between an iCalUId and the organizer of one more meeting that has it; no iCalUId holds a line break."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an event's iCalUId says once its organizer is considered."""

    uid: str
    """The id under which its meeting is kept: the iCalUId, unless that is another organizer's meeting."""
    links: tuple[Link, ...]
    """The links that may be of its meeting."""


class Claims:
    """Compares organizers."""

    def __init__(self, store: Store, inward: Inward) -> None:
        """Find links in `store`; `inward` tells whether two addresses are one person's."""
        self._store = store
        self._inward = inward

    def of(self, events: Mapping[str, tuple[str, EventView]], member: Member) -> dict[str, Claim]:
        """The claims of events of one member's mailbox, by event id.

        `events`: iCalUId (of an occurrence, its series') and event by event id.
        """
        uids = {event_id: plain_uid(uid) for event_id, (uid, _) in events.items()}
        other = {event_id: _own_uid(uids[event_id], events[event_id][1], member) for event_id in events}
        links = self._store.links.by_ical_uids({*uids.values(), *other.values()} - {""})
        found = {}
        for event_id, (_, view) in events.items():
            plain, own = links.get(uids[event_id], []), links.get(other[event_id], [])
            same = {link.id: link for link in [*own, *plain] if self.may_be(link, view, member)}
            strange = bool(plain) and not any(link.id in same for link in plain)
            uid = other[event_id] if own or strange else uids[event_id]
            found[event_id] = Claim(uid, tuple(same.values()))
        return found

    def may_be(self, link: Link, view: EventView, member: Member) -> bool:
        """Whether the organizer of this event may have made the link's; of some nobody knows who did."""
        known = _organizer(link)
        organizers = frozenset(_organizers(view, member))
        return not known or known in organizers or self._inward.same_person(known, organizers)


def _organizer(link: Link) -> str:
    """Who made the link's event. While a meeting moves the base is that of the former event still (R2)."""
    moving = link.home is not None and link.home.state is CopyState.INTENDED
    return link.outlook_base.organizer if link.outlook_base and not moving else ""


def plain_uid(uid: str) -> str:
    """The iCalUId itself."""
    return uid.partition(_BY)[0]


def _own_uid(uid: str, view: EventView, member: Member) -> str:
    """The id of a meeting whose iCalUId another organizer's has already."""
    return f"{uid}{_BY}{next(iter(_organizers(view, member)), '')}" if uid else ""


def _organizers(view: EventView, member: Member) -> Iterable[str]:
    """Addresses under which the organizer may be known, the event's own first."""
    own = [member.account.address.lower()] if view.is_organizer else []
    return dict.fromkeys(filter(None, [view.organizer_address, *own]))
