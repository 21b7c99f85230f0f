"""To whom a slot is given, decided under the locks of the store. Pure.

Decides by the very rules that offer slots, applied to what was read within the transaction: whoever got a
time a moment ago is not free any more. Round robin and service give it to one, whose turn it is; of a team
that comes together all take part or nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from calsync_plugin.booking.owners import Owner
from calsync_plugin.booking.taking import apart, busy_now
from calsync_plugin.domain.availability import Interval, joined
from calsync_plugin.domain.slots import Member, Mode, Wanted, in_turn, slots
from calsync_plugin.domain.slots import Record as Turns
from calsync_plugin.state import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A slot that was found free a moment ago, and all that counts for giving it away."""

    slot: Interval
    wanted: Wanted
    owners: Mapping[str, Owner]
    """Who can have it, by id; for a team that comes together everybody."""
    priorities: Mapping[str, int]
    days: Interval
    """The days whose bookings count."""
    since: float
    """From when turns are counted."""
    apart: Interval = (0, 0)
    """How much is kept free before and after other bookings, besides what is wanted."""
    last: frozenset[str] = frozenset()
    """Who gets it only if none of the others can: Outlook could not be asked about them a moment ago."""

    @property
    def mode(self) -> Mode:
        """Whose time it needs."""
        return self.wanted.mode

    @property
    def around(self) -> Interval:
        """The slot with its buffers."""
        return self.slot[0] - self.wanted.before, self.slot[1] + self.wanted.after

    def without(self, user_ids: Collection[str]) -> Offer:
        """The offer without some users."""
        owners = {one: owner for one, owner in self.owners.items() if one not in user_ids}
        return replace(self, owners=owners)

    def needs_all(self) -> bool:
        """Whether it is no offer any more without one of its users."""
        return self.mode is not Mode.ROUND_ROBIN


def given(offer: Offer, standing: Standing, *, keeps: str = "") -> list[str] | None:
    """Whose time is taken, the assigned user first; None if it is not free any more.

    `keeps`: who has it already, and keeps it if still free.
    """
    free = _free(offer, standing)
    if not free or (offer.needs_all() and len(free) < len(offer.owners)):
        return None
    turns = in_turn(_turns(user_id, offer, standing) for user_id in free)
    ordered = sorted(turns, key=lambda user_id: (user_id != keeps, user_id in offer.last))
    return ordered if offer.mode is Mode.COLLECTIVE else ordered[:1]


def _free(offer: Offer, standing: Standing) -> tuple[str, ...]:
    """Who can begin at the slot. Notice and hours were looked at before: they do not change at once."""
    whole = (offer.slot[0], offer.slot[1])
    busy = busy_now(standing, offer.owners)
    members = [_member(one, offer, standing, busy[one]) for one in offer.owners]
    found = slots(replace(offer.wanted, window=whole, mode=Mode.ROUND_ROBIN), members)
    return next((slot.user_ids for slot in found if slot.start == whole[0]), ())


def _member(user_id: str, offer: Offer, standing: Standing, busy: list[Interval]) -> Member:
    booked = standing.booked.get(user_id, ())
    return Member(
        user_id=user_id,
        busy=joined([*busy, *apart(booked, offer.apart)]),
        hours=[offer.slot],
        booked=[start for start, _end in booked],
    )


def _turns(user_id: str, offer: Offer, standing: Standing) -> Turns:
    turn = standing.turns.get(user_id)
    return Turns(
        user_id=user_id,
        booked_lately=turn.booked if turn else 0,
        priority=offer.priorities.get(user_id, 0),
        # In thousandths: of two who were booked within a second one has waited longer.
        last_booked=int(turn.last * 1000) if turn and turn.last is not None else None,
    )
