"""A look into Outlook: whom it asks, what it stores, and how long anybody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from calsync_plugin.booking import busy_now, trust
from calsync_plugin.booking.looking import Looking
from calsync_plugin.booking.turns import Begin, Turn
from calsync_plugin.domain.availability import Block, Interval
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    NotFound,
    ReconnectNeeded,
    Refused,
    Throttled,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.protocol import JsonObject, Outcome, Request
from calsync_plugin.state import AccountStatus, SourceKind
from calsync_plugin.state.busy_writes import BusyWrites
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
    pace: Pace = field(default_factory=Pace)
    until: threading.Event | None = None
    come: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most_at_once: int = 0

    def batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer each."""
        self.at_once += 1
        self.pace.count += len(requests)
        self.come.set()
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
    looks: list[Looking] = field(default_factory=list)

    def open(self, user_id: str, _mailbox_id: int) -> Any:
        """That of a user."""
        return self.mailboxes[user_id]

    def looking(self, **changes: Any) -> Looking:
        """What looks into them."""
        made = Looking(self.office.store, self.open, enabled=lambda: self.enabled, **changes)
        self.looks.append(made)
        return made

    def join(self, user_id: str, *answers: JsonObject | CalsyncError) -> Outlook:
        """Connect a user, whose mailbox answers so."""
        self.office.connect(user_id)
        self.mailboxes[user_id] = Outlook(list(answers))
        return self.mailboxes[user_id]


@pytest.fixture
def post(office: Office) -> Iterator[Post]:
    """Nobody is connected yet. What was begun ends before the store is closed."""
    made = Post(office)
    yield made
    for one in made.looks:
        one._threads.shutdown(wait=True)


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
    pytest.param(Throttled("slow down", retry_after=60), busy_now.TOO_MANY, id="throttled"),
    pytest.param(ReconnectNeeded("expired"), busy_now.RECONNECT, id="reconnect"),
    pytest.param(Unavailable("away"), busy_now.NO_ANSWER, id="unavailable"),
    pytest.param(UnknownOutcome("cut"), busy_now.NO_ANSWER, id="unreadable"),
    pytest.param({"something": "else"}, busy_now.NO_ANSWER, id="no-list"),
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
    post.join("anna", *(page(event(f"e{n}"), more=LATER) for n in range(busy_now.PAGES + 5)))
    assert look(post, "anna") == {"anna": busy_now.NO_ANSWER}


def test_how_much_was_asked_is_kept_for_the_next_one(post: Post) -> None:
    post.join("anna", page())
    account = post.office.store.accounts.get("anna")
    assert account
    for asked in (1, 2):
        look(post, "anna")
        assert post.office.store.queue.pace(account.mailbox_id or 0).count == asked


def not_read(post: Post) -> None:
    """No source yet."""
    post.office.store.busy.remove_all("anna")


