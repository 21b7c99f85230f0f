"""Where the reading of a mailbox stands, and how it is given up so that everything is read and compared.

Decides what is forgotten then. Forgetting deletes nothing on either side: a lost base or cursor means
compare everything. What is found is planned by the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from calsync_plugin.domain.links import Base, CopyState, Link, LinkState
from calsync_plugin.domain.meeting import Field
from calsync_plugin.errors import ItemError, RemoteError, StoreBusy, UserError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.subscriptions import delete
from calsync_plugin.state import Notify, Store

log = logging.getLogger(__name__)

Fields = frozenset[Field]

PORTION = 200
"""Links that are changed in one transaction: SQLite has one writer."""
OUTDATED = 0
"""A version that no query has: a cursor with it is made anew."""
ATTEMPTS = 5
"""How often a link is changed again that a run saved meanwhile."""


def read_again(store: Store, user_id: str, mailbox_id: int) -> None:
    """Let a mailbox be read from its beginning, soon. Until that ended, no back-fill can be confirmed.

    Cursors are made unusable, not removed: by those that are no longer wanted the engine sees which calendars
    were read until now.
    """
    cursors = store.cursors.for_mailbox(mailbox_id)
    with store.save(None) as tx:
        for cursor in cursors:
            tx.save_cursor(replace(cursor, query_version=OUTDATED))
    read_on(store, user_id, mailbox_id)


def read_on(store: Store, user_id: str, mailbox_id: int) -> None:
    """Let a mailbox be read soon: a calendar or a time that is wanted now was not read before.

    Until that ended, no back-fill can be confirmed.
    """
    _not_read_yet(store, user_id)
    store.queue.hint(mailbox_id)


def stop_reading(store: Store, user_id: str, mailbox_id: int, client: MailboxClient | None = None) -> None:
    """Give up what belongs to a connection: cursors, event marks, known calendars and times, subscriptions.

    With a `client` the subscriptions are ended at Microsoft, too; without one, or if that fails, they end by
    themselves and their notifications are ignored.
    """
    store.cursors.drop_all(mailbox_id)
    store.events.drop_all(mailbox_id)
    store.calendars.replace(mailbox_id, [])
    store.busy.keep_calendars(user_id, mailbox_id, {})
    _not_read_yet(store, user_id)
    end_subscriptions(store, user_id, mailbox_id, client)


def end_subscriptions(store: Store, user_id: str, mailbox_id: int, client: MailboxClient | None) -> None:
    """Forget a mailbox's subscriptions; the next run of a connected account makes a new one."""
    for subscription in store.subscriptions.for_mailbox(mailbox_id):
        if client is not None:
            try:
                client.send(delete(subscription.id))
            except (RemoteError, ItemError, UserError) as error:
                log.info("mailbox %s: a subscription ends by itself: %s", mailbox_id, error)
        store.subscriptions.delete(subscription.id)
    store.accounts.set_notify(user_id, Notify.UNKNOWN)


def forget_etags(store: Store, mailbox_id: int) -> int:
    """Let the events of all links in a mailbox be looked at although they did not change; returns how many.

    For settings by which an event reads differently than before.
    """
    return change_links(store, mailbox_id, lambda link: _without_etags(link, mailbox_id))


def forget_bases(store: Store, mailbox_id: int) -> int:
    """Forget what both sides of a mailbox's links looked like, so that they are compared; returns how many.

    Detached links stay detached; bases of links whose home lies elsewhere are not this mailbox's to forget.
    """
    return change_links(store, mailbox_id, lambda link: _without_bases(link, mailbox_id))


def forget_fields(store: Store, mailbox_id: int, gone: Callable[[Link], tuple[Fields, Fields]]) -> int:
    """Forget what some fields looked like, and let the events be looked at; returns how many links.

    `gone` says which fields of the record's base and of the event's. What is there now is the new base then:
    nothing is written for it.
    """
    return change_links(store, mailbox_id, lambda link: _without_fields(link, mailbox_id, *gone(link)))


def _without_fields(link: Link, mailbox_id: int, of_record: Fields, of_event: Fields) -> Link:
    if link.home is None or link.home.mailbox_id != mailbox_id or not of_record | of_event:
        return link
    forgotten = replace(
        link, crm_base=_less(link.crm_base, of_record), outlook_base=_less(link.outlook_base, of_event)
    )
    return _without_etags(forgotten, mailbox_id)


def _less(base: Base | None, fields: Fields) -> Base | None:
    if base is None:
        return None
    return replace(base, values={name: value for name, value in base.values.items() if name not in fields})


def _without_etags(link: Link, mailbox_id: int) -> Link:
    copies = tuple(replace(c, etag="") if c.mailbox_id == mailbox_id else c for c in link.copies)
    return replace(link, copies=copies)


def _without_bases(link: Link, mailbox_id: int) -> Link:
    link = _without_etags(link, mailbox_id)
    home = link.home
    if home is None or home.mailbox_id != mailbox_id or home.state is not CopyState.LIVE:
        return link
    return replace(link, crm_base=None, outlook_base=None)


def change_links(store: Store, mailbox_id: int, changed: Callable[[Link], Link]) -> int:
    """Change links of a mailbox, whatever runs save meanwhile; detached ones stay. Returns how many."""
    followed = (link for link in store.links.for_mailbox(mailbox_id) if _is_followed(link))
    return sum(_change_some(store, portion, changed) for portion in _portions(followed))


def _change_some(store: Store, links: list[Link], changed: Callable[[Link], Link]) -> int:
    """Compare and swap; what a run saved meanwhile is read again."""
    waiting, count = links, 0
    for _ in range(ATTEMPTS):
        wanted = [new for link in waiting if (new := changed(link)) != link]
        if not wanted:
            return count
        with store.save(None) as tx:
            stale = tx.save_links(wanted)
        count += len(wanted) - len(stale)
        waiting = [link for link in store.links.by_ids(stale).values() if _is_followed(link)]
    if waiting:
        raise StoreBusy(f"{len(waiting)} links are being synced at this moment; try again")
    return count


def _is_followed(link: Link) -> bool:
    return link.state is not LinkState.DETACHED


def _portions(links: Iterable[Link]) -> Iterator[list[Link]]:
    iterator = iter(links)
    while portion := list(islice(iterator, PORTION)):
        yield portion


def _not_read_yet(store: Store, user_id: str) -> None:
    account = store.accounts.get(user_id)
    if account is not None and account.pulled_at is not None:
        store.accounts.save(replace(account, pulled_at=None))
