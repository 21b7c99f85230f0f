"""What both sides looked like after a plan was carried out: the bases, and the mailbox owner's own answer.

Decides what a base takes over and what stays a change. Pure over the item; the saver stores it last.
"""

from __future__ import annotations

from dataclasses import replace

from calsync_plugin.domain.answering import known_after
from calsync_plugin.domain.carried import Flow, carried, with_flow
from calsync_plugin.domain.links import Base, CopyState, Link
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.operations import UpdateEvent
from calsync_plugin.domain.privacy import flows_of, visible
from calsync_plugin.engine import progress
from calsync_plugin.engine.item import Item
from calsync_plugin.engine.versions import version_of

ALWAYS = frozenset({Field.ATTENDEES, Field.ONLINE, Field.SENSITIVITY})
"""What the Outlook base knows in any case: who is mailed, what the body holds, whether it was private."""


def rebase(item: Item) -> None:
    """Both sides as they are now, in what was settled; what waits stays a change (`Base.after`)."""
    link, ours, seen = item.link, item.ours.meeting, item.planned[1]
    if link is None or ours is None or not item.settled:
        return
    # A base holds no more of an event than the CRM may see (R14).
    theirs = visible(link.origin, item.theirs.meeting, item.policy) if item.theirs.meeting else None
    seen = visible(link.origin, seen, item.policy) if seen else None
    fields = frozenset(carried(link.origin, link.role, item.policy))
    settled = frozenset(item.settled)
    # A new event has nothing to do with the bases of a former one.
    fresh = item.created is not None
    crm = progress.rebased(
        None if fresh else link.crm_base,
        seen=item.planned[0],
        now=ours,
        fields=fields,
        settled=settled,
        version=version_of(item.ours.modified_at),
    )
    if link.crm_base is not None and not fresh:
        crm = _still_to_be_seen(item, link.crm_base, crm)
    if item.created is not None and Field.ATTENDEES not in item.created.fields:
        # The create left them out on purpose: they are still to be invited if the meeting moves ahead.
        crm = progress.with_value(crm, Field.ATTENDEES, {})
    based = progress.home_based(link)
    outlook_base = based.outlook_base
    if theirs is not None and link.home is not None:
        outlook = progress.rebased(
            None if fresh else link.outlook_base,
            seen=seen,
            now=theirs,
            fields=fields,
            settled=settled,
            version=link.home.etag,
        )
        also = theirs.normal_form(ALWAYS - outlook.values.keys())
        outlook_base = Base({**outlook.values, **also}, outlook.version, *_label_and_organizer(item, link))
    item.link = replace(based, crm_base=crm, outlook_base=outlook_base)
    item.changed_link = True


def _still_to_be_seen(item: Item, before: Base, after: Base) -> Base:
    """The record's base without what somebody saved while we wrote: that stays a change of the CRM's."""
    agreed = item.planned[0].normal_form(item.settled) if item.planned[0] else {}
    known = {**before.values, **agreed}
    kept = {name: known[name] for name in item.unseen if name in after.values and name in known}
    return replace(after, values={**after.values, **kept})


def overlooked(item: Item) -> bool:
    """Whether the answer to our write shows an edit of either side that nobody had seen.

    `If-Match` keeps our write from hiding one only where the service enforces it, and the event's etag is
    that of our write from now on: nothing would tell of the edit any more.
    """
    link, theirs = item.link, item.theirs.meeting
    if item.unseen:
        return True
    if link is None or link.outlook_base is None or theirs is None or item.planned[1] is not None:
        return False
    if not any(isinstance(o, UpdateEvent) for o in item.plan):
        return False
    inward = with_flow(flows_of(link, theirs, item.policy), Flow.IN)
    return bool(link.outlook_base.changed(visible(link.origin, theirs, item.policy), inward))


def forget_look(item: Item) -> None:
    """What was seen of the event is not taken in: the next run must not take it to be as in its base.

    An etag that is newer than the base would let that run skip the event, or overwrite what was edited.
    """
    home = item.link.home if item.link else None
    if item.link is not None and home is not None and home.etag and item.seen.get(home.event_id):
        item.link = progress.etag_seen(item.link, home, "")
        item.changed_link = True


def _label_and_organizer(item: Item, link: Link) -> tuple[str, str]:
    """The label before the event's subject, and who organizes it; as in its base if nobody looked.

    The organizer stays who it was: an event of another one is another meeting, unless it was created here, be
    it only found. An X.500 name tells nothing: other mailboxes show the same organizer's address.
    """
    event = item.seen.get(link.home.event_id) if link.home else None
    begun = link.home is not None and link.home.state is CopyState.INTENDED
    base = link.outlook_base if item.created is None and not begun else None
    known = base.organizer if base else ""
    if event is not None:
        address = event.organizer_address
        return event.label, known or (address if "@" in address else "")
    return link.outlook_base.label if link.outlook_base else "", known


def keep_answer(item: Item) -> None:
    """What is known of the mailbox owner's own answer after this run, and of a copy that is gone (R3)."""
    own, link = item.theirs.own, item.link
    if link is None or item.dropped:
        return
    if item.lost_copy is not None:
        remaining = tuple(c for c in link.copies if c.event_id != item.lost_copy.event_id)
        item.link, item.changed_link = replace(link, copies=remaining), True
        return
    copy = next((c for c in link.copies if own and c.event_id and c.event_id == own.event_id), None)
    if own is None or copy is None:
        return
    known = known_after(replace(own, response=item.answered or own.response), item.ours.meeting)
    if copy.response is not known:
        item.link = progress.copy_replaced(link, copy, replace(copy, response=known))
        item.changed_link = True
