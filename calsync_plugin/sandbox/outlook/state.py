"""What the simulated organisation holds: mailboxes, their calendars and items, and the log of mails.

Plain memory behind one reentrant lock, which handlers hold while they read or write and nobody holds while
sleeping. Rules live elsewhere; this module only keeps the indexes true: by number, iCalUId, extended
property, and the order of changes that delta reads.
"""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import UTC, datetime

from calsync_plugin.sandbox.outlook import ids
from calsync_plugin.sandbox.outlook.identities import MAILBOX_ZONE, display_name, object_id
from calsync_plugin.sandbox.outlook.wire import Json

EPOCH = datetime(1, 1, 1, tzinfo=UTC)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a series looked like until a change: enough to tell which days a client may still know.

    `until` is the sequence number of the change that ended it; without a recurrence it was a single event.
    """

    until: int
    recurrence: Json | None
    start: datetime
    start_zone: str
    end: datetime
    all_day: bool
    cancelled_days: tuple[int, ...]
    exceptions: tuple[tuple[int, datetime, datetime], ...]


@dataclass(slots=True)
class Item:
    """One calendar item: a single event, a series master, or (day > 0) an exception of its master.

    `start` and `end` are naive local times in their zones; `starts` and `ends` the instants (of an all-day
    item the dates as if in UTC, because its day is never converted). Lists and objects are in Graph's shape
    and are replaced, never changed in place.
    """

    number: int
    uid: str
    created: datetime
    modified: datetime
    start: datetime
    start_zone: str
    end: datetime
    end_zone: str
    starts: datetime
    ends: datetime
    key: int = 0
    day: int = 0
    kind: str = "singleInstance"
    folder: int = 0
    purged: bool = False
    subject: str = ""
    content: str = ""
    content_type: str = "html"
    preview: str = ""
    importance: str = "normal"
    sensitivity: str = "normal"
    show_as: str = "busy"
    intended_show_as: str = "busy"
    all_day: bool = False
    locations: list[Json] = field(default_factory=list)
    attendees: list[Json] = field(default_factory=list)
    organizer: Json = field(default_factory=dict)
    is_organizer: bool = True
    response: str = "organizer"
    responded: datetime = EPOCH
    reminder_on: bool = True
    reminder_minutes: int = 15
    response_requested: bool = True
    allow_new_time_proposals: bool = True
    hide_attendees: bool = False
    categories: list[str] = field(default_factory=list)
    cancelled: bool = False
    online: bool = False
    online_provider: str = "unknown"
    join_url: str | None = None
    recurrence: Json | None = None
    original_start: datetime | None = None
    exceptions: dict[int, Item] = field(default_factory=dict)
    cancelled_days: list[int] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    transaction_id: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, Json] = field(default_factory=dict)
    # The iCalUId that another system gave to its meeting; `uid` is what Exchange would keep it under.
    foreign_uid: str | None = None
    # The number of a series that this mailbox does not hold, of an invitation to one occurrence alone.
    lone_master: int = 0
    # Properties that were planted and are told as they are, whatever the fields say.
    planted: Json = field(default_factory=dict)


@dataclass(slots=True)
class Calendar:
    """A container of items; `order` is the numbers it holds, `changes` the last change of each item it ever
    held.
    """

    number: int
    id: str
    name: str
    color: str = "auto"
    default: bool = False
    key: int = 1
    order: list[int] = field(default_factory=list)
    changes: dict[Key, int] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Alias:
    """Another person's calendar that was added to a mailbox: an own id for the same items."""

    number: int
    id: str
    owner: str
    calendar: int


