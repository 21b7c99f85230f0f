"""Where a mailbox's access token comes from: a user's stored login, or one that nobody kept yet.

Decides nothing about tokens: `auth.Login` does.
"""

from __future__ import annotations

from calsync_plugin.errors import Unauthorized
from calsync_plugin.graph.auth import Login


class MailboxToken:
    """A user's access token for the length of one run (the client's TokenSource)."""

    def __init__(self, login: Login, user_id: str, object_id: str = "") -> None:
        """Ask for nothing yet. `object_id` names the mailbox that the token must be for."""
        self._login = login
        self._user_id = user_id
        self._object_id = object_id
        self._present = ""

    def token(self, *, force_refresh: bool = False) -> str:
        """Return the token, asking `Login` the first time and if the present one was refused."""
        if force_refresh or not self._present:
            self._present = self._login.token(
                self._user_id, force_refresh=force_refresh, object_id=self._object_id
            )
        return self._present


class TokenInHand:
    """The token of a login that just ended: it cannot be refreshed."""

    def __init__(self, token: str) -> None:
        """Give out `token` and no other."""
        self._token = token

    def token(self, *, force_refresh: bool = False) -> str:
        """Return the token; Unauthorized if it was refused."""
        if force_refresh:
            raise Unauthorized("Microsoft refused the token that it just gave out; connect again")
        return self._token
