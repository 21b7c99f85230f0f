"""The calendars of a mailbox: which there are, and which of them are read.

Decides what a user's choice means for reading: the main calendar and the other chosen ones, and a former main
calendar as long as it holds records of the CRM (R12). Does not read any event.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import Forbidden, NotFound, Refused, UnknownOutcome
from calsync_plugin.graph.calendar import follow, get_calendar, list_calendars
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.settings import NO_CALENDAR, UserSettings
from calsync_plugin.state import CalendarRow, Store


@dataclass(frozen=True, slots=True)
class Scope:
    """The calendars of a mailbox that are read, by id."""

    main: str
    """Where records go; empty if it is not known yet, or if the user chose none."""
    read: tuple[str, ...]
    shared: frozenset[str]
    """Those of other people, for which Graph sends no notifications."""


def refresh_calendars(
    client: MailboxClient, store: Store, mailbox_id: int, address: str
) -> list[CalendarRow]:
    """Ask for the mailbox's calendars and remember them (Graph docs, "List calendars")."""
    listed: list[JsonObject] = []
    request = list_calendars()
    while True:
        page = client.send(request)
        found = page.get("value") if page else None
        if not isinstance(found, list):
            raise UnknownOutcome("a list of calendars that cannot be read", status=200)
        listed += [json for json in found if isinstance(json, dict) and json.get("id")]
        link = page.get("@odata.nextLink") if page else None
        if not isinstance(link, str):
            break
        request = follow(link)
    # A login name need not be the mailbox's address; whose the default calendar is, that is.
    own = {address.lower(), *(_owner(json) for json in listed if json.get("isDefaultCalendar") is True)}
    rows = [_row(json, own) for json in listed]
    store.calendars.replace(mailbox_id, rows)
    return rows


def unreachable(client: MailboxClient, calendar_ids: Collection[str]) -> frozenset[str]:
    """Those of some calendars that are not there or not shared with us any more.

    What lies in them answers as if it were deleted (R12). Raises the error of a service that is away.
    """
    wanted = sorted(set(calendar_ids))
    found = set()
    for calendar_id, outcome in zip(wanted, client.batch([get_calendar(i) for i in wanted]), strict=True):
        if isinstance(outcome.error, NotFound | Forbidden | Refused):
            found.add(calendar_id)
        else:
            outcome.unwrap()
    return frozenset(found)


def unknown_choices(settings: UserSettings, rows: list[CalendarRow]) -> set[str]:
    """Calendars that the user chose and that are not remembered: added or shared since they were listed."""
    known = {"", NO_CALENDAR, *(row.id for row in rows)}
    return {settings.main_calendar, *settings.other_calendars, *settings.conflict_calendars} - known


def not_chosen(settings: UserSettings, rows: list[CalendarRow]) -> set[str]:
    """Calendars that are read only if they hold records' events."""
    return {row.id for row in rows} - {_main(settings, rows), *settings.other_calendars}


def scope_of(settings: UserSettings, rows: list[CalendarRow], with_records: set[str]) -> Scope:
    """What is read of the calendars `rows`; `with_records`: those that hold records' events."""
    there = {row.id for row in rows}
    main = _main(settings, rows)
    # Without a main calendar its former one is left like any that is not chosen any more.
    former = sorted(with_records) if settings.has_main else []
    wanted = dict.fromkeys([main, *settings.other_calendars, *former])
    read = tuple(calendar_id for calendar_id in wanted if calendar_id in there)
    return Scope(main, read, frozenset(row.id for row in rows if row.shared))


def _main(settings: UserSettings, rows: list[CalendarRow]) -> str:
    default = next((row.id for row in rows if row.is_default), "")
    return (settings.main_calendar or default) if settings.has_main else ""


def _row(json: JsonObject, own: Collection[str]) -> CalendarRow:
    owner = _owner(json)
    shared = bool(owner) and owner not in own
    return CalendarRow(
        id=_text(json.get("id")),
        name=_text(json.get("name")),
        owner_address=owner,
        is_default=json.get("isDefaultCalendar") is True and not shared,
        can_edit=json.get("canEdit") is not False,
        shared=shared,
    )


def _owner(json: JsonObject) -> str:
    owner = json.get("owner")
    return _text(owner.get("address")).lower() if isinstance(owner, dict) else ""


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
