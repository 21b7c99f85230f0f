"""Following a detached meeting again: *push again*, *import again*, or both sides compared.

Decides by what is still there on either side which of the three it is. Only a person ends a detachment, and
what is done about the meeting then is planned by the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.accounts.grants import check_allowed
from calsync_plugin.crm.gateway import CrmGateway, Found, Record
from calsync_plugin.domain.links import Copy, Link, LinkState, Origin, Presence, Role
from calsync_plugin.errors import NotFound, RemoteError, StoreBusy, UserError
from calsync_plugin.graph.calendar import calendar_of, get_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Account, AccountStatus, Store
from calsync_plugin.wording import gettext as _

OpenMailbox = Callable[[str, int], MailboxClient]
"""Opens the mailbox of a user id and mailbox id."""


def detached(store: Store, account: Account) -> Iterator[Link]:
    """What of a user's calendar is no longer followed, with its reason."""
    for link in store.links.for_mailbox(account.mailbox_id or 0):
        if link.state is LinkState.DETACHED:
            yield link


def link_of(store: Store, name: str) -> Link:
    """The link that a person names: by its record (`Meeting 6b0...`) or by its own id."""
    entity_type, _, record_id = name.strip().partition(" ")
    found = store.links.by_records([(entity_type, record_id)]) if record_id else {}
    link = found.get((entity_type, record_id)) or store.links.by_ids([name.strip()]).get(name.strip())
    if link is None:
        raise UserError(f'{name!r:.80} is not known; name a record as in "Meeting 6b0008add0e320f89"')
    return link


class Way(StrEnum):
    """What following again would do."""

    COMPARE = "compare"
    PUSH = "push"
    IMPORT = "import"
    FORGET = "forget"
    """Nothing is left of it."""
    NONE = "none"
    """Somebody else's meeting whose event was removed: only its organizer can invite again."""
    UNKNOWN = "unknown"
    """A side does not tell now."""


def ways(
    gateway: CrmGateway, open_mailbox: OpenMailbox, account: Account, links: Sequence[Link]
) -> dict[str, Way]:
    """What following each of some links of an account again would do, by link id."""
    try:
        records = _records_there(gateway, links)
        events = _events_there(open_mailbox, account, links)
    except RemoteError:
        return {link.id: Way.UNKNOWN for link in links}
    return {link.id: _way(link, records.get(link.id, False), link.id in events) for link in links}


def follow(
    store: Store,
    gateway: CrmGateway,
    open_mailbox: OpenMailbox,
    account: Account,
    link: Link,
    *,
    by: Actor | None = None,
) -> str:
    """Follow a detached meeting again; returns in words what happens now.

    Raises UserError if that cannot be, RemoteError if a side cannot be asked: nothing has changed then.
    """
    text = _follow(store, gateway, open_mailbox, account, link)
    note_account(store, by, account, f"{_words(link)}: {text}")
    return text


def _follow(
    store: Store, gateway: CrmGateway, open_mailbox: OpenMailbox, account: Account, link: Link
) -> str:
    check_allowed(account)
    if account.status is AccountStatus.OFF or not account.mailbox_id:
        raise UserError(f"user {account.user_id} is not connected to Outlook; connect it first")
    if link.state is not LinkState.DETACHED:
        raise UserError(f"{_words(link)} is {link.state.value}, not detached; there is nothing to end")
    home = link.home
    if home is not None and home.event_id and home.mailbox_id != account.mailbox_id:
        raise UserError(f"the event of {_words(link)} lies in the calendar of another account")
    record = _record(gateway, link)
    event = home is not None and _event_is_there(open_mailbox, account, home)
    if record is not None and event:
        return _compare(store, account, link)
    if record is not None:
        return _push_again(store, account, link)
    if event:
        return _import_again(store, account, link)
    with store.save(None) as tx:
        tx.drop_link(link)
    return _("nothing is left of it on either side; it is forgotten")


def _compare(store: Store, account: Account, link: Link) -> str:
    copies = tuple(replace(copy, etag="") for copy in link.copies)
    _save(
        store,
        account,
        replace(link, state=LinkState.ACTIVE, reason="", crm_base=None, outlook_base=None, copies=copies),
        "followed again; both sides are compared",
    )
    store.queue.record_changes([(link.entity_type, link.record_id, account.user_id, "follow")])
    return _("both sides are compared and followed again")


