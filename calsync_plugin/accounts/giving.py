"""Giving grants to users, teams and roles, and taking them away (R12).

Decides that a change is in force at once for every account that it concerns, and stands in the audit log. Who
connects later is judged by the same (`entitled`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from calsync_plugin.accounts import auditing, crm_grants
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.entitled import (
    ROLE,
    TEAM,
    USER,
    Installation,
    carry_over,
    entitled,
    follow,
    look_soon,
    pages,
)
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.meeting import PersonKind
from calsync_plugin.errors import RemoteError, UserError
from calsync_plugin.state import Given, Subject

log = logging.getLogger(__name__)

KINDS = (ROLE, TEAM, USER)
IN_CRM = (
    "the CRM's own roles say who may use Outlook; in EspoCRM, under Administration > Roles, "
    "give a role External Accounts and Outlook Calendar"
)
"""Why nothing can be given here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a change of grants."""

    subject_name: str
    changed: tuple[str, ...] = ()
    """Users whose accounts go on, or stopped."""
    later: bool = False
    """The CRM could not be asked who is concerned; the accounts follow when it answers again."""
    still: frozenset[str] = frozenset()
    """For a user: what the user may after it, also by a team, a role or the host."""


def give(calsync: Installation, actor: Actor, subject: Subject, names: Collection[str] = NEEDED) -> Outcome:
    """Give grants to a user, team or role; whoever is connected goes on at once."""
    return set_to(calsync, actor, subject, _present(calsync, subject).union(names))


def take(calsync: Installation, actor: Actor, subject: Subject, names: Collection[str] = NEEDED) -> Outcome:
    """Take grants away; the links of whoever has them no other way are suspended at once."""
    return set_to(calsync, actor, subject, _present(calsync, subject).difference(names))


def set_to(calsync: Installation, actor: Actor, subject: Subject, names: Collection[str]) -> Outcome:
    """Let a user, team or role have exactly these grants.

    Raises UserError for a grant that there is not, for a subject to whom something is given and whom nobody
    knows, and where EspoCRM's own roles decide.
    """
    before, after = _present(calsync, subject), frozenset(names)
    if not after <= NEEDED:
        raise UserError(f"there is no grant {min(after - NEEDED)!r}; there are {', '.join(sorted(NEEDED))}")
    if after - before and crm_grants.decides(calsync.store):
        raise UserError(IN_CRM)
    name = known(calsync, subject) if after - before else _name_then(calsync, subject)
    if name is None:
        raise UserError(f"the CRM knows no {subject.kind} {subject.id!r}")
    calsync.store.given_grants.give_all(
        ((subject, grant, name) for grant in sorted(after - before)), given_by=actor.shown
    )
    for grant in before - after:
        calsync.store.given_grants.take(subject, grant)
    _note(calsync, actor, subject, name, "gave {} to {}", after - before)
    _note(calsync, actor, subject, name, "took {} from {}", before - after)
    try:
        changed = tuple(_follow(calsync, subject))
        still = entitled(calsync, [subject.id]).get(subject.id) if subject.kind == USER else None
    except RemoteError as error:
        log.warning("who has the grants of %s %s is asked later: %s", subject.kind, name, error)
        look_soon(calsync.store)
        return Outcome(subject_name=name, later=True)
    return Outcome(subject_name=name, changed=changed, still=still or frozenset())


def listed(calsync: Installation) -> list[Given]:
    """All that is given, by kind and name."""
    carry_over(calsync.store)
    return calsync.store.given_grants.all()


def known(calsync: Installation, subject: Subject) -> str | None:
    """The name of a user, team or role, None if the CRM does not know it."""
    gateway: CrmGateway = calsync.gateway
    if subject.kind == USER:
        account = calsync.store.accounts.get(subject.id)
        card = gateway.people(PersonKind.USER, [subject.id]).get(subject.id)
        if card is None:
            return account.address or account.user_id if account else None
        return card.name or card.id
    groups = gateway.staff.groups()
    offered = groups.teams if subject.kind == TEAM else groups.roles
    return next((group.name for group in offered if group.id == subject.id), None)


def group_called(calsync: Installation, kind: str, name: str) -> Subject:
    """The team or role of this name or id. Raises UserError if there is none, or several."""
    gateway: CrmGateway = calsync.gateway
    groups = gateway.staff.groups()
    offered, lack = (groups.teams, groups.teams_lack) if kind == TEAM else (groups.roles, groups.roles_lack)
    given = {g.subject.id for g in listed(calsync) if g.subject.kind == kind and g.subject_name == name}
    found = {group.id for group in offered if name in (group.id, group.name)} | given
    if len(found) == 1:
        return Subject(kind, found.pop())
    if found:
        raise UserError(f"several {kind}s are called {name!r}; say its id: {', '.join(sorted(found))}")
    there = f"there are {', '.join(group.name for group in offered) or 'none'}"
    raise UserError(f"the CRM names no {kind} {name!r}; {lack or there}")


def _present(calsync: Installation, subject: Subject) -> frozenset[str]:
    carry_over(calsync.store)
    return calsync.store.given_grants.of([subject])


def _name_then(calsync: Installation, subject: Subject) -> str:
    """The name that a subject had when something was given: taking it away asks nobody."""
    names = (g.subject_name for g in calsync.store.given_grants.all() if g.subject == subject)
    return next(names, subject.id)


def _follow(calsync: Installation, subject: Subject) -> Iterable[str]:
    if subject.kind == USER:
        account = calsync.store.accounts.get(subject.id)
        return follow(calsync, [account]) if account else ()
    return [user_id for page in pages(calsync.store) for user_id in follow(calsync, page)]


def _note(
    calsync: Installation, actor: Actor, subject: Subject, name: str, text: str, grants: frozenset[str]
) -> None:
    if grants:
        whom = f"{subject.kind} {name}"
        user_id = subject.id if subject.kind == USER else ""
        words = text.format(" and ".join(sorted(grants)), whom)
        auditing.note(calsync.store, actor, words, subject=whom, user_id=user_id)
