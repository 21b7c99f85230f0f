"""A look into Outlook: whom it asks, what it stores, and how long anybody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from calsync_plugin.booking import looking
from calsync_plugin.booking.looking import Looking
from calsync_plugin.domain.availability import Block
from calsync_plugin.errors import CalsyncError, ReconnectNeeded, Throttled, Unavailable, UnknownOutcome
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request
from calsync_plugin.state import AccountStatus, BusySource, SourceKind
from tests.unit.booking.office import DAY, HOUR, Office, at

TEN = at("2026-12-01T10:00")
LATER = "https://graph.example.com/v1.0/more"


def event(event_id: str, start: str = "2026-12-01T10:00:00", end: str = "2026-12-01T11:00:00") -> JsonObject:
    """An event as Graph tells it."""
    return {
        "id": event_id,
        "type": "singleInstance",
        "start": {"dateTime": start, "timeZone": "UTC"},
        "end": {"dateTime": end, "timeZone": "UTC"},
        "showAs": "busy",
    }


@dataclass
class Outlook:
    """One mailbox: its answers in the order in which they are asked for."""

    answers: list[JsonObject | CalsyncError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pace: Pace = field(default_factory=lambda: Pace(0.0, 3))
    until: threading.Event | None = None
    at_once: int = 0
    most_at_once: int = 0

    def batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer each."""
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        if self.until is not None:
            self.until.wait(30)
        self.at_once -= 1
        return [self._answer(request) for request in requests]

    def send(self, request: Request) -> JsonObject | None:
        """Answer one."""
        return self._answer(request).unwrap()

    def _answer(self, request: Request) -> Outcome:
        self.asked.append(request.path)
        found = self.answers.pop(0) if self.answers else page()
        return Outcome(request, error=found) if isinstance(found, CalsyncError) else Outcome(request, found)


def page(*events: JsonObject, more: str = "") -> JsonObject:
    """A page of a listing."""
    return {"value": list(events), **({"@odata.nextLink": more} if more else {})}


@dataclass
class Post:
    """The mailboxes of an office."""

    office: Office
    mailboxes: dict[str, Outlook] = field(default_factory=dict)
    enabled: bool = True

    def open(self, user_id: str, _mailbox_id: int) -> Any:
        """That of a user."""
        return self.mailboxes[user_id]

    def looking(self, **changes: Any) -> Looking:
        """What looks into them."""
        return Looking(self.office.store, self.open, enabled=lambda: self.enabled, **changes)

    def join(self, user_id: str, *answers: JsonObject | CalsyncError) -> Outlook:
        """Connect a user, whose mailbox answers so."""
        self.office.connect(user_id)
        self.mailboxes[user_id] = Outlook(list(answers))
        return self.mailboxes[user_id]


@pytest.fixture
def post(office: Office) -> Post:
    """Nobody is connected yet."""
    return Post(office)


def stored(post: Post, user_id: str) -> list[tuple[str, int, int]]:
    """The blocks of a user."""
    sources = [one.id for one in post.office.store.busy.sources([user_id])]
    found = post.office.store.busy.blocks(sources, TEN - 9 * DAY, TEN + 9 * DAY)
    return [(block.id, block.start, block.end) for _, block in found]


def look(post: Post, *users: str, **changes: Any) -> dict[str, str]:
    """Look at an hour of these users."""
    return dict(post.looking(**changes).look(users, TEN, TEN + HOUR))


def test_each_user_gets_what_the_own_mailbox_told(post: Post) -> None:
    post.join("anna", page(event("a")))
    post.join("ben", page(event("b"), more=LATER), page(event("c", end="2026-12-01T12:00:00")))
    assert look(post, "ben", "anna") == {"anna": "", "ben": ""}
    assert stored(post, "anna") == [("a", TEN, TEN + HOUR)]
    assert stored(post, "ben") == [("b", TEN, TEN + HOUR), ("c", TEN, TEN + 2 * HOUR)]
    assert post.mailboxes["ben"].asked[1] == LATER


def test_all_calendars_that_make_busy_are_asked_and_each_keeps_its_own(post: Post) -> None:
    anna = post.join("anna", page(event("a")), page(event("p")))
    private = post.office.calendar("anna", "private")
    assert look(post, "anna") == {"anna": ""}
    assert ["/calendars/main/" in anna.asked[0], "/calendars/private/" in anna.asked[1]] == [True, True]
    found = post.office.store.busy.blocks([private], TEN, TEN + HOUR)
    assert [block.id for _, block in found] == ["p"]


