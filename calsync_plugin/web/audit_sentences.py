"""What the audit log says that somebody did, in English, as messages to be translated.

Decides nothing. Each stands here as it is written in `accounts`; `%(name)s` takes the place of what differs.
Which settings were changed, and from what, stays as it was written down.
"""

from __future__ import annotations

from calsync_plugin.wording import gettext as _

MESSAGES = (
    _("connected Outlook"),
    _("disconnected Outlook"),
    _("paused the account"),
    _("resumed the account"),
    _("had the calendars read again"),
    _("changed settings: %(changes)s"),
    _("confirmed held changes: %(number)s"),
    _("discarded held changes: %(number)s"),
    _("restored %(done)s of %(all)s deleted items"),
    _("gave %(grants)s to %(whom)s"),
    _("took %(grants)s from %(whom)s"),
    _("said that the installation moved, and let it go on"),
    _("said that it is a copy; all accounts were switched off"),
    _("said that a backup was put back"),
    _("added a calendar address"),
    _("removed a calendar address"),
    _("added a colleague's free and busy times"),
    _("removed a colleague's free and busy times"),
    _("added the booking calendar"),
    _("added the booking calendar; its members are %(members)s"),
    _("changed the booking calendar"),
    _("changed the booking calendar; its members are %(members)s"),
    _("removed the booking calendar"),
    _("switched off conflict calendars"),
    _("switched off calendar addresses"),
    _("switched off free and busy times"),
    _("switched off bookings"),
    _("switched on conflict calendars again"),
    _("switched on calendar addresses again"),
    _("switched on free and busy times again"),
    _("switched on bookings again"),
    _("everybody"),
    _("the team %(name)s"),
    _("the role %(name)s"),
    _("installation"),
    _("integration"),
    _("the public address was %(before)s and is %(now)s: say whether calsync moved or this is a copy"),
    _("the CRM's address was %(before)s and is %(now)s: say whether calsync moved or this is a copy"),
    _("set by the environment variable %(variable)s; change it there"),
    _("set in the configuration file as %(path)s; change it there"),
)
