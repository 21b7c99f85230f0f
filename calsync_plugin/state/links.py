"""Finding links: by record, event, iCalUId or mailbox, always many at once.

Decides nothing about them. Each question is answered through an index, so that it costs the same in a
store of any size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    bindparam,
    case,
    distinct,
    false,
    func,
    select,
    update,
)

from calsync_plugin.domain.links import CopyPurpose, CopyState, Link, LinkState, Origin
from calsync_plugin.state.bulk import CHUNK, chunks
from calsync_plugin.state.database import Database
from calsync_plugin.state.link_rows import CRM, link_of
from calsync_plugin.state.schema import bases, copies, links


class Links:
    """The links of a store, to read. They are written through `Store.save`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_records(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Link]:
        """The links of records, each named by entity type and record id."""
        by_type: dict[str, list[str]] = defaultdict(list)
        for entity_type, record_id in dict.fromkeys(keys):
            if record_id:
                by_type[entity_type].append(record_id)
        found: list[Link] = []
        with self._database.read() as connection:
            for entity_type, record_ids in by_type.items():
                for part in chunks(record_ids):
                    found += _load(connection, _OF_RECORDS, {"entity": entity_type, "records": part})
        return {(link.entity_type, link.record_id): link for link in found}

    def by_ids(self, ids: Iterable[str]) -> dict[str, Link]:
        """Links by their own ids."""
        with self._database.read() as connection:
            return _by_ids(connection, ids)

    def by_events(self, mailbox_id: int, event_ids: Iterable[str]) -> dict[str, Link]:
        """The links of events of one mailbox, by event id (compared byte for byte)."""
        return self._by_copies(mailbox_id, copies.c.event_id, event_ids)

    def by_transactions(self, mailbox_id: int, keys: Iterable[str]) -> dict[str, Link]:
        """The links whose creates in a mailbox carry these idempotency keys, by key."""
        return self._by_copies(mailbox_id, copies.c.transaction_id, keys)

    def of_series(self, mailbox_id: int, series_ids: Iterable[str]) -> list[Link]:
        """The links of all occurrences of these series masters of a mailbox."""
        found: dict[str, Link] = {}
        with self._database.read() as connection:
            for part in chunks(series_id for series_id in dict.fromkeys(series_ids) if series_id):
                statement = select(copies.c.link_id).where(
                    copies.c.mailbox_id == mailbox_id,
                    copies.c.series_id.in_(part),
                    copies.c.series_id != "",
                )
                found |= _by_ids(connection, connection.execute(statement).scalars().all())
        return list(found.values())

    def _by_copies(self, mailbox_id: int, column: Any, values: Iterable[str]) -> dict[str, Link]:
        owners: dict[str, str] = {}
        with self._database.read() as connection:
            for part in chunks(value for value in dict.fromkeys(values) if value):
                statement = (
                    select(column.label("value"), copies.c.link_id)
                    .where(copies.c.mailbox_id == mailbox_id, column.in_(part), column != "")
                    .order_by(copies.c.link_id)
                )
                owners.update((row.value, row.link_id) for row in connection.execute(statement))
            found = _by_ids(connection, owners.values())
        return {value: found[link_id] for value, link_id in owners.items() if link_id in found}

    def by_ical_uids(self, uids: Collection[str]) -> dict[str, list[Link]]:
        """The links that an iCalUId names: of a copy, or of a series (one for each occurrence)."""
        wanted = [uid for uid in dict.fromkeys(uids) if uid]
        named: dict[str, set[str]] = defaultdict(set)
        with self._database.read() as connection:
            for part in chunks(wanted):
                of_copies = select(copies.c.ical_uid.label("uid"), copies.c.link_id.label("link_id")).where(
                    copies.c.ical_uid.in_(part)
                )
                of_series = select(links.c.series_ical_uid.label("uid"), links.c.id.label("link_id")).where(
                    links.c.series_ical_uid.in_(part), links.c.series_ical_uid != ""
                )
                for statement in (of_copies, of_series):
                    for row in connection.execute(statement):
                        named[row.uid].add(row.link_id)
            found = _by_ids(connection, {link_id for ids in named.values() for link_id in ids})
        return {
            uid: [found[link_id] for link_id in sorted(ids) if link_id in found] for uid, ids in named.items()
        }

    def for_mailbox(self, mailbox_id: int) -> Iterator[Link]:
        """All links with a copy in a mailbox, page by page: neither memory nor a transaction grows."""
        after = ""
        while True:
            page = (
                select(copies.c.link_id)
                .distinct()
                .where(copies.c.mailbox_id == mailbox_id, copies.c.link_id > after)
                .order_by(copies.c.link_id)
                .limit(CHUNK)
            )
            with self._database.read() as connection:
                ids = list(connection.execute(page).scalars())
                found = _by_ids(connection, ids)
            yield from (found[link_id] for link_id in ids if link_id in found)
            if len(ids) < CHUNK:
                return
            after = ids[-1]

    def record_ids(
        self, entity_type: str, *, after: str = "", limit: int = 200, suspended_for: str = ""
    ) -> list[str]:
        """Ids of actively linked records of one type, in their order, after one of them.

        With `suspended_for` also of those that are suspended for that very reason.
        """
        suspended = (links.c.state == LinkState.SUSPENDED.value) & (links.c.reason == suspended_for)
        statement = (
            select(links.c.record_id)
            .where(links.c.entity_type == entity_type, links.c.record_id > after, links.c.record_id != "")
            .where((links.c.state == LinkState.ACTIVE.value) | (suspended if suspended_for else false()))
            .order_by(links.c.record_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def saved_last(self, entity_type: str, limit: int) -> list[tuple[str, str]]:
        """Link and record ids of the active links whose records were known to be saved last.

        Looks at every link of the type: ask seldom.
        """
        statement = (
            select(links.c.id, links.c.record_id)
            .join(bases, (bases.c.link_id == links.c.id) & (bases.c.side == CRM))
            .where(links.c.entity_type == entity_type, links.c.record_id != "")
            .where(links.c.state == LinkState.ACTIVE.value, bases.c.version != "")
            .order_by(bases.c.version.desc(), links.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row.id, row.record_id) for row in connection.execute(statement)]

    def event_ids(self, mailbox_id: int, *, after: str = "", limit: int = 100) -> list[tuple[str, str]]:
        """Link and event ids of a mailbox's events, in the order of the links, after one of them.

        Suspended ones are among them: that the reason has ended may have been told to nobody.

        A date of a series is named by its series' id.
        """
        event_id = case((copies.c.series_id != "", copies.c.series_id), else_=copies.c.event_id)
        statement = (
            select(copies.c.link_id, event_id.label("event_id"))
            .join(links, links.c.id == copies.c.link_id)
            .where(copies.c.mailbox_id == mailbox_id, copies.c.link_id > after, copies.c.event_id != "")
            .where(links.c.state != LinkState.DETACHED.value)
            .order_by(copies.c.link_id, copies.c.position)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row.link_id, row.event_id) for row in connection.execute(statement)]

    def suspend(self, mailbox_id: int, reason: str) -> int:
        """Suspend all active links whose home lies in a mailbox (R12); returns how many."""
        homes = select(copies.c.link_id).where(
            copies.c.mailbox_id == mailbox_id, copies.c.purpose == CopyPurpose.HOME.value
        )
        statement = (
            update(links)
            .where(links.c.id.in_(homes), links.c.state == LinkState.ACTIVE.value)
            .values(state=LinkState.SUSPENDED.value, reason=reason, version=links.c.version + 1)
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount

    def suspend_calendar(self, mailbox_id: int, calendar_id: str, reason: str) -> int:
        """Suspend all active links whose home lies in one calendar of a mailbox (R12); returns how many."""
        homes = select(copies.c.link_id).where(
            copies.c.mailbox_id == mailbox_id,
            copies.c.calendar_id == calendar_id,
            copies.c.purpose == CopyPurpose.HOME.value,
        )
        statement = (
            update(links)
            .where(links.c.id.in_(homes), links.c.state == LinkState.ACTIVE.value)
            .values(state=LinkState.SUSPENDED.value, reason=reason, version=links.c.version + 1)
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount

    def calendars_with_records(self, mailbox_id: int, among: Collection[str]) -> set[str]:
        """Those of a mailbox's calendars `among` which hold events of records born in the CRM."""
        if not among:
            return set()
        with self._database.read() as connection:
            return {
                calendar_id
                for calendar_id in among
                if connection.execute(
                    _HOLDS_RECORDS, {"mailbox": mailbox_id, "calendar": calendar_id}
                ).first()
            }

    def creates_begun(self, mailbox_id: int) -> bool:
        """Whether creates were begun in a mailbox of which nobody knows yet what event came of them."""
        statement = select(copies.c.link_id).where(
            copies.c.mailbox_id == mailbox_id,
            copies.c.event_id == "",
            copies.c.state == CopyState.INTENDED.value,
        )
        with self._database.read() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def count(self, mailbox_id: int) -> int:
        """How many links have their home copy in a mailbox. Costs more the more there are: ask seldom."""
        statement = select(func.count(distinct(copies.c.link_id))).where(
            copies.c.mailbox_id == mailbox_id, copies.c.purpose == CopyPurpose.HOME.value
        )
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one()

    def counts(self, mailbox_id: int | None = None) -> dict[LinkState, int]:
        """How many links are in each state, of the whole store or with a home copy in one mailbox."""
        statement = select(links.c.state, func.count(distinct(links.c.id)).label("links")).group_by(
            links.c.state
        )
        if mailbox_id is not None:
            statement = statement.join(copies, copies.c.link_id == links.c.id).where(
                copies.c.mailbox_id == mailbox_id, copies.c.purpose == CopyPurpose.HOME.value
            )
        with self._database.read() as connection:
            found = {LinkState(row.state): row.links for row in connection.execute(statement)}
        return {state: found.get(state, 0) for state in LinkState}


def _by_ids(connection: Connection, ids: Iterable[str]) -> dict[str, Link]:
    found: dict[str, Link] = {}
    for part in chunks(dict.fromkeys(ids)):
        found.update((link.id, link) for link in _load(connection, _OF_IDS, {"ids": part}))
    return found


def _load(connection: Connection, statement: Select[Any], parameters: Mapping[str, Any]) -> list[Link]:
    rows = connection.execute(statement, parameters).all()
    ids = [row.id for row in rows]
    if not ids:
        return []
    of_copies: dict[str, list[Any]] = defaultdict(list)
    for copy in connection.execute(_COPIES, {"ids": ids}):
        of_copies[copy.link_id].append(copy)
    of_bases: dict[str, list[Any]] = defaultdict(list)
    for base in connection.execute(_BASES, {"ids": ids}):
        of_bases[base.link_id].append(base)
    return [link_of(row, of_copies[row.id], of_bases[row.id]) for row in rows]


# Made once: building a statement costs more than executing it.
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_OF_IDS = select(links).where(links.c.id.in_(_IDS)).order_by(links.c.id)
# The condition on the empty id lets both databases use the partial index.
_OF_RECORDS = select(links).where(
    links.c.entity_type == bindparam("entity"),
    links.c.record_id.in_(bindparam("records", expanding=True)),
    links.c.record_id != "",
)
_COPIES = select(copies).where(copies.c.link_id.in_(_IDS)).order_by(copies.c.link_id, copies.c.position)
_BASES = select(bases).where(bases.c.link_id.in_(_IDS))
_HOLDS_RECORDS = (
    select(copies.c.link_id)
    .join(links, links.c.id == copies.c.link_id)
    .where(
        copies.c.mailbox_id == bindparam("mailbox"),
        copies.c.calendar_id == bindparam("calendar"),
        copies.c.calendar_id != "",
        copies.c.purpose == CopyPurpose.HOME.value,
        links.c.origin == Origin.CRM.value,
        links.c.state != LinkState.DETACHED.value,
    )
    .limit(1)
)
