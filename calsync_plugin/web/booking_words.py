"""The words for booking calendars: what each kind is for, and how its members stand.

Decides the words, and what counts as standing well. What can be booked lies in `booking`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from calsync_plugin.accounts.report import SYNCING
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.state import Account, AccountStatus, CalendarKind
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _


@dataclass(frozen=True, slots=True)
class KindWords:
    """A kind of booking calendar as people know it."""

    title: Wording
    text: Wording


KINDS: Mapping[CalendarKind, KindWords] = MappingProxyType(
    {
        CalendarKind.PERSONAL: KindWords(_("Personal"), _("One person's free times.")),
        CalendarKind.ROUND_ROBIN: KindWords(
            _("Team, taking turns"),
            _("Any free member takes the meeting; those who had fewest lately come first."),
        ),
        CalendarKind.COLLECTIVE: KindWords(
            _("Team, all together"), _("Only times at which all members are free; all of them come.")
        ),
        CalendarKind.SERVICE: KindWords(
            _("Service"), _("Any free member who gives the service; one of them can be asked for.")
        ),
        CalendarKind.EVENT: KindWords(
            _("Event"),
            _("Many guests, at a time that you set yourself; it has no members and no free times."),
        ),
    }
)
EVENT_WHY = _(
    "Events for many people are not connected to Outlook: their time is set by you and not found among free "
    "times, and whoever comes does so as a guest, not as the owner of a calendar. Plan them in the CRM."
)


class Standing(StrEnum):
    """Whether a member can be booked."""

    CONNECTED = "connected"
    NOT_CONNECTED = "not_connected"
    NEEDS_ATTENTION = "needs_attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member, or somebody who could become one."""

    user_id: str
    name: str
    address: str = ""
    standing: Standing = Standing.NOT_CONNECTED
    reason: str = ""
    """What an administrator has to know of it."""


NOT_CONNECTED = _("Cannot be booked until they connect Outlook; only they can connect.")
_TROUBLES: Mapping[AccountStatus, Wording] = MappingProxyType(
    {
        AccountStatus.RECONNECT: _(
            "Must sign in at Microsoft again; only they can. Until then nothing new is known of their time."
        ),
        AccountStatus.PAUSED: _("Paused; until it is resumed nothing new is known of their time."),
        AccountStatus.NEEDS_ATTENTION: _("Needs attention; until then nothing new is known of their time."),
    }
)


def people(calsync: Calsync, user_ids: Collection[str]) -> dict[str, Person]:
    """Users by id, in the order of their names; whoever the CRM does not name has the address or the id."""
    accounts = calsync.store.accounts.many(list(user_ids))
    names = names_of(calsync, user_ids)
    found = [_person(one, names.get(one, ""), accounts.get(one)) for one in dict.fromkeys(user_ids)]
    return {one.user_id: one for one in sorted(found, key=lambda one: (one.name.casefold(), one.user_id))}


def names_of(calsync: Calsync, user_ids: Collection[str]) -> dict[str, str]:
    """What the CRM calls these users; while it does not answer, nothing."""
    try:
        cards = calsync.gateway.people(PersonKind.USER, list(user_ids)) if user_ids else {}
    except RemoteError:
        return {}
    return {user_id: card.name for user_id, card in cards.items() if card.name}


def _person(user_id: str, name: str, account: Account | None) -> Person:
    address = account.address if account else ""
    standing, reason = standing_of(account)
    return Person(
        user_id=user_id, name=name or address or user_id, address=address, standing=standing, reason=reason
    )


def standing_of(account: Account | None) -> tuple[Standing, str]:
    """How a user stands, and what there is to know of it."""
    if account is None or not account.is_connected:
        return Standing.NOT_CONNECTED, NOT_CONNECTED
    if account.status in SYNCING:
        return Standing.CONNECTED, ""
    return Standing.NEEDS_ATTENTION, _TROUBLES[account.status]
