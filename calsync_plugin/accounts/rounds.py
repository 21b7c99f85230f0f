"""What each sweep does besides: grants are followed, what ended sessions left at the CRM is ended, and the
CRM's webhooks are kept.

Decides the order alone.
"""

from __future__ import annotations

from typing import Protocol

from calsync_plugin.accounts import entitled, setup
from calsync_plugin.accounts.setup import keep_webhooks
from calsync_plugin.accounts.signing_out import end_tokens
from calsync_plugin.crm.gate import Gate
from calsync_plugin.crm.sign_in import EspoSignIn


class Installation(entitled.Installation, setup.Installation, Protocol):
    """What is asked about people and webhooks."""

    @property
    def crm_gate(self) -> Gate:
        """What everybody passes on the way."""
        ...


def go(calsync: Installation) -> None:
    """Do what is due. A CRM that does not answer is asked again by the next sweep."""
    entitled.look(calsync)
    if calsync.settings.crm.url:
        end_tokens(calsync.store, EspoSignIn(calsync.settings.crm, calsync.http, calsync.crm_gate))
    keep_webhooks(calsync)
