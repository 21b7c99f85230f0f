"""Refusals that are read on a page, in the English in which they are raised, as messages to be translated.

Decides nothing. Each stands here as it is made in `accounts`, `graph` and `crm.sign_in`, or by the web
server; `%(name)s` takes the place of what differs. A test holds the refusals of the sources to this.
"""

from __future__ import annotations

from calsync_plugin.wording import gettext as _

MESSAGES = (
    _("The user name or the password is not right."),
    _("The user name, the password or the code is not right."),
    _("This login belongs to a portal or to a program; sign in as a user of the CRM."),
    _("The CRM asks for the code of your second factor. Enter it with your password."),
    _("Too many sign-ins failed. Please wait some minutes."),
    _("Too many sign-ins from here failed. Please wait 15 minutes."),
    _("Too many sign-ins failed. Please wait a minute."),
    _("this login was not begun here or was answered before; connect again"),
    _("Microsoft did not say which account this is; use a work or school account"),
    _("the login was declined (%(number)s); accept it, or ask an administrator"),
    _("Microsoft refused the login (%(number)s); connect again"),
    _(
        "Outlook is not set up yet: the application (client) ID is missing. "
        "An administrator enters it on the admin page or in the configuration."
    ),
    _(
        "Another user has connected this Outlook mailbox. "
        "Share its calendar with your own Outlook account, and connect that one."
    ),
    _("Outlook is switched off by an administrator at present; nothing is lost."),
    _(
        "This login was begun in another browser or by another user. Please connect again from your own "
        "account page."
    ),
    _("This question is answered already or took too long. Please connect again."),
    _("This question was asked in another browser. Please connect again."),
    _("Outlook does not answer now. Please connect again in a minute."),
    _(
        "%(address)s has no mailbox in Exchange Online, so there is no calendar to keep in step. Either the "
        "account has no Exchange licence, or its mailbox is on a server of your own company. Choose another "
        "account, or ask your administrator for a licence."
    ),
    _(
        "Microsoft does not let calsync open the calendar of %(address)s. Ask your administrator to allow "
        "the app (admin consent), then connect again."
    ),
    _(
        "%(address)s is a personal Microsoft account. Here only accounts of a company or school can be "
        "connected; choose the one with which you work."
    ),
    _(
        "%(address)s belongs to an organization whose accounts are not allowed here. Please connect the "
        "account of your own company, or ask an administrator to allow this one."
    ),
    _(
        "%(address)s is not an address of a domain that is allowed here (%(domains)s). Please connect your "
        "company's address, or ask an administrator to allow this one."
    ),
    _("An administrator paused your calendar; only an administrator can go on with it."),
    _("user %(user)s has no account; connect it first"),
    _("user %(user)s is not connected to Outlook; connect it first"),
    _("user %(user)s is not connected to Outlook; there is nothing to pause"),
    _("user %(user)s is not connected to Outlook; only the user can connect"),
    _("user %(user)s has to sign in at Microsoft again; resume cannot do that"),
    _(
        "Outlook was not read to its end yet, so that what is in both places could appear twice; "
        "try again later"
    ),
    _("%(what)s is %(state)s, not detached; there is nothing to end"),
    _("the event of %(what)s lies in the calendar of another account"),
    _(
        "%(what)s is somebody else's meeting, and its event was removed here; only its organizer can invite "
        "again"
    ),
    _("whether %(what)s is still there cannot be told now: %(problem)s"),
    _("%(what)s is no kind of record that is synced here"),
    _("there is no grant %(grant)s; there are %(grants)s"),
    _("the CRM knows no %(kind)s %(id)s"),
    _("the CRM names no %(kind)s %(name)s; %(problem)s"),
    _("the CRM's user %(user)s sees only roles that somebody has: only administrators can read roles"),
    _("no connection to %(address)s; the request was not sent"),
    # What the web server itself says.
    _(
        "The requested URL was not found on the server. If you entered the URL manually please check your "
        "spelling and try again."
    ),
    _("The method is not allowed for the requested URL."),
    # Of addresses that make a user busy (`state.feeds`).
    _("it is among your calendars already"),
    _("you have %(number)s addresses already; remove one first"),
)
