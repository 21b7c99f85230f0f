"""One mailbox: gather, look, plan, break, write, save - in bounded runs.

Decides the order of these steps, when a run yields, and what an error of the whole mailbox means for its
account. What is planned is `domain.planner`'s; how it is written is `write`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calsync_plugin.domain.planner import plan
from calsync_plugin.engine.brake import Brake
from calsync_plugin.engine.event_writes import Draft
from calsync_plugin.engine.failures import crm_refuses
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.look import look, look_at_former_homes, moves_unseen, needs_look
from calsync_plugin.engine.pipeline import Pipeline
from calsync_plugin.engine.roster import READY, Member, Roster
from calsync_plugin.engine.saver import Saver
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.engine.write import Writer
from calsync_plugin.errors import (
    Forbidden,
    MailboxUnusable,
    ReconnectNeeded,
    Transient,
    Unauthorized,
)
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.settings import WorkerSettings
from calsync_plugin.state import AccountStatus, ChangeKey, Lease, Pace, Store

log = logging.getLogger(__name__)

BATCH = 20
"""Items that are written together: one `$batch` of Graph."""
ROUNDS = 6
"""How often an item is looked at and planned again within one run before it waits for the next."""

LOOKS = 4
"""How often a plan may ask for another look before it is carried out."""

OpenMailbox = Callable[[Member], MailboxClient]
Notify = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a reconciler works with."""

    store: Store
    roster: Roster
    gatherer: Gatherer
    open_mailbox: OpenMailbox
    writer: Writer
    saver: Saver
    brake: Brake
    notify: Notify
    now: Callable[[], float]
    stopping: Callable[[], bool]
    limits: WorkerSettings


