"""Both sides and the store in memory, and an executor that can be stopped before any of its effects.

It carries out plans as the operations say, in their order; it decides nothing about meetings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import Base, Copy, CopyPurpose, CopyState, Link, LinkState, Origin, Presence
from calsync_plugin.domain.links import transaction_id as key_of
from calsync_plugin.domain.meeting import Attendee, Field, JsonValue, Meeting
from calsync_plugin.domain.operations import (
    CreateEvent,
    CreateRecord,
    DeleteEvent,
    DeleteRecord,
    Detach,
    DropLink,
    Operation,
    RecordClash,
    Resume,
    SaveBase,
    Suspend,
    UpdateEvent,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.planner import Assignee, Ours, Plan, Theirs, plan
from calsync_plugin.domain.policy import Policy
from tests.unit.domain.cases import WRITES, A, policy, syncing

SCALARS = frozenset(Field) - {Field.ATTENDEES, Field.RESPONSES}
LEFT_OUT: dict[Field, JsonValue] = {Field.ATTENDEES: {}, Field.ONLINE: False}


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
            return Theirs(presence=Presence.PRESENT if loose else Presence.ABSENT, meeting=loose)
        event = self.events.get(home.mailbox_id, {}).get(home.event_id)
        if event is None:
            return Theirs(presence=Presence.GONE if home.state is CopyState.LIVE else Presence.ABSENT)
        return Theirs(presence=Presence.PRESENT, meeting=event)

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
        return planned

    def settle(self) -> None:
        """Run until nothing is written any more."""
        for _ in range(8):
            if not self.run():
                return
            if not any(
                isinstance(o, (*WRITES, Suspend, Resume, Detach, DropLink, SaveBase)) for o in self.plan()
            ):
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
            case SaveBase():
                if self.link is None:
                    raise AssertionError("adoption is not played here")
            case RecordClash() | Wait():
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
            home = Copy(mailbox_id=A, purpose=CopyPurpose.HOME, state=CopyState.LIVE, event_id=self.loose)
            self.link = Link(
                id="link", entity_type="Meeting", record_id="", origin=Origin.OUTLOOK, copies=(home,)
            )
        self.effect()
        self.record = recorded(replace(operation.meeting, attendees=()), operation.meeting, operation.fields)
        self.effect()
        self.link = replace(self.link, record_id="r1")

    def _save_bases(self, planned: Plan, record: Meeting | None, event: Meeting | None) -> None:
        if self.link is None or any(isinstance(o, CreateEvent) for o in planned):
            return
        settled = frozenset(name for o in planned for name in getattr(o, "fields", ()))
        now_record, now_event = self.record, self.theirs.meeting
        if not settled or now_record is None or now_event is None:
            return
        self.effect()
        fields = frozenset(carried(self.link.origin, self.link.role, self.settings))
        self.link = replace(
            self.link,
            crm_base=saved(self.link.crm_base, record, now_record, fields, settled),
            outlook_base=saved(self.link.outlook_base, event, now_event, fields, settled),
            copies=tuple(
                replace(c, state=CopyState.LIVE) if c.purpose is CopyPurpose.HOME else c
                for c in self.link.copies
            ),
        )


def saved(
    base: Base | None, seen: Meeting | None, now: Meeting, fields: frozenset[Field], settled: frozenset[Field]
) -> Base:
    """A side's base after a plan."""
    if base is None:
        return Base(now.normal_form(fields))
    return base.after(seen or now, now, fields, settled, "")


def based(
    link: Link | None, created: CreateEvent, record: Meeting | None, event: Meeting | None, chosen: Policy
) -> Link:
    """The link after a create: what the create left out is still to be carried."""
    assert link is not None
    assert record is not None
    assert event is not None
    fields = frozenset(carried(link.origin, link.role, chosen))
    ours = record.normal_form(fields)
    ours |= {name: empty for name, empty in LEFT_OUT.items() if name in fields - created.fields}
    return replace(link, crm_base=Base(ours), outlook_base=Base(event.normal_form(fields)))


def sent(created: CreateEvent) -> Meeting:
    """The event that a create makes."""
    empty = Meeting(subject="", span=created.meeting.span)
    people = tuple(a for a in created.meeting.attendees if a.address)
    values = {name.value: getattr(created.meeting, name.value) for name in created.fields & SCALARS}
    return replace(empty, **values, attendees=people if Field.ATTENDEES in created.fields else ())


def updated(event: Meeting, update: UpdateEvent) -> Meeting:
    """The event after a PATCH: only the named fields, only the people whom the record's edits concern."""
    values = {name.value: getattr(update.meeting, name.value) for name in update.fields & SCALARS}
    if Field.ATTENDEES in update.fields:
        away = {a.key for a in update.removed}
        values["attendees"] = (*(a for a in event.attendees if a.key not in away), *update.added)
    return replace(event, **values)


def recorded(record: Meeting, given: Meeting, fields: frozenset[Field]) -> Meeting:
    """The record after a PUT; it has no place for people whom the CRM does not know."""
    values = {name.value: getattr(given, name.value) for name in fields & SCALARS}
    people: tuple[Attendee, ...] = record.attendees
    if Field.ATTENDEES in fields:
        people = tuple(a for a in given.attendees if a.person)
    elif Field.RESPONSES in fields:
        answers = {a.key: a.response for a in given.attendees}
        people = tuple(replace(a, response=answers.get(a.key, a.response)) for a in people)
    return replace(record, **values, attendees=people)
