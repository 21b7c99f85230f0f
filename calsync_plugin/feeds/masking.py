"""The address of a feed as its owner typed it, and as it is shown.

Decides what is taken for an address, and what of it can be seen without giving access. Calls nothing.
"""

from __future__ import annotations

from calsync_plugin.errors import FeedError, SettingsError
from calsync_plugin.http.pinned import Rules
from calsync_plugin.http.places import place_of
from calsync_plugin.http.public import leads_inside
from calsync_plugin.wording import gettext as _

_TELLING = frozenset({"basic.ics", "calendar.ics", "reachcalendar.ics", "feed.ics", "events.ics"})
"""Ends that are the same for everybody; of another end only its kind is shown."""


def checked_address(text: str, *, rules: Rules | None = None) -> str:
    """An address as it is stored and called. Raises SettingsError, which does not repeat it.

    It may still lead nowhere: names are looked up when it is read.
    """
    typed = text.strip().strip("<>").strip()
    if not typed:
        raise SettingsError(_("Enter the calendar's iCalendar address."))
    if "://" not in typed and typed.partition("/")[0].count("."):
        typed = f"https://{typed}"
    loopback = (rules or Rules()).allow_loopback
    try:
        place = place_of(typed, any_port=loopback)
    except FeedError as error:
        why = error.args[0]
    else:
        if loopback or not leads_inside(place.host):
            return place.url
        why = _("it is not on the public internet")
    raise SettingsError(_("This address cannot be used: %(why)s.", why=why))


def shown(address: str) -> str:
    """Host and end of an address: `calendar.google.com/…/basic.ics`. What lies between gives access."""
    place = place_of(address, any_port=True)
    end = place.target.partition("?")[0].rpartition("/")[2].lower()
    if end in _TELLING:
        return f"{place.host}/…/{end}"
    return f"{place.host}/….ics" if end.endswith(".ics") else f"{place.host}/…"
