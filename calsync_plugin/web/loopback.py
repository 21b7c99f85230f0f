"""A guard before what trusts everybody on this machine: web pages from elsewhere are not on this machine.

Decides by the two headers that a browser sets itself. A page of another site may send forms to 127.0.0.1
(`Origin` tells whose it is), or let its own name lead there and read the answers too (`Host` tells that
name). Programs, which send no `Origin`, are let through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class LoopbackOnly:
    """Lets through what was addressed to this machine, from here."""

    def __init__(self, app: WsgiApp, is_here: Callable[[str], bool]) -> None:
        """Guard `app`; `is_here` tells whether an address leads to this machine."""
        self._app = app
        self._is_loopback = is_here

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer 403 to a browser that another site has sent."""
        origin = environ.get("HTTP_ORIGIN", "")
        asked = f"http://{environ.get('HTTP_HOST', '')}"
        if self._is_here(asked) and (not origin or self._is_here(origin)):
            return self._app(environ, start_response)
        text = b"This answers only at its own address, http://127.0.0.1, and to its own pages.\n"
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]
        start_response("403 Forbidden", headers)
        return [text]

    def _is_here(self, address: str) -> bool:
        try:
            return self._is_loopback(address)
        except ValueError:
            return False
