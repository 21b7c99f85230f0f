"""How MSAL reaches the login service: our session, our time limits, our errors.

Decides what of an answer MSAL gets to judge; what is the network's or the service's trouble is raised here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from calsync_plugin.errors import Throttled, Unavailable
from calsync_plugin.graph.retries import retry_after
from calsync_plugin.http import Answer, Http

_ANSWERS = frozenset({200, 400, 401})
"""How a token endpoint answers (RFC 6749, sections 5.1 and 5.2)."""


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """An answer in the shape that MSAL reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Refuse what MSAL did not expect."""
        if self.status_code >= 400:
            raise Unavailable(f"the login service answered {self.status_code}", status=self.status_code)


class LoginTransport:
    """MSAL's http_client: our session, our errors. The authority's description is asked for once."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._known: dict[str, LoginAnswer] = {}

    def get(self, url: str, *, params: Mapping[str, str] | None = None, **kwargs: Any) -> LoginAnswer:
        """Fetch the description of an authority."""
        address = f"{url}?{urlencode(params)}" if params else url
        if address not in self._known:
            response = self._send("GET", address, None, kwargs.get("headers"))
            if response.status_code != 200:
                return response
            self._known[address] = response
        return self._known[address]

    def post(self, url: str, *, data: Mapping[str, str] | None = None, **kwargs: Any) -> LoginAnswer:
        """Ask for tokens. Unavailable for a refusal that is not the login service's own."""
        answer = self._send("POST", url, urlencode(data or {}).encode("ascii"), kwargs.get("headers"))
        if answer.status_code not in _ANSWERS:
            # Said by something on the way: taken for a refusal it would stop the account until a person
            # comes.
            raise Unavailable(f"the login service answered {answer.status_code}", status=answer.status_code)
        return answer

    def forget(self) -> None:
        """Ask anew next time."""
        self._known.clear()

    def close(self) -> None:
        """Nothing: the session belongs to all."""

    def _send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> LoginAnswer:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        sent = {**form, "Accept": "application/json", **(headers or {})}
        return _readable(self._http.send(method, url, headers=sent, body=body))


def _readable(answer: Answer) -> LoginAnswer:
    """Return an answer that MSAL can judge; what is the network's or the service's trouble is raised here."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status == 429 or answer.status >= 500:
        kind = Throttled if answer.status == 429 else Unavailable
        text = f"the login service answered {answer.status}"
        raise kind(text, retry_after=retry_after(headers), status=answer.status)
    answer.json()
    return LoginAnswer(answer.status, answer.body.decode("utf-8", "replace"), headers)
