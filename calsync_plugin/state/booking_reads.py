"""What is read of bookings within one transaction: what they take, how many there are, whose turn it was.

Decides nothing about who gets a slot.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, func, select

from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.state.booking_rows import TAKING, Booking, BookingState, Hold, HoldState, Standing, Turn
from calsync_plugin.state.booking_schema import booking_calendars
from calsync_plugin.state.booking_schema import booking_holds as h
from calsync_plugin.state.booking_schema import bookings as k
from calsync_plugin.state.bulk import chunks
from calsync_plugin.state.busy import sources_of, times_of
from calsync_plugin.state.busy_schema import busy as b
from calsync_plugin.state.busy_schema import busy_sources as s
from calsync_plugin.state.schema import copies, links


def standing(
    connection: Connection, booking: Booking, users: list[str], around: Interval, day: Interval, since: float
) -> Standing:
    """What counts when a slot is given away, within the caller's transaction."""
    taken: dict[str, list[Interval]] = {}
    for part in chunks(users):
        for hold in holds_of(connection, part, *around, TAKING):
            taken.setdefault(hold.user_id, []).append((hold.start, hold.end))
    sources = sources_of(connection, users)
    return Standing(
        taken=taken,
        booked=booked_of(connection, users, day, booking.calendar_id, booking.id),
        turns=_turns(connection, booking, users, since),
        sources=sources,
        times=times_of(connection, [source.id for source in sources], *around),
    )


def holds_of(
    connection: Connection, user_ids: list[str], start: int, end: int, states: Iterable[HoldState]
) -> list[Hold]:
    """The holds of these users in a window, by user, start and booking."""
    statement = (
        select(h)
        .where(
            h.c.user_id.in_(user_ids),
            h.c.ends_at > start,
            h.c.starts_at < end,
            h.c.state.in_([state.value for state in states]),
        )
        .order_by(h.c.user_id, h.c.starts_at, h.c.booking_id)
    )
    return [
        Hold(
            booking_id=row.booking_id,
            user_id=row.user_id,
            start=row.starts_at,
            end=row.ends_at,
            state=HoldState(row.state),
        )
        for row in connection.execute(statement)
    ]


def booked_of(
    connection: Connection, users: list[str], span: Interval, calendar_id: str, but: str
) -> dict[str, list[Interval]]:
    """The bookings of these users that touch a span, without the booking `but`."""
    found: dict[str, list[Interval]] = {}
    statement = select(h.c.user_id, h.c.starts_at, h.c.ends_at).join(k, k.c.id == h.c.booking_id)
    if calendar_id:
        statement = statement.where(k.c.calendar_id == calendar_id)
    for part in chunks(users):
        own = h.c.user_id.in_(part) & (h.c.booking_id != but)
        within = (h.c.ends_at > span[0]) & (h.c.starts_at < span[1])
        ordered = statement.where(own, within).order_by(h.c.user_id, h.c.starts_at, h.c.booking_id)
        for row in connection.execute(ordered):
            found.setdefault(row.user_id, []).append((row.starts_at, row.ends_at))
    return found


def lies_there(booking: Booking) -> ColumnElement[bool]:
    """Whether the event of a hold's user is known to lie where the booking lies now."""
    of_record = (links.c.entity_type == booking.entity_type) & (links.c.record_id == booking.record_id)
    read = (
        select(b.c.event_id)
        .join(s, s.c.id == b.c.source_id)
        .join(copies, (copies.c.mailbox_id == s.c.mailbox_id) & (copies.c.event_id == b.c.event_id))
        .join(links, links.c.id == copies.c.link_id)
        .where(of_record, s.c.user_id == h.c.user_id, b.c.show_as != ShowAs.TENTATIVE.value)
        .where(b.c.starts_at == booking.start, b.c.ends_at == booking.end)
    )
    return read.correlate(h).exists()


def longest_fairness(connection: Connection) -> int:
    """Over how many days turns are compared, by that booking calendar that looks back longest."""
    rules = connection.execute(select(booking_calendars.c.rules)).scalars()
    return max((days for one in rules if isinstance(days := one.get("fairness_days"), int)), default=0)


def _turns(connection: Connection, booking: Booking, users: list[str], since: float) -> dict[str, Turn]:
    """What the members of a booking calendar were given, or all users if it is none."""
    found: dict[str, Turn] = {}
    lately = func.count().filter(k.c.made_at >= since)
    for part in chunks(users):
        statement = (
            select(k.c.user_id, lately.label("booked"), func.max(k.c.made_at).label("last"))
            .where(
                k.c.calendar_id == booking.calendar_id,
                k.c.user_id.in_(part),
                k.c.state != BookingState.RELEASED.value,
                k.c.id != booking.id,
            )
            .group_by(k.c.user_id)
            .order_by(k.c.user_id)
        )
        for row in connection.execute(statement):
            found[row.user_id] = Turn(row.booked, row.last)
    return found
