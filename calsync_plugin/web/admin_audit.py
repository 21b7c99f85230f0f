"""`/admin/audit` and `/admin/moved`: who changed what, and the question after a changed address (R22).

Decides how the log is paged. What is written into it is `accounts.auditing`'s, what *moved* and *copy* do is
`accounts.moved`'s.
"""

from __future__ import annotations

import re

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.moved import confirm_copy, confirm_moved
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import admin_only, visitor
from calsync_plugin.wording import gettext as _

PAGE = 50
LARGEST = 2**62
_NUMBER = re.compile(r"[0-9]{1,19}")
Page = str | Response | tuple[str, int]


def audit_pages(calsync: Calsync) -> Blueprint:
    """The audit log of one bridge."""
    pages = Blueprint("admin_audit", __name__)

    @pages.get("/admin/audit")
    @admin_only
    def entries() -> Page:
        before = request.args.get("before", "")
        start = int(before) if _NUMBER.fullmatch(before) and int(before) < LARGEST else None
        user_id = request.args.get("user", "")
        found = calsync.store.audit.entries(user_id=user_id, before=start, limit=PAGE + 1)
        more = found[PAGE - 1].id if len(found) > PAGE else None
        return render_template("admin/audit.html", entries=found[:PAGE], more=more, user_id=user_id)

    @pages.get("/admin/moved")
    @admin_only
    def moved() -> Page:
        paused = calsync.store.installation.get().paused
        if not paused:
            return redirect(url_for("admin_audit.entries"))
        return render_template("admin/moved.html", paused=paused)

    @pages.post("/admin/moved")
    @admin_only
    def answer() -> Page:
        who = Actor(visitor().user_id, visitor().name)
        settings = calsync.settings
        addresses = {"public_url": settings.serve.public_url, "crm_url": settings.crm.url}
        if request.form.get("answer") == "moved":
            confirm_moved(calsync.store, **addresses, by=who)
            tell(_("calsync goes on at its new address."), "success")
        elif request.form.get("answer") == "copy":
            confirm_copy(calsync.store, **addresses, by=who)
            tell(_("This copy is switched off for all users. It writes to no calendar."), "success")
        else:
            return redirect(url_for("admin_audit.moved"), 303)
        return redirect(url_for("admin_audit.entries"), 303)

    return pages
