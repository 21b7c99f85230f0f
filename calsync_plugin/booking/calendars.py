"""Booking calendars: what can be booked, set up by an administrator.

Decides what makes one complete, who sees it, and what the audit log says. What its rules mean is `rules`';
whether its members are connected is their own affair: an administrator cannot connect for them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from calsync_plugin.accounts import auditing
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.rules import rules_of
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.errors import RemoteError, SettingsError, StaleLink
from calsync_plugin.graph import zones
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import BookingCalendar, CalendarKind, Store
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

LONGEST_NAME = 100
MOST_MEMBERS = 100
MOST_PRIORITY = 100


class Calendars:
    """The booking calendars of an installation."""

    def __init__(
        self, store: Store, gateway: Callable[[], Any], entities: Mapping[str, EntitySettings]
    ) -> None:
        """Keep them in `store`; `gateway` gives the `CrmGateway` that knows users without an account."""
        self._store = store
        self._gateway = gateway
        self._entities = entities

    def list(self) -> list[BookingCalendar]:
        """All of them, by name."""
        return self._store.booking_calendars.all()

    def get(self, calendar_id: str) -> BookingCalendar | None:
        """One of them, None if there is none of this id."""
        return self._store.booking_calendars.get(calendar_id)

    def visible_to(self, user_id: str, *, admin: bool = False) -> Sequence[BookingCalendar]:
        """Those that somebody may ask about: an administrator about all, others where they are members."""
        return self.list() if admin else self._store.booking_calendars.of_member(user_id)

    def save(self, actor: Actor, calendar: BookingCalendar) -> BookingCalendar:
        """Add one (without id and version) or change one. Raises SettingsError for what is not complete."""
        before = self.get(calendar.id) if calendar.id else None
        if calendar.id and before is None:
            raise SettingsError(_("There is no such booking calendar; it may have been removed."))
        wanted = replace(calendar, id=calendar.id or uuid4().hex, name=calendar.name.strip())
        for problem in self._problems(wanted, before):
            raise SettingsError(problem)
        try:
            saved = self._store.booking_calendars.save(wanted)
        except StaleLink as error:
            raise SettingsError(
                _("Somebody else changed this booking calendar meanwhile; look at it again, then save.")
            ) from error
        self._note(actor, before, saved)
        return saved

    def remove(self, actor: Actor, calendar_id: str) -> bool:
        """Remove one; whether it was there. What was booked stays booked."""
        calendar = self.get(calendar_id)
        if calendar is None or not self._store.booking_calendars.remove(calendar_id):
            return False
        auditing.note(self._store, actor, "removed the booking calendar", subject=calendar.name)
        return True

    def _problems(self, calendar: BookingCalendar, before: BookingCalendar | None) -> Iterator[str]:
        """What keeps a booking calendar from being saved; the rules are checked by their schema."""
        if not calendar.name or len(calendar.name) > LONGEST_NAME or not calendar.name.isprintable():
            yield _("name: write one of at most %(number)s characters.", number=LONGEST_NAME)
        rules = rules_of(calendar.rules)
        if rules.entity_type not in self._entities:
            known = tuple(self._entities)
            yield _("entity_type: is not synced; there are %(known)s.", known=known)
        if rules.zone and not zones.known(rules.zone):
            yield _("zone: is not known; write one such as Europe/Vienna.")
        yield from _unfit(calendar)
        yield from self._unknown(calendar, before)

    def _unknown(self, calendar: BookingCalendar, before: BookingCalendar | None) -> Iterator[str]:
        """Members whom nobody knows. Who was a member before may have left the CRM since."""
        new = sorted(calendar.members.keys() - (before.members.keys() if before else set()))
        known = self._store.accounts.many(new) if new else {}
        asked = [one for one in new if one not in known]
        if not asked:
            return
        gateway: CrmGateway = self._gateway()
        active = {card.id for card in gateway.people(PersonKind.USER, asked).values() if card.active}
        unknown = [one for one in asked if one not in active]
        if unknown:
            yield _("members: the CRM knows no user %(names)s who is active.", names=tuple(unknown))

    def _note(self, actor: Actor, before: BookingCalendar | None, after: BookingCalendar) -> None:
        if before is not None and replace(before, version=after.version) == after:
            return
        text = "changed the booking calendar" if before else "added the booking calendar"
        if before is None or before.members != after.members:
            text += f"; its members are {', '.join(self._names(after)) or 'nobody'}"
        auditing.note(self._store, actor, text, subject=after.name)

    def _names(self, calendar: BookingCalendar) -> Sequence[str]:
        """The members as people know them; by id whom the CRM does not name, or all while it is away."""
        ids = sorted(calendar.members)
        gateway: CrmGateway = self._gateway()
        try:
            cards = gateway.people(PersonKind.USER, ids) if ids else {}
        except RemoteError as error:
            log.warning("the audit log has members by their ids: %s", error)
            return ids
        return [(cards[one].name if one in cards else "") or one for one in ids]


def _unfit(calendar: BookingCalendar) -> Iterator[str]:
    """What of the members does not go with the kind."""
    count = len(calendar.members)
    if calendar.kind is CalendarKind.EVENT:
        if count:
            yield _("members: events with many guests are not connected to Outlook and have none.")
        return
    if not count:
        yield _("members: name at least one.")
    if calendar.kind is CalendarKind.PERSONAL and count > 1:
        yield _("members: a personal booking calendar has exactly one.")
    if count > MOST_MEMBERS:
        yield _("members: at most %(number)s.", number=MOST_MEMBERS)
    if not all(0 <= priority <= MOST_PRIORITY for priority in calendar.members.values()):
        yield _("members: a priority lies between 0 and %(number)s.", number=MOST_PRIORITY)
