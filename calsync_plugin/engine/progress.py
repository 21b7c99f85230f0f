"""What a link becomes after each step that succeeded.

Decides how copies and bases change. Pure functions over the domain's values; storing is the caller's.
"""

from __future__ import annotations

from dataclasses import replace

from calsync_plugin.domain.links import (
    Base,
    Copy,
    CopyPurpose,
    CopyState,
    Link,
    LinkState,
    transaction_id,
)
from calsync_plugin.domain.meeting import Field, JsonValue, Meeting


def begin_create(link: Link, mailbox_id: int, installation_id: str) -> Link:
    """The link with an intended home copy in `mailbox_id`, to be stored before the create is sent.

    A create that is repeated keeps its key; a move to another mailbox gets a new generation, and the former
    home becomes a leaving copy (R2).
    """
    home = link.home
    if home and home.mailbox_id == mailbox_id and home.state is CopyState.INTENDED:
        return link
    generation = link.generation + 1 if link.copies else link.generation
    intended = Copy(
        mailbox_id=mailbox_id,
        purpose=CopyPurpose.HOME,
        state=CopyState.INTENDED,
        transaction_id=transaction_id(installation_id, link.id, generation),
    )
    others = tuple(
        replace(c, purpose=CopyPurpose.LEAVING) if c.purpose is CopyPurpose.HOME else c for c in link.copies
    )
    return replace(link, generation=generation, copies=(*others, intended), state=LinkState.ACTIVE, reason="")


def renew_key(link: Link, installation_id: str) -> Link:
    """The link with a fresh key for its intended home: the old key belongs to another event."""
    generation = link.generation + 1
    key = transaction_id(installation_id, link.id, generation)
    copies = tuple(
        replace(c, transaction_id=key)
        if c.purpose is CopyPurpose.HOME and c.state is CopyState.INTENDED
        else c
        for c in link.copies
    )
    return replace(link, generation=generation, copies=copies)


def copy_confirmed(link: Link, intended: Copy, *, event_id: str, ical_uid: str, etag: str) -> Link:
    """The link after the event of an intended copy was created or found."""
    live = replace(intended, state=CopyState.LIVE, event_id=event_id, ical_uid=ical_uid, etag=etag)
    return replace(link, copies=tuple(live if c == intended else c for c in link.copies))


def copy_found(link: Link, intended: Copy, *, event_id: str, ical_uid: str, etag: str) -> Link:
    """The link after the event of a begun create was found: it stays intended until its bases are saved.

    Until then nothing says what the two sides looked like when it was written.
    """
    found = replace(intended, event_id=event_id, ical_uid=ical_uid, etag=etag)
    return replace(link, copies=tuple(found if c == intended else c for c in link.copies))


def home_based(link: Link) -> Link:
    """The link whose home has bases now: what was begun is done."""
    home = link.home
    if home is None or not home.event_id or home.state is CopyState.LIVE:
        return link
    live = replace(home, state=CopyState.LIVE)
    return replace(link, copies=tuple(live if c is home else c for c in link.copies))


def copy_removed(link: Link, copy: Copy) -> Link:
    """The link without one copy."""
    return replace(link, copies=tuple(c for c in link.copies if c != copy))


def etag_seen(link: Link, copy: Copy, etag: str) -> Link:
    """The link with the present etag of one copy."""
    seen = replace(copy, etag=etag)
    return replace(link, copies=tuple(seen if c == copy else c for c in link.copies))


def rebased(
    base: Base | None,
    *,
    seen: Meeting | None,
    now: Meeting,
    fields: frozenset[Field],
    settled: frozenset[Field],
    version: str,
) -> Base:
    """One side's base after a plan was carried out (`Base.after`); a side without a base gets a whole one.

    `seen` None: nobody looked, the side was taken to be as in its base. What differs afterwards and is not
    settled is an edit that the service did not refuse our write for (`If-Match`); it stays a change. Answers
    are no edits: they fall when we write (R7).
    """
    if base is None:
        return Base(now.normal_form(fields), version)
    if seen is None:
        return base.after(now, now, fields, settled | {Field.RESPONSES}, version)
    return base.after(seen, now, fields, settled, version)


def with_value(base: Base, name: Field, value: JsonValue) -> Base:
    """The base with another value for one field."""
    return Base({**base.values, name: value}, base.version)


def nothing_left(link: Link) -> bool:
    """Whether the link has no event of its own any more; attendee copies are their owners' (R1)."""
    return all(c.purpose is CopyPurpose.ATTENDEE for c in link.copies)