def test_what_is_not_told_any_more_is_forgotten_and_what_lies_elsewhere_stays(post: Post) -> None:
    post.join("anna", page())
    (source,) = post.office.store.busy.sources(["anna"])
    gone = Block(id="gone", start=TEN, end=TEN + HOUR)
    day = Block(id="day", start=at("2026-12-01T00:00"), end=at("2026-12-02T00:00"), whole_days=True)
    far = Block(id="far", start=TEN + 5 * DAY, end=TEN + 5 * DAY + HOUR)
    post.office.read(source.id, gone, day, far)
    assert look(post, "anna") == {"anna": ""}
    assert [block_id for block_id, _, _ in stored(post, "anna")] == ["far"]


ERRORS = [
    pytest.param(Throttled("slow down", retry_after=60), looking.TOO_MANY, id="throttled"),
    pytest.param(ReconnectNeeded("expired"), looking.RECONNECT, id="reconnect"),
    pytest.param(Unavailable("away"), looking.NO_ANSWER, id="unavailable"),
    pytest.param(UnknownOutcome("cut"), looking.NO_ANSWER, id="unreadable"),
    pytest.param({"something": "else"}, looking.NO_ANSWER, id="no-list"),
]


@pytest.mark.parametrize(("answer", "says"), ERRORS)
def test_what_cannot_be_asked_is_said_and_changes_nothing(
    post: Post, answer: JsonObject | CalsyncError, says: str
) -> None:
    post.join("anna", answer)
    post.join("ben", page(event("b")))
    (source,) = post.office.store.busy.sources(["anna"])
    post.office.read(source.id, Block(id="known", start=TEN, end=TEN + HOUR))
    assert look(post, "anna", "ben") == {"anna": says, "ben": ""}
    assert stored(post, "anna") == [("known", TEN, TEN + HOUR)]


def test_an_answer_without_an_end_is_none(post: Post) -> None:
    post.join("anna", *(page(event(f"e{n}"), more=LATER) for n in range(looking.PAGES + 5)))
    assert look(post, "anna") == {"anna": looking.NO_ANSWER}


def test_how_much_was_asked_is_kept_for_the_next_one(post: Post) -> None:
    post.join("anna", page())
    look(post, "anna")
    account = post.office.store.accounts.get("anna")
    assert account
    assert post.office.store.queue.pace(account.mailbox_id or 0).count == 3


def not_read(post: Post) -> None:
    """No source yet."""
    post.office.store.busy.remove_all("anna")


NOT_ASKED: list[Any] = [
    pytest.param(lambda p: setattr(p, "enabled", False), looking.SWITCHED_OFF, id="switched-off"),
    pytest.param(not_read, looking.NOT_READ, id="not-read"),
    *(
        pytest.param(
            lambda p, s=status: p.office.store.accounts.set_status("anna", s),
            looking.NOT_READY,
            id=status.value,
        )
        for status in (AccountStatus.RECONNECT, AccountStatus.PAUSED, AccountStatus.NEEDS_ATTENTION)
    ),
    pytest.param(lambda p: p.office.store.accounts.set_status("anna", AccountStatus.OFF), "", id="off"),
]


@pytest.mark.parametrize(("how", "says"), NOT_ASKED)
def test_whom_nobody_can_ask_for(post: Post, how: Callable[[Post], None], says: str) -> None:
    anna = post.join("anna", page())
    how(post)
    assert look(post, "anna", "nobody") == {"anna": says, "nobody": says if not post.enabled else ""}
    assert anna.asked == []


def test_feeds_are_not_asked(post: Post) -> None:
    anna = post.join("anna", page())
    post.office.address("anna", SourceKind.FEED, "home")
    look(post, "anna")
    assert len(anna.asked) == 1


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Answers that come when a test lets them."""
    until = threading.Event()
    yield until
    until.set()


def test_nobody_waits_for_a_mailbox_that_does_not_answer(post: Post, held: threading.Event) -> None:
    post.join("anna", page(event("a"))).until = held
    post.join("ben", page(event("b")))
    assert look(post, "anna", seconds=0.05) == {"anna": looking.NO_ANSWER}
    assert look(post, "ben") == {"ben": ""}


def test_one_mailbox_is_asked_one_question_after_the_other(
    post: Post, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = post.join("anna")
    anna.until = held
    come = iter(range(6))
    of_mailbox = post.office.store.busy.of_mailbox

    def counted(mailbox_id: int) -> list[BusySource]:
        found = of_mailbox(mailbox_id)
        if next(come) == 5:
            held.set()
        return found

    monkeypatch.setattr(post.office.store.busy, "of_mailbox", counted)
    looks = post.looking(seconds=20.0)
    threads = [threading.Thread(target=looks.look, args=(["anna"], TEN, TEN + HOUR)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(anna.asked), anna.most_at_once) == (6, 1)
