"""Who visits a page: somebody who signed in here, or whom the host knows (`calsync_authenticate`).

Decides who may see a page at all: anybody who is signed in, or administrators only. Which account a page is
about never comes from the address on a user's pages; it is the visitor's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, Request, abort, g, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_required, login_user, logout_user
from werkzeug.wrappers import Response

from calsync_plugin.accounts.signing_in import (
    ASKED_AGAIN,
    BELIEVED,
    BELIEVED_ADMIN,
    BELIEVED_UNASKED,
    SigningIn,
)
from calsync_plugin.accounts.signing_out import WHO
from calsync_plugin.crm.sign_in import SignedIn
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.hookspecs import Caller
from calsync_plugin.web.sessions import USER, PageSession
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
ASKED_AT, TRIED_AT = "asked_at", "tried_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A user of the CRM in front of a page.

    `time_zone` (IANA) and `language` (such as de_DE) are the CRM's word: the user's preference, else the
    installation's. Both may be empty.
    """

    user_id: str
    name: str
    admin: bool = False
    time_zone: str = ""
    language: str = ""
    signed_in_here: bool = False
    """Whether there is a session of ours to sign out of."""

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """By what the session names the visitor."""
        return self.user_id


def set_up_visitors(app: Flask, calsync: Calsync, signing_in: SigningIn | None) -> None:
    """Let pages of `app` know their visitors; without `signing_in` the host alone tells who they are."""
    manager = LoginManager(app)
    # The session's cookie is of this bridge alone, and behind some proxies a visitor's address changes.
    manager.session_protection = ""

    def of_session(user_id: str) -> Visitor | None:
        return _of_session(user_id, signing_in, calsync.clock.now()) if signing_in else None

    def of_host(sent: Request) -> Visitor | None:
        return _of_host(sent, calsync.plugins.hook)

    def sign_in_first() -> Response:
        if signing_in is None:
            abort(401, _("Open this page from your CRM, where you are signed in."))
        if g.get("crm_is_away"):
            abort(503, _("The CRM does not answer, so nobody can be let in. Please try again in a minute."))
        here = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("sign_in.form", next=here or None))

    manager.user_loader(of_session)
    manager.request_loader(of_host)
    manager.unauthorized_handler(sign_in_first)


def enter(found: SignedIn, now: float) -> None:
    """Begin a session for somebody whom the CRM accepted."""
    cast(PageSession, session).renew()
    _keep(found, now)
    login_user(_visitor(session[WHO]))


def leave(signing_in: SigningIn) -> None:
    """End the session here and at the CRM."""
    known = session.get(WHO) or {}
    logout_user()
    took = not known.get("token") or signing_in.sign_out(known["user_name"], known["token"])
    cast(PageSession, session).leave(owed=not took)


def visitor() -> Visitor:
    """Who is in front of this page; only on guarded pages."""
    return cast(Visitor, current_user._get_current_object())


def signed_in(page: Callable[P, R]) -> Callable[P, R]:
    """Guard a page: any user of the CRM who is signed in."""
    return cast(Callable[P, R], login_required(page))


def admin_only(page: Callable[P, R]) -> Callable[P, R]:
    """Guard a page: signed in, and an administrator of the CRM."""

    @wraps(page)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not visitor().admin:
            abort(403, _("Only an administrator of the CRM may open this page."))
        return page(*args, **kwargs)

    return signed_in(guarded)


def _of_session(user_id: str, signing_in: SigningIn, now: float) -> Visitor | None:
    known = session.get(WHO)
    if not isinstance(known, dict) or known.get("user_id") != user_id:
        return None
    unasked = now - float(session.get(ASKED_AT, 0))
    if unasked <= (BELIEVED_ADMIN if known["admin"] else BELIEVED):
        return _visitor(known)
    if now - float(session.get(TRIED_AT, 0)) > ASKED_AGAIN:
        try:
            return _asked_again(known, signing_in, now)
        except RemoteError as error:
            log.info("the CRM cannot be asked whether a session goes on: %s", error)
            session[TRIED_AT] = now
    g.crm_is_away = unasked > BELIEVED_UNASKED
    return None if g.crm_is_away else _visitor(known)


def _asked_again(known: dict[str, Any], signing_in: SigningIn, now: float) -> Visitor | None:
    """Who the session's token stands for now; its end if that is nobody. Raises a RemoteError."""
    # Without a token nobody can be asked, and nobody is believed for ever.
    found = signing_in.still_in(known["user_name"], known["token"]) if known["token"] else None
    if found is None or found.user_id != known["user_id"]:
        cast(PageSession, session).leave()
        return None
    session.pop(TRIED_AT, None)
    _keep(found, now, token=known["token"])
    return _visitor(session[WHO])


def _keep(found: SignedIn, now: float, *, token: str = "") -> None:
    session[USER] = found.user_id
    session[ASKED_AT] = now
    session[WHO] = {
        "user_id": found.user_id,
        "user_name": found.user_name,
        "name": found.name,
        "admin": found.admin,
        "time_zone": found.time_zone,
        "language": found.language,
        "token": token or found.token,
    }


def _visitor(known: dict[str, Any]) -> Visitor:
    said = {name: str(known.get(name, "")) for name in ("time_zone", "language")}
    return Visitor(
        user_id=known["user_id"], name=known["name"], admin=known["admin"], signed_in_here=True, **said
    )


def _of_host(sent: Request, hook: Any) -> Visitor | None:
    try:
        answer = hook.calsync_authenticate(request=sent)
    except Exception:
        # A plugin that fails knows nobody.
        log.exception("a plugin's calsync_authenticate failed")
        return None
    if isinstance(answer, str):
        answer = Caller(user_id=answer)
    if not isinstance(answer, Caller) or not answer.user_id:
        return None
    name = answer.name or answer.user_id
    return Visitor(
        user_id=answer.user_id,
        name=name,
        admin=answer.admin,
        time_zone=answer.zone,
        language=answer.language,
    )
