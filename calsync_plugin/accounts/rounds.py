"""What each sweep does about people: grants are followed, and what ended sessions left at the CRM is ended.

Decides the order alone.
"""

from __future__ import annotations

from typing import Protocol

from calsync_plugin.accounts import entitled
from calsync_plugin.accounts.signing_out import end_tokens
from calsync_plugin.crm.gate import Gate
from calsync_plugin.crm.sign_in import EspoSignIn
from calsync_plugin.http import Http
from calsync_plugin.settings import Settings


class Installation(entitled.Installation, Protocol):
    """What is asked about people."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def http(self) -> Http:
        """The way to the CRM."""
        ...

    @property
    def crm_gate(self) -> Gate:
        """What everybody passes on the way."""
        ...


def go(calsync: Installation) -> None:
    """Do what is due. A CRM that does not answer is asked again by the next sweep."""
    entitled.look(calsync)
    if calsync.settings.crm.url:
        end_tokens(calsync.store, EspoSignIn(calsync.settings.crm, calsync.http, calsync.crm_gate))
