"""The CRM's hooks about users: settings, grants and deactivation."""

from __future__ import annotations

from calsync_plugin.accounts import entitled
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.hookspecs import hookimpl


class AccountHooks:
    """Hookimpls about users and what they may."""

    def __init__(self, app: Calsync) -> None:
        """Change accounts in `app`'s store."""
        self._app = app
        self._marks = app.marks

    @hookimpl(tryfirst=True)
    def calsync_account_changed(self, user_id: str) -> None:
        """A user's settings were saved: look at that mailbox again."""
        self._marks.account_changed(user_id)

    @hookimpl(tryfirst=True)
    def calsync_user_deactivated(self, user_id: str) -> None:
        """A user may no longer log in: suspend, delete nothing (R12)."""
        self._marks.user_deactivated(user_id)

    @hookimpl(tryfirst=True)
    def calsync_grants_changed(self, user_id: str) -> None:
        """A user's grants may have changed: without them nothing of the user is synced (R12)."""
        entitled.follow_crm(self._app, user_id)
        self._marks.account_changed(user_id)


def plugin(app: Calsync) -> AccountHooks:
    """Return the hookimpls for one host."""
    return AccountHooks(app)
