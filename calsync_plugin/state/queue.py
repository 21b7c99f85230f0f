"""The queue of mailboxes: wake, claim, renew, finish.

Decides who may work on which mailbox now. Does not decide what is done there nor when it is due next. A row:

    due_at      when it wants to run; a wake pulls it to now
    not_before  a Retry-After or backoff; a wake does not override it
    seq         counts the wakes, so that one that comes during a run is seen at its end
    owner, run  whose lease it is, and which claim of the row; both fence whoever was overtaken
    lease_until when another worker may take it
    ready_at    the latest of the three times, kept by the database: what a claim looks at
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    bindparam,
    case,
    literal,
    select,
    text,
    update,
)

from calsync_plugin.errors import LeaseLost
from calsync_plugin.state import pulls
from calsync_plugin.state.clock import NEVER
from calsync_plugin.state.columns import storable
from calsync_plugin.state.database import Database
from calsync_plugin.state.lane_sqlite import NewChange
from calsync_plugin.state.lanes import Lane
from calsync_plugin.state.listening import Listener
from calsync_plugin.state.reading_rows import PullState
from calsync_plugin.state.rows import Lease, MailboxKind, Pace
from calsync_plugin.state.schema import mailboxes as m
from calsync_plugin.state.waiting import Doorbell

ORDER: tuple[ColumnElement[float], ColumnElement[int]] = (m.c.ready_at, m.c.id)
"""Which mailboxes a claim takes first: a total order, so that no plan of the database decides it."""


class Queue:
    """The leased rows of a store. Thread-safe."""

    def __init__(self, database: Database, lane: Lane, doorbell: Doorbell, listener: Listener) -> None:
        self._database = database
        self._lane = lane
        self._doorbell = doorbell
        self._listener = listener
        self.hears = listener.listening
        """Set once wakes of other processes are heard; the first wait starts that."""
        self._claim = _claim_statement(database)
        self._next = select(m.c.ready_at - database.now).order_by(m.c.ready_at).limit(1)

    # --- the hooks' path

    def record_change(
        self, entity_type: str, record_id: str, *, user_hint: str = "", kind: str = "saved"
    ) -> None:
        """Note that a record was touched, and wake the router: one short commit.

        Raises StoreBusy instead of waiting longer than 200 ms.
        """
        self.record_changes([(entity_type, record_id, user_hint, kind)])

    def record_changes(self, changes: Iterable[NewChange]) -> None:
        """Note many touched records (entity type, record id, user hint, kind) in one commit."""
        rows = [tuple(map(storable, change)) for change in changes]
        if rows:
            self._lane.record(rows)  # type: ignore[arg-type]
            self._doorbell.ring()

    # --- wakes

    def wake(self, mailbox_id: int) -> None:
        """Make a mailbox due now. During a run it stays due afterwards; a backoff is not overridden."""
        self.wake_all([mailbox_id])

    def wake_all(self, mailbox_ids: Collection[int]) -> None:
        """Make several mailboxes due in one commit."""
        if not mailbox_ids:
            return
        with self._database.write() as connection:
            wake(connection, self._database, mailbox_ids)
        self._doorbell.ring()

    def hint(self, mailbox_id: int) -> None:
        """Something may have changed in a mailbox: read it now. A backoff is not overridden."""
        with self._database.write() as connection:
            pulls.hint(connection, self._database, mailbox_id)
            wake(connection, self._database, [mailbox_id])
        self._doorbell.ring()

    def pull_state(self, mailbox_id: int) -> PullState:
        """When a mailbox wants to be read, and the hints until now."""
        with self._database.read() as connection:
            return pulls.state(connection, mailbox_id)

    # --- leases

    def claim(self, owner: str, *, limit: int, lease: float) -> list[Lease]:
        """Take up to `limit` mailboxes that are ready, longest waiting first, for `lease` seconds each."""
        with self._database.write() as connection:
            rows = connection.execute(
                self._claim,
                {"new_owner": owner, "limit": limit, "seconds": lease, **self._database.times()},
            ).all()
        # RETURNING keeps no order, and how PostgreSQL joins the picked rows depends on its plan.
        return [_lease(row) for row in sorted(rows, key=lambda row: (row.due_at, row.id))]

    def renew(self, lease: Lease, seconds: float) -> None:
        """Hold the mailbox for another `seconds` from now. Raises LeaseLost if another worker has it."""
        if self.renew_all([lease], seconds):
            raise LeaseLost(f"mailbox {lease.mailbox_id} went to another worker")

    def renew_all(self, leases: Sequence[Lease], seconds: float) -> list[Lease]:
        """Renew several leases in one commit; returns those that are lost."""
        until = self._database.now + bindparam("seconds")
        statement = update(m).where(_ours()).values(lease_until=until)
        lost = []
        with self._database.write() as connection:
            for lease in sorted(leases, key=lambda lease: lease.mailbox_id):
                parameters = {**_fence(lease), "seconds": seconds, **self._database.times()}
                if connection.execute(statement, parameters).rowcount == 0:
                    lost.append(lease)
        return lost

    def finish(
        self,
        lease: Lease,
        *,
        next_due: float | None = None,
        not_before: float | None = None,
        failed: bool = False,
    ) -> bool:
        """Give the mailbox back; returns whether it was still ours.

        `next_due`: seconds from now until it is due by itself, None for not at all; a wake that came during
        the run makes it due now instead. `not_before`: seconds from now during which not even a wake starts
        it. `failed` keeps counting attempts, success starts again at 1.
        """
        now = self._database.now
        wanted: ColumnElement[float] = literal(NEVER) if next_due is None else now + literal(next_due)
        values = {
            # Due now, not since its old time: it must not pass those that wait.
            "due_at": case((m.c.seq != bindparam("seen"), now), else_=wanted),
            "not_before": literal(0.0) if not_before is None else now + literal(not_before),
            "owner": "",
            "lease_until": 0.0,
        }
        if not failed:
            values["attempt"] = 0
        statement = update(m).where(_ours()).values(values)
        parameters = {**_fence(lease), "seen": lease.seq, **self._database.times()}
        with self._database.write() as connection:
            row = connection.execute(statement.returning(m.c.ready_at), parameters).first()
        if row is not None and row.ready_at < NEVER:
            self._doorbell.ring()
        return row is not None

    def release_all(self, owner: str) -> int:
        """Give back all mailboxes of `owner` unfinished, at a clean stop; they stay due. Returns how many."""
        statement = (
            update(m)
            .where(m.c.owner == owner)
            .values(owner="", lease_until=0.0, attempt=case((m.c.attempt > 0, m.c.attempt - 1), else_=0))
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount

    # --- waiting

    def next_due_in(self) -> float | None:
        """Seconds until a mailbox is ready, 0 or less if one is; None if none ever will be by itself."""
        with self._database.read() as connection:
            seconds = connection.execute(self._next, self._database.times()).scalar()
        return None if seconds is None or seconds > NEVER / 2 else float(seconds)

    def wait(self, timeout: float) -> bool:
        """Wait until a mailbox may be ready; False after `timeout` seconds of nothing.

        A wake in this process ends it at once, one in another process within 50 ms (PostgreSQL: at once).
        """
        self._listener.start()
        return self._doorbell.wait(timeout, self.next_due_in)

    def interrupt(self) -> None:
        """End all waits in this process, for instance to stop."""
        self._doorbell.interrupt()

    # --- pacing

    def pace(self, mailbox_id: int) -> Pace:
        """How much of its request window a mailbox has used, as last saved."""
        with self._database.read() as connection:
            row = connection.execute(select(m.c.pace_start, m.c.pace_count).where(m.c.id == mailbox_id)).one()
        return Pace(row.pace_start, row.pace_count)

    def add_pace(self, mailbox_id: int, before: Pace, after: Pace) -> None:
        """Remember over a restart what somebody has used of it since `before`."""
        with self._database.write() as connection:
            add_pace(connection, mailbox_id, before, after)


def wake(connection: Connection, database: Database, mailbox_ids: Collection[int]) -> None:
    """Make mailboxes due within the caller's transaction; call it last, it locks their rows."""
    wanted = sorted(set(mailbox_ids))
    if len(wanted) > 1:
        # In one order, so that two runs that wake the same ones do not wait for each other in a circle.
        connection.execute(select(m.c.id).where(m.c.id.in_(wanted)).order_by(m.c.id).with_for_update()).all()
    now = database.now
    rows = connection.execute(
        update(m)
        .where(m.c.id.in_(wanted))
        .values(due_at=case((m.c.due_at > now, now), else_=m.c.due_at), seq=m.c.seq + 1)
        .returning(m.c.ready_at == now),
        database.times(),
    ).all()
    if not database.is_sqlite and any(row[0] for row in rows):
        connection.execute(text("SELECT pg_notify('calsync', '')"))


