"""The desk: all use cases of availability and bookings, made for one installation.

Decides what they share. What each decides stands in its own module.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, Protocol

from calsync_plugin.booking.asking import Desired
from calsync_plugin.booking.availability import Availability
from calsync_plugin.booking.booker import Booker, Counted, uncounted
from calsync_plugin.booking.calendars import Calendars
from calsync_plugin.booking.calls import Calls
from calsync_plugin.booking.collisions import Collisions
from calsync_plugin.booking.features import Features
from calsync_plugin.booking.looking import LATELY, Looking
from calsync_plugin.booking.making import Maker
from calsync_plugin.booking.own import Own
from calsync_plugin.booking.settling import Settling
from calsync_plugin.booking.slots import Slots
from calsync_plugin.booking.unconnected import Unconnected
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Store


class Installation(Protocol):
    """What the use cases find around them."""

    store: Store
    plugins: Any
    entities: dict[str, EntitySettings]

    @property
    def settings(self) -> Settings:
        """What is in force now."""
        ...

    @property
    def gateway(self) -> Any:
        """A `CrmGateway`; that it is made when it is first asked for hides its type from pyright."""
        ...

    @property
    def crm_zone(self) -> Any:
        """Called, it tells the CRM installation's zone; its type is hidden as that of `gateway`."""
        ...

    def open_mailbox(self, user_id: str, mailbox_id: int) -> MailboxClient:
        """Graph as one user's mailbox."""
        ...


class Desk:
    """What can be asked and done; each part is made when it is first needed."""

    def __init__(self, calsync: Installation, counted: Counted = uncounted) -> None:
        """Work for `calsync`; nothing is read yet. `counted` is told what comes of bookings."""
        self._calsync = calsync
        self._counted = counted

    @cached_property
    def features(self) -> Features:
        """Feature gates."""
        return Features(self._calsync.store, self._gateway)

    @cached_property
    def availability(self) -> Availability:
        """When users are busy and when they work."""
        return Availability(
            self._calsync.store,
            self.features,
            settings=lambda: self._calsync.settings,
            crm_zone=self._crm_zone,
            look=partial(self.looking.look, lately=LATELY),
        )

    @cached_property
    def calls(self) -> Calls:
        """The same for a host in this process, by datetimes."""
        return Calls(self.availability, self.slots, self.booker)

    @cached_property
    def slots(self) -> Slots:
        """Free times, of users and of booking calendars."""
        return Slots(self._calsync.store, self.features, self.availability, self._crm_zone)

    @cached_property
    def calendars(self) -> Calendars:
        """Booking calendars."""
        return Calendars(self._calsync.store, self._gateway, self._calsync.entities)

    @cached_property
    def own(self) -> Own:
        """What a user does with the calendars that make him or her busy."""
        return Own(self._calsync.store, self.features)

    @cached_property
    def looking(self) -> Looking:
        """Asks Outlook at this moment."""
        calsync = self._calsync
        others = Unconnected(
            calsync.store,
            self._gateway,
            calsync.open_mailbox,
            allowed=lambda: calsync.settings.graph.schedules,
        )
        return Looking(
            calsync.store,
            calsync.open_mailbox,
            enabled=lambda: calsync.settings.graph.enabled,
            ask_others=others.ask,
        )

    @cached_property
    def collisions(self) -> Collisions:
        """What a meeting collides with."""
        calsync = self._calsync
        return Collisions(
            calsync.store,
            self.features,
            calsync.entities,
            # While a host saves, nobody is asked for its zone.
            crm_zone=lambda: calsync.settings.crm.time_zone,
        )

    @cached_property
    def booker(self) -> Booker:
        """Books, and cancels."""
        calsync = self._calsync
        desired = Desired(calsync.store, self.features, self.slots, self._maker, self._crm_zone)
        return Booker(
            calsync.store, self._gateway, desired, self.looking.look, self._maker, counted=self._counted
        )

    @cached_property
    def settling(self) -> Settling:
        """What becomes of bookings after they were made."""
        calsync = self._calsync
        return Settling(calsync.store, self._gateway, self._maker, calsync.entities, crm_zone=self._crm_zone)

    def close(self) -> None:
        """Begin nothing any more, before the store is closed."""
        self.looking.close()
        self.collisions.close()

    @cached_property
    def _maker(self) -> Maker:
        return Maker(self._calsync.store, self._gateway, self._calsync.entities)

    def _gateway(self) -> Any:
        return self._calsync.gateway

    def _crm_zone(self) -> str:
        return str(self._calsync.crm_zone())
