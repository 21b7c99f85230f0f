"""The bridge's Flask application: puts the addresses together.

Decides which blueprints there are and what protects them. What an address does lies in its blueprint, what
all answers have in common in `answers`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from calsync_plugin.accounts import crm_users
from calsync_plugin.accounts.signing_in import SigningIn, Told
from calsync_plugin.crm.sign_in import EspoSignIn
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.web.account import account_pages
from calsync_plugin.web.admin_accounts import accounts_pages
from calsync_plugin.web.admin_audit import audit_pages
from calsync_plugin.web.admin_booking import booking_setup_pages
from calsync_plugin.web.admin_features import feature_pages
from calsync_plugin.web.admin_grants import grant_pages
from calsync_plugin.web.admin_integration import integration_pages
from calsync_plugin.web.admin_overview import overview_pages
from calsync_plugin.web.answers import set_up_answers
from calsync_plugin.web.api import api
from calsync_plugin.web.booking_pages import booking_pages
from calsync_plugin.web.crm_webhooks import crm_webhooks
from calsync_plugin.web.health import health
from calsync_plugin.web.known_browsers import KnownBrowsers
from calsync_plugin.web.language_choice import language_pages
from calsync_plugin.web.login import login_pages
from calsync_plugin.web.metrics import metrics
from calsync_plugin.web.outlook_webhooks import outlook_webhooks
from calsync_plugin.web.sessions import StoredSessions
from calsync_plugin.web.showing import set_up_showing
from calsync_plugin.web.sign_in import sign_in_pages
from calsync_plugin.web.speaking import set_up_speaking
from calsync_plugin.web.visitors import set_up_visitors
from calsync_plugin.web.week import week_pages

MAX_BODY = 1024 * 1024
"""EspoCRM sends 50 records at most in one delivery; more than this is not EspoCRM."""


def create_app(calsync: Calsync) -> Flask:
    """The web application of one bridge."""
    app = Flask(__name__)
    # A redirect from `//page` to `/page` would name the host that the asker made up.
    app.url_map.merge_slashes = False
    settings = calsync.settings
    secure = settings.serve.public_url.startswith("https:")
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        SECRET_KEY=calsync.store.secret_for("pages"),
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,
        # The Referer is not checked: pages send none, and the token stands for the session.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.session_interface = StoredSessions(calsync.store, secure=secure)
    Bootstrap5(app)
    guard: Any = CSRFProtect(app)
    webhooks = (crm_webhooks(calsync), outlook_webhooks(calsync))
    for programs in (*webhooks, health(calsync), metrics(calsync), api(calsync)):
        guard.exempt(programs)
        app.register_blueprint(programs)
    signing_in = _signing_in(calsync)
    set_up_visitors(app, calsync, signing_in)
    set_up_speaking(app)
    set_up_showing(app, calsync)
    set_up_answers(app, secure=secure)
    if signing_in is not None:
        app.register_blueprint(sign_in_pages(signing_in, calsync.clock, KnownBrowsers(app, secure=secure)))
    app.register_blueprint(language_pages(secure=secure))
    login = login_pages(calsync)
    # Microsoft sends its answer from its own page; the login's state stands for it.
    guard.exempt(f"{login.import_name}.callback")
    app.register_blueprint(login)
    of_users = (account_pages, week_pages)
    of_administrators = (overview_pages, accounts_pages, grant_pages, integration_pages, audit_pages)
    for_bookings = (booking_pages, booking_setup_pages, feature_pages)
    for pages in (*of_users, *of_administrators, *for_bookings):
        app.register_blueprint(pages(calsync))
    return app


def _signing_in(calsync: Calsync) -> SigningIn | None:
    """The sign-in of the CRM beside which we run; a host in whose process we are knows its users itself."""
    if not calsync.settings.crm.url:
        return None
    service = EspoSignIn(calsync.settings.crm, calsync.http, calsync.crm_gate)
    told: Told = partial(crm_users.keep, calsync, service)
    return SigningIn(service, calsync.clock.now, told)