def add_pace(connection: Connection, mailbox_id: int, before: Pace, after: Pace) -> None:
    """Add to a mailbox's request window within the caller's transaction; others add to it at the same time.

    Whoever finds the window over begins the next one; of two who do, the later adds to that of the first.
    """
    same = before.start == after.start
    taken = after.count - before.count if same else after.count
    values: dict[str, float] = {"mine": mailbox_id, "taken": taken}
    if same:
        connection.execute(_ADD_PACE, values)
    else:
        connection.execute(_BEGIN_PACE, {**values, "seen": before.start, "start": after.start})


def hold_lease(connection: Connection, lease: Lease) -> None:
    """Lock the row of `lease` until the commit. Raises LeaseLost if it is no longer ours."""
    if connection.execute(_HOLD, _fence(lease)).first() is None:
        raise LeaseLost(f"mailbox {lease.mailbox_id} went to another worker; nothing was saved")


def _claim_statement(database: Database) -> Executable:
    picked = (
        select(m.c.id)
        .where(m.c.ready_at <= database.now)
        .order_by(*ORDER)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return (
        update(m)
        .where(m.c.id.in_(select(picked.c.id)))
        .values(
            owner=bindparam("new_owner"),
            run=m.c.run + 1,
            attempt=m.c.attempt + 1,
            run_started=database.now,
            lease_until=database.now + bindparam("seconds"),
        )
        .returning(m.c.id, m.c.kind, m.c.owner, m.c.run, m.c.seq, m.c.attempt, m.c.lease_until, m.c.due_at)
    )


def _ours() -> ColumnElement[bool]:
    return (m.c.id == bindparam("mine")) & (m.c.owner == bindparam("me")) & (m.c.run == bindparam("this_run"))


# Statements that every run needs are made once: building one costs more than executing it.
_OF_MINE = update(m).where(m.c.id == bindparam("mine"))
_ADD_PACE = _OF_MINE.values(pace_count=m.c.pace_count + bindparam("taken"))
_IS_OVER = m.c.pace_start == bindparam("seen")
_BEGIN_PACE = _OF_MINE.values(
    pace_start=case((_IS_OVER, bindparam("start")), else_=m.c.pace_start),
    pace_count=case((_IS_OVER, bindparam("taken")), else_=m.c.pace_count + bindparam("taken")),
)
_HOLD = select(m.c.id).where(_ours()).with_for_update()


def _fence(lease: Lease) -> dict[str, int | str]:
    return {"mine": lease.mailbox_id, "me": lease.owner, "this_run": lease.run}


def _lease(row: Row[tuple[object, ...]]) -> Lease:
    return Lease(row.id, MailboxKind(row.kind), row.owner, row.run, row.seq, row.attempt, row.lease_until)
