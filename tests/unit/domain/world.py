"""Both sides and the store in memory, and an executor that can be stopped before any of its effects.

It carries out plans as the operations say, in their order; it decides nothing about meetings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from calsync_plugin.domain.answering import Own, known_after
from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import (
    Copy,
    CopyPurpose,
    CopyState,
    Link,
    LinkState,
    Origin,
    Presence,
    Role,
)
from calsync_plugin.domain.links import transaction_id as key_of
from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.domain.operations import (
    CancelRecord,
    CreateEvent,
    CreateRecord,
    DeleteEvent,
    DeleteRecord,
    Detach,
    DropLink,
    MaskLog,
    Operation,
    RecordClash,
    Respond,
    Resume,
    SaveBase,
    Suspend,
    UpdateEvent,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.planner import Assignee, Ours, Plan, Theirs, plan
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.privacy import visible
from tests.unit.domain.cases import WRITES, A, policy, syncing
from tests.unit.domain.effects import based, recorded, saved, sent, updated, with_sensitivity

STEPS = (*WRITES, MaskLog, Suspend, Resume, Detach, DropLink, SaveBase)
"""Operations after which there may be something left to do."""


class Stopped(Exception):
    """The process died here."""


@dataclass(kw_only=True)
class World:
    """One record, its events by mailbox and event id, its link, and the settings of all accounts."""

    record: Meeting | None = None
    removed: bool = False
    """There was a record, and it was removed."""
    events: dict[int, dict[str, Meeting]] = field(default_factory=dict)
    link: Link | None = None
    assignee: Assignee = field(default_factory=syncing)
    settings: Policy = field(default_factory=policy)
    """All accounts chose the same; whose settings govern is tested elsewhere."""
    fuel: int | None = None
    """Effects that are left before the process dies; None: it lives."""
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Events by the idempotency key of their create."""
    done: list[Operation] = field(default_factory=list)
    loose: str = ""
    """An event of alice's that nothing is linked to yet."""
    role: Role = Role.ORGANIZER
    """What she is in that event's meeting."""
    own: Own | None = None
    """The copy of somebody invited, if this is a run of that mailbox."""
    not_held: bool = False
    """The record's status."""
    masked: int = 0
    """How often the log was made unreadable."""

    def effect(self) -> None:
        """Die before an effect if the fuel is used up."""
        if self.fuel is not None:
            if self.fuel == 0:
                raise Stopped
            self.fuel -= 1

    @property
    def ours(self) -> Ours:
        """The CRM's side now."""
        if self.record is not None:
            return Ours(presence=Presence.PRESENT, meeting=self.record, assignee=self.assignee)
        return Ours(presence=Presence.GONE if self.removed else Presence.ABSENT, assignee=self.assignee)

    @property
    def theirs(self) -> Theirs:
        """The home copy now; an intended one is looked up by its key."""
        home = self.link.home if self.link else None
        if home is None:
            loose = self.events.get(A, {}).get(self.loose)
            presence = Presence.PRESENT if loose else Presence.ABSENT
            return Theirs(presence=presence, meeting=loose, own=self.own if loose else None)
        event = self.events.get(home.mailbox_id, {}).get(home.event_id)
        if event is None:
            presence = Presence.GONE if home.state is CopyState.LIVE else Presence.ABSENT
            return Theirs(presence=presence, own=self.own)
        return Theirs(presence=Presence.PRESENT, meeting=event, own=self.own)

    def plan(self) -> Plan:
        """Look up what was begun, then plan."""
        self._resolve()
        return plan(self.link, self.ours, self.theirs, self.settings)

    def run(self) -> Plan:
        """Plan, carry out, save."""
        planned = self.plan()
        record, event = self.record, self.theirs.meeting
        for operation in planned:
            self._carry_out(operation)
            if isinstance(operation, WRITES):
                self.done.append(operation)
        self._save_bases(planned, record, event)
        if self.own and self.link:
            self.own = replace(self.own, known=known_after(self.own, self.record))
        return planned

    def settle(self) -> None:
        """Run until nothing is written any more."""
        for _ in range(8):
            if not self.run():
                return
            if not any(isinstance(o, STEPS) for o in self.plan()):
                return
        raise AssertionError(f"it does not come to rest: {self.plan()}")

    def run_until_stop(self, fuel: int) -> None:
        """Run and die after `fuel` effects, unless it is done before."""
        self.fuel = fuel
        with suppress(Stopped):
            self.settle()
        self.fuel = None

    def settle_after_stop(self, fuel: int) -> bool:
        """Die after `fuel` effects, then start anew; False if there was no need to die."""
        self.fuel = fuel
        try:
            self.settle()
        except Stopped:
            self.fuel = None
            self.settle()
            return True
        return False

    def _resolve(self) -> None:
        copies = self.link.copies if self.link else ()
        for copy in copies:
            if copy.state is CopyState.INTENDED and copy.transaction_id in self.keys:
                _, event_id = self.keys[copy.transaction_id]
                self._replace(copy, replace(copy, event_id=event_id))
            elif copy.state is CopyState.INTENDED and copy.purpose is CopyPurpose.LEAVING:
                self._replace(copy, None)
        if self.link and not self.link.record_id and self.record is not None:
            self.link = replace(self.link, record_id="r1")

    def _replace(self, copy: Copy, by: Copy | None) -> None:
        assert self.link is not None
        copies = (by if c == copy else c for c in self.link.copies)
        self.link = replace(self.link, copies=tuple(c for c in copies if c is not None))

    def _carry_out(self, operation: Operation) -> None:
        match operation:
            case CreateEvent():
                self._create_event(operation)
            case UpdateEvent():
                self.effect()
                mailbox = self.events[operation.mailbox_id]
                mailbox[operation.event_id] = updated(mailbox[operation.event_id], operation)
            case DeleteEvent():
                self._delete_event(operation)
            case CreateRecord():
                self._create_record(operation)
            case UpdateRecord():
                self.effect()
                assert self.record is not None
                self.record = recorded(self.record, operation.meeting, operation.fields)
            case DeleteRecord():
                self.effect()
                self.record, self.removed = None, True
            case Detach() | Suspend() | Resume() | DropLink():
                self._change_state(operation)
            case Respond():
                self.effect()
                assert self.own is not None
                self.own = replace(self.own, response=operation.response)
            case CancelRecord():
                self.effect()
                self.not_held = True
            case MaskLog():
                self.effect()
                self.masked += 1
            case SaveBase() | RecordClash() | Wait():
                pass

    def _change_state(self, operation: Detach | Suspend | Resume | DropLink) -> None:
        self.effect()
        assert self.link is not None
        states = {Detach: LinkState.DETACHED, Suspend: LinkState.SUSPENDED, Resume: LinkState.ACTIVE}
        dropped = isinstance(operation, DropLink)
        self.link = None if dropped else replace(self.link, state=states[type(operation)])

    def _create_event(self, operation: CreateEvent) -> None:
        self.effect()
        link = self.link or Link(id="link", entity_type="Meeting", record_id="r1")
        home = link.home
        if not (home and home.state is CopyState.INTENDED and home.mailbox_id == operation.mailbox_id):
            generation = link.generation + bool(link.copies)
            others = tuple(replace(c, purpose=CopyPurpose.LEAVING) for c in link.copies)
            home = Copy(
                mailbox_id=operation.mailbox_id,
                purpose=CopyPurpose.HOME,
                state=CopyState.INTENDED,
                transaction_id=key_of("installation", link.id, generation),
            )
            link = replace(link, generation=generation, copies=(*others, home))
        self.link = link
        self.effect()
        if home.transaction_id not in self.keys:
            event_id = f"event-{len(self.keys) + 10}"
            self.keys[home.transaction_id] = (operation.mailbox_id, event_id)
            self.events.setdefault(operation.mailbox_id, {})[event_id] = sent(operation)
        self.effect()
        event_id = self.keys[home.transaction_id][1]
        self._replace(home, replace(home, state=CopyState.LIVE, event_id=event_id))
        self.link = based(self.link, operation, self.record, self.theirs.meeting, self.settings)

    def _delete_event(self, operation: DeleteEvent) -> None:
        self.effect()
        self.events[operation.mailbox_id].pop(operation.event_id, None)
        self.effect()
        assert self.link is not None
        copies = tuple(c for c in self.link.copies if c.event_id != operation.event_id)
        self.link = replace(self.link, copies=copies)
        if operation.drops_link and self.link.home is None and not self.link.leaving:
            self.link = None

    def _create_record(self, operation: CreateRecord) -> None:
        self.effect()
        if self.link is None:
            self.link = self._link_of_loose("", Origin.OUTLOOK)
        self.effect()
        self.record = recorded(replace(operation.meeting, attendees=()), operation.meeting, operation.fields)
        self.effect()
        self.link = replace(self.link, record_id="r1")

    def _link_of_loose(self, record_id: str, origin: Origin) -> Link:
        home = Copy(mailbox_id=A, purpose=CopyPurpose.HOME, state=CopyState.LIVE, event_id=self.loose)
        return Link(
            id="link",
            entity_type="Meeting",
            record_id=record_id,
            origin=origin,
            role=self.role,
            copies=(home,),
        )

    def _save_bases(self, planned: Plan, record: Meeting | None, event: Meeting | None) -> None:
        if any(isinstance(o, CreateEvent) for o in planned):
            return
        settled = frozenset(name for o in planned for name in getattr(o, "fields", ()))
        now_record, now_event = self.record, self.theirs.meeting
        if not settled or now_record is None or now_event is None:
            return
        self.effect()
        link = self.link or self._link_of_loose("r1", Origin.ADOPTED)
        fields = frozenset(carried(link.origin, link.role, self.settings))
        seen_event = visible(link.origin, event, self.settings) if event else None
        now_event = visible(link.origin, now_event, self.settings)
        outlook_base = saved(link.outlook_base, seen_event, now_event, fields, settled)
        self.link = replace(
            link,
            crm_base=saved(link.crm_base, record, now_record, fields, settled),
            outlook_base=with_sensitivity(outlook_base, now_event),
            copies=tuple(
                replace(c, state=CopyState.LIVE) if c.purpose is CopyPurpose.HOME else c for c in link.copies
            ),
        )
