"""What the CRM says of a user at the sign-in: kept, because nobody else may ask the CRM for it.

Decides what of it is kept. An API user cannot read another's preferences (EspoCRM 9.2.7, measured).
"""

from __future__ import annotations

from calsync_plugin.crm.sign_in import SignedIn
from calsync_plugin.graph import zones
from calsync_plugin.state import CrmUser, Store


def keep(store: Store, found: SignedIn) -> None:
    """Keep the zone and language of somebody who signed in, or still is."""
    zone = found.time_zone if zones.known(found.time_zone) else ""
    store.crm_users.tell(CrmUser(user_id=found.user_id, zone=zone, language=found.language))
