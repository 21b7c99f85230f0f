"""Where the reading of each calendar stands: which cursors there are, which are made anew, and their pages.

Decides what is read next, and that an expired cursor means reading everything again and comparing (R17). What
a page's events mean is `arrivals`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from calsync_plugin.domain.window import Window, parts
from calsync_plugin.errors import CursorExpired, Refused
from calsync_plugin.graph.calendar import calendar_view_delta, follow
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.delta import DeltaPage, read_page
from calsync_plugin.state import Cursor, CursorStage, Store

QUERY_VERSION = 1
"""Of the request that cursors are made with; another one makes all of them anew."""
PAGE = 200
"""Events asked for at once."""
_IN_USE = {CursorStage.BUILDING: CursorStage.LIVE, CursorStage.BUSY_BUILDING: CursorStage.BUSY}
_ANEW = {in_use: building for building, in_use in _IN_USE.items()}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of one cursor, and where the cursor stands once the page is dealt with."""

    cursor: Cursor
    delta: DeltaPage
    first: bool
    """A full round begins with it."""
    expired: bool = False
    """The cursor in use was no longer good: everything is read again."""

    @property
    def full(self) -> bool:
        """Whether it belongs to a full round: everything is told, not only what changed."""
        return self.cursor.stage in _IN_USE

    @property
    def ends(self) -> bool:
        """Whether its round ends with it."""
        return bool(self.delta.delta_link)


class Reading:
    """The cursors of one mailbox, those for records or those for busy times alone."""

    def __init__(
        self,
        store: Store,
        client: MailboxClient,
        mailbox_id: int,
        in_use: CursorStage = CursorStage.LIVE,
    ) -> None:
        """Keep what is needed; nothing is read. `in_use`: the stage of those that are not being built."""
        self._store = store
        self._client = client
        self._mailbox_id = mailbox_id
        self._in_use, self._building = in_use, _ANEW[in_use]

    def wanted(self, calendar_ids: Collection[str], window: Window) -> list[Cursor]:
        """The cursors to read, those of changes before those of full rounds.

        A calendar without a cursor, or whose window moved, is read in full beside the cursor in use.
        """
        present = {
            (c.calendar_id, c.part, c.stage): c
            for c in self._store.cursors.for_mailbox(self._mailbox_id)
            if c.query_version == QUERY_VERSION
        }
        live: list[Cursor] = []
        building: list[Cursor] = []
        for calendar_id in calendar_ids:
            for number, part in enumerate(parts(window)):
                in_use = present.get((calendar_id, number, self._in_use))
                if in_use and (in_use.window_start, in_use.window_end) == (part.start, part.end):
                    live.append(in_use)
                    continue
                # One that reaches further than the user wants by now would tell of what is not wanted.
                live += [in_use] if in_use and _within(in_use, part) else []
                begun = present.get((calendar_id, number, self._building))
                same = begun and (begun.window_start, begun.window_end) == (part.start, part.end)
                building.append(begun if begun and same else self._new(calendar_id, number, part))
        return [*live, *building]

    def left_over(self, calendar_ids: Collection[str], window: Window) -> list[Cursor]:
        """Cursors of calendars that are no longer read, and of parts that the window no longer has."""
        number = len(parts(window))
        return [
            c
            for c in self._store.cursors.for_mailbox(self._mailbox_id)
            if c.stage in (self._in_use, self._building)
            and (c.calendar_id not in calendar_ids or c.part >= number or c.query_version != QUERY_VERSION)
        ]

    def pages(self, cursor: Cursor) -> Iterator[Page]:
        """The pages of a cursor's round; the caller saves `after` each before it asks for the next.

        An expired cursor goes on as a full round from its beginning.
        """
        while True:
            first, expired = not cursor.url, False
            try:
                delta = self._page(cursor)
            except CursorExpired:
                cursor = replace(cursor, url="", stage=self._building)
                first, expired, delta = True, True, self._page(cursor)
            page = Page(cursor, delta, first, expired)
            yield page
            if page.ends:
                return
            cursor = after(page)

    def _page(self, cursor: Cursor) -> DeltaPage:
        if cursor.url:
            try:
                return read_page(self._client.send(follow(cursor.url, page=PAGE)))
            except Refused as error:
                # Not understood any more, or it leads to a server that is no longer ours.
                raise CursorExpired(f"the cursor is refused: {error}") from error
        request = calendar_view_delta(
            cursor.window_start, cursor.window_end, calendar_id=cursor.calendar_id, page=PAGE
        )
        return read_page(self._client.send(request))

    def _new(self, calendar_id: str, number: int, part: Window) -> Cursor:
        return Cursor(
            mailbox_id=self._mailbox_id,
            calendar_id=calendar_id,
            url="",
            query_version=QUERY_VERSION,
            window_start=part.start,
            window_end=part.end,
            stage=self._building,
            part=number,
        )


def _within(cursor: Cursor, part: Window) -> bool:
    return part.start <= cursor.window_start and cursor.window_end <= part.end


def after(page: Page) -> Cursor:
    """Where the cursor of a page stands after it: a round that ended goes on as one of changes."""
    if page.ends:
        stage = _IN_USE.get(page.cursor.stage, page.cursor.stage)
        return replace(page.cursor, url=page.delta.delta_link, stage=stage)
    return replace(page.cursor, url=page.delta.next_link)
