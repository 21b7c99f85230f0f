"""What a user can choose from in the settings: calendars, kinds of records, teams.

Decides which choices cannot be made and says why, and what a choice means where that is not obvious.
"""

from __future__ import annotations

import logging

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.state import Account, CalendarRow
from calsync_plugin.web.schema_fields import Choice, Choices

log = logging.getLogger(__name__)

READ_ONLY = "you may only read it; ask {owner} for the right to edit it"


def choices_of(calsync: Calsync, account: Account) -> Choices:
    """What can be chosen now, by the schema's `x-choices`."""
    calendars = calsync.store.calendars.for_mailbox(account.mailbox_id or 0)
    chosen = account.settings.get("main_calendar")
    minutes = max(1, calsync.settings.graph.poll_seconds // 60)
    return {
        "main_calendars": [
            Choice("", "Your default calendar"),
            *(_main(one, minutes) for one in calendars if not one.is_default or one.id == chosen),
        ],
        "calendars": [Choice(one.id, _name(one), note=_note(one, minutes)) for one in calendars],
        "entities": [
            Choice(name, name, note=f"label {one.label} if you enter none" if one.label else "")
            for name, one in calsync.entities.items()
        ],
        "teams": [
            Choice("", "No team"),
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
        return Choice(one.id, _name(one), disabled=READ_ONLY.format(owner=one.owner_address or "its owner"))
    if not one.shared:
        return Choice(one.id, _name(one))
    note = f"{one.owner_address} becomes the organizer; looked into every {minutes} minutes"
    return Choice(one.id, _name(one), note=note)


def _note(one: CalendarRow, minutes: int) -> str:
    notes = []
    if one.shared:
        notes.append(
            f"looked into every {minutes} minutes, because Microsoft tells nothing of shared calendars"
        )
    if not one.can_edit:
        notes.append("you may only read it, so what you change in the CRM does not get there")
    return "; ".join(notes)


def _name(one: CalendarRow) -> str:
    return f"{one.name} (shared by {one.owner_address})" if one.shared else one.name
