"""Grants that an administrator gave to roles, teams and users on our own pages.

Decides nothing about what follows from them (`accounts.grants`) and who has which role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, tuple_

from calsync_plugin.state.bulk import chunks, upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import given_grants
from calsync_plugin.state.rows import Given, Subject

USER = "user"
"""The kind of a subject that is no group."""


class GivenGrants:
    """The given grants of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Given]:
        """All that was given, by kind and name of the subject."""
        g = given_grants.c
        ordered = (g.subject_kind, g.subject_name, g.subject_id, g.name)
        with self._database.read() as connection:
            rows = connection.execute(select(given_grants).order_by(*ordered)).all()
        return [
            Given(
                subject=Subject(row.subject_kind, row.subject_id),
                subject_name=row.subject_name,
                name=row.name,
                given_by=row.given_by,
                given_at=row.given_at,
            )
            for row in rows
        ]

    def of(self, subjects: Collection[Subject]) -> frozenset[str]:
        """The names of the grants that any of these subjects has."""
        return frozenset[str]().union(*self.by_subject(subjects).values())

    def by_subject(self, subjects: Collection[Subject]) -> dict[Subject, frozenset[str]]:
        """The names of the grants of each of these subjects; who has none is left out."""
        key = tuple_(given_grants.c.subject_kind, given_grants.c.subject_id)
        with self._database.read() as connection:
            return _names(
                row
                for part in chunks(sorted((one.kind, one.id) for one in subjects))
                for row in connection.execute(select(given_grants).where(key.in_(part)))
            )

    def to_groups(self) -> dict[Subject, frozenset[str]]:
        """What was given to roles and teams."""
        statement = select(given_grants).where(given_grants.c.subject_kind != USER)
        with self._database.read() as connection:
            return _names(connection.execute(statement))

    def give(self, subject: Subject, name: str, *, subject_name: str, given_by: str) -> None:
        """Give a grant; giving it again renews the name and who gave it."""
        self.give_all([(subject, name, subject_name)], given_by=given_by)

    def give_all(self, given: Iterable[tuple[Subject, str, str]], *, given_by: str) -> None:
        """Give many at once: subject, name of the grant and name of the subject."""
        now = datetime.fromtimestamp(self._database.clock.now(), UTC)
        rows = [
            {
                "subject_kind": subject.kind,
                "subject_id": subject.id,
                "name": name,
                "subject_name": subject_name,
                "given_by": given_by,
                "given_at": now,
            }
            for subject, name, subject_name in given
        ]
        if not rows:
            return
        with self._database.write() as connection:
            connection.execute(upsert(connection, given_grants), rows)

    def take(self, subject: Subject, name: str) -> bool:
        """Take a grant away; whether it had been given."""
        same = (
            (given_grants.c.subject_kind == subject.kind)
            & (given_grants.c.subject_id == subject.id)
            & (given_grants.c.name == name)
        )
        with self._database.write() as connection:
            return connection.execute(delete(given_grants).where(same)).rowcount > 0


def _names(rows: Iterable[Any]) -> dict[Subject, frozenset[str]]:
    found: dict[Subject, frozenset[str]] = {}
    for row in rows:
        subject = Subject(row.subject_kind, row.subject_id)
        found[subject] = found.get(subject, frozenset()) | {row.name}
    return found
