"""Who can help a user: the administrators of the CRM, by name.

Decides how many are named. A CRM that does not tell names nobody.
"""

from __future__ import annotations

import logging

from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.errors import RemoteError

log = logging.getLogger(__name__)

MOST = 3
PAGE = 200


def administrators(gateway: CrmGateway) -> list[str]:
    """Some administrators' names among the first users."""
    try:
        page = gateway.staff.users(limit=PAGE)
    except RemoteError as error:
        log.info("the CRM does not tell its administrators now: %s", error)
        return []
    return [user.name or user.user_name for user in page.users if user.admin][:MOST]