def _push_again(store: Store, account: Account, link: Link) -> str:
    """A new event under a new key: the old key belongs to an event that somebody removed."""
    if link.role is Role.ATTENDEE:
        raise UserError(
            f"{_words(link)} is somebody else's meeting, and its event was removed here; "
            "only its organizer can invite again"
        )
    fresh = replace(
        link,
        state=LinkState.ACTIVE,
        origin=Origin.CRM,
        generation=link.generation + 1,
        copies=(),
        crm_base=None,
        outlook_base=None,
        series_ical_uid="",
        original_start=None,
        reason="",
    )
    _save(store, account, fresh, "pushed again")
    store.queue.record_changes([(link.entity_type, link.record_id, account.user_id, "follow")])
    return _("the record is pushed again as a new event")


def _import_again(store: Store, account: Account, link: Link) -> str:
    home = link.home
    assert home is not None
    fresh = replace(
        link,
        state=LinkState.ACTIVE,
        origin=Origin.OUTLOOK,
        record_id="",
        copies=tuple(replace(copy, etag="") for copy in link.copies),
        crm_base=None,
        outlook_base=None,
        reason="",
    )
    with store.save(None) as tx:
        _kept(tx.save_links([fresh]))
        tx.mark_events(home.mailbox_id, [home.event_id])
        tx.note(account.user_id, link.id, f"{_words(link)}: imported again")
        tx.wake(home.mailbox_id)
    return _("the event is imported again as a new record")


def _save(store: Store, account: Account, link: Link, text: str) -> None:
    with store.save(None) as tx:
        _kept(tx.save_links([link]))
        tx.note(account.user_id, link.id, f"{_words(link)}: {text}")


def _kept(stale: set[str]) -> None:
    if stale:
        raise StoreBusy("it is being synced at this moment; try again")


def _way(link: Link, record: bool | None, event: bool) -> Way:
    if record is None:
        return Way.UNKNOWN
    if record and event:
        return Way.COMPARE
    if record:
        return Way.NONE if link.role is Role.ATTENDEE else Way.PUSH
    return Way.IMPORT if event else Way.FORGET


def _records_there(gateway: CrmGateway, links: Sequence[Link]) -> dict[str, bool | None]:
    """Whether each link's record is there, by link id; None if that cannot be told."""
    found: dict[str, bool | None] = {}
    for entity_type in {link.entity_type for link in links if link.record_id}:
        of_type = {link.record_id: link.id for link in links if link.entity_type == entity_type}
        for record_id, answer in gateway.load(entity_type, [i for i in of_type if i]).items():
            gone = not isinstance(answer, Found) and answer.presence is Presence.GONE
            found[of_type[record_id]] = True if isinstance(answer, Found) else (False if gone else None)
    return found


def _events_there(open_mailbox: OpenMailbox, account: Account, links: Sequence[Link]) -> set[str]:
    """The ids of the links whose event lies in one of the mailbox's calendars."""
    homes = {
        link.id: link.home.event_id
        for link in links
        if link.home and link.home.event_id and link.home.mailbox_id == account.mailbox_id
    }
    if not homes:
        return set()
    client = open_mailbox(account.user_id, account.mailbox_id or 0)
    outcomes = client.batch([calendar_of(event_id) for event_id in homes.values()])
    for outcome in outcomes:
        if isinstance(outcome.error, RemoteError) and not isinstance(outcome.error, NotFound):
            raise outcome.error
    return {i for i, outcome in zip(homes, outcomes, strict=True) if outcome.error is None}


def _record(gateway: CrmGateway, link: Link) -> Record | None:
    if not link.record_id:
        return None
    answer = gateway.load(link.entity_type, [link.record_id])[link.record_id]
    if isinstance(answer, Found):
        return answer.record
    if answer.presence is Presence.GONE:
        return None
    raise UserError(f"whether {_words(link)} is still there cannot be told now: {answer.reason}")


def _event_is_there(open_mailbox: OpenMailbox, account: Account, home: Copy) -> bool:
    """Where it lies is asked as well: a deleted event keeps its id and may still be readable."""
    if not home.event_id:
        return False
    client = open_mailbox(account.user_id, home.mailbox_id)
    outcomes = client.batch([get_event(home.event_id), calendar_of(home.event_id)])
    for outcome in outcomes:
        if outcome.error is not None and not isinstance(outcome.error, NotFound):
            raise outcome.error
    return all(outcome.error is None for outcome in outcomes)


def _words(link: Link) -> str:
    return f"{link.entity_type} {link.record_id}" if link.record_id else f"link {link.id}"
