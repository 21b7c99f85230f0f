"""Who asks: the host's answer (`calsync_authenticate`), or the administrator's token.

Decides nothing about what a caller may. A request is shown to the host without its cookies: a browser sends
them along with whatever another site makes it send.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from calsync_plugin.hookspecs import Caller

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CookielessRequest:
    """A request as `calsync_authenticate` sees it."""

    headers: Headers
    cookies: Mapping[str, str] = field(default_factory=dict)


def caller_of(request: Request, hook: Any, token: str) -> Caller | None:
    """Who sends `request`; `token` is the administrator's, empty for none. None for somebody unknown."""
    return _known_to_host(request, hook) or _with_token(request.headers.get("Authorization", ""), token)


def _known_to_host(request: Request, hook: Any) -> Caller | None:
    headers = Headers([(name, value) for name, value in request.headers if name.lower() != "cookie"])
    try:
        answer = hook.calsync_authenticate(request=CookielessRequest(headers))
    except Exception:
        # A plugin that fails knows nobody.
        log.exception("a plugin's calsync_authenticate failed")
        return None
    if isinstance(answer, str):
        answer = Caller(user_id=answer)
    return answer if isinstance(answer, Caller) and answer.user_id else None


def _with_token(authorization: str, token: str) -> Caller | None:
    scheme, _, given = authorization.partition(" ")
    if not token or scheme.lower() != "bearer":
        return None
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return Caller(user_id="", admin=True) if same else None
