"""The breaker's hands: counts, holds and lets go what a person decided (R11).

Decides which operations of a plan are counted and under which group. How many may go is `domain.breaker`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from calsync_plugin.domain.breaker import WINDOW, Counts, allowed
from calsync_plugin.domain.links import Presence
from calsync_plugin.domain.meeting import Field, PersonKind
from calsync_plugin.domain.operations import DeleteEvent, DeleteRecord, Detach, Operation, UpdateEvent
from calsync_plugin.engine.counting import Counting
from calsync_plugin.engine.doubts import in_doubt
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.notices import WHAT_IS_HELD, Notices
from calsync_plugin.engine.roster import OFF
from calsync_plugin.state import Decision, Held, Store

log = logging.getLogger(__name__)

DELETION, MAIL = "deletion", "mail"


@dataclass(slots=True)
class _News:
    """What a run holds that was not held before."""

    is_known: bool
    """Somebody was told before that something of this kind waits."""
    count: int = 0


class Brake:
    """Holds mass changes of one mailbox."""

    def __init__(self, store: Store, notices: Notices, counting: Counting) -> None:
        """Count in `store`."""
        self._store = store
        self._notices = notices
        self._counting = counting
        self._news: dict[tuple[int, str], _News] = {}

    def waiting(self, mailbox_id: int) -> set[str]:
        """The links of which something is held or was decided by a person."""
        return {held.link_id for held in self._store.held.all(mailbox_id)}

    def hold(self, mailbox_id: int, items: Sequence[Item]) -> None:
        """Take the operations that must wait for a person out of the items' plans."""
        for item in items:
            item.counting = {kind for kind in (DELETION, MAIL) if _counted(item, kind)}
        held = self._store.held.all(mailbox_id) if any(i.link for i in items) else []
        self._hold_doubted(mailbox_id, items, held)
        for kind in (DELETION, MAIL):
            decisions = {h.link_id: h.decision for h in held if h.operation == kind}
            counted = {i.link.id: i for i in items if i.link and kind in i.counting}
            if counted:
                self._hold(mailbox_id, counted, kind, decisions)
        waiting = {h.link_id for h in held}
        for item in items:
            item.released = item.link is not None and item.link.id in waiting and not item.held

    def _hold_doubted(self, mailbox_id: int, items: Sequence[Item], held: Sequence[Held]) -> None:
        """Whatever ends a link because its record is gone waits while the CRM may have lost it."""
        decided = {h.link_id: h.decision for h in held if h.operation == DELETION}
        doubted: dict[str, bool] = {}
        for item in items:
            if item.link is None or not _ends_with_record(item):
                continue
            entity_type = item.key.entity_type
            if entity_type not in doubted:
                doubted[entity_type] = in_doubt(self._store, entity_type)
            decision = decided.get(item.link.id)
            if not doubted[entity_type] or decision is Decision.CONFIRMED:
                continue
            item.plan, item.held, item.state = (), DELETION, ItemState.DONE
            item.counting.discard(DELETION)
            if decision is None:
                known = Decision.NONE in decided.values()
                self._news.setdefault((mailbox_id, DELETION), _News(known)).count += 1
                self._counting.add("held", DELETION)

    def _hold(
        self, mailbox_id: int, items: Mapping[str, Item], kind: str, decisions: Mapping[str, Decision]
    ) -> None:
        groups = {
            i: group_of(item) for i, item in items.items() if decisions.get(i) is not Decision.CONFIRMED
        }
        # What is held already belongs to the same mass change: its rest must not slip through in small runs.
        waiting = [i for i, decision in decisions.items() if decision is Decision.NONE and i not in groups]
        go = allowed([*groups.values(), *waiting], self._counts(mailbox_id, kind))
        # Time alone releases nothing: what is held waits for a person's word.
        stopped = [i for i, group in groups.items() if group not in go or i in decisions]
        for item in (items[i] for i in stopped):
            item.plan = tuple(o for o in item.plan if not _is(o, kind))
            item.held = kind
            item.counting.discard(kind)
            if not item.plan:
                item.state = ItemState.DONE
        if fresh := len([i for i in stopped if i not in decisions]):
            known = Decision.NONE in decisions.values()
            self._news.setdefault((mailbox_id, kind), _News(known)).count += fresh
            self._counting.add("held", kind, fresh)

    def tell(self, mailbox_id: int, user_id: str) -> None:
        """Tell at the end of a run what it held, once for a mass change, however many runs it takes."""
        for kind in (DELETION, MAIL):
            news = self._news.pop((mailbox_id, kind), None)
            if news is not None and not news.is_known:
                self._tell(mailbox_id, user_id, kind, news.count)

    def _counts(self, mailbox_id: int, kind: str) -> Counts:
        window = timedelta(seconds=WINDOW)
        recent = self._store.held.groups(mailbox_id, kind=kind, within=window)
        everywhere = self._store.held.deleted_everywhere(kind=kind, within=window)
        return Counts(
            links=self._store.links.count(mailbox_id) + (len(recent) if kind == DELETION else 0),
            in_mailbox=recent,
            burst_only=kind == MAIL,
            everywhere=sum(everywhere.values()),
            mailboxes=len(everywhere.keys() - {mailbox_id}),
            all_mailboxes=sum(n for status, n in self._store.accounts.counts().items() if status not in OFF),
        )

    def _tell(self, mailbox_id: int, user_id: str, kind: str, count: int) -> None:
        what = WHAT_IS_HELD[kind]
        log.warning("%d %s in the mailbox of user %s are held until a person decides", count, what, user_id)
        account = self._store.accounts.get(user_id)
        held = [h for h in self._store.held.all(mailbox_id) if h.decision is Decision.NONE]
        if account is not None:
            self._notices.held(account, [h for h in held if h.operation == kind])


def group_of(item: Item) -> str:
    """A whole series counts as one."""
    assert item.link is not None
    return item.link.series_ical_uid or item.link.id


def _counted(item: Item, kind: str) -> bool:
    if item.link is None or item.held == kind:
        return False
    if kind == MAIL:
        return any(_is(o, kind) for o in item.plan) and _mails_outsiders(item)
    return any(_is_loss(o) for o in item.plan)


def _ends_with_record(item: Item) -> bool:
    return item.ours.presence is Presence.GONE and any(
        isinstance(operation, Detach) or _is_loss(operation) for operation in item.plan
    )


def _is(operation: Operation, kind: str) -> bool:
    return isinstance(operation, DeleteEvent | DeleteRecord if kind == DELETION else UpdateEvent)


def _is_loss(operation: Operation) -> bool:
    """A leaving copy is no loss: its meeting lives on in the new home (R2)."""
    return isinstance(operation, DeleteRecord) or (
        isinstance(operation, DeleteEvent) and operation.drops_link
    )


def _mails_outsiders(item: Item) -> bool:
    """Whether an update would reach people who are no users of the CRM."""
    ours = item.ours.meeting.attendees if item.ours.meeting else ()
    users = {a.address for a in ours if a.person and a.person.kind is PersonKind.USER}
    invited = {a.address for o in item.plan if isinstance(o, UpdateEvent) for a in o.added}
    return bool((_invited(item) | invited) - users)


def _invited(item: Item) -> set[str]:
    """Addresses of the event's attendees: as seen in this run, else as they were at the last success."""
    home = item.home_here
    event = item.seen.get(home.event_id) if home else None
    if event is not None:
        return {a.address for a in event.meeting.attendees}
    base = item.link.outlook_base if item.link else None
    known = base.values.get(Field.ATTENDEES) if base else None
    return {str(address) for address in known.values()} if isinstance(known, dict) else set()
