"""Restoring what was deleted (R11): from the journal back into a calendar or the CRM.

Decides that each entry is restored once, whatever happens on the way: link and intent are kept before
anything is sent, and an attempt whose outcome is not known is looked up by the next one. What is restored is
no longer followed, so that nothing recreates or deletes it by itself. How an event is written again is
`restored_events`'.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.accounts.restored_events import event_again, invited
from calsync_plugin.crm.attributes import RecordWrite, bookkeeping_attributes, restored_attributes
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway, Record
from calsync_plugin.crm.relating import write_related
from calsync_plugin.domain.links import (
    Copy,
    CopyPurpose,
    CopyState,
    Link,
    LinkState,
    Origin,
    marker,
    transaction_id,
)
from calsync_plugin.errors import (
    CalsyncError,
    DuplicateTransaction,
    InvalidRecord,
    StaleLink,
    UnknownOutcome,
    UserError,
)
from calsync_plugin.graph.calendar import create_event, find_by_marker
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.settings import EntitySettings, user_settings
from calsync_plugin.state import Account, AccountStatus, JournalEntry, Store

EVENT, RECORD = "event", "record"
REASON = "restored by a person"
MOST = 10_000
ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was deleted, without its content."""

    id: str
    at: datetime
    side: str
    """`event` or `record`."""
    invites: frozenset[str]
    """Whom Outlook would invite again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of one entry, in words."""

    entry_id: str
    done: bool
    text: str


