"""The bounds of the sign-in, whatever happens at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from calsync_plugin.accounts.signing_in import FAILURES, KNOWN_FAILURES, SigningIn
from calsync_plugin.crm.sign_in import SignedIn
from calsync_plugin.errors import SignInRefused, Unavailable

ESPOCRMS_BOUND = 10


@dataclass
class Slow:
    """A CRM that takes its time: before it answers one sign-in the next ones come."""

    waiting: Iterator[tuple[str, str]] = field(default_factory=lambda: iter(()))
    asked: int = 0
    signing_in: SigningIn | None = None
    away: bool = False

    def sign_in(self, user_name: str, password: str, code: str = "") -> SignedIn:
        """Let the others try meanwhile, then refuse."""
        self.asked += 1
        assert self.signing_in is not None
        for visitor, known in self.waiting:
            with pytest.raises((SignInRefused, Unavailable)):
                self.signing_in.sign_in(visitor, "alice", "wrong", known=known)
        if self.away:
            raise Unavailable("the CRM is away")
        raise SignInRefused("wrong")

    def look_again(self, user_name: str, token: str) -> SignedIn:
        """Nobody is in."""
        raise SignInRefused("over")

    def sign_out(self, user_name: str, token: str) -> None:
        """Nothing to forget."""


def begun(service: Slow) -> SigningIn:
    service.signing_in = SigningIn(service, lambda: 1_000.0, lambda _found: None)
    return service.signing_in


def test_of_a_hundred_at_once_no_more_reach_the_crm_than_it_bears() -> None:
    crowd = [(f"192.0.2.{n}", "alice" if n % 2 else "") for n in range(100)]
    service = Slow(iter(crowd))
    with pytest.raises(SignInRefused):
        begun(service).sign_in("198.51.100.1", "alice", "wrong")
    assert service.asked == FAILURES + KNOWN_FAILURES
    assert service.asked < ESPOCRMS_BOUND


def test_a_crm_that_is_away_is_nobodys_failure() -> None:
    service = Slow(away=True)
    signing_in = begun(service)
    for _ in range(20):
        with pytest.raises(Unavailable):
            signing_in.sign_in("198.51.100.1", "alice", "right")
    assert service.asked == 20


def test_one_visitor_fails_five_times_in_a_quarter_of_an_hour() -> None:
    service, now = Slow(), [1_000.0]
    service.signing_in = signing_in = SigningIn(service, lambda: now[0], lambda _found: None)
    for _ in range(30):
        with pytest.raises(SignInRefused):
            signing_in.sign_in("198.51.100.1", "alice", "wrong")
        now[0] += 30
    assert service.asked == 5
    with pytest.raises(SignInRefused, match="wrong"):
        signing_in.sign_in("198.51.100.1", "alice", "wrong")
