"""How a notification reaches its receiver: one POST of JSON, or of the handshake token as a query
parameter.
"""

from __future__ import annotations

from typing import Protocol

import requests

from calsync_plugin.sandbox.outlook.wire import Json

_LARGEST_ANSWER = 4096


class Deliver(Protocol):
    """Sends a POST and returns status and text; OSError if the receiver cannot be reached in time.

    A body of None is a handshake: no JSON, `Content-Type: text/plain`.
    """

    def __call__(self, url: str, body: Json | None, timeout: float, /) -> tuple[int, str]:
        """Send one POST."""
        ...


def deliver_by_http(url: str, body: Json | None, timeout: float, /) -> tuple[int, str]:
    """Send a POST over the network; requests' own errors are OSErrors.

    The answer to a handshake has to be text (Graph docs, "Receive change notifications through webhooks").
    """
    headers = {"Content-Type": "text/plain; charset=utf-8"} if body is None else {}
    with requests.Session() as session:
        # Receivers of the sandbox are local: a proxy of the environment must not see them.
        session.trust_env = False
        answer = session.post(url, json=body, headers=headers, timeout=timeout, allow_redirects=False)
        if body is None and not answer.headers.get("Content-Type", "").startswith("text/plain"):
            return answer.status_code, ""
        return answer.status_code, answer.text[:_LARGEST_ANSWER]
