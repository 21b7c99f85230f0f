"""What a user can choose from in the settings: calendars, kinds of records, teams.

Decides which choices cannot be made and says why, and what a choice means where that is not obvious.
"""

from __future__ import annotations

import logging

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.settings import NO_CALENDAR
from calsync_plugin.state import Account, CalendarRow
from calsync_plugin.web.schema_fields import Choice, Choices
from calsync_plugin.web.showing import kind
from calsync_plugin.web.speaking import say
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

log = logging.getLogger(__name__)


def choices_of(calsync: Calsync, account: Account) -> Choices:
    """What can be chosen now, by the schema's `x-choices`."""
    calendars = calsync.store.calendars.for_mailbox(account.mailbox_id or 0)
    chosen = account.settings.get("main_calendar")
    minutes = max(1, calsync.settings.graph.poll_seconds // 60)
    return {
        "main_calendars": [
            Choice("", _("Your default calendar")),
            Choice(NO_CALENDAR, _("None: nothing new goes to Outlook")),
            *(_main(one, minutes) for one in calendars if not one.is_default or one.id == chosen),
        ],
        "calendars": [Choice(one.id, _name(one), note=_note(one, minutes)) for one in calendars],
        "busy_calendars": [_busy(one, account, minutes) for one in calendars],
        "entities": [
            Choice(
                name,
                kind(name),
                note=_("label %(label)s if you enter none", label=one.label) if one.label else "",
            )
            for name, one in calsync.entities.items()
        ],
        "teams": [
            Choice("", _("No team")),
            *(Choice(i, name) for i, name in teams_of(calsync, account).items()),
        ],
    }


def teams_of(calsync: Calsync, account: Account) -> dict[str, str]:
    """Names of the user's teams by id; of all teams where the CRM does not tell whose they are."""
    staff = calsync.gateway.staff
    try:
        found = {team.id: team.name for team in staff.groups().teams}
        user = staff.by_ids([account.user_id]).get(account.user_id) if found else None
    except RemoteError as error:
        log.info("the CRM does not tell its teams now: %s", error)
        return {}
    if user is None or user.team_ids is None:
        return found
    return {team_id: name for team_id, name in found.items() if team_id in user.team_ids}


def _main(one: CalendarRow, minutes: int) -> Choice:
    if not one.can_edit:
        owner = one.owner_address or _("its owner")
        why = _("you may only read it; ask %(owner)s for the right to edit it", owner=owner)
        return Choice(one.id, _name(one), disabled=why)
    if not one.shared:
        return Choice(one.id, _name(one))
    note = _n(
        "%(owner)s becomes the organizer; looked into every minute",
        "%(owner)s becomes the organizer; looked into every %(num)s minutes",
        minutes,
        owner=one.owner_address,
    )
    return Choice(one.id, _name(one), note=note)


def _busy(one: CalendarRow, account: Account, minutes: int) -> Choice:
    main = account.settings.get("main_calendar")
    if one.id == main or (one.is_default and not main):
        return Choice(one.id, _name(one), note=_("the main calendar; it always counts"), fixed=True)
    return Choice(one.id, _name(one), note=_note(one, minutes))


def _note(one: CalendarRow, minutes: int) -> str:
    notes = []
    if one.shared:
        notes.append(
            _n(
                "looked into every minute, because Microsoft tells nothing of shared calendars",
                "looked into every %(num)s minutes, because Microsoft tells nothing of shared calendars",
                minutes,
            )
        )
    if not one.can_edit:
        notes.append(_("you may only read it, so what you change in the CRM does not get there"))
    return "; ".join(say(one) for one in notes)


def _name(one: CalendarRow) -> str:
    if not one.shared:
        return one.name
    return _("%(name)s (shared by %(owner)s)", name=one.name, owner=one.owner_address)
