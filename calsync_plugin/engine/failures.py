"""What a failed call means for its item: parked, tried again, or the whole mailbox rests.

Decides by the kind of error alone, as a table. What is done about 412, 404 and unknown outcomes depends on
the operation and is decided where it is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    ItemError,
    MailboxUnusable,
    Refused,
    RemoteError,
    Throttled,
    Transient,
    Unauthorized,
    Unavailable,
)

CRM_REFUSAL_WAIT = 60.0
"""Seconds to wait when the CRM refuses our key; it blocks an address for a minute."""


def fail(item: Item, error: CalsyncError) -> None:
    """Mark `item` by an error that another look or plan cannot cure now."""
    item.error = str(error)
    item.state = ItemState.RETRY
    if isinstance(error, ItemError):
        item.state, item.problem = ItemState.PARKED, error
    elif isinstance(error, Forbidden):
        item.state, item.problem = ItemState.PARKED, Refused(str(error), item=item.name, reason="forbidden")
    elif isinstance(error, Unauthorized | MailboxUnusable | Throttled) or _nothing_reached(error):
        assert isinstance(error, RemoteError)
        item.halt = error
    if isinstance(error, Transient):
        item.retry_after = error.retry_after


def unreadable(event_id: str, error: Forbidden) -> Refused:
    """Microsoft lets the user read the mailbox, but not this event: that stops this event alone."""
    return Refused(str(error), item=f"event {event_id[-12:]}", reason="forbidden")


def crm_refuses(error: CalsyncError) -> Unavailable:
    """The CRM refuses us, not Microsoft the user: no account of a user is to blame, and it may pass."""
    return Unavailable(f"the CRM refuses calsync: {error}", retry_after=CRM_REFUSAL_WAIT)


@contextmanager
def asking_the_crm() -> Iterator[None]:
    """Within it only the CRM is asked, for many at once: a refusal blames no account and no item."""
    try:
        yield
    except Transient:
        raise
    except (RemoteError, ItemError) as error:
        raise crm_refuses(error) from error


def _nothing_reached(error: CalsyncError) -> bool:
    """The service itself cannot be reached: every other item would fail alike."""
    return isinstance(error, Unavailable) and error.status is None
