"""`/external-account/settings`: a user's choices, and what they will do before they do it.

Decides that nothing is saved before the user has read the consequences. What was entered waits in the
session until then. What a choice means lies in `accounts`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request, session, url_for

from calsync_plugin.accounts.consequences import consequences, put_into_force, waits_for_settings
from calsync_plugin.documents import Problem
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError, SettingsError
from calsync_plugin.settings import user_settings
from calsync_plugin.state import Account
from calsync_plugin.web.account_choices import choices_of, teams_of
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.busy_choice import blame_further, notices
from calsync_plugin.web.schema_fields import adds_or_takes_a_row
from calsync_plugin.web.schema_forms import SchemaForm, form_class
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import visitor
from calsync_plugin.wording import gettext as _

SCHEMA = "external_account"
DRAFT = "settings_draft"
FIRST_MAILED = 20


def settings_pages(pages: Blueprint, calsync: Calsync) -> None:
    """Add the pages."""

    @pages.route("/external-account/settings", methods=["GET", "POST"])
    @connected(calsync)
    def settings(account: Account) -> Page:
        return _settings(calsync, account)

    @pages.route("/external-account/settings/changes", methods=["GET", "POST"])
    @connected(calsync)
    def changes(account: Account) -> Page:
        return _changes(calsync, account)

    @pages.post("/external-account/settings/read-again")
    @connected(calsync)
    def read_again(account: Account) -> Page:
        calsync.connections.read_again(account.user_id, by=actor())
        tell(_("Your calendars are read again from the beginning. Nothing is deleted by that."), "success")
        return redirect(url_for("account.settings"), 303)


def _settings(calsync: Calsync, account: Account) -> Page:
    form_of = form_class(SCHEMA, choices_of(calsync, account))
    if request.method == "GET":
        draft = _draft(account) if "draft" in request.args else None
        return _form(calsync, account, form_of.of(draft or account.settings))
    form: SchemaForm = form_of()
    if adds_or_takes_a_row():
        return _form(calsync, account, form)
    document = _without_main(calsync, account, form.document())
    wrong = form.problems(document)
    wrong = form.blame_choices(document, account.settings) or wrong
    wrong = blame_further(calsync, account, form, document) or wrong
    if wrong or _contradicts(form, document):
        return _form(calsync, account, form), 422
    session[DRAFT] = [account.user_id, document]
    return redirect(url_for("account.changes"), 303)


def _without_main(calsync: Calsync, account: Account, document: dict[str, Any]) -> dict[str, Any]:
    """The main calendar is read anyway: ticked among the others, too, it says nothing."""
    known = calsync.store.calendars.for_mailbox(account.mailbox_id or 0)
    default = {one.id for one in known if one.is_default}
    main = {document["main_calendar"]} if document.get("main_calendar") else default
    others = document.get("other_calendars", [])
    return {**document, "other_calendars": [one for one in others if one not in main]}


def _contradicts(form: SchemaForm, document: Mapping[str, Any]) -> bool:
    """Whether the choices do not go together, which no schema can say; it is told beside the field."""
    try:
        user_settings(document)
    except SettingsError as error:
        place, _, text = str(error).partition(": ")
        form.blame([Problem((place,), text)])
        return True
    return False


def _form(calsync: Calsync, account: Account, form: SchemaForm) -> str:
    return framed(
        account,
        "settings.html",
        form=form,
        begins=waits_for_settings(account),
        notices=notices(calsync, account, admin=visitor().admin),
    )


def _changes(calsync: Calsync, account: Account) -> Page:
    draft = _draft(account)
    if draft is None:
        return redirect(url_for("account.settings"), 303)
    values = {**account.settings, **draft}
    fingerprint = _fingerprint(account, values)
    if request.method == "POST" and request.form.get("fingerprint") == fingerprint:
        put_into_force(calsync, account, values, by=actor())
        session.pop(DRAFT)
        tell(_("Your settings are saved."), "success")
        return redirect(url_for("account.overview"), 303)
    try:
        found = consequences(calsync, account, values, teams_of(calsync, account))
    except RemoteError:
        tell(
            _("The CRM or Outlook does not answer now, so nobody can say what would happen. Try again."),
            "warning",
        )
        return redirect(url_for("account.settings", draft=1), 303)
    if not found.changed and not found.begins:
        session.pop(DRAFT)
        tell(_("Nothing was changed."), "info")
        return redirect(url_for("account.settings"), 303)
    page = framed(account, "changes.html", found=found, fingerprint=fingerprint, first=FIRST_MAILED)
    return (page, 409) if request.method == "POST" else page


def _draft(account: Account) -> dict[str, Any] | None:
    """What this user entered and did not confirm yet; somebody else may have used this browser before."""
    user_id, draft = session.get(DRAFT) or ("", None)
    return draft if user_id == account.user_id else None


def _fingerprint(account: Account, values: Mapping[str, Any]) -> str:
    """Names the change that was read: from these settings to those."""
    told = json.dumps([account.settings, values], sort_keys=True, default=list)
    return hashlib.sha256(told.encode()).hexdigest()[:32]
