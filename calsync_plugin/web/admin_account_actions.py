"""What an administrator does with one account: buttons, and the choice of direction and calendars.

Decides nothing of what follows: each button is one use case in `accounts`, which also writes the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts import holds
from calsync_plugin.accounts.administration import CHOSEN_FOR_OTHERS, choose_for
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.reset import reset
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.documents import Problem
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import Account
from calsync_plugin.web.account_choices import choices_of
from calsync_plugin.web.busy_choice import blame_further
from calsync_plugin.web.schema_forms import SchemaForm, form_class
from calsync_plugin.web.speaking import say, tell
from calsync_plugin.web.visitors import admin_only, visitor
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

SCHEMA = "external_account"
Action = Callable[[Calsync, Account, Actor], str]
Page = str | Response | tuple[str, int]


def add_actions(pages: Blueprint, calsync: Calsync, find: Callable[[str], Account]) -> None:
    """Add the addresses of the buttons and of the choices to `pages`."""

    @pages.post("/admin/accounts/<user_id>/<action>")
    @admin_only
    def act(user_id: str, action: str) -> Page:
        account = find(user_id)
        if action not in ACTIONS:
            abort(404, _("There is no such button."))
        tell(ACTIONS[action](calsync, account, _actor()), "success")
        return redirect(url_for("admin_accounts.one", user_id=user_id), 303)

    @pages.post("/admin/accounts/<user_id>/settings")
    @admin_only
    def choose(user_id: str) -> Page:
        account = find(user_id)
        form = _form_class(calsync, account)()
        chosen = {name: value for name, value in form.document().items() if name in CHOSEN_FOR_OTHERS}
        wrong = form.problems({**account.settings, **chosen})
        if blame_further(calsync, account, form, chosen, admin=True) or wrong:
            return _again(account, form)
        try:
            choose_for(calsync.store, calsync.gateway, _actor(), user_id, chosen)
        except SettingsError as error:
            place, _sep, text = str(error).partition(": ")
            form.blame([Problem((place,), text) if place in CHOSEN_FOR_OTHERS else Problem((), str(error))])
            return _again(account, form)
        tell(_("Saved."), "success")
        return redirect(url_for("admin_accounts.one", user_id=user_id), 303)


def choices_form(calsync: Calsync, account: Account) -> SchemaForm:
    """The form of what an administrator may choose for somebody else."""
    return _form_class(calsync, account).of(account.settings)


def _form_class(calsync: Calsync, account: Account) -> type[SchemaForm]:
    return form_class(SCHEMA, choices_of(calsync, account))


def _again(account: Account, form: SchemaForm) -> Page:
    return render_template(
        "admin/account_settings.html", account=account, form=form, chosen=CHOSEN_FOR_OTHERS
    ), 422


def _actor() -> Actor:
    return Actor(visitor().user_id, visitor().name)


def _pause(calsync: Calsync, account: Account, by: Actor) -> str:
    calsync.connections.pause(account.user_id, "paused by an administrator", by=by)
    return _("Paused. Changes wait until it is resumed.")


def _resume(calsync: Calsync, account: Account, by: Actor) -> str:
    calsync.connections.resume(account.user_id, by=by)
    return _("Syncing goes on.")


def _reset(calsync: Calsync, account: Account, by: Actor) -> str:
    count = reset(calsync.store, calsync.gateway, calsync.open_mailbox, account, by=by)
    return _n(
        "%(num)s meeting is compared anew. Nothing is deleted.",
        "%(num)s meetings are compared anew. Nothing is deleted.",
        count,
    )


def _confirm(calsync: Calsync, account: Account, by: Actor) -> str:
    count = holds.confirm(calsync.store, account, by=by)
    return _n("%(num)s held change goes ahead.", "%(num)s held changes go ahead.", count)


def _discard(calsync: Calsync, account: Account, by: Actor) -> str:
    count = holds.discard(calsync.store, account, by=by)
    return _n(
        "%(num)s held change was given up; the meetings stay.",
        "%(num)s held changes were given up; the meetings stay.",
        count,
    )


def _restore(calsync: Calsync, account: Account, by: Actor) -> str:
    restorer = Restorer(calsync.store, calsync.gateway, calsync.open_mailbox, calsync.entities)
    found = restorer.restore(
        account,
        [entry.id for entry in restorer.entries(account)],
        with_attendees=request.form.get("with_attendees") == "yes",
        by=by,
    )
    done = sum(one.done for one in found)
    said = [_n("%(num)s deleted item was restored.", "%(num)s deleted items were restored.", done)]
    if done < len(found):
        said.append(_("%(num)s could not be restored; their user sees why.", num=len(found) - done))
    return " ".join(say(one) for one in said)


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "pause": _pause,
        "resume": _resume,
        "reset": _reset,
        "confirm": _confirm,
        "discard": _discard,
        "restore": _restore,
    }
)
