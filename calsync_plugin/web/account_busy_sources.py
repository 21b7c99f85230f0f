"""What a user changes about the places that tell when he or she is busy; the page shows the effect at once.

Decides that an address that was entered is never shown again, not even when it was refused, and that a
removal is told before it is done. What each change does lies in `accounts.choices` and `booking.own`.
"""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, request, url_for
from werkzeug.exceptions import NotFound

from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.new_calendars import look_for_calendars
from calsync_plugin.booking.features import Feature
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError, SettingsError
from calsync_plugin.settings import user_settings
from calsync_plugin.state import OF_MAILBOX, Account, BusySource
from calsync_plugin.web.account_availability import Entered, busy_page, reads_mailbox
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.busy_calendars import calendars_of
from calsync_plugin.web.busy_words import NAMELESS
from calsync_plugin.web.known_sentences import in_words, known
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

AT = "/external-account/availability"
LONGEST_ID = 18
SENT = "any(calendars, addresses, colleagues, name, read, 'look-for-calendars')"
"""Where forms of the page go; who opens such an address, as by a bookmark, is led to the page."""
FEED, SCHEDULE = "feed", "schedule"


def busy_source_pages(pages: Blueprint, calsync: Calsync) -> None:
    """Add the pages."""
    _adding(pages, calsync)
    _changing(pages, calsync)

    @pages.get(f"{AT}/<{SENT}:form>")
    @signed_in
    def opened_form(form: str) -> Page:
        del form
        return _back()


def _adding(pages: Blueprint, calsync: Calsync) -> None:
    @pages.post(f"{AT}/calendars")
    @connected(calsync)
    def choose_busy_calendars(account: Account) -> Page:
        return _chosen(calsync, account)

    @pages.post(f"{AT}/look-for-calendars")
    @connected(calsync)
    def look_for_new_calendars(account: Account) -> Page:
        _look(calsync, account)
        return _back()

    @pages.post(f"{AT}/addresses")
    @connected(calsync)
    def add_feed(account: Account) -> Page:
        _check(calsync, account, Feature.CONFLICT_CALENDARS, Feature.FEEDS)
        name, address = (request.form.get(field, "").strip() for field in ("name", "address"))
        try:
            calsync.desk.own.add_feed(actor(), account.user_id, address, name)
        except SettingsError as error:
            return _refused(calsync, account, Entered(form=FEED, name=name, wrong=_said(error)))
        tell(_("The calendar was added; it is being read."), "success")
        return _back()

    @pages.post(f"{AT}/colleagues")
    @connected(calsync)
    def add_schedule(account: Account) -> Page:
        _check(calsync, account, Feature.CONFLICT_CALENDARS)
        try:
            calsync.desk.own.add_schedule(actor(), account.user_id, request.form.get("address", "").strip())
        except SettingsError as error:
            return _refused(calsync, account, Entered(form=SCHEDULE, wrong=_said(error)))
        tell(_("Your colleague's calendar was added; it is being read."), "success")
        return _back()


def _changing(pages: Blueprint, calsync: Calsync) -> None:
    @pages.post(f"{AT}/name")
    @connected(calsync)
    def rename_source(account: Account) -> Page:
        source = _asked(calsync, account)
        try:
            calsync.desk.own.rename(account.user_id, source.id, request.form.get("name", "").strip())
        except SettingsError as error:
            tell(_said(error), "warning")
        return _back()

    @pages.post(f"{AT}/read")
    @connected(calsync)
    def read_source(account: Account) -> Page:
        source = _asked(calsync, account, of_mailbox=True)
        calsync.desk.own.read_now(account.user_id, source.id)
        tell(_("It is read again now, unless that was done a moment ago."), "info")
        return _back()

    @pages.route(f"{AT}/remove", methods=["GET", "POST"])
    @connected(calsync)
    def remove_source(account: Account) -> Page:
        source = _asked(calsync, account)
        name = source.name or NAMELESS
        if request.method == "GET":
            return framed(account, "busy_remove.html", source=source, name=name, week=_week())
        calsync.desk.own.remove(actor(), account.user_id, source.id)
        tell(_("%(name)s no longer makes you busy.", name=name), "success")
        return _back()


def _chosen(calsync: Calsync, account: Account) -> Page:
    """Put the ticks into force: those of calendars that can be ticked; the main one counts without a tick.

    What is off keeps further ones from being ticked, not those that are from being taken off.
    """
    before, ticked = user_settings(account.settings).conflict_calendars, request.form.getlist("calendar")
    if not set(ticked) <= set(before):
        _check(calsync, account, Feature.CONFLICT_CALENDARS)
    offered = {one.id for one in calendars_of(calsync.store, account) if not one.locked}
    # Ticked before it became the main one, a calendar stays ticked, for when it is that no longer.
    kept = [one for one in before if one not in offered]
    wanted = dict.fromkeys([*kept, *(one for one in ticked if one in offered)])
    if set(wanted) == set(before):
        tell(_("Nothing was changed."), "info")
        return _back()
    try:
        choose(
            calsync.store,
            calsync.gateway,
            account.user_id,
            {"conflict_calendars": list(wanted)},
            by=actor(),
        )
    except SettingsError as error:
        return _refused(calsync, account, Entered(form="calendars", wrong=_said(error)))
    tell(_("Your choice counts from now on."), "success")
    return _back()


def _look(calsync: Calsync, account: Account) -> None:
    """Look for calendars that were made or shared since, and tell what came of it."""
    if not reads_mailbox(calsync, account):
        tell(_("Your Outlook is not read at present, so it was not asked for new calendars."), "warning")
        return
    try:
        new = look_for_calendars(calsync.store, calsync.open_mailbox, account)
    except RemoteError:
        tell(
            _("Outlook does not answer now, so your calendars could not be looked for. Try again."), "warning"
        )
        return
    if new:
        tell(_n("%(num)s new calendar was found.", "%(num)s new calendars were found.", new), "success")
    else:
        tell(_("No new calendar was found."), "info")


def _check(calsync: Calsync, account: Account, *features: Feature) -> None:
    """Raise FeatureOff in the visitor's words."""
    for feature in features:
        calsync.desk.features.check(feature, account.user_id, admin=visitor().admin)


def _asked(calsync: Calsync, account: Account, *, of_mailbox: bool = False) -> BusySource:
    """The visitor's own source that a form or link names; `of_mailbox`: even one that is a setting."""
    asked = request.values.get("source", "")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= LONGEST_ID else 0
    for source in calsync.store.busy.sources([account.user_id]):
        if source.id == number and (of_mailbox or source.kind not in OF_MAILBOX):
            return source
    raise NotFound(_("This calendar is not there any more."))


def _said(error: SettingsError) -> str:
    """What is wrong, in the page's language and without the name of the field before it."""
    words = in_words(error)
    if not isinstance(words, Wording):
        words = words.removeprefix("address: ").removeprefix("conflict_calendars: ")
    return known(words)


def _refused(calsync: Calsync, account: Account, entered: Entered) -> Page:
    return busy_page(calsync, account, entered), 422


def _week() -> str | None:
    """The week that was looked at, to come back to; what is no day is none."""
    try:
        return date.fromisoformat(request.values.get("week", "")).isoformat()
    except ValueError:
        return None


def _back() -> Page:
    return redirect(url_for("account.availability", week=_week()), 303)
