"""The subscription of one mailbox: made, renewed early, made anew, or done without.

Decides when Outlook is asked to notify us of changes, and which refusals mean that the mailbox is polled
instead. Does not decide how often that is, nor what a notification leads to (`notified`). Without
notifications changes arrive later, but they arrive: nothing here stops an account.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calsync_plugin.engine.notified import client_state_hash
from calsync_plugin.engine.roster import Member
from calsync_plugin.errors import (
    ConfigurationError,
    ItemError,
    MailboxUnusable,
    NotFound,
    PreconditionFailed,
    Refused,
    RemoteError,
    Transient,
    Unauthorized,
)
from calsync_plugin.graph import subscriptions as graph
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.http import checked_address
from calsync_plugin.state import Lease, Notify, Store, Subscription

log = logging.getLogger(__name__)

RECEIVER = "/webhooks/outlook"
LIFECYCLE = f"{RECEIVER}/lifecycle"

LIFE = graph.LONGEST_LIFE - timedelta(hours=1)
"""What is asked for: more than the longest life is refused, and clocks differ."""
ASK_AGAIN = 6 * 3600.0
"""Seconds after a refusal: what is wrong takes a person, or a day."""
AFTER_TROUBLE = 300.0
"""Seconds after a failure that says nothing, unless the service names a longer wait."""

Rows = tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look came to. It holds until its time is up, unless the rows become others than it left."""

    until: float
    rows: Rows
    notify: Notify | None
    """None: it says nothing new."""
    reason: str = ""


