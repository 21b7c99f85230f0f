"""One look at a calendar behind an address: from the address to blocks.

Decides nothing of its own. Knows neither whose calendar it is nor when it is read again.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.domain.availability import Block, Interval
from calsync_plugin.feeds.expanding import Limits, expanded
from calsync_plugin.feeds.fetching import Unchanged, fetched
from calsync_plugin.http.pinned import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRead:
    """What a calendar says of a window, and by what its server knows this state of it again."""

    blocks: tuple[Block, ...]
    etag: str = ""
    last_modified: str = ""
    name: str = ""
    """What the calendar calls itself; may be empty."""
    left_out: int = 0
    """How many of its events make no sense and are not among the blocks."""


def read_feed(
    address: str,
    *,
    window: Interval,
    zone: str,
    etag: str = "",
    last_modified: str = "",
    rules: Rules | None = None,
    limits: Limits | None = None,
) -> FeedRead | Unchanged:
    """The blocks of the calendar behind an address, all of them within `window` (epoch seconds).

    `zone` (IANA) is the owner's: of whole days, and of times that name no zone. Pass `etag` and
    `last_modified` only if the blocks that were read with them cover the window, in the same zone: in another
    window a series has other dates, although the file is unchanged. Raises FeedError.
    """
    found = fetched(address, etag=etag, last_modified=last_modified, rules=rules)
    if isinstance(found, Unchanged):
        return found
    result = expanded(found.body, window, zone, limits=limits)
    return FeedRead(
        blocks=result.blocks,
        etag=found.etag,
        last_modified=found.last_modified,
        name=result.name,
        left_out=result.left_out,
    )
