"""Writing links: insert under their unique keys, save by compare-and-swap, drop.

Decides which of several runs wins: the first. Works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from calsync_plugin.domain.links import Link
from calsync_plugin.errors import StaleLink
from calsync_plugin.state.bulk import Bulk, chunks, insert_missing
from calsync_plugin.state.link_rows import base_rows, copy_rows, link_row, written_start
from calsync_plugin.state.schema import bases, copies, links


def insert_links(connection: Connection, new: Sequence[Link]) -> set[str]:
    """Insert links with version 1; returns the ids of those whose record or occurrence has a link already."""
    # In one order, so that two runs that insert the same ones do not wait for each other in a circle.
    ordered = sorted(new, key=_unique_key)
    won: set[str] = set()
    statement = insert_missing(connection, links).returning(links.c.id)
    for part in chunks(ordered):
        won.update(
            connection.execute(statement, [{**link_row(link), "version": 1} for link in part]).scalars()
        )
    new = [link for link in ordered if link.id in won]
    _INSERT_COPIES.execute(connection, copy_rows(new))
    _INSERT_BASES.execute(connection, base_rows(new))
    return {link.id for link in ordered} - won


def save_links(connection: Connection, changed: Sequence[Link], known: Sequence[Link] = ()) -> set[str]:
    """Save links whose stored version is the one they were read with; the version grows by one.

    Returns the ids of those that another run saved or dropped, or whose record or date of a series it took
    meanwhile. Copies and bases are written again unless they are as in `known`, the same links as they are
    stored.
    """
    by_id = {link.id: link for link in changed}
    fresh, moved = _locked(connection, by_id)
    fresh -= _taken(connection, moved)
    try:
        with connection.begin_nested() if moved else nullcontext():
            _update(connection, by_id, fresh)
    except IntegrityError:
        # Taken between the look and the update: PostgreSQL says so once the other run has committed.
        fresh -= _taken(connection, moved)
        _update(connection, by_id, fresh)
    winners = [by_id[link_id] for link_id in sorted(fresh)]
    stored = {(link.id, link.version): link for link in known}
    before = {link.id: stored.get((link.id, link.version)) for link in winners}
    _save_copies(connection, winners, before)
    _save_bases(connection, winners, before)
    return set(by_id) - fresh


Before = Mapping[str, Link | None]
"""Links by id as they are stored; None: not known."""


def _save_copies(connection: Connection, winners: Sequence[Link], before: Before) -> None:
    other = [link for link in winners if (was := before[link.id]) is None or was.copies != link.copies]
    _DELETE_COPIES.execute(connection, [{"link": link.id} for link in other])
    _INSERT_COPIES.execute(connection, copy_rows(other))


def _save_bases(connection: Connection, winners: Sequence[Link], before: Before) -> None:
    had = [link for link in winners if (was := before[link.id]) is None or was.crm_base or was.outlook_base]
    _DELETE_BASES.execute(connection, [{"link": link.id} for link in had])
    _INSERT_BASES.execute(connection, base_rows(winners))


def drop_link(connection: Connection, link: Link) -> None:
    """Remove a link with all its parts. Raises StaleLink if it was saved or dropped meanwhile."""
    statement = delete(links).where(links.c.id == link.id, links.c.version == link.version)
    if connection.execute(statement).rowcount == 0:
        raise StaleLink(f"link {link.id} was changed by another run; plan again")


_UPDATE = Bulk(
    update(links)
    .where(links.c.id == bindparam("this_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (column.name for column in links.columns)
            if name not in {"id", "version"}
        }
        | {"version": links.c.version + 1}
    )
)
_DELETE_COPIES = Bulk(delete(copies).where(copies.c.link_id == bindparam("link")))
_DELETE_BASES = Bulk(delete(bases).where(bases.c.link_id == bindparam("link")))
_INSERT_COPIES = Bulk(insert(copies))
_INSERT_BASES = Bulk(insert(bases))


def _update(connection: Connection, by_id: Mapping[str, Link], fresh: Collection[str]) -> None:
    _UPDATE.execute(connection, [_update_row(by_id[link_id]) for link_id in sorted(fresh)])


def _update_row(link: Link) -> dict[str, Any]:
    row = {f"new_{name}": value for name, value in link_row(link).items() if name != "id"}
    return {**row, "this_id": link.id}


def _locked(connection: Connection, by_id: Mapping[str, Link]) -> tuple[set[str], dict[str, Link]]:
    """Lock the rows, in the order of their ids.

    Returns those whose version is still the one that was read, and the links among them whose record or date
    of a series is another than the stored one.
    """
    fresh: set[str] = set()
    moved: dict[str, Link] = {}
    for ids in chunks(sorted(by_id)):
        for row in connection.execute(_LOCK, {"ids": ids}):
            link = by_id[row.id]
            if row.version == link.version:
                fresh.add(link.id)
                if _keys_of_row(row) != (_record(link), _slot(link)):
                    moved[link.id] = link
    return fresh, moved


_LOCK = (
    select(
        links.c.id,
        links.c.version,
        links.c.entity_type,
        links.c.record_id,
        links.c.series_ical_uid,
        links.c.original_start,
    )
    .where(links.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(links.c.id)
    .with_for_update()
)


def _taken(connection: Connection, by_id: Mapping[str, Link]) -> set[str]:
    """Those whose record or date of a series belongs to another link, be it one of these."""
    records = {_record(link): link.id for link in by_id.values() if link.record_id}
    slots = {_slot(link): link.id for link in by_id.values() if link.series_ical_uid}
    taken: set[str] = {
        link.id
        for link in by_id.values()
        if records.get(_record(link), link.id) != link.id or slots.get(_slot(link), link.id) != link.id
    }
    for entity_type in {entity_type for entity_type, _ in records}:
        for part in chunks(record_id for kind, record_id in records if kind == entity_type):
            for row in connection.execute(_OF_RECORDS, {"entity": entity_type, "records": part}):
                taken |= {records[entity_type, row.record_id]} - {str(row.id)}
    for part in chunks({uid for uid, _ in slots}):
        for one in connection.execute(_OF_SERIES, {"uids": part}):
            taken |= {slots.get((one.series_ical_uid, one.original_start), str(one.id))} - {str(one.id)}
    return taken


# The conditions on what is not empty let both databases use the partial indexes.
_OF_RECORDS = select(links.c.id, links.c.record_id).where(
    links.c.entity_type == bindparam("entity"),
    links.c.record_id.in_(bindparam("records", expanding=True)),
    links.c.record_id != "",
)
_OF_SERIES = select(links.c.id, links.c.series_ical_uid, links.c.original_start).where(
    links.c.series_ical_uid.in_(bindparam("uids", expanding=True)), links.c.series_ical_uid != ""
)


def _record(link: Link) -> tuple[str, str]:
    return link.entity_type, link.record_id


def _slot(link: Link) -> tuple[str, str]:
    return link.series_ical_uid, written_start(link.original_start)


def _keys_of_row(row: Any) -> tuple[tuple[str, str], tuple[str, str]]:
    return (row.entity_type, row.record_id), (row.series_ical_uid, row.original_start)


def _unique_key(link: Link) -> tuple[str, str, str, str, str]:
    start = written_start(link.original_start)
    return (link.series_ical_uid, start, link.entity_type, link.record_id, link.id)
