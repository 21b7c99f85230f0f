"""A record that was saved or removed between our reading and our writing it.

Decides what of the item's work is kept, and when it is planned anew. What the conflict was about is not
looked at: the record is read again, and the merge of both sides decides (`domain.merge`).
"""

from __future__ import annotations

from calsync_plugin.crm.records import RecordView
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.operations import UpdateRecord
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.rebasing import forget_look, rebase
from calsync_plugin.errors import RemoteError

AT_ONCE, SOON = 3, 0.05
"""So many conflicts of an item are planned anew after so many seconds; further ones wait longer each time."""


def changed_meanwhile(before: RecordView | None, after: RecordView | None) -> set[Field]:
    """Fields in which a record differs before and after our write: what we did not write, somebody else did.

    Answers are no edits: they may fall by what we write (R7).
    """
    if before is None or after is None:
        return set()
    every = frozenset(Field) - {Field.RESPONSES}
    was, now = before.meeting.normal_form(every), after.meeting.normal_form(every)
    return {name for name in every if was[name] != now[name]}


def keep_what_was_done(item: Item) -> None:
    """The bases of what both sides took. What the record did not take is still to be taken in."""
    item.settled -= {f for o in item.plan if isinstance(o, UpdateRecord) for f in o.fields}
    item.settled |= item.taken_in
    rebase(item)
    forget_look(item)


def plan_again(item: Item, error: RemoteError) -> None:
    """The record is not what the plan was made from: it is read and planned anew, at once at first.

    A CRM that tells of a conflict again and again is asked less and less often.
    """
    item.state, item.error = ItemState.RETRY, f"{item.name}: {error}"
    if is_new_match(item):
        item.changed_link = True
        item.error = f"{item.name}: it was changed meanwhile, or cannot be read back yet"
    elif max(item.key.attempts, item.event_attempts) < AT_ONCE:
        item.retry_after = SOON


def is_new_match(item: Item) -> bool:
    """A match is known in the reading that found it only, for a stranger would get a second record (R21).

    Its link is kept without bases, so that all is compared then.
    """
    return item.link is not None and item.link.version == 0 and bool(item.link.record_id)
