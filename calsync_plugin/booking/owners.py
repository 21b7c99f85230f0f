"""Whose time it is: a user's zone, working hours, and which events take time up.

Decides what stands in for what is not known: the mailbox's zone, else the one in which the CRM shows the user
times, else the installation's; Monday to Friday from nine to five. Reads nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache

from calsync_plugin.domain.availability import Blocking, WorkingHours
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.graph import zones
from calsync_plugin.graph.working_hours import working_hours
from calsync_plugin.state import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A user as far as free and busy times need one."""

    user_id: str
    zone: str
    """IANA name."""
    rules: tzinfo
    takes: frozenset[str]
    """How the events are shown that take time up."""
    hours: WorkingHours


def owner_of(user_id: str, account: Account | None, *, user_zone: str, crm_zone: Callable[[], str]) -> Owner:
    """A user by the account, if there is one; `user_zone` is where the CRM shows the user times."""
    zone = _first_known(account.zone if account else "", user_zone) or _first_known(crm_zone()) or "UTC"
    rules = zones.rules(zone) or UTC
    stored = working_hours(account.working_hours) if account else None
    return Owner(
        user_id=user_id,
        zone=zone,
        rules=rules,
        takes=_takes(blocking_of(account.settings if account else {})),
        hours=stored or WorkingHours(zone=rules),
    )


def blocking_of(settings: Mapping[str, object]) -> Blocking:
    """Which events block by a user's stored settings.

    They are not checked against their schema here: of a hundred users that takes longer than all the rest.
    """
    return Blocking(
        out_of_office=settings.get("out_of_office_blocks") is not False,
        tentative=settings.get("tentative_blocks") is not False,
    )


@lru_cache(maxsize=8)
def _takes(blocking: Blocking) -> frozenset[str]:
    return frozenset(show_as.value for show_as in ShowAs if blocking.blocks(show_as))


def _first_known(*names: str) -> str:
    return next((known for name in names if name and (known := zones.iana(name))), "")
