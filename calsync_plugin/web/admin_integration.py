"""`/admin/integration`: the app registration at Microsoft, who may sign in, and the check that proves it all.

Decides what an administrator sees of it. What is saved, locked and checked lies in `accounts.integration` and
`accounts.integration_check`.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.integration import redirect_uri
from calsync_plugin.accounts.integration_check import admin_consent_url, check
from calsync_plugin.bundle import manifest
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SettingsError
from calsync_plugin.web.known_sentences import begun, known
from calsync_plugin.web.schema_fields import adds_or_takes_a_row
from calsync_plugin.web.schema_forms import SchemaForm, form_class
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import admin_only, visitor
from calsync_plugin.wording import gettext as _

SCHEMA = "integration"
SECRET = "client_secret"  # noqa: S105 - the name of a setting
Page = str | Response | tuple[str, int]


def integration_pages(calsync: Calsync) -> Blueprint:
    """The admin's pages about one bridge's integration."""
    pages = Blueprint("admin_integration", __name__)

    @pages.route("/admin/integration", methods=["GET"])
    @admin_only
    def form() -> Page:
        return _shown(calsync, _form_class(calsync).of(calsync.integration.form()))

    @pages.post("/admin/integration")
    @admin_only
    def save() -> Page:
        sent = _form_class(calsync)()
        if adds_or_takes_a_row():
            return _shown(calsync, sent)
        document = sent.document()
        if sent.problems({name: value for name, value in document.items() if value != ""}):
            return _shown(calsync, sent), 422
        return _saved(calsync, sent, document)

    @pages.route("/admin/integration/check", methods=["GET"])
    @admin_only
    def proof() -> Page:
        return render_template("admin/check.html", steps=list(check(calsync)))

    @pages.get("/admin/azure")
    @admin_only
    def azure() -> Page:
        return render_template(
            "admin/azure.html",
            redirect_uri=redirect_uri(calsync.settings),
            permissions=manifest().permissions,
        )

    return pages


def _form_class(calsync: Calsync) -> type[SchemaForm]:
    locked = {one.name: f"{begun(known(one.locked))}." for one in calsync.integration.shown() if one.locked}
    return form_class(SCHEMA, locked=locked)


def _saved(calsync: Calsync, sent: SchemaForm, document: dict[str, object]) -> Page:
    who = visitor()
    actor = Actor(who.user_id, who.name)
    try:
        changed: tuple[str, ...] = ()
        if document.get(SECRET) == "":
            changed += calsync.integration.remove_secret(by=actor)
        changed += calsync.integration.save(document, by=actor)  # type: ignore[arg-type]
    except SettingsError as error:
        sent.wrong.setdefault("", []).append(known(str(error)))
        return _shown(calsync, sent), 422
    tell(_("Saved, and in force.") if changed else _("Nothing was changed."), "success")
    return redirect(url_for("admin_integration.form"), 303)


def _shown(calsync: Calsync, form: SchemaForm) -> str:
    return render_template(
        "admin/integration.html",
        form=form,
        secret_is_set=any(one.is_secret and one.is_set for one in calsync.integration.shown()),
        redirect_uri=redirect_uri(calsync.settings),
        consent=admin_consent_url(calsync),
    )
