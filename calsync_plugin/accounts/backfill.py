"""The back-fill (R8): what a confirmation would push that lies still now, and to whom Outlook would write.

Decides which records are previewed, and that exactly those are marked once a person confirmed the preview.
What happens to each of them is asked of the planner, with and without the confirmation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import islice
from typing import Any, Protocol

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.accounts.outgoing import Outgoing, Preview
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.backfill import may_push
from calsync_plugin.domain.basing import unbased
from calsync_plugin.domain.links import Base, CopyState, LinkState
from calsync_plugin.domain.meeting import Attendee, Field, PersonKind
from calsync_plugin.domain.operations import CreateEvent, UpdateEvent
from calsync_plugin.domain.planner import Ours, Standing, plan
from calsync_plugin.domain.policy import Policy
from calsync_plugin.domain.timespan import AllDay, TimeSpan
from calsync_plugin.domain.window import Window, window
from calsync_plugin.engine.gather import Gatherer, key_of
from calsync_plugin.engine.item import Item
from calsync_plugin.engine.plugins import Plugins
from calsync_plugin.engine.roster import OFF, Member, Roster
from calsync_plugin.errors import UserError
from calsync_plugin.graph import zones
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Account, Store

EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)
"""The `push_from` of a confirmed account: all older records may go out. None would mean never connected."""
PORTION = 200
Progress = Callable[[int], None]
"""Told how many records were looked at since the last call."""


class Installation(Protocol):
    """What a back-fill needs of calsync."""

    store: Store
    entities: dict[str, EntitySettings]
    plugins: Any

    @property
    def gateway(self) -> Any:
        """A `CrmGateway`; that it is made when it is first asked for hides its type from pyright."""
        ...


class Backfill:
    """Previews and confirms."""

    def __init__(self, calsync: Installation, *, supposed: Account | None = None) -> None:
        """Look through `calsync`'s CRM and store; nothing is read yet.

        `supposed`: an account as it would be after a change that is not made yet, to preview only.
        """
        self._store = calsync.store
        self._gateway: CrmGateway = calsync.gateway
        self._entities: Mapping[str, EntitySettings] = calsync.entities
        self._roster = Roster(calsync.store, supposed)
        self._gatherer = Gatherer(
            store=calsync.store,
            gateway=self._gateway,
            directory=Directory(self._gateway),
            roster=self._roster,
            entities=calsync.entities,
            # Only a hint of how times are shown, and nothing is shown here.
            zone=lambda: "",
            outbound=Plugins(calsync.plugins).outbound,
            installation_id=calsync.store.installation.get().id,
        )

    def preview(self, user_id: str, progress: Progress = lambda _count: None) -> Preview:
        """Go through a user's records; writes nothing. Raises UserError for an account that cannot sync."""
        member = self._member(user_id)
        now = self._store.clock.now()
        span = _window(member, now)
        found: list[Outgoing] = []
        unusable = 0
        for entity_type in self._entities:
            if member.settings.entity(entity_type) is None:
                continue
            records = self._gateway.records_of(entity_type, user_id, span.start, span.end)
            for ids in _portions(str(record.get("id") or "") for record in records):
                progress(len(ids))
                items = self._gatherer.gather(member, [key_of(entity_type, i) for i in ids if i], now)
                unusable += sum(1 for item in items if item.problem is not None)
                found += (out for item in items if (out := _outgoing(item, member)) is not None)
        return Preview(
            user_id=user_id,
            records=tuple(found),
            unusable=unusable,
            former=sum(self._store.links.count(m) for m in member.account.former_mailboxes),
            read=member.account.pulled_at is not None,
        )

    def confirm(self, preview: Preview, *, by: Actor | None = None) -> int:
        """Push what was previewed; what lay still may go out from now on. Returns how many were marked.

        Raises UserError while Outlook was not read to its end: what is there already must be found first, or
        it would be there twice.
        """
        member = self._member(preview.user_id)
        if member.account.pulled_at is None:
            raise UserError(
                "Outlook was not read to its end yet, so that what is in both places could appear twice; "
                "try again later"
            )
        # First: a mark that is looked at before that would end without having done anything. Whoever is cut
        # short here can confirm again.
        self._store.accounts.set_push_from(preview.user_id, EVERYTHING)
        marks = [(r.entity_type, r.record_id, preview.user_id, "backfill") for r in preview.records]
        self._store.queue.record_changes(marks)
        people = len(preview.mailed)
        text = f"the back-fill was confirmed; records: {len(marks)}, people Outlook may write to: {people}"
        self._store.log.add_note(preview.user_id, text)
        note_account(self._store, by, member.account, text)
        return len(marks)

    def _member(self, user_id: str) -> Member:
        member = self._roster.by_users([user_id]).get(user_id)
        if member is None or not member.mailbox_id or member.account.status in OFF:
            raise UserError(f"user {user_id} is not connected to Outlook; connect it first")
        if not member.readable:
            raise UserError(f"user {user_id}: {member.account.reason}")
        return member


