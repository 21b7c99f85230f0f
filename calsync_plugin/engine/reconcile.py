"""One mailbox: gather, look, plan, break, write, save - in bounded runs.

Decides the order of these steps, when a run yields, and what an error of the whole mailbox means for its
account. What is planned is `domain.planner`'s; how it is written is `write`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calsync_plugin.domain.operations import UpdateEvent
from calsync_plugin.domain.planner import plan
from calsync_plugin.engine.adopting import wait_for_first_reading
from calsync_plugin.engine.brake import Brake
from calsync_plugin.engine.bursts import Bursts
from calsync_plugin.engine.calendars import not_chosen, refresh_calendars, scope_of, unknown_choices
from calsync_plugin.engine.event_writes import Draft
from calsync_plugin.engine.failures import asking_the_crm
from calsync_plugin.engine.flooding import Flooding
from calsync_plugin.engine.gather import Gatherer
from calsync_plugin.engine.handing_over import HandingOver
from calsync_plugin.engine.inward import Inward
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.look import look, look_at_former_homes, moves_unseen, needs_look
from calsync_plugin.engine.marks import EventMarks
from calsync_plugin.engine.notices import Notices
from calsync_plugin.engine.pipeline import Pipeline
from calsync_plugin.engine.pulling import Puller
from calsync_plugin.engine.roster import READY, Member, Roster
from calsync_plugin.engine.run import Run, window_of
from calsync_plugin.engine.saver import Saver
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.engine.write import Writer
from calsync_plugin.errors import (
    ConfigurationError,
    Forbidden,
    MailboxUnusable,
    ReconnectNeeded,
    RemoteError,
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
    flooding: Flooding
    inward: Inward
    handing_over: HandingOver
    marks: EventMarks
    puller: Puller
    notices: Notices
    now: Callable[[], float]
    stopping: Callable[[], bool]
    limits: WorkerSettings


class Reconciler:
    """Runs mailboxes."""

    def __init__(self, parts: Parts) -> None:
        """Work with `parts`."""
        self._parts = parts
        self._store = parts.store
        self._bursts = Bursts(parts.now)

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
        except ConfigurationError as error:
            # The login service does not describe itself: no account is to blame, and it may be mended there.
            log.error("mailbox %s waits: %s", lease.mailbox_id, error)
            self._store.accounts.failed(member.account.user_id, str(error))
            return Rest(next_due=0.0, not_before=backoff(lease.attempt), failed=True)
        except RemoteError as error:
            # Others than transient ones make no sense here, such as 412 for a read: they may pass as well.
            told = error.retry_after if isinstance(error, Transient) else None
            wait = backoff(lease.attempt) if told is None else told
            log.info("mailbox %s rests for %.1f s: %s", lease.mailbox_id, wait, error)
            self._store.accounts.failed(member.account.user_id, str(error))
            return Rest(next_due=0.0, not_before=wait, failed=True)

    def _run(self, lease: Lease, member: Member) -> Rest:
        parts = self._parts
        started = parts.now()
        client = parts.open_mailbox(member)
        saved = _pace(client)
        try:
            run = self._begin(lease, member, client, started)
            # What the CRM reported goes before what Outlook has to tell: a user waits for it.
            if self._records(run) and parts.marks.work(run) and self._may_go_on(started):
                parts.puller.pull(run)
            rest = self._bursts.rest_after(lease.mailbox_id, run.written)
            used = _pace(client)
            seconds = parts.saver.end(lease, member.account.user_id, saved, used)
            saved = used
            return _due(seconds, rest)
        finally:
            parts.brake.tell(lease.mailbox_id, member.account.user_id)
            if saved != _pace(client):
                self._store.queue.add_pace(lease.mailbox_id, saved, _pace(client))

    def _begin(self, lease: Lease, member: Member, client: MailboxClient, started: float) -> Run:
        mailbox_id = lease.mailbox_id
        rows = self._store.calendars.for_mailbox(mailbox_id)
        unknown = unknown_choices(member.settings, rows)
        is_due = self._store.queue.pull_state(mailbox_id).pull_at <= started
        if (is_due and (not rows or unknown)) or (rows and member.settings.main_calendar in unknown):
            rows = refresh_calendars(client, self._store, mailbox_id, member.account.address)
        others = not_chosen(member.settings, rows)
        with_records = self._store.links.calendars_with_records(mailbox_id, others)
        return Run(
            lease=lease,
            member=member,
            client=client,
            started=started,
            scope=scope_of(member.settings, rows, with_records),
            window=window_of(member, started),
            carry=self._carry,
            may_go_on=lambda: self._may_go_on(started),
        )

    def _records(self, run: Run) -> bool:
        """Work off the marks of records; whether all that was due came to rest."""
        page = self._store.changes.for_mailbox(run.mailbox_id, self._parts.limits.run_items)
        if not page.keys:
            return True
        with asking_the_crm():
            items = self._parts.gatherer.gather(run.member, page.keys, run.started)
        for item in items:
            item.scope, item.runner_main = frozenset(run.scope.read), run.scope.main
        self._finish_foreign(run.lease, page.keys, items)
        self._carry(run, items)
        return not page.more and self._may_go_on(run.started)

    def _carry(self, run: Run, items: Sequence[Item]) -> None:
        """Plan, write and save items, as many as may be begun."""
        waiting = self._parts.brake.waiting(run.mailbox_id)
        for item in items:
            if item.link is not None and item.link.id in waiting and item.home_here is not None:
                # What was held may have changed since; a decision of then is not carried out blindly.
                item.must_see.add(item.home_here.event_id)
        pipeline = Pipeline(
            run.lease,
            run.client,
            self._parts.writer,
            self._parts.saver,
            draft=lambda portion: self._draft(run.lease, run.client, portion),
            settle=lambda portion: self._settle(run.lease, run.client, portion),
        )
        pipeline.run(_portions(items), run.may_go_on)
        run.written |= {i.home_here.event_id for i in items if i.home_here and _is_updated(i)}

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
        for item in items:
            wait_for_first_reading(item)
        self._parts.brake.hold(lease.mailbox_id, [i for i in items if i.state is ItemState.OPEN])
        self._parts.flooding.hold(items)
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
                look(client, blind, self._parts.writer.installation_id, self._parts.inward)
            self._parts.handing_over.hand_over(items)
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
            look_at_former_homes(self._parts.open_mailbox(owner), theirs, self._parts.inward)

    def _ask(self, member: Member, status: AccountStatus, reason: str) -> Rest:
        """Only a person can help: the account says so, the marks stay, nothing is tried blindly (R20)."""
        user_id = member.account.user_id
        log.warning("the account of user %s is %s: %s", user_id, status.value, reason)
        self._store.accounts.set_status(user_id, status, reason)
        self._store.accounts.failed(user_id, reason)
        account = self._store.accounts.get(user_id)
        if account is not None:
            self._parts.notices.account(account)
        return Rest()


def _due(seconds: float | None, rest: float | None) -> Rest:
    """Due again when the next mark is: at once if the run yielded, later if items wait for a retry."""
    return Rest(next_due=None if seconds is None else max(seconds, 0.0), not_before=rest)


def _is_updated(item: Item) -> bool:
    return item.wrote and any(isinstance(operation, UpdateEvent) for operation in item.plan)


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
