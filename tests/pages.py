"""A browser without a screen: the pages of one world, by HTTP alone, as one visitor sees them.

It keeps the cookie, sends the forms' token, and speaks as the person whose name it was given.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client, TestResponse

from calsync_plugin.web.app import create_app
from tests.world import World

_TICKET = re.compile(r'name="ticket" value="([^"]+)"')
_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


class Browser:
    """One visitor in front of the pages of `world`."""

    def __init__(self, world: World, app: Any = None) -> None:
        self.world = world
        self.client = Client(app or create_app(world.app))
        self.token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page, and whatever it leads to."""
        return self._seen(self.client.get(path, follow_redirects=True, **more))

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form of the page that was seen last."""
        if not self.token:
            self.get("/sign-in")
        sent = {"csrf_token": self.token, **(data or {})}
        return self._seen(self.client.post(path, data=sent, follow_redirects=True, **more))

    def sign_in(self, name: str, password: str = "sandbox") -> TestResponse:
        """Sign in with a CRM login."""
        self.get("/sign-in")
        return self.post("/sign-in", {"user_name": name, "password": password, "code": ""})

    def connect(self, address: str = "", *, answer: str = "yes") -> TestResponse:
        """Press Connect, sign in at Microsoft without a click, and answer whether to use that account."""
        return self.answer(self.come_back(address), answer)

    def come_back(self, address: str = "", **said: str) -> TestResponse:
        """Press Connect, sign in at Microsoft without a click, and come back with what it answered.

        `said` is put in place of what Microsoft says.
        """
        brought = {**self.world.signed_in(self.login(address)), **said}
        return self._seen(self.client.post("/oauth/callback", data=brought, follow_redirects=True))

    def login(self, address: str = "") -> str:
        """Press Connect; returns the address at Microsoft, with the account chosen and no click needed."""
        page = self.post("/external-account/connect")
        found = re.search(r'href="([^"]*/oauth2/v2.0/authorize[^"]*)"', page.text)
        assert found, page.text
        login = unescape(found[1]).replace("prompt=select_account", "prompt=none")
        login = re.sub(r"&login_hint=[^&]*", "", login)
        return f"{login}&login_hint={address}" if address else login

    def answer(self, question: TestResponse, answer: str = "yes") -> TestResponse:
        """Answer the question whether to use an account."""
        found = _TICKET.search(question.text)
        assert found, question.text
        return self.post("/oauth/answer", {"ticket": found[1], "answer": answer})

    def fields(self, path: str) -> dict[str, Any]:
        """Open a page; what its first form would send as it is shown, several values as a list."""
        form = _Form()
        form.feed(self.get(path).text)
        return form.values

    def _seen(self, answer: TestResponse) -> TestResponse:
        found = _TOKEN.search(answer.text) if answer.mimetype == "text/html" else None
        self.token = found[1] if found else self.token
        return answer


class _Form(HTMLParser):
    """Reads the fields of the first form within <main> as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self._main = self._inside = self._over = False
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A field begins."""
        got = dict(attrs)
        name = got.get("name") or ""
        self._main = self._main or tag == "main"
        self._inside = self._inside or (tag == "form" and self._main and not self._over)
        if not self._inside or "disabled" in got:
            return
        kind = got.get("type", "text")
        if tag == "input" and name and (kind not in {"checkbox", "radio"} or "checked" in got):
            self._add(name, got.get("value") or ("" if kind not in {"checkbox", "radio"} else "y"))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in got or self._select not in self.values):
            self.values[self._select] = got.get("value") or ""
        elif tag == "textarea":
            self._area = name

    def handle_data(self, data: str) -> None:
        """The text of a field of several lines."""
        if self._area:
            self.values[self._area] = data

    def handle_endtag(self, tag: str) -> None:
        """A field ends, or the form."""
        if tag in {"select", "textarea"}:
            self._select = self._area = ""
        if tag == "form" and self._inside:
            self._inside, self._over = False, True

    def _add(self, name: str, value: str) -> None:
        known = self.values.get(name)
        self.values[name] = (
            value if known is None else [*(known if isinstance(known, list) else [known]), value]
        )


def path_of(answer: TestResponse) -> str:
    """Where a visitor ended up."""
    return urlsplit(answer.request.url).path
