"""What a user reads about an account: its status, fields of meetings and their values.

Decides the words. Everything is for the user whose account it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from markupsafe import Markup

from calsync_plugin.accounts.connect import SETTINGS_FIRST
from calsync_plugin.accounts.progress import Progress
from calsync_plugin.accounts.switching import BY_USER
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.state import Account, AccountStatus, Notify, Stage
from calsync_plugin.web.showing import shown

LONGEST = 300


@dataclass(frozen=True, slots=True)
class StatusWords:
    """A status: one word, its colour (Bootstrap's), and what it means for the user."""

    title: str
    colour: str
    text: str


def status_words(account: Account, progress: Progress, stopped: str, *, lacks: bool) -> StatusWords:
    """The status of a connected account; `stopped`: why nothing syncs at present for anybody.

    `lacks`: whether something is held or could not be synced.
    """
    reason = account.reason
    if account.status is AccountStatus.RECONNECT:
        return StatusWords(
            "Sign in again", "warning", "Microsoft wants you to sign in again. Until then your changes wait."
        )
    if account.status is AccountStatus.NEEDS_ATTENTION:
        return StatusWords("Needs attention", "danger", f"{_sentence(reason)} Your changes wait.")
    if account.status is AccountStatus.PAUSED:
        return _paused(reason)
    if stopped:
        return StatusWords("Paused", "secondary", stopped)
    if progress.first:
        return StatusWords("First sync", "info", "Your Outlook calendar is read for the first time.")
    if progress.busy:
        return StatusWords("Syncing", "info", busy_words(progress))
    but = ", but for what is worth a look" if lacks else ""
    return StatusWords("In step", "success", f"Your CRM meetings and your Outlook calendar are in step{but}.")


def _paused(reason: str) -> StatusWords:
    if reason == SETTINGS_FIRST:
        return StatusWords(
            "Choose your settings",
            "warning",
            "Nothing syncs yet. Choose your settings; saving them begins it.",
        )
    if reason == BY_USER:
        return StatusWords(
            "Off", "secondary", "You switched your calendar off. Changes wait until you switch it on."
        )
    return StatusWords("Paused", "secondary", "An administrator paused your calendar. Your changes wait.")


def busy_words(progress: Progress) -> str:
    """What is being done at this moment."""
    if progress.waiting:
        entries = "entry is" if progress.waiting == 1 else "entries are"
        return f"{progress.waiting} {entries} still to be looked at."
    return "Outlook is being read." if progress.stage is not Stage.PUSHING else "Changes are being written."


def how_known(account: Account, poll_minutes: int) -> str:
    """How changes in Outlook become known."""
    if account.notify is Notify.NOTIFICATIONS:
        return "Microsoft tells calsync at once when something changes in your calendar."
    if account.notify is Notify.UNKNOWN:
        return "How calsync learns of them is found out with the next sync."
    text = f"calsync looks into your calendar every {poll_minutes} minutes."
    return (
        f"{text} Microsoft tells nothing by itself: {account.notify_reason}."
        if account.notify_reason
        else text
    )


FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "subject": "Subject",
        "span": "Time",
        "location": "Place",
        "description": "Description",
        "attendees": "People",
        "responses": "Answers",
        "reminder": "Reminder",
        "sensitivity": "Privacy",
        "show_as": "Shown as",
        "online": "Teams meeting",
    }
)
WINNERS: Mapping[str, str] = MappingProxyType({"crm": "The CRM's", "outlook": "Outlook's"})


def value_words(field: str, value: JsonValue, zone: str) -> Markup | str:
    """One side's value of a field, as people write it."""
    if value in (None, "", [], {}):
        return "(nothing)"
    if field == "span" and isinstance(value, list | tuple):
        return _span([str(one) for one in value], zone)
    if field == "reminder":
        return f"{value} minutes before"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _short(", ".join(str(one) for one in value.values()))
    return _short(str(value))


def _span(value: list[str], zone: str) -> Markup | str:
    """A time span in its normal form: its kind, where it begins and where it ends."""
    try:
        kind, first, last = value
        if kind == "all-day":
            return _days(date.fromisoformat(first), date.fromisoformat(last) - timedelta(days=1))
        return _hours(datetime.fromisoformat(first), datetime.fromisoformat(last), zone)
    except ValueError:
        return _short(" ".join(value))


def _days(first: date, last: date) -> str:
    return f"{first:%d %b %Y}" if last <= first else f"{first:%d %b %Y} to {last:%d %b %Y}"


def _hours(start: datetime, end: datetime, zone: str) -> Markup:
    """The day is named once if it is the same."""
    begins, ends = (moment.astimezone(ZoneInfo(zone) if zone else UTC) for moment in (start, end))
    until = shown(end, zone)
    if begins.date() == ends.date():
        until = Markup('<time datetime="{}">{:%H:%M}</time>').format(end.isoformat(), ends)
    return Markup("{} to {}").format(shown(start, zone), until)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _sentence(text: str) -> str:
    text = text.strip() or "Something is wrong"
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