NOT_ASKED: list[Any] = [
    pytest.param(lambda p: setattr(p, "enabled", False), trust.SWITCHED_OFF, id="switched-off"),
    pytest.param(not_read, busy_now.NOT_READ, id="not-read"),
    *(
        pytest.param(
            lambda p, s=status: p.office.store.accounts.set_status("anna", s),
            trust.NOT_READY,
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
    assert look(post, "anna", seconds=0.05) == {"anna": busy_now.NO_ANSWER}
    assert look(post, "ben") == {"ben": ""}


def test_mailboxes_that_hang_keep_nobody_else_from_an_answer(post: Post, held: threading.Event) -> None:
    hang = [f"hangs{number}" for number in range(12)]
    for user_id in hang:
        post.join(user_id).until = held
    post.join("zoe", page(event("z")))
    looks = post.looking(seconds=0.05)
    for _again in range(3):
        assert set(looks.look(hang, TEN, TEN + HOUR).values()) == {busy_now.NO_ANSWER}
    looks._seconds = 20.0
    assert looks.look(["zoe"], TEN, TEN + HOUR) == {"zoe": ""}


def test_many_who_want_to_know_at_once_share_an_answer(
    post: Post, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is on its way already when the others come: they need a newer one, but one is enough."""
    anna = post.join("anna")
    anna.until = held
    looks, waiting = post.looking(seconds=20.0), threading.Semaphore(0)
    take = Turn.take

    def counted(turn: Turn, window: Interval, begin: Begin, **how: Any) -> Any:
        waiting.release()
        return take(turn, window, begin, **how)

    monkeypatch.setattr(Turn, "take", counted)
    told: list[str] = []

    def ask() -> None:
        told.extend(looks.look(["anna"], TEN, TEN + HOUR).values())

    threads = [threading.Thread(target=ask) for _ in range(6)]
    threads[0].start()
    assert anna.come.wait(20)
    for thread in threads[1:]:
        thread.start()
    # The first took its turn at once, the others try and then wait.
    for _expected in range(1 + 5 * 2):
        assert waiting.acquire(timeout=20)
    held.set()
    for thread in threads:
        thread.join(30)
    assert told == [""] * 6
    assert (len(anna.asked), anna.most_at_once) == (2, 1)


def test_who_asks_in_a_loop_is_told_what_was_told_a_moment_ago(post: Post) -> None:
    anna = post.join("anna", page(event("a")))
    looks = post.looking()
    for _again in range(3):
        assert looks.look(["anna"], TEN, TEN + HOUR, lately=600.0) == {"anna": ""}
    assert len(anna.asked) == 1
    looks.look(["anna"], TEN, TEN + DAY, lately=600.0)
    assert len(anna.asked) == 2
    # Who books asks in any case.
    looks.look(["anna"], TEN, TEN + HOUR)
    assert len(anna.asked) == 3


def test_who_wants_to_know_more_is_not_told_less(post: Post) -> None:
    anna = post.join("anna")
    looks = post.looking(seconds=20.0)
    (source,) = post.office.store.busy.sources(["anna"])
    turn = looks._turns.at(source.mailbox_id)
    looks.look(["anna"], TEN, TEN + HOUR)
    came = turn.begun - 1
    narrow, wide = (TEN, TEN + HOUR), (TEN - 9 * DAY, TEN)
    asked: list[Interval] = []

    def begin(window: Interval) -> Future[str]:
        asked.append(window)
        answer: Future[str] = Future()
        answer.set_result("")
        return answer

    for window in (narrow, wide):
        assert turn.take(window, partial(begin, window), came=came, until=0.0) is not None
    assert (len(anna.asked), asked) == (1, [wide])


def test_a_conflict_calendar_that_is_gone_leaves_what_was_known_of_it(post: Post) -> None:
    post.join("anna", page(event("a")), NotFound("gone"))
    private = post.office.calendar("anna", "private")
    post.office.read(private, Block(id="known", start=TEN, end=TEN + HOUR))
    assert look(post, "anna") == {"anna": ""}
    assert {block_id for block_id, _, _ in stored(post, "anna")} == {"a", "known"}


NO_LOSS: list[Any] = [
    pytest.param(NotFound("gone"), False, "", id="gone"),
    pytest.param(Forbidden("no longer shared"), False, "", id="no-longer-shared"),
    pytest.param(Refused("is no calendar"), False, "", id="refused"),
    pytest.param(Unavailable("away"), False, busy_now.NO_ANSWER, id="away-just-now"),
    pytest.param(Unavailable("away"), True, "", id="away-for-long"),
    pytest.param(UnknownOutcome("cut"), True, "", id="unreadable-for-long"),
    pytest.param(Throttled("slow down"), True, busy_now.TOO_MANY, id="throttled"),
]


@pytest.mark.parametrize(("error", "before", "says"), NO_LOSS)
def test_which_silence_of_a_conflict_calendar_counts(
    post: Post, error: CalsyncError, before: bool, says: str
) -> None:
    post.join("anna", page(event("a")), error)
    private = post.office.calendar("anna", "private")
    if before:
        with post.office.store.save(None) as tx:
            tx.busy.failed(private, "cannot be read")
    assert look(post, "anna") == {"anna": says}
    assert [block_id for block_id, _, _ in stored(post, "anna")] == ["a"]


@pytest.mark.parametrize("error", [NotFound("gone"), Forbidden("refused")], ids=["gone", "refused"])
def test_the_main_calendar_cannot_be_done_without(post: Post, error: CalsyncError) -> None:
    post.join("anna", error, page(event("p")))
    post.office.calendar("anna", "private")
    assert look(post, "anna") == {"anna": busy_now.NO_ANSWER}
    assert [block_id for block_id, _, _ in stored(post, "anna")] == ["p"]


def deleted(busy: BusyWrites, source_id: int) -> None:
    """The sync learns that the event is gone."""
    busy.remove(source_id, ["a"])


def written(busy: BusyWrites, source_id: int) -> None:
    """The sync writes an event of its own."""
    busy.put(source_id, [Block(id="own", start=TEN, end=TEN + HOUR)])


MEANWHILE: list[Any] = [
    pytest.param(deleted, page(event("a")), page(), set(), id="deleted"),
    pytest.param(written, page(), page(event("own")), {"own"}, id="written"),
]


@pytest.mark.parametrize(("sync", "first", "then", "stays"), MEANWHILE)
def test_what_a_sync_stores_during_a_look_is_newer(
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
    sync: Callable[[BusyWrites, int], None],
    first: JsonObject,
    then: JsonObject,
    stays: set[str],
) -> None:
    anna = post.join("anna", first, then)
    (source,) = post.office.store.busy.sources(["anna"])
    post.office.read(source.id, Block(id="a", start=TEN, end=TEN + HOUR))
    batch = anna.batch

    def slow(requests: Sequence[Request]) -> list[Outcome]:
        answered = batch(requests)
        if len(anna.asked) == 1:
            with post.office.store.save(None) as tx:
                sync(tx.busy, source.id)
        return answered

    monkeypatch.setattr(anna, "batch", slow)
    assert look(post, "anna") == {"anna": ""}
    assert {block_id for block_id, _, _ in stored(post, "anna")} == stays
    assert len(anna.asked) == 2


def test_nobody_is_told_free_while_a_sync_writes_on_and_on(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = post.join("anna")
    (source,) = post.office.store.busy.sources(["anna"])
    batch = anna.batch

    def slow(requests: Sequence[Request]) -> list[Outcome]:
        with post.office.store.save(None) as tx:
            written(tx.busy, source.id)
        return batch(requests)

    monkeypatch.setattr(anna, "batch", slow)
    assert look(post, "anna") == {"anna": busy_now.NO_ANSWER}
    assert len(anna.asked) == busy_now.TRIES


def test_what_is_closed_begins_nothing(post: Post) -> None:
    anna = post.join("anna")
    looks = post.looking()
    looks.close()
    with pytest.raises(Unavailable, match="stopping"):
        looks.look(["anna"], TEN, TEN + HOUR)
    assert anna.asked == []
