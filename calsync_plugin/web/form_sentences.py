"""What the checks of a form say in English (`documents`, `settings`), as messages that can be translated.

Decides nothing. Each stands here as it is made there; `%(name)s` takes the place of what differs.
"""

from __future__ import annotations

from calsync_plugin.wording import gettext as _

MESSAGES = (
    _("is missing"),
    _("is empty"),
    _("is yes or no"),
    _("is a number"),
    _("is text"),
    _("is text; put it in quotes"),
    _("is a list"),
    _("this value is not accepted"),
    _("%(value)s is not accepted"),
    _("%(value)s is not accepted; did you mean %(other)s?"),
    _("text"),
    _("a whole number"),
    _("a number"),
    _("true or false"),
    _("a list"),
    _("a whole number from %(low)s to %(high)s"),
    _("one of %(words)s"),
    _("%(value)s is not synced (expected one of %(words)s)"),
    _("the same kind stands twice"),
    _("two kinds have the same label, so it tells nothing"),
    _("is no time zone that is known (expected a name such as Europe/Vienna)"),
    _("%(day)s is too far away (expected a day within %(years)s years)"),
)
