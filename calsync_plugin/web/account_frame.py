"""What all pages of a user's own account have in common: whose account it is, and the frame around a page.

Decides that a page is about the visitor's own account and nobody else's, and which pages an account has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, AccountStatus
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.wording import gettext as _

Page = str | Response | tuple[str, int]
TABS = (
    ("account.overview", _("Overview")),
    ("account.settings", _("Settings")),
    ("account.availability", _("When you are busy")),
    ("account.backfill", _("Waiting for you")),
    ("account.held", _("Held back")),
    ("account.parked", _("Not synced")),
    ("account.clashes", _("Changed in both")),
    ("account.detached", _("No longer followed")),
    ("account.restore", _("Deleted")),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of an account."""

    title: str
    address: str
    here: bool


def own_account(calsync: Calsync) -> Account | None:
    """The visitor's account."""
    return calsync.store.accounts.get(visitor().user_id)


def actor() -> Actor:
    """The visitor, for the audit log."""
    who = visitor()
    return Actor(who.user_id, who.name)


def is_connected(account: Account | None) -> bool:
    """Whether there is an Outlook account behind it now."""
    return account is not None and account.is_connected


def connected(calsync: Calsync) -> Callable[[Callable[[Account], Page]], Callable[[], Page]]:
    """Guard a page: signed in, and with a connected account of one's own; others go to the overview."""

    def guard(page: Callable[[Account], Page]) -> Callable[[], Page]:
        @signed_in
        @wraps(page)
        def guarded() -> Page:
            account = own_account(calsync)
            if account is None or not is_connected(account):
                return redirect(url_for("account.overview"), 303)
            return page(account)

        return guarded

    return guard


def framed(account: Account | None, template: str, **values: Any) -> str:
    """A page of an account, with the list of its pages and what needs its user above all else."""
    tabs = [Tab(title, url_for(endpoint), request.endpoint == endpoint) for endpoint, title in TABS]
    return render_template(
        f"account/{template}",
        account=account,
        tabs=tabs if is_connected(account) else [],
        reconnect=account is not None and account.status is AccountStatus.RECONNECT,
        **values,
    )
