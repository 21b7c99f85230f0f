"""Why a file is not taken as a calendar, in words. Decides nothing."""

from __future__ import annotations

from calsync_plugin.errors import FeedError
from calsync_plugin.wording import gettext as _

MOST_EVENTS = 20_000
MOST_BLOCKS = 20_000


def refusal(reason: str) -> FeedError:
    """The error for a reason that has to do with what a file holds."""
    match reason:
        case "not_a_calendar":
            words = _("there is no calendar behind the address; it must be that of an .ics file")
        case "too_many_events":
            words = _("the calendar has more than %(most)s events or dates", most=MOST_EVENTS)
        case _:
            reason = "too_complex"
            words = _("the rules by which the events of the calendar recur take too long to work out")
    return FeedError(words, reason=reason)
