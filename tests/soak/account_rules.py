"""What becomes of accounts: paused, disconnected, not granted, signed out at Microsoft, another direction."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from calsync_plugin.accounts import choices
from tests.soak.drawn import SYNCED
from tests.soak.sides import ADDRESSES, USERS
from tests.soak.stage import Stage
from tests.soak.things import MODES

CHOICES = st.fixed_dictionaries(
    {
        "push_contacts": st.booleans(),
        "clash": st.sampled_from(["origin", "crm", "outlook"]),
        "text_both_ways": st.booleans(),
        "remove_event_with_record": st.booleans(),
        "remove_record_with_event": st.booleans(),
    }
)
LONGEST = timedelta(days=4)
"""Nobody is away longer: then changes of meanwhile would wait for the back-fill (R8)."""


class AccountRules(Stage):
    """Accounts go and come back."""

    away = ""
    """How somebody is away."""
    away_since: datetime

    def all_are(self, status: str) -> bool:
        """Whether all accounts are so."""
        return all(account.status == status for account in self.model.accounts.values())

    def rested(self) -> None:
        """Nobody is away for too long."""
        super().rested()
        if self.away and self.now() - self.away_since > LONGEST:
            self.come_back()

    def come_back(self) -> None:
        """Whoever is away comes back."""
        self.calm()
        name = next(n for n, account in self.model.accounts.items() if account.status != "connected")
        user_id, app = USERS[name], self.yard.app
        self.story.append(f"{name} is back")
        self.model.accounts[name].status = "connected"
        how, self.away = self.away, ""
        match how:
            case "paused":
                app.connections.resume(user_id)
            case "not granted":
                self.yard.grant(user_id)
            case _:
                # Whoever signs in waits until the calendar was read.
                self.yard.connect(user_id)
                self.come_to_rest()

    @initialize(alice=CHOICES, bob=CHOICES)
    def choose(self, alice: dict[str, object], bob: dict[str, object]) -> None:
        for name, chosen in {"alice": alice, "bob": bob}.items():
            for key, value in chosen.items():
                setattr(self.model.accounts[name], key, value)
            settings = {"description_both_ways" if k == "text_both_ways" else k: v for k, v in chosen.items()}
            self.yard.act_on([USERS[name]], **settings)
        self.story.append(f"alice {alice}")
        self.story.append(f"bob {bob}")

    @precondition(lambda self: self.all_are("connected"))
    @rule(name=SYNCED, how=st.sampled_from(["paused", "disconnected", "not granted", "signed out"]))
    def goes_away(self, name: str, how: str) -> None:
        self.calm()
        user_id = USERS[name]
        match how:
            case "paused":
                self.yard.app.connections.pause(user_id)
                self.model.accounts[name].status = "paused"
            case "disconnected":
                self.yard.app.connections.disconnect(user_id)
                self.model.leave(name)
            case "not granted":
                self.yard.forbid(user_id)
                self.model.leave(name)
            case "signed out":
                self.yard.outlook.logins.revoke(ADDRESSES[name])
                self.model.accounts[name].status = "reconnect"
        self.away = how
        self.away_since = self.now()
        self.story.append(f"{name} is {how}")

    @precondition(lambda self: self.away)
    @rule()
    def comes_back(self) -> None:
        self.come_back()

    @precondition(lambda self: self.pending == 0 and self.all_are("connected"))
    @rule(name=SYNCED, mode=st.sampled_from(sorted(MODES)))
    def choose_mode(self, name: str, mode: str) -> None:
        self.calm()
        self.model.now = self.now()
        app = self.yard.app
        choices.choose(app.store, app.gateway, USERS[name], {"mode": mode})
        self.model.choose_mode(name, mode)
        self.story.append(f"{name} chooses {mode}")
        self.come_to_rest()