class Restorer:
    """Restores entries of the journal."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        open_mailbox: Callable[[str, int], MailboxClient],
        entities: Mapping[str, EntitySettings],
    ) -> None:
        """Write records through `gateway` and events through the user's own mailbox."""
        self._store = store
        self._gateway = gateway
        self._open_mailbox = open_mailbox
        self._entities = entities
        self._directory = Directory(gateway)
        self._installation_id = store.installation.get().id

    def entries(self, account: Account) -> list[Entry]:
        """What can be restored for an account, latest first: its records, and the events of its mailboxes."""
        return [
            Entry(
                id=entry.id,
                at=entry.at,
                side=entry.side,
                invites=invited(json.loads(entry.content)) if entry.side == EVENT else frozenset(),
            )
            for entry in self._entries(account)
        ]

    def names(self, account: Account) -> dict[str, str]:
        """What the entries are called, by id: for their user's eyes alone."""
        contents = {entry.id: json.loads(entry.content) for entry in self._entries(account)}
        return {i: str(c.get("subject") or c.get("name") or "") for i, c in contents.items()}

    def restore(
        self,
        account: Account,
        entry_ids: Iterable[str],
        *,
        with_attendees: bool,
        by: Actor | None = None,
    ) -> list[Restored]:
        """Restore entries one after the other; one that fails leaves the others going.

        `with_attendees`: let Outlook invite the people of meetings that are still ahead, as it does whenever
        an event is created.
        """
        if account.status is AccountStatus.OFF:
            raise UserError(f"user {account.user_id} is not connected to Outlook; connect it first")
        entries = {entry.id: entry for entry in self._entries(account)}
        done = [
            self._restore(account, entries[entry_id], with_attendees=with_attendees)
            for entry_id in entry_ids
            if entry_id in entries
        ]
        text = f"restored {sum(one.done for one in done)} of {len(done)} deleted items"
        note_account(self._store, by, account, text)
        return done

    def _entries(self, account: Account) -> list[JournalEntry]:
        journal = self._store.log.journal
        found = {e.id: e for e in journal(user_id=account.user_id, limit=MOST) if e.side == RECORD}
        mailboxes = account.former_mailboxes | ({account.mailbox_id} if account.mailbox_id else frozenset())
        for mailbox_id in mailboxes:
            found |= {e.id: e for e in journal(mailbox_id=mailbox_id, limit=MOST) if e.side == EVENT}
        return sorted(found.values(), key=lambda entry: entry.at, reverse=True)

    def _restore(self, account: Account, entry: JournalEntry, *, with_attendees: bool) -> Restored:
        link = self._begin(account, entry)
        try:
            if entry.side == EVENT:
                link = self._event(account, link, json.loads(entry.content), with_attendees=with_attendees)
            else:
                link = self._record(link, entry)
        except (UnknownOutcome, DuplicateTransaction) as error:
            return Restored(entry_id=entry.id, done=False, text=f"{error}; restore it again to find out")
        except CalsyncError as error:
            self._give_up(link.id)
            return Restored(entry_id=entry.id, done=False, text=str(error))
        kept = self._saved(link)
        what = f"{link.entity_type} {link.record_id}" if link.record_id else "an event"
        self._store.log.add_note(account.user_id, f"{what} was restored; it is not followed", link_id=link.id)
        self._store.log.remove_journal_entry(entry.id)
        text = "restored" if kept else "restored; it is followed, because a sync was faster"
        return Restored(entry_id=entry.id, done=True, text=text)

    # --- the link, before anything is sent and after what failed

    def _begin(self, account: Account, entry: JournalEntry) -> Link:
        """The link of this entry: the same for every attempt, detached from the start."""
        link_id = str(uuid5(NAMESPACE_URL, f"calsync:{self._installation_id}:restored:{entry.id}"))
        known = self._store.links.by_ids([link_id]).get(link_id)
        if known is not None:
            return known
        link = Link(
            id=link_id,
            entity_type=_type_of(account, entry),
            record_id="",
            state=LinkState.DETACHED,
            origin=Origin.OUTLOOK if entry.side == EVENT else Origin.CRM,
            copies=(self._intended(account, link_id),) if entry.side == EVENT else (),
            reason=REASON,
        )
        with self._store.save(None) as tx:
            tx.insert_links([link])
        return self._store.links.by_ids([link_id])[link_id]

    def _intended(self, account: Account, link_id: str) -> Copy:
        return Copy(
            mailbox_id=account.mailbox_id or 0,
            purpose=CopyPurpose.HOME,
            state=CopyState.INTENDED,
            transaction_id=transaction_id(self._installation_id, link_id, 1),
        )

    def _give_up(self, link_id: str) -> None:
        """Nothing came of it. If a run holds the link at this moment, it stays: it is detached anyway."""
        with suppress(StaleLink), self._store.save(None) as tx:
            for link in self._store.links.by_ids([link_id]).values():
                tx.drop_link(link)

    # --- the two sides

    def _event(self, account: Account, link: Link, content: JsonObject, *, with_attendees: bool) -> Link:
        intended = link.home or self._intended(account, link.id)
        value = marker(self._installation_id, link.id)
        client = self._open_mailbox(account.user_id, intended.mailbox_id)
        event = _first(client.send(find_by_marker(value))) if link.version > 1 else None
        if event is None:
            link = self._sending(link)
            settings = user_settings(account.settings)
            body = event_again(
                content,
                zone=account.zone or account.user_zone,
                now=self._store.clock.now(),
                with_attendees=with_attendees,
            )
            # What was in Outlook comes back there, of a user who has no main calendar by now, too.
            calendar_id = settings.main_calendar if settings.has_main else ""
            request = create_event(
                body, transaction=intended.transaction_id, marker=value, calendar_id=calendar_id
            )
            event = client.send(request)
        if event is None or not isinstance(event.get("id"), str):
            raise UnknownOutcome("Outlook's answer to the restored event names no id")
        live = replace(
            intended,
            state=CopyState.LIVE,
            event_id=str(event["id"]),
            ical_uid=str(event.get("iCalUId") or ""),
            etag=str(event.get("@odata.etag") or ""),
        )
        return replace(link, copies=(live,))

    def _record(self, link: Link, entry: JournalEntry) -> Link:
        entity = self._entities.get(link.entity_type)
        if entity is None:
            raise InvalidRecord(f"{link.entity_type} is no kind of record that is synced here")
        content: Record = json.loads(entry.content)
        ours = bookkeeping_attributes(entity, marker=marker(self._installation_id, link.id))
        attributes = {**restored_attributes(content, entity), **ours}
        found = self._created_before(link, entity, attributes, entry) if link.version > 1 else None
        if found is not None:
            return replace(link, record_id=found)
        link = self._sending(link)
        record_id, _ = write_related(
            lambda sent: self._gateway.create(link.entity_type, sent),
            RecordWrite(attributes),
            self._directory,
        )
        return replace(link, record_id=record_id)

    def _created_before(
        self, link: Link, entity: EntitySettings, attributes: Record, entry: JournalEntry
    ) -> str | None:
        if entity.marker:
            value = marker(self._installation_id, link.id)
            return self._gateway.find_by_marker(link.entity_type, entity.marker, value)
        return self._gateway.find_created(link.entity_type, attributes, entry.at)

    def _sending(self, link: Link) -> Link:
        """Note that something is sent now: an attempt after this one looks first whether it arrived."""
        return self._saved(link) or link

    def _saved(self, link: Link) -> Link | None:
        """Save the link whatever a run learnt of it meanwhile; None if its record has another link by now."""
        for _ in range(ATTEMPTS):
            with self._store.save(None) as tx:
                if not tx.save_links([link]):
                    return replace(link, version=link.version + 1)
            now = self._store.links.by_ids([link.id]).get(link.id)
            if now is None or now.version == link.version:
                break
            link = replace(link, version=now.version)
        self._give_up(link.id)
        return None


def _type_of(account: Account, entry: JournalEntry) -> str:
    if entry.side == RECORD:
        return entry.item_id.partition(" ")[0]
    return user_settings(account.settings).default_entity


def _first(value: JsonObject | None) -> JsonObject | None:
    found = value.get("value") if value else None
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else None
