"""What a link becomes after each step that succeeded.

Decides how copies and bases change. Pure functions over the domain's values; storing is the caller's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from calsync_plugin.domain.links import (
    Base,
    Copy,
    CopyPurpose,
    CopyState,
    Link,
    LinkState,
    Role,
    transaction_id,
)
from calsync_plugin.domain.meeting import Field, JsonValue, Meeting

PERSONAL = frozenset({Field.SHOW_AS, Field.REMINDER})
"""What each person sets in the own mailbox, whoever organizes."""


def begin_create(link: Link, mailbox_id: int, installation_id: str, *, calendar_id: str = "") -> Link:
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
        calendar_id=calendar_id,
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


def copy_replaced(link: Link, copy: Copy, now: Copy) -> Link:
    """The link with one copy as it is now."""
    return replace(link, copies=tuple(now if c == copy else c for c in link.copies))


def without_event(link: Link, event_id: str) -> Link:
    """The link without the copy that is this event."""
    return replace(link, copies=tuple(c for c in link.copies if c.event_id != event_id))


def joined(link: Link, copy: Copy, *, is_organizer: bool) -> Link:
    """The link with one more event of the same meeting (R3).

    The organizer's own event becomes the home if an attendee's copy held that place: content flows through
    the organizer's mailbox. It is the same meeting, so that the bases go on. An event that took the place of
    another one in its mailbox keeps that one's purpose.
    """
    before = link.copy_in(copy.mailbox_id)
    if before is not None:
        same = replace(copy, purpose=before.purpose, transaction_id=before.transaction_id)
        return copy_replaced(link, before, same)
    if link.home is not None and (not is_organizer or link.role is Role.ORGANIZER):
        return replace(link, copies=(*link.copies, replace(copy, purpose=CopyPurpose.ATTENDEE)))
    others = tuple(
        replace(c, purpose=CopyPurpose.ATTENDEE) if c.purpose is CopyPurpose.HOME else c for c in link.copies
    )
    home = replace(copy, purpose=CopyPurpose.HOME)
    base = _of_another_copy(link.outlook_base)
    role = Role.ORGANIZER if is_organizer else Role.ATTENDEE
    return replace(link, role=role, copies=(home, *others), outlook_base=base)


def rehomed(link: Link, heirs: Collection[int] | None = None) -> Link | None:
    """The link of somebody else's meeting after its home copy went: another invited user's copy takes over.

    None if there is no other copy, or none in one of these mailboxes.
    """
    if link.role is not Role.ATTENDEE or link.home is None:
        return None
    live = (c for c in link.copies if c.purpose is CopyPurpose.ATTENDEE and c.state is CopyState.LIVE)
    heir = next((c for c in live if heirs is None or c.mailbox_id in heirs), None)
    if heir is None:
        return None
    rest = tuple(c for c in link.copies if c not in (heir, link.home))
    # What that mailbox was told meanwhile is known to nobody yet: without an etag it is looked at.
    home = replace(heir, purpose=CopyPurpose.HOME, etag="")
    return replace(link, copies=(home, *rest), outlook_base=_of_another_copy(link.outlook_base))


def _of_another_copy(base: Base | None) -> Base | None:
    """The base of a meeting's content as another mailbox's copy of it shows it.

    How the time is shown and when to remind is each mailbox's own; an answer that a copy does not tell of was
    not taken back.
    """
    if base is None:
        return None
    values = {name: value for name, value in base.values.items() if name not in PERSONAL}
    if Field.RESPONSES in values:
        values[Field.RESPONSES] = {}
    return Base(values, organizer=base.organizer)


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
    return replace(base, values={**base.values, name: value})


def nothing_left(link: Link) -> bool:
    """Whether the link has no event of its own any more; attendee copies are their owners' (R1)."""
    return all(c.purpose is CopyPurpose.ATTENDEE for c in link.copies)
