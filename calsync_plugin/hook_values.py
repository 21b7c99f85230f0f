"""What goes in and out of hooks besides plain values: answers that a plugin gives, requests that it is shown.

Decides nothing. Plugins import these from `hookspecs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Veto:
    """An answer of `calsync_outbound` and `calsync_inbound`: do not write this one."""

    reason: str
    """One sentence for the owner; the item is shown with it and looked at again when it changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An answer of `calsync_authenticate`: who asks, and whether for the accounts of all users.

    `name` is how pages greet the user. No `zone` (IANA): the mailbox's; no `language` (de_DE): the browser's.
    """

    user_id: str
    admin: bool = False
    name: str = ""
    zone: str = ""
    language: str = ""


class PageRequest(Protocol):
    """What `calsync_authenticate` sees of a browser's request; Werkzeug's and Django's requests fit."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields; names compare without regard to case."""
        ...

    @property
    def cookies(self) -> Mapping[str, str]:
        """Cookies by name."""
        ...
