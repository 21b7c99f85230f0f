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
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

FIELD = "conflict_calendars"
ONLY_OFF = _("What was ticked before goes on counting; it can only be taken off.")


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


def notices(calsync: Calsync, account: Account, *, admin: bool = False) -> dict[str, list[Wording]]:
    """What stands beside the field from the first on, by its name, while no calendar can be added there."""
    try:
        calsync.desk.features.check(Feature.CONFLICT_CALENDARS, account.user_id, admin=admin)
    except FeatureOff as error:
        return {FIELD: [error.args[0], ONLY_OFF]}
    return {}
