"""What a user reads about an account: its status, fields of meetings and their values.

Decides the words. Everything is for the user whose account it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from calsync_plugin.accounts.connect import SETTINGS_FIRST
from calsync_plugin.accounts.progress import Progress
from calsync_plugin.accounts.switching import BY_USER
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.state import Account, AccountStatus, Notify, Stage
from calsync_plugin.web.known_sentences import known
from calsync_plugin.web.showing import shown
from calsync_plugin.web.speaking import clock, day, say
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

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
            _("Sign in again"),
            "warning",
            _("Microsoft wants you to sign in again. Until then your changes wait."),
        )
    if account.status is AccountStatus.NEEDS_ATTENTION:
        text = _("%(reason)s Your changes wait.", reason=_sentence(known(reason)))
        return StatusWords(_("Needs attention"), "danger", text)
    if account.status is AccountStatus.PAUSED:
        return _paused(reason)
    if stopped:
        return StatusWords(_("Paused"), "secondary", stopped)
    if progress.first:
        return StatusWords(_("First sync"), "info", _("Your Outlook calendar is read for the first time."))
    if progress.busy:
        return StatusWords(_("Syncing"), "info", busy_words(progress))
    text = (
        _("Your CRM meetings and your Outlook calendar are in step, but for what is worth a look.")
        if lacks
        else _("Your CRM meetings and your Outlook calendar are in step.")
    )
    return StatusWords(_("In step"), "success", text)


def _paused(reason: str) -> StatusWords:
    if reason == SETTINGS_FIRST:
        return StatusWords(
            _("Choose your settings"),
            "warning",
            _("Nothing syncs yet. Choose your settings; saving them begins it."),
        )
    if reason == BY_USER:
        return StatusWords(
            _("Off"),
            "secondary",
            _("You switched your calendar off. Changes wait until you switch it on."),
        )
    text = _("An administrator paused your calendar. Your changes wait.")
    return StatusWords(_("Paused"), "secondary", text)


def busy_words(progress: Progress) -> str:
    """What is being done at this moment."""
    if progress.waiting:
        return _n(
            "%(num)s entry is still to be looked at.",
            "%(num)s entries are still to be looked at.",
            progress.waiting,
        )
    if progress.stage is not Stage.PUSHING:
        return _("Outlook is being read.")
    return _("Changes are being written.")


def how_known(account: Account, poll_minutes: int) -> str:
    """How changes in Outlook become known."""
    if account.notify is Notify.NOTIFICATIONS:
        return _("Microsoft tells calsync at once when something changes in your calendar.")
    if account.notify is Notify.UNKNOWN:
        return _("How calsync learns of them is found out with the next sync.")
    text = _n(
        "calsync looks into your calendar every minute.",
        "calsync looks into your calendar every %(num)s minutes.",
        poll_minutes,
    )
    if not account.notify_reason:
        return text
    why = known(account.notify_reason)
    return _("%(text)s Microsoft tells nothing by itself: %(reason)s.", text=text, reason=why)


FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "subject": _("Subject"),
        "span": _("Time"),
        "location": _("Place"),
        "description": _("Description"),
        "attendees": _("People"),
        "responses": _("Answers"),
        "reminder": _("Reminder"),
        "sensitivity": _("Privacy"),
        "show_as": _("Shown as"),
        "online": _("Teams meeting"),
    }
)
WINNERS: Mapping[str, str] = MappingProxyType({"crm": _("The CRM's"), "outlook": _("Outlook's")})


def value_words(field: str, value: JsonValue, zone: str) -> Markup | str:
    """One side's value of a field, as people write it."""
    if value in (None, "", [], {}):
        return _("(nothing)")
    if field == "span" and isinstance(value, list | tuple):
        return _span([str(one) for one in value], zone)
    if field == "reminder" and str(value).isdecimal():
        return _n("%(num)s minute before", "%(num)s minutes before", int(str(value)))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
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
    if last <= first:
        return day(first)
    return _("%(start)s to %(end)s", start=day(first), end=day(last))


def _hours(start: datetime, end: datetime, zone: str) -> Markup:
    """The day is named once if it is the same."""
    begins, ends = (moment.astimezone(ZoneInfo(zone) if zone else UTC) for moment in (start, end))
    until = shown(end, zone)
    if begins.date() == ends.date():
        until = Markup('<time datetime="{}">{}</time>').format(end.isoformat(), clock(ends))
    # A wording is no markup: its two places are filled with markup here.
    whole = escape(say(_("%(start)s to %(end)s", start="{start}", end="{end}")))
    return whole.format(start=shown(start, zone), end=until)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _sentence(text: str) -> str:
    text = text.strip() or say(_("Something is wrong"))
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
