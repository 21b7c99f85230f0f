"""What stored rows take of their users' time.

Decides nothing of its own: it puts the rules about a user (`owners`) to the store's rows, within a
transaction as well as outside of one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from calsync_plugin.booking.owners import Owner, owner_of
from calsync_plugin.domain.availability import Interval, joined, local_midnight
from calsync_plugin.state import Account, BusyTime, Standing, Store


def owners_of(
    store: Store,
    user_ids: Collection[str],
    crm_zone: Callable[[], str],
    accounts: Mapping[str, Account] | None = None,
) -> dict[str, Owner]:
    """Users by id, connected or not; `crm_zone` is asked where nothing better is known.

    `accounts` are those of the users, if they were read already.
    """
    if accounts is None:
        accounts = store.accounts.many(sorted(set(user_ids)))
    without = [one for one in user_ids if one not in accounts]
    others = store.crm_users.many(without) if without else {}
    zones = {one: user.zone for one, user in others.items()}
    zones |= {one: account.user_zone for one, account in accounts.items()}
    return {
        one: owner_of(one, accounts.get(one), user_zone=zones.get(one, ""), crm_zone=crm_zone)
        for one in user_ids
    }


def blocking(times: Iterable[BusyTime], owners: Mapping[int, Owner]) -> Iterator[tuple[int, Interval]]:
    """What rows take up, and of which source; nothing of sources that have none of `owners`."""
    for source_id, start, end, whole_days, show_as in times:
        owner = owners.get(source_id)
        if owner is None or show_as not in owner.takes:
            continue
        if whole_days:
            yield source_id, (local_midnight(start, owner.rules), local_midnight(end, owner.rules))
        else:
            yield source_id, (start, end)


def apart(booked: Iterable[Interval], free: Interval) -> list[Interval]:
    """What is kept free before and after bookings, so many seconds each."""
    if not any(free):
        return []
    before, after = free
    return [span for start, end in booked for span in ((start - before, start), (end, end + after))]


def busy_now(standing: Standing, owners: Mapping[str, Owner]) -> dict[str, list[Interval]]:
    """When users are busy by what was read under the locks: blocks and other bookings, joined, by user."""
    of_source = {one.id: owners[one.user_id] for one in standing.sources if one.user_id in owners}
    found = {one: list(standing.taken.get(one, ())) for one in owners}
    for source_id, span in blocking(standing.times, of_source):
        found[of_source[source_id].user_id].append(span)
    return {one: joined(spans) for one, spans in found.items()}