class Reconciler:
    """Runs mailboxes."""

    def __init__(self, parts: Parts) -> None:
        """Work with `parts`."""
        self._parts = parts
        self._store = parts.store

    def run(self, lease: Lease) -> Rest:
        """Bring one mailbox up to date with the CRM, as far as one run reaches."""
        member = self._parts.roster.by_mailboxes([lease.mailbox_id]).get(lease.mailbox_id)
        if member is None or member.account.status not in READY or self._store.installation.get().paused:
            # The marks stay; whoever brings the account back wakes the mailbox.
            return Rest()
        try:
            return self._run(lease, member)
        except ReconnectNeeded as error:
            return self._ask(member, AccountStatus.RECONNECT, str(error))
        except (MailboxUnusable, Forbidden, Unauthorized) as error:
            # Graph refuses a token that was refreshed just now: only a new login gets another (R20). Without
            # a status it is the app registration that the login service refuses, which no user can mend.
            refused = isinstance(error, Unauthorized) and error.status == 401
            status = AccountStatus.RECONNECT if refused else AccountStatus.NEEDS_ATTENTION
            return self._ask(member, status, str(error))
        except Transient as error:
            wait = backoff(lease.attempt) if error.retry_after is None else error.retry_after
            log.info("mailbox %s rests for %.1f s: %s", lease.mailbox_id, wait, error)
            self._store.accounts.failed(member.account.user_id, str(error))
            return Rest(next_due=0.0, not_before=wait, failed=True)

    def _run(self, lease: Lease, member: Member) -> Rest:
        parts = self._parts
        started = parts.now()
        client = parts.open_mailbox(member)
        saved = _pace(client)
        try:
            page = self._store.changes.for_mailbox(lease.mailbox_id, parts.limits.run_items)
            if not page.keys:
                return _due(self._store.changes.next_due_in(lease.mailbox_id))
            items = self._gather(member, page.keys, started)
            self._finish_foreign(lease, page.keys, items)
            pipeline = Pipeline(
                lease,
                client,
                parts.writer,
                parts.saver,
                draft=lambda portion: self._draft(lease, client, portion),
                settle=lambda portion: self._settle(lease, client, portion),
            )
            pipeline.run(_portions(items), lambda: self._may_go_on(started))
            saved = _pace(client)
            return _due(parts.saver.end(lease, member.account.user_id, saved))
        finally:
            if saved != _pace(client):
                self._store.queue.set_pace(lease.mailbox_id, _pace(client))

    def _gather(self, member: Member, keys: Sequence[ChangeKey], now: float) -> list[Item]:
        try:
            return self._parts.gatherer.gather(member, keys, now)
        except (Unauthorized, Forbidden) as error:
            raise crm_refuses(error) from error

    def _finish_foreign(self, lease: Lease, keys: Sequence[ChangeKey], items: Sequence[Item]) -> None:
        """End the marks of entity types that are not synced (any more)."""
        known = {item.key for item in items}
        foreign = [key for key in keys if key not in known]
        if foreign:
            self._parts.saver.forget(lease, foreign)

    def _may_go_on(self, started: float) -> bool:
        parts = self._parts
        return not parts.stopping() and parts.now() - started <= parts.limits.run_seconds

    def _draft(self, lease: Lease, client: MailboxClient, items: Sequence[Item]) -> Draft:
        """Look, plan, and say what is to be sent."""
        self._plan(client, [i for i in items if i.state is ItemState.OPEN])
        self._parts.brake.hold(lease.mailbox_id, [i for i in items if i.state is ItemState.OPEN])
        return self._parts.writer.draft([i for i in items if i.state is ItemState.OPEN])

    def _settle(self, lease: Lease, client: MailboxClient, items: Sequence[Item]) -> None:
        """Look, plan and write again until every item has come to rest."""
        parts = self._parts
        for _ in range(ROUNDS - 1):
            working = [i for i in items if i.state is ItemState.OPEN]
            if not working:
                return
            draft = self._draft(lease, client, working)
            intent = draft.intend()
            if intent:
                parts.saver.save(lease, (), intent)
            parts.writer.conclude(draft, client.batch(draft.take_off()))
        for item in items:
            if item.state is ItemState.OPEN:
                item.state, item.error = ItemState.RETRY, "it kept changing while it was being synced"

    def _plan(self, client: MailboxClient, items: Sequence[Item]) -> None:
        """Plan, and plan again with open eyes where the plan needs to see the event."""
        for item in items:
            if item.problem is not None:
                _give_up(item)
        for _ in range(LOOKS):
            blind = [i for i in items if i.state is ItemState.OPEN and needs_look(i)]
            if blind:
                look(client, blind, self._parts.writer.installation_id)
            for item in items:
                if item.state is ItemState.OPEN:
                    item.plan = plan(item.link, item.ours, item.theirs, item.policy)
                    item.planned = (item.ours.meeting, item.theirs.meeting)
            moving = [i for i in items if moves_unseen(i)]
            self._look_at_former_homes(moving)
            if not moving and not any(i.state is ItemState.OPEN and needs_look(i) for i in items):
                return

    def _look_at_former_homes(self, items: Sequence[Item]) -> None:
        owners = {i.former.mailbox_id: i.former for i in items if i.former}
        for mailbox_id, owner in owners.items():
            theirs = [i for i in items if i.former and i.former.mailbox_id == mailbox_id]
            look_at_former_homes(self._parts.open_mailbox(owner), theirs)

    def _ask(self, member: Member, status: AccountStatus, reason: str) -> Rest:
        """Only a person can help: the account says so, the marks stay, nothing is tried blindly (R20)."""
        user_id = member.account.user_id
        log.warning("the account of user %s is %s: %s", user_id, status.value, reason)
        self._store.accounts.set_status(user_id, status, reason)
        self._store.accounts.failed(user_id, reason)
        self._parts.notify(user_id, reason)
        return Rest()


def _due(seconds: float | None) -> Rest:
    """Due again when the next mark is: at once if the run yielded, later if items wait for a retry."""
    return Rest(next_due=None if seconds is None else max(seconds, 0.0))


def _pace(client: MailboxClient) -> Pace:
    return Pace(client.pace.start, client.pace.count)


def _give_up(item: Item) -> None:
    """Park what cannot be read with its assignee, whom it concerns; nobody else has anything of it."""
    assignee = item.ours.assignee.mailbox_id
    if item.link is None and assignee not in {0, item.mailbox_id}:
        item.elsewhere.add(assignee)
        item.state = ItemState.DONE
    else:
        item.state = ItemState.PARKED


def _portions(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[first : first + BATCH] for first in range(0, len(items), BATCH)]
