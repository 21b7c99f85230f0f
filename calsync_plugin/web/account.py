"""`/external-account`: a user's own Outlook account, how it is, and what can be done at once.

Decides what the overview shows. The account is always the visitor's own; the other pages of an account have
modules of their own (`account_*`), and what happens to it lies in `accounts`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, jsonify, redirect, request, url_for

from calsync_plugin.accounts import entitled, report
from calsync_plugin.accounts.backfill import EVERYTHING
from calsync_plugin.accounts.consequences import waits_for_settings
from calsync_plugin.accounts.grants import ACCOUNT, CALENDAR
from calsync_plugin.accounts.left_behind import left_behind
from calsync_plugin.accounts.naming import record_names
from calsync_plugin.accounts.progress import Progress, progress
from calsync_plugin.accounts.switching import BY_USER, switch
from calsync_plugin.accounts.whom_to_ask import administrators
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.state import Account, AccountStatus, Decision
from calsync_plugin.web.account_availability import availability_page
from calsync_plugin.web.account_backfill import backfill_page
from calsync_plugin.web.account_busy_sources import busy_source_pages
from calsync_plugin.web.account_clashes import clashes_page
from calsync_plugin.web.account_connect import connect_pages
from calsync_plugin.web.account_detached import detached_page
from calsync_plugin.web.account_frame import Page, actor, connected, framed, is_connected, own_account
from calsync_plugin.web.account_held import held_page
from calsync_plugin.web.account_parked import parked_page
from calsync_plugin.web.account_reset import reset_page
from calsync_plugin.web.account_restore import restore_page
from calsync_plugin.web.account_settings import settings_pages
from calsync_plugin.web.account_words import busy_words, how_known, status_words
from calsync_plugin.web.showing import shown, zone_of_page
from calsync_plugin.web.speaking import say, tell
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.wording import gettext as _

NOTES = 20


def account_pages(calsync: Calsync) -> Blueprint:
    """The user's pages of one bridge."""
    pages = Blueprint("account", __name__)
    _overview(pages, calsync)
    _at_once(pages, calsync)
    for add in (
        connect_pages,
        settings_pages,
        availability_page,
        busy_source_pages,
        backfill_page,
        held_page,
        parked_page,
        clashes_page,
        detached_page,
        restore_page,
        reset_page,
    ):
        add(pages, calsync)
    return pages


def _overview(pages: Blueprint, calsync: Calsync) -> None:
    @pages.get("/")
    def front() -> Page:
        return redirect(url_for("account.overview"))

    @pages.get("/external-account")
    @signed_in
    def overview() -> Page:
        account = own_account(calsync)
        given = _grants(calsync, account)
        lacks = [name for name in (ACCOUNT, CALENDAR) if name not in given]
        common: dict[str, Any] = {
            "lacks": lacks,
            "ask": administrators(calsync.gateway) if lacks else [],
            "enabled": calsync.settings.graph.enabled,
        }
        if account is not None and is_connected(account):
            return framed(account, "overview.html", **common, **_status(calsync, account))
        left = list(left_behind(calsync.store, account)) if account else []
        names = (
            record_names(calsync.gateway, account, [(e.entity_type, e.record_id) for e in left])
            if account
            else {}
        )
        return framed(account, "not_connected.html", **common, left=left, names=names)

    @pages.get("/external-account/status.json")
    @signed_in
    def status() -> Page:
        account = own_account(calsync)
        if account is None or not is_connected(account):
            abort(404, _("No Outlook account is connected."))
        return jsonify(_live(calsync, account))


def _live(calsync: Calsync, account: Account) -> dict[str, Any]:
    """What the page's script shows while a sync is under way."""
    found = progress(calsync.store, account)
    words = status_words(account, found, _stopped(calsync), lacks=_lacks(calsync, account))
    at = account.last_success_at
    return {
        "busy": found.busy,
        "first": found.first,
        "done": found.done,
        "whole": found.done + found.waiting if found.waiting else None,
        "title": say(words.title),
        "colour": words.colour,
        "text": say(words.text),
        "now": say(busy_words(found)) if found.busy else "",
        "last_success": shown(at, zone_of_page(calsync)).striptags() if at else say(_("never")),
    }


def _at_once(pages: Blueprint, calsync: Calsync) -> None:
    @pages.post("/external-account/sync")
    @connected(calsync)
    def sync(account: Account) -> Page:
        if account.status not in report.SYNCING:
            tell(_("Nothing syncs at present; this page says why."), "warning")
        elif account.mailbox_id:
            calsync.store.queue.hint(account.mailbox_id)
        return redirect(url_for("account.overview"), 303)

    @pages.post("/external-account/switch")
    @connected(calsync)
    def turn(account: Account) -> Page:
        on = request.form.get("on") == "yes"
        switch(calsync.connections, account, on=on, by=actor())
        text = (
            _("Your calendar is kept in step again.")
            if on
            else _("Your calendar is left alone. Your changes wait.")
        )
        tell(text, "success")
        return redirect(url_for("account.overview"), 303)


def _grants(calsync: Calsync, account: Account | None) -> frozenset[str]:
    """What the visitor may now; while the CRM does not tell, what the account has."""
    try:
        return entitled.effective(calsync, visitor().user_id)
    except RemoteError:
        return account.grants if account else frozenset()


def _lacks(calsync: Calsync, account: Account) -> bool:
    """Whether something is held back or could not be synced."""
    held = calsync.store.held.all(account.mailbox_id or 0)
    return bool(held) or bool(calsync.store.parked.all(user_id=account.user_id, limit=1))


def _stopped(calsync: Calsync) -> str:
    """Why nothing syncs for anybody, in words; empty if it does."""
    if not calsync.settings.graph.enabled:
        return _("An administrator switched the sync with Outlook off for everybody. Nothing is lost.")
    if calsync.store.installation.get().paused:
        return _("All calendars wait until an administrator says how this CRM was moved. Nothing is lost.")
    return ""


def _status(calsync: Calsync, account: Account) -> dict[str, Any]:
    store, mailbox_id = calsync.store, account.mailbox_id or 0
    found: Progress = progress(store, account)
    held = [one for one in store.held.all(mailbox_id) if one.decision is Decision.NONE]
    return {
        "status": status_words(account, found, _stopped(calsync), lacks=_lacks(calsync, account)),
        "progress": found,
        "now": busy_words(found) if found.busy else "",
        "how": how_known(account, max(1, calsync.settings.graph.poll_seconds // 60)),
        "about": report.account(store, account.user_id),
        "held": len(held),
        "can_sync": account.status in report.SYNCING,
        "switched_off": account.status is AccountStatus.PAUSED and account.reason == BY_USER,
        "needs_attention": account.status is AccountStatus.NEEDS_ATTENTION,
        "settings_first": waits_for_settings(account),
        "unconfirmed": account.settings.get("mode") != "outlook_to_crm" and account.push_from != EVERYTHING,
        "notes": store.log.notes(account.user_id, limit=NOTES),
    }
