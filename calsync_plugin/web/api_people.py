"""Whom a call of `/api/v1` asks about: users named in it, and whether the caller may ask about them.

Decides that a user may ask about himself or herself and about those with whom he or she shares a booking
calendar, that whoever may not ask does not learn who exists, and what is said of users who are unknown, lack
the grant, or have the feature switched off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from flask import abort, request

from calsync_plugin.accounts.entitled import entitled
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.booking.availability import MOST_USERS
from calsync_plugin.booking.features import NOT_FOR_YOU, Feature, off_for_admin
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import FeatureOff
from calsync_plugin.hookspecs import Caller

LONGEST_ID = 100


def named() -> list[str]:
    """The users of the query, `users=a,b` or `users=a&users=b`, each once; 400 for none or too many."""
    texts = request.args.getlist("users")
    return each_once(part.strip() for text in texts for part in text.split(",") if part.strip())


def each_once(ids: Iterable[str]) -> list[str]:
    """The users that were named, in their order; 400 if there are none, too many, or one cannot be an id."""
    found = list(dict.fromkeys(ids))
    if not found:
        abort(400, "users: name at least one user by the id in the CRM")
    if len(found) > MOST_USERS:
        abort(400, f"users: at most {MOST_USERS} at once, {len(found)} were named")
    odd = next((one for one in found if len(one) > LONGEST_ID or not one.isprintable()), None)
    if odd is not None:
        abort(400, f"users: {odd[:LONGEST_ID]!r} cannot be the id of a user")
    return found


def check(calsync: Calsync, caller: Caller, user_ids: Sequence[str], *features: Feature) -> None:
    """Let the caller ask about these users: 403 or 404 if that cannot be; FeatureOff if none may be told."""
    let(calsync, caller, user_ids)
    known(calsync, user_ids)
    for feature in features:
        enabled(calsync, caller, user_ids, feature)


def let(calsync: Calsync, caller: Caller, user_ids: Collection[str]) -> None:
    """403 unless the caller may ask about all of these users."""
    if caller.admin or set(user_ids) <= {caller.user_id}:
        return
    if not set(user_ids) <= reach(calsync, caller):
        abort(403, "you may ask about yourself and about members of your booking calendars")


def reach(calsync: Calsync, caller: Caller) -> set[str]:
    """The users about whom somebody who is no administrator may ask."""
    shared = calsync.store.booking_calendars.of_member(caller.user_id)
    return {caller.user_id}.union(*(calendar.members for calendar in shared))


def known(calsync: Calsync, user_ids: Collection[str]) -> None:
    """404 for users whom neither we nor the CRM know, 403 for those without the grant; it names them."""
    accounts = calsync.store.accounts.many(sorted(set(user_ids)))
    others = sorted(set(user_ids) - accounts.keys())
    if others:
        unknown = sorted(set(others) - calsync.gateway.people(PersonKind.USER, others).keys())
        if unknown:
            abort(404, f"the CRM knows no user {', '.join(unknown)}")
    granted = {one: account.grants for one, account in accounts.items()}
    if others and not calsync.settings.graph.schedules:
        # Else Outlook may be asked about them, who need not sync for that.
        granted |= dict.fromkeys(others, frozenset()) | entitled(calsync, others)
    without = [one for one in dict.fromkeys(user_ids) if not granted.get(one, NEEDED) >= NEEDED]
    if without:
        abort(
            403, f"not allowed to sync with Outlook: {', '.join(without)}; an administrator gives the grant"
        )


def enabled(calsync: Calsync, caller: Caller, user_ids: Collection[str], feature: Feature) -> None:
    """Raise FeatureOff, in words for the caller, if it is off for the user who asks or for all who are named.

    An administrator learns of single ones in the answer.
    """
    asking = [] if caller.admin else [caller.user_id]
    closed = calsync.desk.features.closed_for([*asking, *user_ids])
    gates = [closed[one].get(feature) for one in user_ids]
    if any(feature in closed[one] for one in asking):
        raise FeatureOff(NOT_FOR_YOU)
    if gates and gates[0] is not None and all(gates):
        raise FeatureOff(off_for_admin(gates[0]) if caller.admin else NOT_FOR_YOU)
