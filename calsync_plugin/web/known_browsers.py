"""Browsers in which somebody has signed in before: a signed cookie says as whom.

Decides how long a browser is known. It opens no page: it only spares its user the limit that strangers use up
(`accounts.signing_in`). Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

from __future__ import annotations

from flask import Flask, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

COOKIE = "calsync_known"
LASTS = 90 * 86_400
"""Seconds since the last sign-in."""


class KnownBrowsers:
    """The cookies of one bridge."""

    def __init__(self, app: Flask, *, secure: bool) -> None:
        """Sign with the key of `app`; `secure`: browsers send the cookie over https alone."""
        assert app.secret_key is not None
        self._signer = URLSafeTimedSerializer(app.secret_key, salt="known-browser")
        self._secure = secure
        self._cookie = f"__Host-{COOKIE}" if secure else COOKIE

    def user_name(self, sent: Request) -> str:
        """As whom somebody signed in last in this browser; "" for nobody."""
        try:
            return str(self._signer.loads(sent.cookies.get(self._cookie, ""), max_age=LASTS))
        except BadSignature:
            return ""

    def remember(self, answer: Response, user_name: str) -> Response:
        """Let the browser be known as that user's from now on."""
        answer.set_cookie(
            self._cookie,
            self._signer.dumps(user_name),
            max_age=LASTS,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer
