"""The portions of one run: drafted, begun, sent, concluded, saved.

Decides which portions share a commit. What is begun is committed before it is sent, together with what the
portions before have learnt: statements and commits cost the same for one item and for a hundred. Only creates
share; what counts for the breaker is saved before anything else is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calsync_plugin.engine.event_writes import Draft
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.rebasing import forget_look
from calsync_plugin.engine.saver import Intent, Saver, joined
from calsync_plugin.engine.write import Writer
from calsync_plugin.errors import RemoteError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Lease

Portion = Sequence[Item]

TOGETHER = 5
"""Portions that share a commit at most. After a crash as many of their events have to be looked up."""


class Pipeline:
    """Carries the portions of one run through."""

    def __init__(
        self,
        lease: Lease,
        client: MailboxClient,
        writer: Writer,
        saver: Saver,
        *,
        draft: Callable[[Portion], Draft],
        settle: Callable[[Portion], None],
    ) -> None:
        """`draft` plans a portion; `settle` goes on with what another look is needed for."""
        self._lease = lease
        self._client = client
        self._writer = writer
        self._saver = saver
        self._draft = draft
        self._settle = settle
        self._drafts: list[tuple[Portion, Draft]] = []
        """Portions to be sent, of which nothing is committed yet."""
        self._done: list[Item] = []
        """What came to rest and is not saved yet."""
        self._halt: RemoteError | None = None

    def run(self, portions: Sequence[Portion], may_go_on: Callable[[], bool]) -> None:
        """Carry out all portions, or as many as may be begun; what was begun is always saved.

        Raises the error of the whole mailbox, if one came up, after that.
        """
        for portion in portions:
            draft = self._draft(portion)
            shares = draft.only_creates and not any(item.held for item in portion)
            if not shares:
                self._send(may_go_on)
            self._drafts.append((portion, draft))
            if shares and len(self._drafts) < TOGETHER:
                continue
            self._send(may_go_on)
            if not shares:
                self._save()
            if self._halt is not None or not may_go_on():
                break
        self._send(may_go_on)
        self._save()
        if self._halt is not None:
            raise self._halt

    def _send(self, may_go_on: Callable[[], bool]) -> None:
        """Begin what is drafted and send it, portion by portion; nothing of a mailbox that halted."""
        drafts, self._drafts = self._drafts, []
        if not drafts or self._halt is not None:
            return
        self._save([draft.intend() for _, draft in drafts])
        for number, (portion, draft) in enumerate(drafts):
            if self._halt is not None or (number > 0 and not may_go_on()):
                self._saver.withdraw(self._lease, [i for _, later in drafts[number:] for i in later.begun])
                return
            self._writer.conclude(draft, self._client.batch(draft.take_off()))
            self._settle(portion)
            self._done += portion
            self._halt = next((item.halt for item in portion if item.halt), None)

    def _save(self, intents: Sequence[Intent] = ()) -> None:
        """One commit for what was learnt and what comes next."""
        done, self._done = self._done, []
        for item in done:
            if item.state in (ItemState.RETRY, ItemState.PARKED):
                forget_look(item)
        if done or any(intents):
            self._saver.save(self._lease, done, joined(intents))