def _outgoing(item: Item, member: Member) -> Outgoing | None:
    """What the confirmation would send of one record; None if nothing, or if it goes without."""
    if (
        item.problem is not None
        or item.member.mailbox_id != member.mailbox_id
        or _lies_in_former(item, member)
    ):
        return None
    if not _since(item.ours, member):
        return None
    now, then = _writes(item, item.policy), _writes(item, replace(item.policy, backfill_confirmed=True))
    if then is None:
        return _compared(item) if now is None else None
    # Nobody reports what a CRM without dates of change has of old, and what a confirmation that was cut
    # short has not marked.
    unreported = item.ours.modified_at is None or item.policy.push_from == EVERYTHING
    if now is not None and not unreported:
        return None
    return _told(item, _mailed(item, then), creates=isinstance(then, CreateEvent))


def _writes(item: Item, policy: Policy) -> CreateEvent | UpdateEvent | None:
    """The write of an event that this policy leads to."""
    ours, link = item.ours, item.link
    if ours.assignee.standing is Standing.WAITING:
        # A paused account takes later what is confirmed now.
        ours = replace(ours, assignee=replace(ours.assignee, standing=Standing.SYNCING))
    if link is not None and link.state is LinkState.SUSPENDED:
        link = replace(link, state=LinkState.ACTIVE)
    operations = plan(link, ours, item.theirs, policy)
    return next((o for o in operations if isinstance(o, CreateEvent | UpdateEvent)), None)


def _compared(item: Item) -> Outgoing | None:
    """A link whose sides are still to be compared: its event may be written then, at most to these people."""
    link, ours = item.link, item.ours
    if link is None or link.home is None or link.home.state is not CopyState.LIVE or not unbased(link):
        return None
    if link.state is LinkState.DETACHED or ours.meeting is None or may_push(ours.modified_at, item.policy):
        return None
    over = ours.meeting.span.over_at(item.policy.now)
    return _told(item, () if over else ours.meeting.attendees, creates=False)


def _mailed(item: Item, write: CreateEvent | UpdateEvent) -> Iterable[Attendee]:
    """To whom Outlook writes about it: for an update to everybody who is on the event."""
    if isinstance(write, CreateEvent):
        return write.meeting.attendees if Field.ATTENDEES in write.fields else ()
    base = item.link.outlook_base if item.link else None
    return (*_remembered(base), *write.added)


def _remembered(base: Base | None) -> Iterator[Attendee]:
    value = base.values.get(Field.ATTENDEES) if base else None
    for key, address in value.items() if isinstance(value, dict) else ():
        yield Attendee.from_key(str(key), str(address))


def _told(item: Item, people: Iterable[Attendee], *, creates: bool) -> Outgoing:
    reached = [a for a in people if a.address]
    users = {a.address for a in reached if a.person and a.person.kind is PersonKind.USER}
    mailed = frozenset(a.address for a in reached)
    return Outgoing(
        entity_type=item.key.entity_type,
        record_id=item.key.record_id,
        creates=creates,
        mailed=mailed,
        outsiders=mailed - users,
    )


def _lies_in_former(item: Item, member: Member) -> bool:
    """Whether the event lies in a mailbox that the user was connected to before; it stays there (R19)."""
    home = item.link.home if item.link else None
    return home is not None and home.mailbox_id in member.account.former_mailboxes


def _window(member: Member, now: float) -> Window:
    whole = window(member.settings.sync_since, member.settings.months_ahead, datetime.fromtimestamp(now, UTC))
    return replace(whole, start=max(whole.start, _first_instant(member)))


def _since(ours: Ours, member: Member) -> bool:
    """Whether it is not over when the user's first day begins: lists may show a day more."""
    if ours.meeting is None:
        return False
    span: TimeSpan = ours.meeting.span
    if isinstance(span, AllDay):
        return span.until > member.settings.sync_since
    first = _first_instant(member)
    return span.end > first or span.start >= first


def _first_instant(member: Member) -> datetime:
    account: Account = member.account
    zone = next((z for z in (account.user_zone, account.zone) if z and zones.known(z)), "UTC")
    return zones.instant(datetime.combine(member.settings.sync_since, time(0)), zone)


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while portion := list(islice(iterator, PORTION)):
        yield portion
