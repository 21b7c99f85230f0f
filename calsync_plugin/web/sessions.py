"""Sessions of the pages: the cookie holds a random token, the store holds the rest, encrypted.

Decides the cookie's attributes and how long a session lasts. A new token is made when somebody signs in, so
that a token which was known before is worth nothing afterwards. A browser of which nothing but the forms'
token is to be kept has that in its cookie, signed: whoever only looks fills no store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import CallbackDict

from calsync_plugin.state import Store, session_hash

COOKIE = "calsync_session"
LASTS = 12 * 3600.0
"""Seconds without a visit."""
LASTS_UNKNOWN = 3600.0
"""The same for a session without a sign-in here: the host's users have one."""
RENEWED = 600.0
"""A visit renews a session that was saved longer ago than this; not each request is a commit."""
SAVED_AT, USER, FORMS = "saved_at", "user_id", "csrf_token"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""As `token_urlsafe(32)` makes it; the store's room has rows of other kinds, with other names."""


class PageSession(CallbackDict[str, Any], SessionMixin):  # pyright: ignore[reportIncompatibleMethodOverride]
    """One browser's session. `token` is empty for a browser of which the store keeps nothing yet."""

    def __init__(self, values: Mapping[str, Any], token: str) -> None:
        super().__init__(values, on_update=lambda changed: setattr(changed, "modified", True))
        self.token = token
        self.stored = bool(token)
        self.former = ""
        self.owed = False
        self.modified = False

    @property
    def hash(self) -> str:
        """By what other rows name this session; it gets its token now if it has none."""
        if not self.token:
            self.token = token_urlsafe(32)
            self.modified = True
            self.setdefault(SAVED_AT, 0)
        return session_hash(self.token)

    def renew(self) -> None:
        """Begin anew, with a new token; the old one is forgotten at the end of the request.

        Whoever planted the old one knows its forms' token, too.
        """
        self.leave(owed=True)
        self.token = token_urlsafe(32)

    def leave(self, *, owed: bool = False) -> None:
        """End this session: nothing of it is kept, but for what is `owed`: the CRM has to end its token."""
        self.clear()
        self.owed = owed
        self.former, self.token, self.stored = self.former or self.token, "", False
        self.modified = True


class StoredSessions(SessionInterface):
    """Flask's sessions in our store."""

    def __init__(self, store: Store, *, secure: bool) -> None:
        """Keep sessions in `store`; `secure`: browsers send the cookie over https alone."""
        self._store = store
        self._secure = secure
        # A browser takes it from this host alone and by https, not from a neighbour in the same domain.
        self._cookie = f"__Host-{COOKIE}" if secure else COOKIE

    def open_session(self, app: Flask, request: Request) -> PageSession:
        """The session of the cookie, else an empty one."""
        sent = request.cookies.get(self._cookie, "")
        if not _TOKEN.fullmatch(sent):
            return PageSession(_signed(app, sent), "")
        found = self._store.sessions.load(sent)
        return PageSession({}, "") if found is None else PageSession(json.loads(found), sent)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what changed; a browser that never needed a session gets no cookie."""
        assert isinstance(session, PageSession)
        if session.former:
            self._store.sessions.end(session.former, owed=session.owed)
        if not session:
            if session.former:
                response.delete_cookie(self._cookie, secure=self._secure, httponly=True, samesite="Lax")
        elif set(session) == {FORMS}:
            if session.modified:
                self._send(response, _signer(app).dumps(session[FORMS]), None)
        elif session.modified or self._store.clock.now() - float(session.get(SAVED_AT, 0)) >= RENEWED:
            self._keep(session, response)

    def _keep(self, session: PageSession, response: Response) -> None:
        session.token = session.token or token_urlsafe(32)
        session[SAVED_AT] = self._store.clock.now()
        user_id = str(session.get(USER, ""))
        lasts = LASTS if user_id else LASTS_UNKNOWN
        text = json.dumps(dict(session))
        save = self._store.sessions.again if session.stored else self._store.sessions.save
        # What ended while this request was answered has ended.
        if save(session.token, text, user_id=user_id, seconds=lasts):
            self._send(response, session.token, int(lasts))

    def _send(self, response: Response, value: str, seconds: int | None) -> None:
        response.set_cookie(
            self._cookie, value, max_age=seconds, secure=self._secure, httponly=True, samesite="Lax"
        )
        response.vary.add("Cookie")


def _signer(app: Flask) -> URLSafeSerializer:
    assert app.secret_key is not None
    return URLSafeSerializer(app.secret_key, salt="forms")


def _signed(app: Flask, sent: str) -> dict[str, Any]:
    """The forms' token of a cookie that we signed."""
    try:
        return {FORMS: str(_signer(app).loads(sent))} if sent else {}
    except BadSignature:
        return {}
