"""Every error that calsync raises on purpose, as one tree.

    CalsyncError
    ├── UserError                 wrong use or configuration: one line, exit 2, no traceback
    │   ├── ConfigurationError    a key or value of the configuration file or environment
    │   ├── SettingsError         a user's or admin's settings do not fit their schema
    │   ├── StoreError            the store cannot be used: newer schema, missing key, wrong folder
    │   ├── MailboxTaken          another user of the CRM has connected this mailbox
    │   ├── FeatureOff            an administrator switched this off, for everybody or for a team or role
    │   ├── SlotTaken             somebody was faster, or the time is not offered; carries the next ones
    │   ├── KeyReused             the idempotency key was used before for another booking
    │   ├── NotBooked             the CRM did not take the meeting that was booked
    │   └── SignInRefused         a visitor's name or password is wrong, or there were too many failures
    │       └── SecondFactorNeeded    name and password are right, the CRM wants a code as well
    ├── ItemError                 one item cannot be synced; it is parked, the others go on
    │   ├── InvalidRecord         the CRM's record is unusable (no end, unknown zone, ...)
    │   ├── InvalidEvent          Outlook's event is unusable
    │   └── Refused               the service refused this item's content and will refuse it again
    ├── RemoteError               an answer, or the lack of one, of Graph, the login service or the CRM
    │   ├── Transient             try again after `retry_after` seconds or with backoff
    │   │   ├── Throttled         429, or the local pace is used up
    │   │   ├── Unavailable       503, 423, refused connection: nothing was done
    │   │   └── UnknownOutcome    500, 502, 504, time-out, reset, unreadable answer: it may have been done
    │   ├── Unauthorized          401: the token is not accepted
    │   │   └── ReconnectNeeded   the login service wants the user back
    │   ├── Forbidden             403: not ours, or no permission
    │   ├── NotFound              404 for the item that was asked for
    │   ├── PreconditionFailed    412, or 409 of a concurrent save: read again and plan again
    │   ├── VersionConflict       409 of the CRM's optimistic concurrency, with the present values
    │   ├── DuplicateTransaction  the idempotency key was used before for another content
    │   ├── CursorExpired         the delta link is no longer known: read everything and compare
    │   └── MailboxUnusable       no Exchange Online mailbox behind this account
    ├── StoreBusy                 our own database could not do it in time; nothing was promised, repeat it
    ├── DeliveryError             what reached our address as news of the CRM cannot be taken
    │   ├── BadSignature          forged, or signed by a webhook that is not ours: 401
    │   └── BadDelivery           signed, but not what the CRM sends for this event
    ├── FeedError                 a calendar behind an iCalendar address cannot be read; `reason` says why
    └── Lost                      somebody else was faster; plan again
        ├── LeaseLost             another worker has this mailbox now
        └── StaleLink             the link was saved by another run meanwhile

Each error carries what its catcher needs; a message says what happened, to which item, and what to do.
No message ever holds a token, a secret or a body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Slots = Sequence[tuple[int, int, Sequence[str]]]


class CalsyncError(Exception):
    """The root: whoever catches this catches all that calsync raises on purpose."""


class UserError(CalsyncError):
    """Wrong use or configuration; shown as one line."""


class ConfigurationError(UserError):
    """A key or value of the configuration is wrong.

    `path` is the place in the file (`crm.url`) or the variable; `expected` says what would be right.
    """

    def __init__(self, message: str, *, path: str = "", expected: str = "") -> None:
        """Keep the path and what was expected beside the message."""
        text = f"{path}: {message}" if path else message
        super().__init__(f"{text} (expected {expected})" if expected else text)
        self.path = path
        self.expected = expected


class SettingsError(UserError):
    """Settings of a user or of the integration do not fit their schema."""


class StoreError(UserError):
    """The store cannot be opened or must not be used like this."""


class MailboxTaken(UserError):
    """Another user of the CRM has connected this mailbox (R18)."""

    def __init__(self) -> None:
        """Name the way out, and not the other user."""
        super().__init__(
            "Another user has connected this Outlook mailbox. "
            "Share its calendar with your own Outlook account, and connect that one."
        )


class FeatureOff(UserError):
    """An administrator switched this off for the user; the message fits its reader."""


class SlotTaken(UserError):
    """The asked time cannot be booked, or not any more; nothing was booked.

    `next_slots`: start, end (epoch seconds) and users of the next free ones.
    """

    def __init__(self, message: str, *, next_slots: Slots = ()) -> None:
        """Keep what to offer instead."""
        super().__init__(message)
        self.next_slots = next_slots


class KeyReused(UserError):
    """The idempotency key was used before by the same caller for another booking."""


class NotBooked(UserError):
    """The CRM refused the meeting; the time is free again."""


class SignInRefused(UserError):
    """A visitor of the pages is not signed in; the message never says whether the name exists."""


class SecondFactorNeeded(SignInRefused):
    """The CRM wants a code besides the password. `message`: EspoCRM's word for where the code comes from."""

    def __init__(self, message: str = "") -> None:
        """Ask for the code."""
        match message:
            case "enterCodeSentInEmail":
                words = "The CRM has sent you a code by e-mail. Enter it with your password."
            case "enterCodeSentBySms":
                words = "The CRM has sent you a code as a text message. Enter it with your password."
            case _:
                words = "The CRM asks for the code of your second factor. Enter it with your password."
        super().__init__(words)


