"""Writing links: insert under their unique keys, save by compare-and-swap, drop.

Decides which of several runs wins: the first. Works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

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
    _insert_parts(connection, [link for link in ordered if link.id in won])
    return {link.id for link in ordered} - won


def save_links(connection: Connection, changed: Sequence[Link]) -> set[str]:
    """Save links whose stored version is the one they were read with; the version grows by one.

    Returns the ids of those that another run saved, dropped or took the record of meanwhile.
    """
    by_id = {link.id: link for link in changed}
    fresh, moved = _locked(connection, by_id)
    fresh -= _record_taken(connection, moved)
    winners = [by_id[link_id] for link_id in sorted(fresh)]
    _UPDATE.execute(connection, [_update_row(link) for link in winners])
    _DELETE_COPIES.execute(connection, [{"link": link.id} for link in winners])
    _DELETE_BASES.execute(connection, [{"link": link.id} for link in winners])
    _insert_parts(connection, winners)
    return set(by_id) - fresh


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


def _update_row(link: Link) -> dict[str, Any]:
    row = {f"new_{name}": value for name, value in link_row(link).items() if name != "id"}
    return {**row, "this_id": link.id}


def _locked(connection: Connection, by_id: Mapping[str, Link]) -> tuple[set[str], dict[str, Link]]:
    """Lock the rows, in the order of their ids.

    Returns those whose version is still the one that was read, and the links among them whose record is
    another than the stored one.
    """
    fresh: set[str] = set()
    moved: dict[str, Link] = {}
    for ids in chunks(sorted(by_id)):
        for row in connection.execute(_LOCK, {"ids": ids}):
            link = by_id[row.id]
            if row.version == link.version:
                fresh.add(link.id)
                if (row.entity_type, row.record_id) != (link.entity_type, link.record_id):
                    moved[link.id] = link
    return fresh, moved


_LOCK = (
    select(links.c.id, links.c.version, links.c.entity_type, links.c.record_id)
    .where(links.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(links.c.id)
    .with_for_update()
)


def _record_taken(connection: Connection, by_id: Mapping[str, Link]) -> set[str]:
    """Those whose record belongs to another link."""
    wanted = {(link.entity_type, link.record_id): link.id for link in by_id.values() if link.record_id}
    taken = set()
    for entity_type in {entity_type for entity_type, _ in wanted}:
        for part in chunks(record for kind, record in wanted if kind == entity_type):
            statement = select(links.c.id, links.c.record_id).where(
                links.c.entity_type == entity_type, links.c.record_id.in_(part), links.c.record_id != ""
            )
            for row in connection.execute(statement):
                mine = wanted[entity_type, row.record_id]
                if row.id != mine:
                    taken.add(mine)
    return taken


def _insert_parts(connection: Connection, of: Collection[Link]) -> None:
    _INSERT_COPIES.execute(connection, copy_rows(of))
    _INSERT_BASES.execute(connection, base_rows(of))


def _unique_key(link: Link) -> tuple[str, str, str, str, str]:
    start = written_start(link.original_start)
    return (link.series_ical_uid, start, link.entity_type, link.record_id, link.id)
