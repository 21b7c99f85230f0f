"""What a user chooses: settings that are checked, kept and put into force.

Decides which choices make old records wait for a person (R8): those that would send out what lay still
until now; and which make Outlook be read from the beginning: those by which more, or otherwise, is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.accounts.changes_in_words import changes_in_words
from calsync_plugin.accounts.handing_on import hand_on
from calsync_plugin.accounts.reading import Fields, forget_etags, forget_fields, read_again, read_on
from calsync_plugin.accounts.resuming import compare_suspended
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.carried import MODE_FLOW, Flow, carried
from calsync_plugin.domain.links import Link
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.domain.policy import Mode, Policy
from calsync_plugin.engine.busy_sources import keep_sources
from calsync_plugin.errors import SettingsError, UserError
from calsync_plugin.settings import UserSettings, user_settings
from calsync_plugin.state import Account, Store

MOST_YEARS = 50
"""How far the first day of a sync may lie from today."""


def choose(
    store: Store,
    gateway: CrmGateway,
    user_id: str,
    changes: Mapping[str, JsonValue],
    *,
    by: Actor | None = None,
) -> UserSettings:
    """Change some settings of a user; the others stay. Raises SettingsError for what does not fit.

    Without `by` it is the user's own choice.
    """
    account = store.accounts.get(user_id)
    if account is None:
        raise UserError(f"user {user_id} has no account; connect it first")
    values = {**account.settings, **changes}
    before, after = user_settings(account.settings), user_settings(values)
    if before.sync_since != after.sync_since:
        _check_day(after.sync_since, gateway.now().date())
    if sends_more(before, after):
        # By the CRM's clock, in whole seconds as the CRM tells when a record was changed.
        store.accounts.set_push_from(user_id, gateway.now().replace(microsecond=0))
    store.accounts.set_settings(user_id, values)
    _note(store, by, account, values)
    if before.mode != after.mode:
        store.log.add_note(
            user_id,
            f"the direction was changed from {before.mode} to {after.mode}; nothing is written for it",
        )
    if account.mailbox_id:
        _put_into_force(store, user_id, account.mailbox_id, before, after)
    return after


def _check_day(day: date, today: date) -> None:
    """Refuse a slip of the pen: a calendar is read from this day on."""
    if abs(day.year - today.year) > MOST_YEARS:
        raise SettingsError(f"sync_since: {day} is too far away (expected a day within {MOST_YEARS} years)")


def _note(store: Store, by: Actor | None, account: Account, values: Mapping[str, JsonValue]) -> None:
    known = store.calendars.for_mailbox(account.mailbox_id) if account.mailbox_id else ()
    words = changes_in_words(account.settings, values, {row.id: row.name for row in known})
    if words:
        note_account(store, by, account, f"changed settings: {words}")


def _put_into_force(
    store: Store, user_id: str, mailbox_id: int, before: UserSettings, after: UserSettings
) -> None:
    compare_suspended(store, mailbox_id)
    # A calendar that was taken off must not make anybody busy for as long as a run takes to come.
    keep_sources(store, user_id, mailbox_id, after)
    if Flow.IN not in MODE_FLOW[Mode(after.mode)]:
        hand_on(store, mailbox_id)
    flow = before.mode != after.mode or (after.description_both_ways and not before.description_both_ways)
    if flow:
        forget_fields(store, mailbox_id, lambda link: _opened(link, before, after))
    if _reads_otherwise(before, after):
        forget_etags(store, mailbox_id)
    if flow or _reads_otherwise(before, after) or _takes_more(before, after):
        read_again(store, user_id, mailbox_id)
    elif _reads_more(before, after):
        read_on(store, user_id, mailbox_id)
    else:
        store.queue.hint(mailbox_id)


def _opened(link: Link, before: UserSettings, after: UserSettings) -> tuple[Fields, Fields]:
    """The fields that may go out now and could not before, and those that may come in.

    What was edited while it could not cross stays as it is on both sides, until it is edited again.
    """
    were, are = (carried(link.origin, link.role, _flow_policy(chosen)) for chosen in (before, after))
    out, inward = (
        frozenset(f for f, flow in are.items() if way in flow and way not in were.get(f, Flow(0)))
        for way in (Flow.OUT, Flow.IN)
    )
    return out, inward


def _flow_policy(settings: UserSettings) -> Policy:
    return Policy(
        now=datetime.min.replace(tzinfo=UTC),
        mode=Mode(settings.mode),
        description_both_ways=settings.description_both_ways,
    )


def sends_more(before: UserSettings, after: UserSettings) -> bool:
    """Whether records that were left alone would be pushed now."""
    entered = {e.entity_type for e in after.entities} - {e.entity_type for e in before.entities}
    return (
        before.mode != after.mode
        or bool(entered)
        or (after.push_contacts and not before.push_contacts)
        or (after.push_leads and not before.push_leads)
        or after.sync_since < before.sync_since
        or (after.has_main and not before.has_main)
    )


def takes_more_in(before: UserSettings, after: UserSettings) -> bool:
    """Whether events of Outlook become records that were left alone until now."""
    lets_in = Mode(before.mode) is Mode.CRM_TO_OUTLOOK and Mode(after.mode) is not Mode.CRM_TO_OUTLOOK
    opened = before.private_events == "skip" and after.private_events != "skip"
    return lets_in or opened or _reads_more(before, after) or _takes_more(before, after)


def _reads_more(before: UserSettings, after: UserSettings) -> bool:
    """Whether calendars or times are to be read that were not read before."""
    return (
        after.sync_since < before.sync_since
        or after.months_ahead > before.months_ahead
        or after.main_calendar != before.main_calendar
        or not set(after.other_calendars) <= set(before.other_calendars)
    )


def _takes_more(before: UserSettings, after: UserSettings) -> bool:
    """Whether events that were read and passed over may be wanted now."""
    return after.recurring != before.recurring or set(after.entities) != set(before.entities)


def _reads_otherwise(before: UserSettings, after: UserSettings) -> bool:
    """Whether events that are linked already read differently now, though nobody changed them."""
    return (
        after.mode != before.mode
        or after.private_events != before.private_events
        or after.hide_imported_details != before.hide_imported_details
    )
