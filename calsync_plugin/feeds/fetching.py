"""What lies behind an address now, or that it is still what was read before.

Decides what the statuses of servers mean for somebody who reads a calendar. Does not look into it.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.errors import FeedError
from calsync_plugin.http import Answer
from calsync_plugin.http.pinned import Rules, get
from calsync_plugin.http.places import place_of
from calsync_plugin.wording import gettext as _

_LONGEST_MARK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file, and by what its server knows this state of it again."""

    body: bytes
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """It is what was read before."""


def fetched(
    address: str, *, etag: str = "", last_modified: str = "", rules: Rules | None = None
) -> Fetched | Unchanged:
    """Get a file; `etag` and `last_modified` are those of the state that is known. Raises FeedError."""
    headers = {"Accept": "text/calendar, */*;q=0.5"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    answer = get(address, headers=headers, rules=rules)
    if answer.status == 304 and (etag or last_modified):
        return Unchanged()
    if answer.status != 200:
        raise _refusal(answer.status, place_of(address, any_port=True).host)
    return Fetched(body=answer.body, etag=_mark(answer, "etag"), last_modified=_mark(answer, "last-modified"))


def _mark(answer: Answer, name: str) -> str:
    """A header that is sent back later; one that is no plain text is not kept."""
    mark = answer.headers.get(name, "").strip()
    return mark if mark.isascii() and mark.isprintable() and len(mark) <= _LONGEST_MARK else ""


def _refusal(status: int, host: str) -> FeedError:
    if status in (401, 402, 403, 407):
        words = _("%(host)s does not give the calendar without a sign-in", host=host)
        return FeedError(words, reason="needs_login")
    if status in (404, 410):
        words = _("%(host)s has no calendar at this address any more, or never had", host=host)
        return FeedError(words, reason="not_found")
    return FeedError(
        _("%(host)s answered with status %(status)s", host=host, status=status), reason="unreachable"
    )
