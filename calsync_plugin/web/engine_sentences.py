"""What engine, rules and both sides say in English of meetings and accounts, as messages to be translated.

Decides nothing. Each stands here as it is made there; `%(name)s` takes the place of what differs. A test
holds the reasons and refusals of the sources to this.
"""

from __future__ import annotations

from calsync_plugin.wording import gettext as _

MESSAGES = (
    # Why a meeting is no longer followed, or on hold (`domain.removal`, `domain.planner`, `accounts`).
    _("the record was removed; events born in Outlook stay"),
    _("the event was removed in Outlook; records born in the CRM stay"),
    _("the record was removed while its event was edited in Outlook"),
    _("the event was removed in Outlook while its record was edited"),
    _("the event was removed in Outlook while its record was reassigned"),
    _("the event was removed in Outlook as soon as it was created"),
    _("the record of a past meeting was removed; deleting it would mail its attendees"),
    _("the record of somebody else's meeting was removed"),
    _("an attendee removed the event from the own calendar; the meeting may go on"),
    _("the record was removed; this account only takes changes from Outlook"),
    _("the event was removed in Outlook; this account only gives to Outlook"),
    _("the record was reassigned; this account only takes changes from Outlook"),
    _("the record was removed; what its event looked like before is not known"),
    _("the event was removed in Outlook; what its record looked like before is not known"),
    _("the organizer called the meeting off"),
    _("restored by a person"),
    _("a held change was discarded"),
    _("the CRM no longer shows us this record"),
    _("the event is out of our reach"),
    _("this kind of record is not synced"),
    _("its calendar is no longer chosen"),
    _("its calendar cannot be read any more"),
    _("another Outlook mailbox was connected"),
    # How an account is, and why (`accounts`, `engine`).
    _("Outlook was disconnected"),
    _("not connected to Outlook"),
    _("not allowed by an administrator"),
    _("not allowed by an administrator; it was paused before"),
    _("not allowed by an administrator; it was paused before: %(reason)s"),
    _("the user is no longer active in the CRM"),
    _("connected; syncing begins when the settings are saved"),
    _("paused"),
    _("paused by an administrator"),
    _("switched off by its user"),
    _("the chosen main calendar was not found; choose another one"),
    _("the main calendar cannot be read: %(problem)s"),
    _("the stored settings cannot be read: %(problem)s"),
    _("Microsoft wants the user to log in again (%(number)s)"),
    _("Outlook was connected through another app registration"),
    _("there is no Outlook login of this user"),
    _("calsync has no public address to which Microsoft could send notifications (serve.public_url)"),
    _("Microsoft sends notifications to https addresses only, not to %(address)s"),
    _("another installation with the same app registration is notified of this mailbox"),
    _("Microsoft does not allow notifications for this mailbox"),
    # What happened lately (`engine.record_writes`, `engine.event_answers`, `accounts`).
    _("the record was removed in the CRM"),
    _("the event was removed in Outlook"),
    _("the record was reassigned"),
    _("the record was assigned to a user who does not sync"),
    _("removed on both sides"),
    _("the event was created"),
    _("the event was deleted: %(reason)s"),
    _("the event was removed before its record was created"),
    _("the event was called off or made private before its record was created"),
    _("the former event is left behind in the calendar of %(where)s, which is off"),
    _("the invitation was answered in Outlook: %(answer)s"),
    _("no contact was created for %(address)s: %(problem)s"),
    _("the organizer took its user off the meeting; it goes on with a colleague"),
    _("differs in both places since the settings were changed, and stays so: %(names)s"),
    _("the calendar of the user who is named as its organizer does not hold it"),
    _("organised by %(who)s, not sent"),
    _("syncing is not allowed by an administrator any more"),
    _("syncing is allowed again by an administrator"),
    _("the account was reset: %(number)s links are compared"),
    _("the back-fill was confirmed; records: %(records)s, people Outlook may write to: %(people)s"),
    _("the direction was changed from %(old)s to %(new)s; nothing is written for it"),
    _("%(what)s was restored; it is not followed"),
    # Why an item is parked (`domain.timespan`, `crm`, `graph`, `engine.flooding`).
    _("it has no start (%(field)s); enter one"),
    _("it has no end (%(field)s); enter one"),
    _("it has no assigned user, so that it belongs to no calendar"),
    _("it is marked as deleted"),
    _("the end lies before the start; correct one of them"),
    _("the last day lies before the first; correct one of them"),
    _("a date lies at the edge of the calendar; correct it"),
    _("its date is out of range"),
    _("%(field)s cannot be read as a date: %(value)s"),
    _("it has no readable start or end"),
    _("a time without a zone is ambiguous; give it an offset"),
    _("the time zone %(zone)s is unknown"),
    _("an all-day event cannot become a record of this entity, which has times only"),
    _("more than %(number)s invitations came within 24 hours; a later look takes it in: %(command)s"),
    _("the CRM finds the record too large"),
    _("the CRM has one like it already"),
    _("the CRM refuses it: %(problem)s"),
    _("no reason given"),
    _("the CRM: %(field)s is missing"),
    _("the CRM: %(field)s is too long"),
    _("the CRM: %(field)s has a value that it cannot take"),
    _("the CRM: %(field)s has characters that it cannot take"),
    _("Outlook answered %(answer)s; correct the item"),
    # Refusals that are read on a page (`accounts`, `graph`, `crm.sign_in`).
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
    # What the web server itself says.
    _(
        "The requested URL was not found on the server. If you entered the URL manually please check your "
        "spelling and try again."
    ),
    _("The method is not allowed for the requested URL."),
)
