"""What meetings are called: for the user whose own they are, so that a reason can be put to a name.

Decides where a name is looked for: in what a link remembers, else in the CRM or Outlook as they are now. A
side that does not answer has no names; nothing of this is ever logged or kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby

from calsync_plugin.crm.gateway import CrmGateway, Found, Record
from calsync_plugin.domain.links import Link
from calsync_plugin.domain.meeting import Field
from calsync_plugin.errors import CalsyncError, RemoteError
from calsync_plugin.graph.calendar import get_event
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Account, Parked

log = logging.getLogger(__name__)

OpenMailbox = Callable[[str, int], MailboxClient]
"""Opens the mailbox of a user id and mailbox id."""
RecordKey = tuple[str, str]
MOST = 100
"""Items that are named; nobody reads more on one page."""


def name_of(link: Link) -> str:
    """What a link remembers of its subject; empty if nothing."""
    for base in (link.crm_base, link.outlook_base):
        value = base.values.get(Field.SUBJECT) if base else None
        if isinstance(value, str) and value:
            return value
    return ""


def record_names(gateway: CrmGateway, account: Account, keys: Collection[RecordKey]) -> dict[RecordKey, str]:
    """Names of those records that are the user's own: assigned to the user, or with the user in it."""
    found: dict[RecordKey, str] = {}
    wanted = sorted({key for key in keys if key[1]})[:MOST]
    for entity_type, group in groupby(wanted, key=lambda key: key[0]):
        try:
            loaded = gateway.load(entity_type, [record_id for _, record_id in group])
        except RemoteError as error:
            log.info("the names of %s records cannot be read now: %s", entity_type, error)
            continue
        for record_id, answer in loaded.items():
            if isinstance(answer, Found) and _is_own(answer.record, account.user_id):
                found[entity_type, record_id] = str(answer.record.get("name") or "")
    return found


def event_names(open_mailbox: OpenMailbox, account: Account, event_ids: Iterable[str]) -> dict[str, str]:
    """Subjects of events in the user's own mailbox."""
    wanted = sorted({event_id for event_id in event_ids if event_id})[:MOST]
    if not wanted or not account.mailbox_id:
        return {}
    try:
        client = open_mailbox(account.user_id, account.mailbox_id)
        outcomes = client.batch([get_event(event_id) for event_id in wanted])
    except CalsyncError as error:
        log.info("the names of events of user %s cannot be read now: %s", account.user_id, error)
        return {}
    answers = zip(wanted, outcomes, strict=True)
    return {
        event_id: str(o.value.get("subject") or "") for event_id, o in answers if o.error is None and o.value
    }


def parked_names(
    gateway: CrmGateway, open_mailbox: OpenMailbox, account: Account, items: Collection[Parked]
) -> Mapping[RecordKey, str]:
    """Names of parked items, by record or by event id alone (`("", event_id)`)."""
    records = record_names(gateway, account, [(item.entity_type, item.record_id) for item in items])
    events = event_names(open_mailbox, account, [item.event_id for item in items if not item.record_id])
    return {**records, **{("", event_id): name for event_id, name in events.items()}}


def _is_own(record: Record, user_id: str) -> bool:
    people = record.get("usersIds")
    return record.get("assignedUserId") == user_id or (isinstance(people, list) and user_id in people)