class StoreBusy(CalsyncError):
    """Our own database gave no lock, connection or answer in time. Repeating the call does no harm."""


class ItemError(CalsyncError):
    """One item cannot be synced. `reason` is a short stable code, the message is for people."""

    reason = "item"

    def __init__(self, message: str, *, item: str = "", reason: str = "") -> None:
        """Name the item (`Meeting 6b0...`) so that a person finds it."""
        super().__init__(f"{item}: {message}" if item else message)
        self.item = item
        self.said = message
        if reason:
            self.reason = reason


class InvalidRecord(ItemError):
    """The CRM's record cannot become a meeting."""

    reason = "invalid_record"


class InvalidEvent(ItemError):
    """Outlook's event cannot become a meeting."""

    reason = "invalid_event"


class Refused(ItemError):
    """The service refused the content of this item; sending it again would be refused again."""

    reason = "refused"


class RemoteError(CalsyncError):
    """An answer, or the lack of one, of a remote service."""

    def __init__(
        self, message: str, *, status: int | None = None, code: str = "", request_id: str = ""
    ) -> None:
        """Keep the HTTP status (None: no answer), the service's error code and its request id."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id


class Transient(RemoteError):
    """It may work later. `retry_after` is in seconds; None leaves the wait to the caller's backoff."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        """Keep how long the service asked to wait."""
        super().__init__(message, status=status, code=code, request_id=request_id)
        self.retry_after = retry_after


class Throttled(Transient):
    """Too many requests, said by the service or by our own pacing."""


class Unavailable(Transient):
    """The service could not do it now, and did nothing."""


class UnknownOutcome(Transient):
    """No readable answer came: the request may have been carried out or not."""


class Unauthorized(RemoteError):
    """401: the token or key is not accepted."""


class ReconnectNeeded(Unauthorized):
    """The login service no longer accepts the stored tokens; only the user can help (R20)."""


class Forbidden(RemoteError):
    """403: the item is not ours to see or change."""


class NotFound(RemoteError):
    """404 for the very item that was asked for."""


class PreconditionFailed(RemoteError):
    """412: the item was changed meanwhile; read it again and plan again."""


class VersionConflict(RemoteError):
    """409 of the CRM: the record was saved meanwhile. `values` are the present ones."""

    def __init__(self, message: str, *, values: Mapping[str, object], version: int | None = None) -> None:
        """Keep the present values for the merge."""
        super().__init__(message, status=409, code="modified")
        self.values = values
        self.version = version


class DuplicateTransaction(RemoteError):
    """The transactionId was used before for an event of other content.

    `existing_event_id` is the event's id where the service names it, else empty.
    """

    def __init__(self, message: str, *, status: int, existing_event_id: str = "") -> None:
        """Keep the id of the event that holds the key."""
        super().__init__(message, status=status, code="ErrorDuplicateTransactionId")
        self.existing_event_id = existing_event_id


class CursorExpired(RemoteError):
    """The service no longer knows the delta link."""


class MailboxUnusable(RemoteError):
    """The account has no mailbox that Graph can reach (on premises, no licence, soft-deleted)."""


class DeliveryError(CalsyncError):
    """A request that reached our address as news of the CRM cannot be taken."""


class BadSignature(DeliveryError):
    """Nobody whom we know signed this delivery: forged, unsigned, or a webhook that is not ours."""


class BadDelivery(DeliveryError):
    """The delivery is signed but is not what the CRM sends for this event."""


class FeedError(CalsyncError):
    """A calendar behind an iCalendar address cannot be read. What was known of it stays as it is.

    `reason` is a short stable code: `refused_address`, `unreachable`, `not_found`, `needs_login`,
    `redirects`, `too_slow`, `too_large`, `not_a_calendar`, `too_many_events` or `too_complex`. The message
    names the host at most, for the address itself gives access.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.reason = reason


class Lost(CalsyncError):
    """Somebody else was faster; nothing is wrong, plan again."""


class LeaseLost(Lost):
    """Another worker holds the mailbox now; this one must not save."""


class StaleLink(Lost):
    """The link's version moved on since it was read (compare-and-swap)."""
