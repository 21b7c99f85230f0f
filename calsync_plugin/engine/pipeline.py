"""The portions of one run: while one is on its way, the one before is saved and the next one is drafted.

Decides what overlaps and what must not. One batch of a mailbox is sent at a time; what is begun is committed
before it is sent, in one commit with what the portion before has learnt. Only creates overlap: what counts
for the breaker, or is held by it, is saved before anything else is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

from calsync_plugin.engine.event_writes import Draft
from calsync_plugin.engine.item import Item
from calsync_plugin.engine.saver import Intent, Saver, joined
from calsync_plugin.engine.write import Writer
from calsync_plugin.errors import RemoteError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import Outcome
from calsync_plugin.state import Lease

Portion = Sequence[Item]

TOGETHER = 4
"""Portions that share a commit: statements and commits cost the same for one item and for eighty."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A portion whose requests are on their way."""

    portion: Portion
    draft: Draft
    answer: Future[list[Outcome]]


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
        self._flying: _Flight | None = None
        self._drafts: list[tuple[Portion, Draft]] = []
        """Portions to be sent, of which nothing is committed yet."""
        self._done: list[Item] = []
        """What came to rest and is not saved yet."""
        self._halt: RemoteError | None = None

    def run(self, portions: Sequence[Portion], may_go_on: Callable[[], bool]) -> None:
        """Carry out all portions, or as many as may be begun; what was begun is always saved.

        Raises the error of the whole mailbox, if one came up, after that.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="calsync-send") as other:
            for number, portion in enumerate(portions):
                draft = self._draft(portion)
                held = any(item.held for item in portion)
                if draft.only_creates and not held and len(portions) > 1:
                    self._drafts.append((portion, draft))
                    # The first one goes at once, so that the others are drafted while it is on its way.
                    if number and len(self._drafts) < TOGETHER:
                        continue
                    self._overlap(other, may_go_on)
                else:
                    self._overlap(other, may_go_on)
                    self._alone(portion, draft)
                if self._halt is not None or not may_go_on():
                    break
            self._overlap(other, may_go_on)
            self._come_to_rest()
        if self._halt is not None:
            raise self._halt

    def _overlap(self, other: Executor, may_go_on: Callable[[], bool]) -> None:
        """Send each draft as soon as the one before has arrived; look at what that brought meanwhile."""
        drafts, self._drafts = self._drafts, []
        if not drafts or self._halt is not None:
            return
        self._save([draft.intend() for _, draft in drafts])
        for number, (portion, draft) in enumerate(drafts):
            before, outcomes = self._flying, self._outcomes()
            smooth = not any(outcome.error for outcome in outcomes)
            if before is not None and not smooth:
                self._conclude(before, outcomes)
                self._save()
            stays = self._halt is not None or (number > 0 and not may_go_on())
            if not stays:
                self._flying = _Flight(portion, draft, other.submit(self._client.batch, draft.take_off()))
            if before is not None and smooth:
                self._conclude(before, outcomes)
            if stays:
                self._saver.withdraw(self._lease, [i for _, later in drafts[number:] for i in later.begun])
                return

    def _alone(self, portion: Portion, draft: Draft) -> None:
        self._come_to_rest()
        if self._halt is not None:
            return
        self._save([draft.intend()])
        self._writer.conclude(draft, self._client.batch(draft.take_off()))
        self._settle(portion)
        self._done += portion
        self._save()

    def _come_to_rest(self) -> None:
        self._save()
        before, outcomes = self._flying, self._outcomes()
        if before is not None:
            self._conclude(before, outcomes)
            self._save()

    def _outcomes(self) -> list[Outcome]:
        flight, self._flying = self._flying, None
        return flight.answer.result() if flight else []

    def _conclude(self, flight: _Flight, outcomes: Sequence[Outcome]) -> None:
        self._writer.conclude(flight.draft, outcomes)
        self._settle(flight.portion)
        self._done += flight.portion

    def _save(self, intents: Sequence[Intent] = ()) -> None:
        """One commit for what was learnt and what comes next."""
        done, self._done = self._done, []
        if done or any(intents):
            self._saver.save(self._lease, done, joined(intents))
        self._halt = self._halt or next((item.halt for item in done if item.halt), None)
