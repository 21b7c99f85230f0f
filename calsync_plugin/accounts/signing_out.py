"""What is left of a session that is over: the CRM forgets the token that was made for it.

Decides when that is tried: at each sweep, until the CRM took it or the token has died of age. A token that
the CRM does not take keeps no other from being ended.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Protocol

from calsync_plugin.errors import RemoteError, Throttled, Unavailable
from calsync_plugin.state import Store

log = logging.getLogger(__name__)

WHO = "who"
"""Under this name a session keeps whose it is, with the token."""
AT_ONCE = 50
"""Tokens that one sweep ends at most."""


class SignOutService(Protocol):
    """The CRM that forgets tokens."""

    def sign_out(self, user_name: str, token: str) -> None:
        """Forget a token. Raises a RemoteError if the CRM cannot be told now."""
        ...


def end_tokens(store: Store, service: SignOutService) -> int:
    """End the tokens of sessions that are over; returns how many. What fails now is tried again later."""
    ended = 0
    for hashed, text in store.sessions.over(AT_ONCE):
        who: Any = json.loads(text).get(WHO) or {}
        if who.get("token"):
            try:
                service.sign_out(who["user_name"], who["token"])
            except (Unavailable, Throttled) as error:
                log.info("tokens of sessions that are over are ended later: %s", error)
                return ended
            except RemoteError as error:
                log.info("the token of a session that is over is ended later: %s", error)
                continue
            ended += 1
        store.sessions.forget(hashed)
    return ended
