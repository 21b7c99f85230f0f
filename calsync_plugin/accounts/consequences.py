"""What a change of settings will do, told before it is done: how many records go where, who would get mail.

Decides what is counted for which change. Writes nothing until `put_into_force`; what a choice means is
`choices`'s, the words are `choice_sentences`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.backfill import Installation as BackfillInstallation
from calsync_plugin.accounts.changes_in_words import Changed, changes
from calsync_plugin.accounts.choice_sentences import Facts, sentences
from calsync_plugin.accounts.choices import choose, sends_more, takes_more_in
from calsync_plugin.accounts.connect import SETTINGS_FIRST
from calsync_plugin.accounts.outgoing import Preview
from calsync_plugin.accounts.outlook_events import events_between
from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.links import LinkState
from calsync_plugin.domain.meeting import JsonValue, Sensitivity
from calsync_plugin.domain.policy import Mode
from calsync_plugin.domain.window import parts, window
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView
from calsync_plugin.settings import Settings, UserSettings, user_settings
from calsync_plugin.state import Account, AccountStatus

MOST_EVENTS = 1000
"""How far Outlook's meetings are counted: a larger number tells nobody anything."""


class Installation(BackfillInstallation, Protocol):
    """What a change concerns."""

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...

    @property
    def connections(self) -> Any:
        """`Connections`; that they are made when they are first asked for hides their type from pyright."""
        ...

    def open_mailbox(self, user_id: str, mailbox_id: int) -> MailboxClient:
        """Graph as one user's mailbox."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What a change will do."""

    changed: tuple[Changed, ...]
    sentences: tuple[str, ...]
    begins: bool
    """Whether the account waited for its settings: syncing begins with this change."""
    incoming: int | None
    """Meetings of Outlook that come into the CRM; None if the change lets none in that were not let in."""
    many: bool
    """Whether there may be more incoming meetings than were counted."""
    waiting: Preview | None
    """Records that wait for a confirmation afterwards; None if the change lets none wait."""


def waits_for_settings(account: Account) -> bool:
    """Whether nothing syncs before this user has chosen."""
    return account.status is AccountStatus.PAUSED and account.reason == SETTINGS_FIRST


def consequences(
    calsync: Installation, account: Account, values: Mapping[str, JsonValue], teams: Mapping[str, str]
) -> Consequences:
    """What these settings would do. `teams`: names by id. Raises SettingsError for what does not fit.

    Raises RemoteError if one of the sides does not tell what there is.
    """
    before, after = user_settings(account.settings), user_settings(values)
    begins = waits_for_settings(account)
    known = {row.id: row for row in calsync.store.calendars.for_mailbox(account.mailbox_id or 0)}
    names = {row.id: row.name for row in known.values()}
    facts = Facts(
        calendars=known,
        teams=teams,
        followed=_followed(calsync, account),
        poll_minutes=max(1, calsync.settings.graph.poll_seconds // 60),
    )
    takes, sends = (flow in MODE_FLOW[Mode(after.mode)] for flow in (Flow.IN, Flow.OUT))
    more_in = takes and (begins or takes_more_in(before, after))
    more_out = sends and (begins or sends_more(before, after))
    incoming, many = _incoming(calsync, account, after) if more_in else (None, False)
    return Consequences(
        changed=tuple(changes(account.settings, values, {**names, **teams})),
        sentences=tuple(sentences(before, after, facts)),
        begins=begins,
        incoming=incoming,
        many=many,
        waiting=_waiting(calsync, account, values) if more_out else None,
    )


def put_into_force(
    calsync: Installation, account: Account, values: Mapping[str, JsonValue], *, by: Actor | None = None
) -> None:
    """Change the settings; an account that waited for them, or that they may have cured, goes on."""
    choose(calsync.store, calsync.gateway, account.user_id, values, by=by)
    if waits_for_settings(account) or account.status is AccountStatus.NEEDS_ATTENTION:
        calsync.connections.resume(account.user_id, by=by)


def _waiting(calsync: Installation, account: Account, values: Mapping[str, JsonValue]) -> Preview:
    """The back-fill as it would be previewed then."""
    now = calsync.gateway.now().replace(microsecond=0)
    # Looked at as if it were confirmed to send nothing older than now, which is what the change leads to.
    supposed = replace(
        account, settings=dict(values), push_from=now, status=AccountStatus.CONNECTED, reason=""
    )
    return Backfill(calsync, supposed=supposed).preview(account.user_id)


def _followed(calsync: Installation, account: Account) -> Mapping[str, int]:
    links = calsync.store.links.for_mailbox(account.mailbox_id or 0)
    return Counter(link.entity_type for link in links if link.state is LinkState.ACTIVE)


def _incoming(calsync: Installation, account: Account, after: UserSettings) -> tuple[int, bool]:
    """Meetings that lie in Outlook and have no record yet, and whether there may be more of them."""
    series = set[str]()
    ids: list[str] = []
    for event in _events(calsync, account, after):
        if event.meeting.sensitivity is not Sensitivity.NORMAL and after.private_events == "skip":
            continue
        if event.series_master_id and (after.recurring == "skip" or event.series_master_id in series):
            continue
        if event.series_master_id and after.recurring == "first":
            series.add(event.series_master_id)
        ids.append(event.id)
        if len(ids) >= MOST_EVENTS:
            break
    linked = calsync.store.links.by_events(account.mailbox_id or 0, ids)
    return sum(1 for event_id in ids if event_id not in linked), len(ids) >= MOST_EVENTS


def _events(calsync: Installation, account: Account, after: UserSettings) -> Iterator[EventView]:
    now = datetime.fromtimestamp(calsync.store.clock.now(), UTC)
    client = calsync.open_mailbox(account.user_id, account.mailbox_id or 0)
    for part in parts(window(after.sync_since, after.months_ahead, now)):
        yield from events_between(client, after, part.start, part.end)
