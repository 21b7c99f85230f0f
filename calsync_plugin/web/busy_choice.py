"""Whether somebody may choose further calendars that make a user busy.

Decides that a gate keeps calendars from being added, not those that were chosen before from staying.
"""

from __future__ import annotations

from collections.abc import Mapping

from calsync_plugin.booking.features import Feature
from calsync_plugin.documents import Problem
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import FeatureOff
from calsync_plugin.state import Account
from calsync_plugin.web.known_sentences import in_words
from calsync_plugin.web.schema_forms import SchemaForm

FIELD = "conflict_calendars"


def blame_further(
    calsync: Calsync, account: Account, form: SchemaForm, chosen: Mapping[str, object], *, admin: bool = False
) -> bool:
    """Say beside the field why no calendar can be added there; whether that is so."""
    before, after = (
        values if isinstance(values, list) else []
        for values in (account.settings.get(FIELD), chosen.get(FIELD))
    )
    if all(one in before for one in after):
        return False
    try:
        calsync.desk.features.check(Feature.CONFLICT_CALENDARS, account.user_id, admin=admin)
    except FeatureOff as error:
        form.blame([Problem((FIELD,), in_words(error))])
        return True
    return False