class Subscriber:
    """Looks after the subscriptions of all mailboxes; one run at a time for each of them."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        random: random.Random,
        public_url: str,
        graph_url: str,
    ) -> None:
        """`public_url` is where the web server answers Microsoft; empty if there is none."""
        self._store = store
        self._now = now
        self._random = random
        self._receiver = public_url.rstrip("/") + RECEIVER
        self._lifecycle = public_url.rstrip("/") + LIFECYCLE
        self._obstacle = _obstacle(public_url, graph_url)
        self._looks: dict[int, _Look] = {}

    def upkeep(self, lease: Lease, member: Member, client: MailboxClient) -> float:
        """Look after one mailbox's subscription; return the seconds until the next look.

        To be called before each reading of the mailbox: then nothing falls between a new subscription and
        what was read. A look that is not due is one read of the store. Of what Graph may say it raises
        Unauthorized only; other refusals are noted at the account, and failures are tried again.
        """
        if self._obstacle:
            self._tell(member, Notify.POLL, self._obstacle)
            return self._spread(ASK_AGAIN)
        rows = self._rows(lease.mailbox_id)
        look = self._looks.get(lease.mailbox_id)
        if look is None or look.rows != rows or look.until <= self._now() or _is_reset(look, member):
            look = self._looks[lease.mailbox_id] = self._look(lease.mailbox_id, client, rows)
        if look.notify is not None:
            self._tell(member, look.notify, look.reason)
        return look.until - self._now()

    def _look(self, mailbox_id: int, client: MailboxClient, rows: Rows) -> _Look:
        try:
            row, wait = self._kept(mailbox_id, client, rows)
        except Unauthorized:
            raise
        except Transient as error:
            log.info("mailbox %s: its notifications are looked after later: %s", mailbox_id, error)
            left = self._rows(mailbox_id)
            alive = any(row.expires_at > self._time() for row in left)
            wait = max(error.retry_after or 0.0, self._spread(AFTER_TROUBLE))
            return _Look(self._now() + wait, left, None if alive else Notify.UNKNOWN)
        except (RemoteError, ItemError) as error:
            reason = self._reason(error)
            log.warning("mailbox %s is polled, because %s: %s", mailbox_id, reason, error)
            until = self._now() + self._spread(ASK_AGAIN)
            return _Look(until, self._rows(mailbox_id), Notify.POLL, reason)
        # Not what is stored by now: a notification may have changed that, and is to be followed.
        return _Look(self._now() + wait, (row,), Notify.NOTIFICATIONS)

    def _kept(self, mailbox_id: int, client: MailboxClient, rows: Rows) -> tuple[Subscription, float]:
        """Return the one subscription, brought into order, and the seconds until it is to be renewed."""
        for superfluous in rows[:-1]:
            self._drop(superfluous.id, client)
        if not rows:
            return self._made(mailbox_id, client)
        row = rows[-1]
        wait = (row.expires_at - self._time()).total_seconds() - _left_at_renewal(row.id)
        return (row, wait) if wait > 0 else self._renewed(row, client)

    def _renewed(self, row: Subscription, client: MailboxClient) -> tuple[Subscription, float]:
        expires = self._time() + LIFE
        try:
            found = graph.read_subscription(client.send(graph.renew(row.id, expires)))
        except (NotFound, MailboxUnusable, Refused) as error:
            # Graph says ResourceNotFound of a subscription, too. A refusal may be cured by another one.
            log.info("mailbox %s: its subscription cannot be renewed: %s", row.mailbox_id, error)
            self._drop(row.id, client if isinstance(error, Refused) else None)
            return self._made(row.mailbox_id, client)
        if found.notification_url not in {"", self._receiver}:
            # The installation has moved; an address cannot be changed together with its lifecycle address.
            self._drop(row.id, client)
            return self._made(row.mailbox_id, client)
        return self._saved(replace(row, expires_at=found.expires_at or expires))

    def _made(self, mailbox_id: int, client: MailboxClient) -> tuple[Subscription, float]:
        """Make a subscription, after what is left of earlier ones has been ended."""
        self._clear(mailbox_id, client)
        client_state = secrets.token_urlsafe(32)
        expires = self._time() + LIFE
        request = graph.create(self._receiver, self._lifecycle, client_state, expires)
        found = graph.read_subscription(client.send(request))
        row = Subscription(
            id=found.id,
            mailbox_id=mailbox_id,
            resource=graph.EVENTS,
            client_state_hash=client_state_hash(client_state),
            expires_at=found.expires_at or expires,
        )
        return self._saved(row)

    def _clear(self, mailbox_id: int, client: MailboxClient) -> None:
        """End subscriptions that lead here but are not known: made by a run that did not live to note it."""
        try:
            found = graph.read_subscriptions(client.send(graph.list_subscriptions()))
        except (RemoteError, ItemError) as error:
            if isinstance(error, Transient | Unauthorized):
                raise
            log.info("mailbox %s: its subscriptions cannot be listed: %s", mailbox_id, error)
            return
        stray = [one.id for one in found if one.notification_url == self._receiver]
        others = {row.id for row in self._store.subscriptions.many(stray).values()}
        for subscription_id in stray:
            if subscription_id not in others:
                self._drop(subscription_id, client)

    def _saved(self, row: Subscription) -> tuple[Subscription, float]:
        """Note a subscription that was made or renewed just now."""
        self._store.subscriptions.save(row)
        life = (row.expires_at - self._time()).total_seconds()
        # If Graph gave less than what was asked for, half of that.
        return row, max(life - _left_at_renewal(row.id), life / 2, 60.0)

    def _drop(self, subscription_id: str, client: MailboxClient | None) -> None:
        """End a subscription at Microsoft, unless it has none of it any more, and forget it."""
        if client is not None:
            try:
                client.send(graph.delete(subscription_id))
            except (RemoteError, ItemError) as error:
                if isinstance(error, Transient | Unauthorized):
                    raise
                log.info("a subscription could not be ended, it ends by itself: %s", error)
        self._store.subscriptions.delete(subscription_id)

    def _tell(self, member: Member, notify: Notify, reason: str) -> None:
        account = member.account
        if (account.notify, account.notify_reason) != (notify, reason):
            self._store.accounts.set_notify(account.user_id, notify, reason)

    def _reason(self, error: RemoteError | ItemError) -> str:
        """Say in words why the mailbox is polled; the log holds Microsoft's own code."""
        if isinstance(error, PreconditionFailed):
            return "another installation with the same app registration is notified of this mailbox"
        if isinstance(error, Refused):
            return (
                "Microsoft refused to send notifications: most often because"
                f" {self._receiver} cannot be reached from the internet within 10 seconds"
            )
        return "Microsoft does not allow notifications for this mailbox"

    def _rows(self, mailbox_id: int) -> Rows:
        """The subscriptions of a mailbox, the one to keep last: it ends last."""
        return tuple(self._store.subscriptions.for_mailbox(mailbox_id))

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _spread(self, seconds: float) -> float:
        """Seconds with a quarter of jitter: what failed for all must not be asked for by all at once."""
        return seconds * (0.875 + 0.25 * self._random.random())


def _is_reset(look: _Look, member: Member) -> bool:
    """Tell whether an account was reset or disconnected since a refusal: it is worth another try then."""
    return look.notify is Notify.POLL and member.account.notify is not Notify.POLL


def _left_at_renewal(subscription_id: str) -> float:
    """Seconds before its end at which a subscription is renewed: half of its life, and up to a tenth less.

    Always the same for the same one, so that every look agrees.
    """
    share = int(client_state_hash(subscription_id)[:8], 16) / 2**32
    return LIFE.total_seconds() * (0.5 - 0.1 * share)


def _obstacle(public_url: str, graph_url: str) -> str:
    """Say in words why Microsoft cannot reach us; empty if it may."""
    if not public_url:
        return "calsync has no public address to which Microsoft could send notifications (serve.public_url)"
    # Plain http is for this machine alone, and only the sandbox's Outlook is on it.
    if not public_url.startswith("https://") and not graph_url.startswith("http://"):
        return f"Microsoft sends notifications to https addresses only, not to {public_url}"
    try:
        checked_address(public_url, path="serve.public_url")
    except ConfigurationError as error:
        return str(error)
    return ""
