"""What comes in from outside becomes marks and wakes, at once and without any remote call.

Decides how a reported change is written down, and that a host never fails or waits because of us: a store
that cannot take the mark within 200 ms is logged, and the sweep finds the record later. The bridge, which
can have its sender try again, is `strict`: it writes the marks of a delivery together, or none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from time import monotonic, sleep
from typing import ParamSpec

from calsync_plugin.errors import CalsyncError, StoreBusy
from calsync_plugin.state import AccountStatus, Store

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that a strict caller waits for the store: EspoCRM waits for ten, and comes again in ten minutes."""
PAUSE = 0.05
LONGEST_ID = 255
"""Characters. EspoCRM's ids have 17; an index of PostgreSQL cannot hold much more than 2,000."""
DOTS = frozenset({".", ".."})
"""Parts of an address that every HTTP client resolves: no record can be asked for by them."""

P = ParamSpec("P")

Mark = tuple[str, str, str, str]
"""Entity type, record id, user hint, kind."""
_together: ContextVar[list[Mark] | None] = ContextVar("calsync_together", default=None)
"""The marks of a strict caller, which are written at its end; None: nobody is strict."""


def never_raises(method: Callable[P, None]) -> Callable[P, None]:
    """Log whatever goes wrong instead of failing the host's save, unless the caller is strict."""

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except CalsyncError as error:
            if _together.get() is not None:
                raise
            log.warning("a change was not marked, the sweep will find it: %s", error)
        except Exception:
            # A save in the CRM has succeeded already; nothing of ours may make it look otherwise.
            if _together.get() is not None:
                raise
            log.exception("a change was not marked, the sweep will find it")

    return guarded


class Marks:
    """The hooks' side of the engine."""

    def __init__(self, store: Store) -> None:
        """Mark in `store`."""
        self._store = store

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Write all marks that hooks make within it in one commit at its end.

        What goes wrong comes through to the caller: StoreBusy, and then none is written.
        """
        marks: list[Mark] = []
        token = _together.set(marks)
        try:
            yield
        finally:
            _together.reset(token)
        deadline = monotonic() + PATIENCE
        while True:
            try:
                self._store.queue.record_changes(dict.fromkeys(marks))
            except StoreBusy:
                if monotonic() > deadline:
                    raise
                # A full disk says so at once, and would be asked millions of times.
                sleep(PAUSE)
            else:
                return

    @never_raises
    def saved(self, entity_type: str, record: Mapping[str, object]) -> None:
        """Mark a record as touched. Its assigned user, if told, says where to look first."""
        assigned = record.get("assignedUserId")
        hint = assigned if isinstance(assigned, str) and len(assigned) <= LONGEST_ID else ""
        self._mark(entity_type, record.get("id"), hint, "saved")

    @never_raises
    def removed(self, entity_type: str, record_id: str) -> None:
        """Mark a record as touched by its removal; the run confirms that it is gone."""
        self._mark(entity_type, record_id, "", "deleted")

    def _mark(self, entity_type: str, record_id: object, hint: str, kind: str) -> None:
        """Write one mark down, unless no record can have this id: such a mark would never end."""
        text = str(record_id) if isinstance(record_id, str | int) else ""
        if not 0 < len(text) <= LONGEST_ID or text in DOTS or len(entity_type) > LONGEST_ID:
            log.warning("a %.80s without a usable id was reported; nothing can be done with it", entity_type)
            return
        together = _together.get()
        if together is None:
            self._store.queue.record_change(entity_type, text, user_hint=hint, kind=kind)
        else:
            together.append((entity_type, text, hint, kind))

    @never_raises
    def account_changed(self, user_id: str) -> None:
        """Look at a user's mailbox again."""
        account = self._store.accounts.get(user_id)
        if account is not None and account.mailbox_id:
            self._store.queue.wake(account.mailbox_id)

    @never_raises
    def user_deactivated(self, user_id: str) -> None:
        """Stop syncing for a user; the links wait, nothing is deleted or cancelled (R12)."""
        if self._store.accounts.get(user_id) is not None:
            reason = "the user is no longer active in the CRM"
            self._store.accounts.set_status(user_id, AccountStatus.OFF, reason)

    @never_raises
    def tick(self) -> None:
        """Let waiting workers look for what is due."""
        self._store.queue.interrupt()
