"""`/external-account/detached`: meetings that are no longer followed, with *push again* and *import again*.

Decides which are offered: those of the visitor's own calendar alone, whatever a form names.
"""

from __future__ import annotations

from itertools import islice

from flask import Blueprint, abort, redirect, request, url_for

from calsync_plugin.accounts.follow_again import Way, detached, follow, ways
from calsync_plugin.accounts.naming import name_of, record_names
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.known_sentences import begun
from calsync_plugin.web.speaking import say, tell
from calsync_plugin.wording import gettext as _

FIRST = 50
BUTTONS = {
    Way.COMPARE: _("Follow again"),
    Way.PUSH: _("Push again"),
    Way.IMPORT: _("Import again"),
    Way.FORGET: _("Forget it"),
    Way.UNKNOWN: _("Follow again"),
}
MEANINGS = {
    Way.COMPARE: _("It is in both places. They are compared, and changes are followed again."),
    Way.PUSH: _(
        "It is only in the CRM. A new meeting is put into Outlook, and its people are invited again."
    ),
    Way.IMPORT: _("It is only in Outlook. A new record is made in the CRM."),
    Way.FORGET: _("Nothing is left of it in either place."),
    Way.NONE: _(
        "It is somebody else's meeting and gone from your calendar. Only its organizer can invite you again."
    ),
    Way.UNKNOWN: _("The CRM or Outlook does not tell now what is left of it."),
}


def detached_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.route("/external-account/detached", methods=["GET", "POST"], endpoint="detached")
    @connected(calsync)
    def page(account: Account) -> Page:
        if request.method == "POST":
            return _follow(calsync, account)
        links = list(islice(detached(calsync.store, account), FIRST + 1))
        known = {link.id: name_of(link) for link in links}
        unnamed = [(link.entity_type, link.record_id) for link in links if not known[link.id]]
        names = record_names(calsync.gateway, account, unnamed)
        return framed(
            account,
            "detached.html",
            links=links[:FIRST],
            more=len(links) > FIRST,
            names={li.id: known[li.id] or names.get((li.entity_type, li.record_id), "") for li in links},
            ways=ways(calsync.gateway, calsync.open_mailbox, account, links[:FIRST]),
            buttons=BUTTONS,
            meanings=MEANINGS,
        )


def _follow(calsync: Calsync, account: Account) -> Page:
    wanted = request.form.get("link", "")
    link = next((one for one in detached(calsync.store, account) if one.id == wanted), None)
    if link is None:
        abort(404, _("This meeting is not among those that are no longer followed in your calendar."))
    text = follow(calsync.store, calsync.gateway, calsync.open_mailbox, account, link, by=actor())
    tell(f"{begun(say(text))}.", "success")
    return redirect(url_for("account.detached"), 303)