@dataclass(slots=True)
class Mailbox:
    """A person's mailbox, its calendars and items, and the indexes over them."""

    number: int
    address: str
    name: str
    object_id: str
    zone: str = MAILBOX_ZONE
    calendars: dict[int, Calendar] = field(default_factory=dict)
    aliases: dict[int, Alias] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    by_uid: dict[str, list[int]] = field(default_factory=dict)
    by_property: dict[tuple[str, str], dict[int, None]] = field(default_factory=dict)
    transactions: dict[str, tuple[str, int]] = field(default_factory=dict)
    categories: dict[str, Json] = field(default_factory=dict)
    settings: Json = field(default_factory=dict)
    default_calendar: int = 0
    outside: bool = False
    # Whether colleagues may ask when this person is free, and whether it is an account of no organisation.
    shows_free_busy: bool = True
    personal: bool = False

    def primary(self) -> Calendar:
        """Return the default calendar."""
        return self.calendars[self.default_calendar]

    def live(self, uid: str) -> Item | None:
        """Return this mailbox's item of a meeting if it lies in a calendar."""
        found = (self.items[number] for number in self.by_uid.get(uid, ()))
        return next((item for item in found if item.folder), None)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that Outlook would have sent, and why."""

    at: str
    kind: str
    sender: str
    to: str
    subject: str
    reason: str
    uid: str


def index_uid(mailbox: Mailbox, item: Item) -> None:
    """File an item under its iCalUId, and under the one that another system gave to it."""
    for uid in {item.uid, item.foreign_uid or item.uid}:
        mailbox.by_uid.setdefault(uid, []).append(item.number)


class State:
    """All mailboxes and the log of mails; every method expects its caller to hold `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.mailboxes: dict[str, Mailbox] = {}
        # Organizers whose mail system is another one: they invite people here, nobody logs in as them.
        self.outside: dict[str, Mailbox] = {}
        self.mails: list[Mail] = []
        self.sequence = 0
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        """Return a number that nothing else in this organisation has."""
        return next(self._numbers)

    def restore_numbers(self, first: int) -> None:
        """Continue numbering at `first`, after a load."""
        self._numbers = itertools.count(first)

    def add_mailbox(self, address: str, name: str | None = None) -> Mailbox:
        """Return the mailbox of an address, creating it with its default calendar if it is new."""
        known = self.mailboxes.get(address.lower())
        return known or self._new_mailbox(address, name, outside=False)

    def add_outside(self, address: str, name: str | None = None) -> Mailbox:
        """Return the mailbox of an organizer elsewhere; it may have the address of somebody here."""
        known = self.outside.get(address.lower())
        return known or self._new_mailbox(address, name, outside=True)

    def _new_mailbox(self, address: str, name: str | None, *, outside: bool) -> Mailbox:
        address = address.lower()
        mailbox = Mailbox(self.next_number(), address, name or display_name(address), object_id(address))
        mailbox.outside = outside
        calendar = self.add_calendar(mailbox, "Calendar")
        calendar.default = True
        mailbox.default_calendar = calendar.number
        self.register(mailbox)
        return mailbox

    def register(self, mailbox: Mailbox) -> None:
        """Make a mailbox known by its address."""
        (self.outside if mailbox.outside else self.mailboxes)[mailbox.address] = mailbox
        self.sequence += 1

    def hosts(self, address: str) -> list[Mailbox]:
        """Return the mailboxes from which an organizer may have invited: the one here, the one elsewhere."""
        found = (self.mailboxes.get(address), self.outside.get(address))
        return [mailbox for mailbox in found if mailbox is not None]

    def find_mailbox(self, name: str) -> Mailbox | None:
        """Return the mailbox of an address or object id, any case."""
        wanted = name.lower()
        found = self.mailboxes.get(wanted)
        if found is not None:
            return found
        return next((mailbox for mailbox in self.mailboxes.values() if mailbox.object_id == wanted), None)

    def add_calendar(self, mailbox: Mailbox, name: str) -> Calendar:
        """Add an empty calendar to a mailbox."""
        number = self.next_number()
        calendar = Calendar(number, ids.calendar_id(mailbox.number, number), name)
        mailbox.calendars[number] = calendar
        return calendar

    def add_item(self, mailbox: Mailbox, item: Item, calendar: Calendar) -> None:
        """File a new item in a calendar and index it."""
        item.folder = calendar.number
        mailbox.items[item.number] = item
        index_uid(mailbox, item)
        insort(calendar.order, item.number)
        self.index_properties(mailbox, item, {})
        self.touch(mailbox, item)

    def index_properties(self, mailbox: Mailbox, item: Item, before: dict[str, str]) -> None:
        """Bring the index of extended properties up to date after `before` became `item.properties`."""
        for name, value in before.items():
            mailbox.by_property.get((name, value.lower()), {}).pop(item.number, None)
        for name, value in item.properties.items():
            mailbox.by_property.setdefault((name, value.lower()), {})[item.number] = None

    def touch(self, mailbox: Mailbox, item: Item) -> None:
        """Give an item a new change key and note the change where its calendar's delta will see it."""
        self.sequence += 1
        item.key = self.sequence
        self.note(mailbox.calendars.get(item.folder), (item.number, item.day))

    def note(self, calendar: Calendar | None, key: Key) -> None:
        """Record that something happened to an item of this calendar (None: Deleted Items, which has no
        delta).
        """
        if calendar is not None:
            calendar.changes.pop(key, None)
            calendar.changes[key] = self.sequence

    def move(self, mailbox: Mailbox, item: Item, target: Calendar | None) -> None:
        """File an item elsewhere; None is Deleted Items. Its default id changes, its immutable id does
        not.
        """
        source = mailbox.calendars.get(item.folder)
        self.sequence += 1
        if source is not None:
            index = bisect_left(source.order, item.number)
            if index < len(source.order) and source.order[index] == item.number:
                source.order.pop(index)
            self.note(source, (item.number, 0))
        item.folder = ids.DELETED_FOLDER if target is None else target.number
        for exception in item.exceptions.values():
            exception.folder = item.folder
        if target is not None:
            insort(target.order, item.number)
            self.touch(mailbox, item)
