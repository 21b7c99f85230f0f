"""An office: users whose busy times lie in a real store, and a CRM that tells its teams when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from calsync_plugin.booking.desk import Desk
from calsync_plugin.crm.gateway import PersonCard, SimpleGateway
from calsync_plugin.crm.staff import Colleague, ColleaguePage, Group, Groups, Staff
from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import JsonValue, PersonKind
from calsync_plugin.errors import Unavailable
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Account, AccountStatus, Booking, CrmUser, SourceKind, Store

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
MINUTE, HOUR, DAY = 60, 3600, 86_400
GRANTS = frozenset({"ExternalAccount", "OutlookCalendar"})
FAR = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


@dataclass
class People:
    """The CRM's staff: `teams` and `roles` by user id; None for those of whom the CRM does not tell."""

    teams: dict[str, frozenset[str] | None] = field(default_factory=dict)
    roles: dict[str, frozenset[str] | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Who is known as a person."""
    away: bool = False
    asked: int = 0

    def users(self, *, search: str = "", offset: int = 0, limit: int = 50) -> ColleaguePage:
        """Nobody asks."""
        raise NotImplementedError((search, offset, limit))

    def by_ids(self, ids: Collection[str]) -> Mapping[str, Colleague]:
        """Those who are known."""
        self.asked += 1
        if self.away:
            raise Unavailable("the CRM is away")
        return {
            one: Colleague(id=one, team_ids=self.teams[one], role_ids=self.roles.get(one, frozenset()))
            for one in ids
            if one in self.teams
        }

    def groups(self) -> Groups:
        """One team and one role."""
        return Groups(teams=(Group("sales", "Sales"),), roles=(Group("guest", "Guest"),))


class Crm(SimpleGateway):
    """A CRM that has staff."""

    def __init__(self, people: People) -> None:
        self.people_of_it = people

    @property
    def staff(self) -> Staff:
        """The staff."""
        return self.people_of_it

    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        """Those who have a name."""
        names = self.people_of_it.names
        assert kind is PersonKind.USER
        if self.people_of_it.away:
            raise Unavailable("the CRM does not answer")
        return {
            one: PersonCard(id=one, name=names[one], active=names[one] != "Gone")
            for one in ids
            if one in names
        }


class Office:
    """What a desk finds around it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.plugins: Any = None
        self.entities = {"Meeting": EntitySettings(entity_type="Meeting")}
        self.people = People()
        self.zone = "Europe/Berlin"
        self.asked_for_zone = 0
        self._settings = Settings()
        self._gateway = Crm(self.people)
        self.desk = Desk(self)
        self._booked: list[str] = []

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self._settings

    def set_graph(self, **changes: Any) -> None:
        """Change settings of Outlook's side."""
        self._settings = replace(self._settings, graph=replace(self._settings.graph, **changes))

    @property
    def gateway(self) -> Any:
        """The CRM."""
        return self._gateway

    @property
    def crm_zone(self) -> Callable[[], str]:
        """Where the installation is."""
        return self._tell_zone

    def _tell_zone(self) -> str:
        self.asked_for_zone += 1
        return self.zone

    def open_mailbox(self, user_id: str, mailbox_id: int) -> MailboxClient:
        """No test of this folder asks Outlook."""
        raise AssertionError((user_id, mailbox_id))

    def connect(self, user_id: str, *, read: bool = True, **changes: Any) -> int:
        """A connected user with a main calendar, which was read just now; returns the calendar's source."""
        store = self.store
        mailbox_id = store.accounts.ensure_mailbox("tenant", user_id, f"{user_id}@example.com")
        settings: dict[str, JsonValue] = {"sync_since": "2026-11-01", **changes.pop("settings", {})}
        store.accounts.save(
            replace(
                Account(
                    user_id=user_id,
                    mailbox_id=mailbox_id,
                    address=f"{user_id}@example.com",
                    settings=settings,
                    grants=GRANTS,
                    status=AccountStatus.CONNECTED,
                    zone="Europe/Berlin",
                ),
                **changes,
            )
        )
        (source,) = store.busy.keep_calendars(user_id, mailbox_id, {"main": (SourceKind.LINKED, "Calendar")})
        if read:
            self.read(source.id)
        return source.id

    def calendar(self, user_id: str, name: str) -> int:
        """A conflict calendar of a connected user, which was read just now; returns its source."""
        account = self.store.accounts.get(user_id)
        assert account
        assert account.mailbox_id
        wanted = {one.place: (one.kind, one.name) for one in self.store.busy.of_mailbox(account.mailbox_id)}
        wanted[name] = (SourceKind.CONFLICT, name)
        sources = self.store.busy.keep_calendars(user_id, account.mailbox_id, wanted)
        found = next(one.id for one in sources if one.place == name)
        self.read(found)
        return found

    def address(self, user_id: str, kind: SourceKind, name: str, *, read: bool = True) -> int:
        """A source outside of the mailbox."""
        address = f"https://{user_id}.example.com/{name}.ics"
        found = self.store.feeds.add(user_id, kind, address, shown="…", name=name, most=99)
        if read:
            self.read(found)
        return found

    def read(self, source_id: int, *blocks: Block, span: tuple[datetime, datetime] = FAR) -> None:
        """What a source tells, and for which time."""
        with self.store.save(None) as tx:
            tx.busy.replace(source_id, blocks)
            tx.busy.was_read(source_id, known_from=span[0], known_until=span[1])

    def book(self, user_id: str, start: int, calendar_id: str = "") -> None:
        """An hour of a user's time, which no event tells of."""
        self._booked.append(f"b{len(self._booked)}")
        booking = Booking(id=self._booked[-1], calendar_id=calendar_id, start=start, end=start + HOUR)
        nothing = (start, start + HOUR)
        assert self.store.bookings.reserve(
            booking, [user_id], lambda _: [user_id], around=nothing, day=nothing, since=0
        )

    def release_all(self) -> None:
        """All that was booked is free again."""
        for booking_id in self._booked:
            self.store.bookings.release(booking_id, "over")

    def live_in(self, user_id: str, zone: str) -> None:
        """In which zone the CRM shows a user times."""
        self.store.crm_users.tell(CrmUser(user_id=user_id, zone=zone))


def blocks(*spans: tuple[int, int]) -> Iterable[Block]:
    """Busy blocks."""
    return [Block(id=f"e{number}", start=start, end=end) for number, (start, end) in enumerate(spans)]


def at(text: str) -> int:
    """The epoch second of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
