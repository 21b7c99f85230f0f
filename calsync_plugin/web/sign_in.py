"""`/sign-in` and `/sign-out`: visitors of the pages show their CRM login.

Decides where a visitor goes afterwards: only to a page of ours. Who may sign in and how often is
`accounts.signing_in`'s.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField, SubmitField

from calsync_plugin.accounts.signing_in import LONGEST, SigningIn
from calsync_plugin.errors import RemoteError, SecondFactorNeeded, SignInRefused
from calsync_plugin.state import Clock
from calsync_plugin.web.known_browsers import KnownBrowsers
from calsync_plugin.web.known_sentences import known as known_sentence
from calsync_plugin.web.visitors import enter, leave
from calsync_plugin.wording import gettext as _

Page = str | Response | tuple[str, int]


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name, password and, once the CRM asked for it, the code."""

    user_name = StringField(_("User name"), render_kw={"autocomplete": "username", "maxlength": LONGEST})
    password = PasswordField(
        _("Password"), render_kw={"autocomplete": "current-password", "maxlength": LONGEST}
    )
    code = StringField(
        _("Code of your second factor"),
        description=_("Only if the CRM asks you for one."),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 20},
    )
    submit = SubmitField(_("Sign in"))


def sign_in_pages(signing_in: SigningIn, clock: Clock, known: KnownBrowsers) -> Blueprint:
    """The pages of one bridge beside a CRM that knows passwords."""
    pages = Blueprint("sign_in", __name__)

    @pages.route("/sign-in", methods=["GET", "POST"])
    def form() -> Page:
        sent = SignInForm()
        onward = ours(request.args.get("next", ""))
        if not sent.validate_on_submit():
            return _shown(sent, "", status=400 if request.method == "POST" else 200)
        try:
            found = signing_in.sign_in(
                request.remote_addr or "",
                sent.user_name.data or "",
                sent.password.data or "",
                sent.code.data or "",
                known=known.user_name(request),
            )
        except SecondFactorNeeded as error:
            return _shown(sent, str(error), code=True, status=401)
        except SignInRefused as error:
            return _shown(sent, str(error), code=bool(sent.code.data), status=401)
        except RemoteError:
            return _shown(sent, _("The CRM does not answer now. Please try again in a minute."), status=503)
        enter(found, clock.now())
        return known.remember(redirect(onward, 303), found.user_name)

    @pages.post("/sign-out")
    def end() -> Page:
        leave(signing_in)
        return redirect(url_for("sign_in.form"), 303)

    return pages


def _shown(form: SignInForm, problem: str, *, code: bool = False, status: int = 200) -> Page:
    return render_template("sign_in.html", form=form, problem=known_sentence(problem), with_code=code), status


def ours(address: str) -> str:
    """The page to go to: a path of ours, never another site."""
    return address if _is_ours(address) else url_for("account.overview")


def _is_ours(address: str) -> bool:
    if not address.startswith("/") or address.startswith("//") or "\\" in address:
        return False
    try:
        # Browsers and this leave out tabs and line ends, so that two slashes can be hidden by one.
        parts = urlsplit(address)
    except ValueError:
        return False
    return not parts.netloc and not parts.scheme
