"""Which addresses lead to this very machine.

Decides where plain http may carry tokens. Names other than `localhost` are not looked up: they can lead
anywhere.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Tell whether `url` names this machine by an address that cannot leave it."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
