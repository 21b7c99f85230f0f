"""What is said in English of a calendar or address that cannot be read, as messages to be translated.

Decides nothing. Each stands here as it is made in `engine`, `graph.schedules`, `feeds` and `http`; a test
holds this list to those rooms.
"""

from __future__ import annotations

from calsync_plugin.wording import gettext as _

MESSAGES = (
    # A calendar of the mailbox (`engine.busy_sources`, `engine.busy_reading`).
    _("this calendar was not found; it was removed, or is no longer shared with you"),
    _("this calendar cannot be read: %(problem)s"),
    # A colleague (`engine.schedule_reading`, `graph.schedules`).
    _("it can be asked for only while you are connected to Outlook"),
    _("Outlook does not answer; it is asked again"),
    _("Outlook did not tell when this person is free"),
    _("Outlook knows no mailbox of this address"),
    _("this calendar does not show you when its owner is free"),
    _("this calendar holds more entries than Outlook tells at once"),
    _("Outlook does not tell this account when others are free; personal accounts cannot ask"),
    _("Outlook could not tell (%(code)s)"),
    # An iCalendar address (`feeds`, `http`).
    _("%(host)s does not give the calendar without a sign-in"),
    _("%(host)s has no calendar at this address any more, or never had"),
    _("%(host)s answered with status %(status)s"),
    _("there is no calendar behind the address; it must be that of an .ics file"),
    _("the calendar has more than %(most)s events or dates"),
    _("the rules by which the events of the calendar recur take too long to work out"),
    _("%(host)s leads from one address to the next without an end"),
    _("%(host)s is not on the public internet and is not called"),
    _("%(host)s takes too long to answer"),
    _("the certificate of %(host)s is not trusted; check the address"),
    _("there is no server named %(host)s on the public internet; check the address"),
    _("%(host)s takes no connection"),
    _("the connection to %(host)s failed or broke off"),
    _("%(host)s leads from https to an address without it"),
    _("%(host)s sends more than %(most)s MB; that is too much for a calendar"),
    _("%(host)s sends something that cannot be unpacked"),
    _("the address must begin with https://, http:// or webcal://"),
    _("the address must not hold a user name or a password"),
    _("the address must not name a port other than 80 and 443"),
    _("the address is too long"),
    _("this is not an address"),
    _("the address names its server by a number that calsync does not accept"),
)
