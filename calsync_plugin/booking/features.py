"""Feature gates: what an administrator switched off, for everybody, a team or a role.

Decides for whom a feature is off, and what the reader is told. Who belongs to which team is asked of the CRM
only while a gate of a team or role is closed, and is remembered for a while. What was told last counts while
the CRM cannot be asked; where it never told, the feature is off: an administrator's "off" must not be undone
by not knowing, and what waits can be done later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

from calsync_plugin.accounts import auditing
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.crm.staff import Colleague
from calsync_plugin.errors import FeatureOff, RemoteError, UserError
from calsync_plugin.state import Gate, Store, Subject
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

EVERYBODY = Subject("installation", "")
TEAM, ROLE = "team", "role"
REMEMBERED = 300.0
"""Seconds for which it is believed what the CRM said of a user's teams and roles."""
ASK_AGAIN = 30.0
"""Seconds after which a CRM that did not answer is asked again: nobody waits for it at each look."""
NOT_FOR_YOU = _("This is not enabled for your account, please contact the administrator.")


class Feature(StrEnum):
    """What can be switched off."""

    CONFLICT_CALENDARS = "conflict_calendars"
    FEEDS = "feeds"
    AVAILABILITY = "availability"
    BOOKINGS = "bookings"

    @property
    def shown(self) -> Wording:
        """Its name at the start of a sentence."""
        return _NAMES[self]


_NAMES = {
    Feature.CONFLICT_CALENDARS: _("Conflict calendars"),
    Feature.FEEDS: _("Calendar addresses"),
    Feature.AVAILABILITY: _("Free and busy times"),
    Feature.BOOKINGS: _("Bookings"),
}
Groups = Mapping[str, frozenset[str] | None]
"""Ids of a user's groups by kind; None: the CRM does not tell."""


class Features:
    """Looks gates up, opens and closes them."""

    def __init__(self, store: Store, gateway: Callable[[], Any]) -> None:
        """Read from `store`; `gateway` gives the `CrmGateway` when the CRM has to be asked."""
        self._store = store
        self._gateway = gateway
        self._told: dict[str, tuple[float, Groups]] = {}
        self._unanswered_at = float("-inf")

    def check(self, feature: Feature, user_id: str, *, admin: bool = False) -> None:
        """Raise FeatureOff, in words for an administrator or for others, if a user must do without."""
        gate = self.closed_for([user_id])[user_id].get(feature)
        if gate is not None:
            raise FeatureOff(off_for_admin(gate) if admin else NOT_FOR_YOU)

    def closed_for(self, user_ids: Collection[str]) -> Mapping[str, Mapping[Feature, Gate]]:
        """What each of these users must do without, and the gate that says so."""
        gates = self.all()
        everybody = {Feature(gate.feature): gate for gate in gates if gate.subject == EVERYBODY}
        of_groups = [gate for gate in gates if gate.subject.kind in (TEAM, ROLE)]
        groups = self._groups(user_ids) if of_groups else {}
        return {
            user_id: {
                Feature(gate.feature): gate
                for gate in of_groups
                if _may_be_in(gate.subject, groups.get(user_id, _UNTOLD))
            }
            | everybody
            for user_id in user_ids
        }

    def all(self) -> list[Gate]:
        """All gates that are closed, by feature, kind and name."""
        known = set(Feature)
        return [gate for gate in self._store.gates.closed() if gate.feature in known]

    def close(self, actor: Actor, feature: Feature, subject: Subject, name: str = "") -> None:
        """Switch a feature off for a subject; `name` is how people know it."""
        if subject.kind not in (EVERYBODY.kind, TEAM, ROLE) or (subject.kind == EVERYBODY.kind) != (
            subject == EVERYBODY
        ):
            raise UserError(
                _("A feature is switched off for everybody, a team or a role, not for a user alone.")
            )
        if any(gate.feature == feature and gate.subject == subject for gate in self.all()):
            return
        gate = Gate(
            feature=feature.value,
            subject=subject,
            subject_name=name or self._name(subject),
            closed_by=actor.shown,
        )
        self._store.gates.close(gate)
        auditing.note(self._store, actor, f"switched off {feature.shown.lower()}", subject=str(_whom(gate)))

    def open(self, actor: Actor, feature: Feature, subject: Subject) -> None:
        """Switch it on again."""
        gate = next((one for one in self.all() if (one.feature, one.subject) == (feature, subject)), None)
        if gate is not None and self._store.gates.open(feature.value, subject):
            words = f"switched on {feature.shown.lower()} again"
            auditing.note(self._store, actor, words, subject=str(_whom(gate)))

    def _name(self, subject: Subject) -> str:
        """What the CRM calls a team or role. Raises UserError if it has none of that id."""
        if subject == EVERYBODY:
            return ""
        gateway: CrmGateway = self._gateway()
        groups = gateway.staff.groups()
        offered = groups.teams if subject.kind == TEAM else groups.roles
        found = next((group.name for group in offered if group.id == subject.id), None)
        if found is None:
            raise UserError(_("The CRM names no team or role with the id %(id)s.", id=subject.id))
        return found

    def _groups(self, user_ids: Iterable[str]) -> dict[str, Groups]:
        """What the CRM says, or said last, of these users; who it never told of is left out."""
        wanted, now = sorted(set(user_ids)), self._store.clock.now()
        asked = [
            one for one in wanted if one not in self._told or not 0 <= now - self._told[one][0] < REMEMBERED
        ]
        if asked and not 0 <= now - self._unanswered_at < ASK_AGAIN:
            gateway: CrmGateway = self._gateway()
            try:
                found = gateway.staff.by_ids(asked)
            except RemoteError as error:
                self._unanswered_at = now
                log.warning("what the CRM said last of teams and roles counts: %s", error)
            else:
                self._told |= {one: (now, _groups_of(found.get(one))) for one in asked}
        return {one: self._told[one][1] for one in wanted if one in self._told}


def off_for_admin(gate: Gate) -> Wording:
    """Why a feature is off, and where it is switched on."""
    return _(
        "%(feature)s are switched off for %(whom)s; switch them on again on the page Features.",
        feature=Feature(gate.feature).shown,
        whom=_whom(gate),
    )


def _whom(gate: Gate) -> Wording:
    name = gate.subject_name or gate.subject.id
    match gate.subject.kind:
        case "team":
            return _("the team %(name)s", name=name)
        case "role":
            return _("the role %(name)s", name=name)
        case _:
            return _("everybody")


_UNTOLD: Groups = {TEAM: None, ROLE: None}


def _groups_of(user: Colleague | None) -> Groups:
    return _UNTOLD if user is None else {TEAM: user.team_ids, ROLE: user.role_ids}


def _may_be_in(subject: Subject, groups: Groups) -> bool:
    """Whether a user belongs to a team or role, as far as is known."""
    ids = groups[subject.kind]
    return ids is None or subject.id in ids
