"""`/admin/accounts`: every user with status and lag, and one account with what can be done about it.

Decides what is shown: of journal and clashes counts and times, never contents. What is done lies in
`accounts`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from calsync_plugin.accounts import report
from calsync_plugin.accounts.administration import CHOSEN_FOR_OTHERS, deleted
from calsync_plugin.accounts.listing import STATUSES, AccountList
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, AccountLine
from calsync_plugin.web.admin_account_actions import add_actions, choices_form
from calsync_plugin.web.visitors import admin_only
from calsync_plugin.wording import gettext as _

PAGE = 50
LONGEST = 200
Page = str | Response | tuple[str, int]


def accounts_pages(calsync: Calsync) -> Blueprint:
    """The accounts of one bridge, for administrators."""
    pages = Blueprint("admin_accounts", __name__)

    @pages.get("/admin/accounts")
    @admin_only
    def listed() -> Page:
        status, text = request.args.get("status", ""), request.args.get("search", "")[:LONGEST]
        found = AccountList(calsync.store, calsync.gateway).page(
            statuses=[status] if status in STATUSES else (),
            text=text,
            after=request.args.get("after", "")[:LONGEST],
            limit=PAGE,
        )
        return render_template(
            "admin/accounts.html",
            page=found,
            status=status,
            search=text,
            statuses=STATUSES,
            lag=_lag(calsync),
        )

    @pages.get("/admin/accounts/<user_id>")
    @admin_only
    def one(user_id: str) -> Page:
        return shown(calsync, _account(calsync, user_id))

    add_actions(pages, calsync, lambda user_id: _account(calsync, user_id))
    return pages


def _account(calsync: Calsync, user_id: str) -> Account:
    found = calsync.store.accounts.get(user_id)
    if found is None:
        abort(404, _("This user has not connected Outlook; only the user can."))
    return found


def shown(calsync: Calsync, account: Account) -> str:
    """The page of one account."""
    restorer = Restorer(calsync.store, calsync.gateway, calsync.open_mailbox, calsync.entities)
    return render_template(
        "admin/account.html",
        account=account,
        about=report.account(calsync.store, account.user_id),
        journal=deleted(restorer.entries(account)),
        clash_times=calsync.store.log.clash_times(account.user_id, limit=1),
        form=choices_form(calsync, account) if account.is_connected else None,
        chosen=CHOSEN_FOR_OTHERS,
        sources=calsync.store.busy.sources([account.user_id]),
        entries=calsync.store.audit.entries(user_id=account.user_id, limit=5),
    )


def _lag(calsync: Calsync) -> Callable[[AccountLine], str]:
    """How long the oldest change of an account waits, in words."""
    now = datetime.fromtimestamp(calsync.clock.now(), UTC)

    def told(line: AccountLine) -> str:
        if line.waiting_since is None:
            return _("none")
        seconds = max(0, round((now - line.waiting_since).total_seconds()))
        for size, told_in in ((86_400, _("%(num)s d")), (3600, _("%(num)s h")), (60, _("%(num)s min"))):
            if seconds >= size:
                return _(told_in.message, num=seconds // size)
        return _("%(num)s s", num=seconds)

    return told
