"""Time passes, and what Outlook knows for its readers gets lost: cursors expire, notifications stay away.

None of it is anybody's doing: nothing may change on either side, and nobody may be mailed.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.soak.stage import Stage

DAYS = st.sampled_from([1, 3, 8, 35])


class TimeRules(Stage):
    """Nothing happens but time."""

    subscribed = False
    """Whether Outlook lets anybody subscribe."""
    lost: frozenset[str] = frozenset()
    """What was lost since all came to rest."""

    def rested(self) -> None:
        """All is found again."""
        super().rested()
        self.lost = frozenset()

    @initialize(allowed=st.booleans())
    def notifications(self, allowed: bool) -> None:
        self.subscribed = allowed
        self.yard.switch(refuse_subscriptions=not allowed)
        self.story.append(f"notifications: {allowed}")

    @precondition(lambda self: self.pending and "cursors" not in self.lost)
    @rule()
    def cursors_expire(self) -> None:
        self.lost |= {"cursors"}
        self.yard.expire_cursors()
        self.story.append("all cursors expire")

    @precondition(lambda self: self.pending and self.subscribed and "subscriptions" not in self.lost)
    @rule(event=st.sampled_from(["missed", "subscriptionRemoved", "reauthorizationRequired"]))
    def subscriptions_fail(self, event: str) -> None:
        self.lost |= {"subscriptions"}
        self.run(lambda: self.yard.lifecycle(event))
        self.story.append(f"subscriptions: {event}")

    @precondition(lambda self: not self.pending and not self.troubled)
    @precondition(lambda self: all(a.status == "connected" for a in self.model.accounts.values()))
    @rule(days=DAYS)
    def time_passes(self, days: int) -> None:
        self.yard.clock.advance(days * 24 * 3600)
        self.story.append(f"{days} days later")
        self.come_to_rest()
