"""The mass-change breaker: how much may happen before a person is asked (R11).

Decides which of the planned deletions (or mailed updates) of a run are held. Does not hold, count or store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEW = 5
"""Up to this many within the window nothing is held, whatever the share."""
SHARE = 5
"""More than one in so many of the mailbox's links is a mass change, if it is more than `FEW`."""
MANY = 50
"""More than this many is a mass change whatever the share."""
MANY_MAILBOXES = 10
"""More mailboxes than this, and more than one in `SHARE` of all, is a mass change of the installation."""
MANY_EVERYWHERE = 200
"""More than this many in the whole installation is a mass change whatever the share."""
MANY_INVITATIONS = 200
"""More invitations than this do not become records of one mailbox within the window."""
WINDOW = 24 * 3600
"""Seconds over which the counts slide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was already let through within the window, in groups (a series is one group)."""

    links: int
    """Links of this mailbox, those that are about to go included."""
    in_mailbox: frozenset[str]
    everywhere: int
    mailboxes: int
    """Mailboxes with at least one, this one not included."""
    all_mailboxes: int = 0
    """Mailboxes of the installation; 0 if not known, then no share makes `MANY_MAILBOXES` harmless."""
    burst_only: bool = False
    """Updates: a working day is full of them. Their share counts within one run, and what other mailboxes
    send does not count."""


def allowed(groups: Sequence[str], counts: Counts) -> frozenset[str]:
    """The groups of `groups` that may go ahead; all others are held.

    New groups go or wait together: a mass change that comes at once is held as a whole, so that a person sees
    all of it. A group that was let through before (the rest of a series) still may go.
    """
    fresh = frozenset(groups) - counts.in_mailbox
    total = len(counts.in_mailbox) + len(fresh)
    at_once = len(fresh) if counts.burst_only else total
    everywhere = not counts.burst_only and _tripped_everywhere(len(fresh), counts)
    if total > MANY or _share_tripped(at_once, counts.links) or everywhere:
        return frozenset(groups) & counts.in_mailbox
    return frozenset(groups)


def _share_tripped(number: int, links: int) -> bool:
    return number > FEW and number * SHARE > links


def _tripped_everywhere(fresh: int, counts: Counts) -> bool:
    mailboxes = counts.mailboxes + 1
    return counts.everywhere + fresh > MANY_EVERYWHERE or (
        mailboxes > MANY_MAILBOXES and mailboxes * SHARE > counts.all_mailboxes
    )
