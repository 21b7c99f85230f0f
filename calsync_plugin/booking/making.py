"""The CRM's record of a booking: what it holds, creating it, finding out whether it was created.

Decides that a booking names itself in the record's marker, where there is one, so that a create whose outcome
is not known is looked up and never repeated. Whose time is booked was decided before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from calsync_plugin.crm.attributes import RecordWrite, new_record_attributes
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway, Record
from calsync_plugin.crm.relating import write_related
from calsync_plugin.domain.links import marker
from calsync_plugin.domain.meeting import Attendee, Field, JsonValue, Meeting, Person, PersonKind
from calsync_plugin.domain.timespan import Timed
from calsync_plugin.errors import SettingsError
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Booking, Store
from calsync_plugin.wording import gettext as _

CLOCKS_APART = timedelta(minutes=2)
"""How far the CRM's answers may be behind its own records."""
FIELDS = frozenset({Field.SUBJECT, Field.SPAN, Field.DESCRIPTION, Field.ATTENDEES})
LONGEST_NAME = 250
LONGEST_TEXT = 30_000
"""Characters of the description."""
MOST_PEOPLE = 100
"""Contacts and leads together."""
LARGEST = 64_000
"""Characters of all that a record is made of, as JSON."""
# What the booking itself decides, or the CRM makes of what it decides.
_OWN = frozenset(
    {
        *("id", "deleted", "name", "duration", "isAllDay", "dateStart", "dateEnd", "dateStartDate"),
        *("dateEndDate", "assignedUserId", "assignedUserName", "createdAt", "createdById", "modifiedAt"),
        *("modifiedById", "versionNumber", "uid"),
        *(f"{link}{part}" for link in ("users", "contacts", "leads") for part in ("Ids", "Names", "Columns")),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a record is made of besides its time and its assigned user."""

    name: str
    description: str = ""
    contact_ids: Sequence[str] = ()
    lead_ids: Sequence[str] = ()
    other_users: Sequence[str] = ()
    """Who comes besides the assigned user."""
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
    """What else the CRM shall keep, by its own names."""


def checked(content: Content, entity: EntitySettings) -> Content:
    """Return a content that can be written. Raises SettingsError for what no record could be made of."""
    if not content.name.strip():
        raise SettingsError(_("name: a booking needs one; it becomes the meeting's subject."))
    if len(content.name) > LONGEST_NAME:
        raise SettingsError(_("The name is too long; %(num)s characters at most.", num=LONGEST_NAME))
    if len(content.description) > LONGEST_TEXT:
        raise SettingsError(_("The description is too long; %(num)s characters at most.", num=LONGEST_TEXT))
    people = [*content.contact_ids, *content.lead_ids]
    if len(people) > MOST_PEOPLE:
        raise SettingsError(_("A booking takes %(number)s contacts and leads at most.", number=MOST_PEOPLE))
    own = _OWN | {one for one in (entity.description, entity.marker, entity.join_url) if one}
    for name in sorted(content.attributes):
        if name in own:
            raise SettingsError(_("attributes: %(name)s is set by the booking itself.", name=name))
    if len(written(content)) > LARGEST:
        raise SettingsError(_("The booking holds more text than a meeting can."))
    return content


def written(content: Content) -> str:
    """A content as the store keeps it."""
    return json.dumps(asdict(content), sort_keys=True)


def read(text: str) -> Content:
    """A content as it was written; nothing is left of that of long ago."""
    return Content(**json.loads(text)) if text else Content(name="")


class Maker:
    """Creates and finds the records of bookings."""

    def __init__(
        self, store: Store, gateway: Callable[[], Any], entities: Mapping[str, EntitySettings]
    ) -> None:
        """Work in the CRM behind `gateway`, a `CrmGateway` that is made when it is first asked for."""
        self._store = store
        self._gateway = gateway
        self._entities = entities

    def entity(self, entity_type: str) -> EntitySettings:
        """An entity type that records can be made of. Raises SettingsError for another."""
        entity = self._entities.get(entity_type)
        if entity is None:
            raise SettingsError(
                _(
                    "entity_type: %(name)s is not synced; there are %(known)s.",
                    name=entity_type,
                    known=tuple(self._entities),
                )
            )
        return entity

    def check_people(self, contact_ids: Sequence[str], lead_ids: Sequence[str]) -> None:
        """Raise SettingsError for whom the CRM does not know: it makes a record without them, silently."""
        gateway: CrmGateway = self._gateway()
        for name, kind, ids in (
            ("contacts", PersonKind.CONTACT, contact_ids),
            ("leads", PersonKind.LEAD, lead_ids),
        ):
            known = gateway.people(kind, ids) if ids else {}
            unknown = [one for one in ids if one not in known]
            if unknown:
                raise SettingsError(
                    _("%(place)s: the CRM does not know %(ids)s.", place=name, ids=tuple(unknown))
                )

    def create(self, booking: Booking) -> str:
        """Create the record of a booking; raises what `CrmGateway.create` raises."""
        gateway: CrmGateway = self._gateway()
        write = RecordWrite(self.attributes(booking))
        record_id, _sent = write_related(
            lambda attributes: gateway.create(booking.entity_type, attributes), write, Directory(gateway)
        )
        return record_id

    def find(self, booking: Booking) -> str | None:
        """The record that a create made whose outcome was not known, None if there is none (yet)."""
        gateway: CrmGateway = self._gateway()
        entity = self.entity(booking.entity_type)
        if entity.marker:
            return gateway.find_by_marker(entity.entity_type, entity.marker, self._marker(booking))
        age = timedelta(seconds=max(0.0, self._store.clock.now() - booking.made_at))
        since = gateway.now() - age - CLOCKS_APART
        found = gateway.find_created(entity.entity_type, self.attributes(booking), since)
        of_another = found and self._store.bookings.of_records([(entity.entity_type, found)])
        return None if of_another else found

    def attributes(self, booking: Booking) -> Record:
        """Everything for the POST of the record."""
        content, entity = read(booking.content), self.entity(booking.entity_type)
        own = Person(PersonKind.USER, booking.user_id)
        people = [
            *(Person(PersonKind.USER, one) for one in content.other_users),
            *(Person(PersonKind.CONTACT, one) for one in content.contact_ids),
            *(Person(PersonKind.LEAD, one) for one in content.lead_ids),
        ]
        first, last = (datetime.fromtimestamp(second, UTC) for second in (booking.start, booking.end))
        meeting = Meeting(
            subject=content.name,
            span=Timed(first, last),
            description=content.description,
            attendees=tuple(Attendee("", person=one) for one in dict.fromkeys(people) if one != own),
        )
        write = new_record_attributes(
            meeting,
            FIELDS,
            entity,
            assigned_user_id=booking.user_id,
            teams=(),
            marker=self._marker(booking),
        )
        return {**content.attributes, **write.attributes}

    def _marker(self, booking: Booking) -> str:
        return marker(self._store.installation.get().id, booking.id)
