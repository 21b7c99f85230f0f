"""Pulls, event marks, full rounds and calendars: what reading Outlook leaves in the store."""

from __future__ import annotations

import pytest

from calsync_plugin.state import CalendarRow, Store
from tests.state.samples import MovedClock, a_copy, a_link, insert


def test_a_new_mailbox_wants_to_be_read_at_once(store: Store, mailbox: int) -> None:
    assert store.queue.pull_state(mailbox).pull_at <= store.clock.now()


def test_after_a_pull_it_waits_and_a_hint_ends_that(store: Store, mailbox: int, clock: MovedClock) -> None:
    with store.save(None) as tx:
        tx.pulled(mailbox, 600, 0)
        assert tx.next_due_in(mailbox) == pytest.approx(600)
    clock.move(10)
    store.queue.hint(mailbox)
    assert store.queue.pull_state(mailbox).pull_at == clock.now()
    assert store.queue.next_due_in() == pytest.approx(0)


def test_a_hint_during_a_pull_is_not_lost(store: Store, mailbox: int, clock: MovedClock) -> None:
    before = store.queue.pull_state(mailbox)
    store.queue.hint(mailbox)
    with store.save(None) as tx:
        tx.pulled(mailbox, 600, before.hints)
    assert store.queue.pull_state(mailbox).pull_at <= clock.now()
    assert store.queue.pull_state(mailbox).hints == before.hints + 1


def test_marks_of_one_event_are_one_and_wait_their_time(
    store: Store, mailbox: int, clock: MovedClock
) -> None:
    with store.save(None) as tx:
        tx.mark_events(mailbox, ["E", "e", "E"])
        tx.mark_events(mailbox, ["E"])
        tx.mark_events(mailbox, ["later"], delay=60)
    page = store.events.due(mailbox, 10)
    assert [(m.event_id, len(m.mark_ids), m.attempts) for m in page.marks] == [("E", 2, 0), ("e", 1, 0)]
    assert not page.more
    assert store.events.due(mailbox, 1).more
    with store.save(None) as tx:
        tx.finish_events(page.marks[0].mark_ids)
        tx.retry_events(page.marks[1].mark_ids, 30, "busy")
        assert tx.next_due_in(mailbox) is not None
    assert store.events.due(mailbox, 10).marks == ()
    clock.move(31)
    assert [(m.event_id, m.attempts) for m in store.events.due(mailbox, 10).marks] == [("e", 1)]
    assert store.events.waiting_for(mailbox) == 2
    store.events.drop_all(mailbox)
    assert store.events.waiting() == 0


def test_a_mark_that_comes_while_its_event_is_looked_at_stays(store: Store, mailbox: int) -> None:
    with store.save(None) as tx:
        tx.mark_events(mailbox, ["E"])
    first = store.events.due(mailbox, 10).marks[0]
    with store.save(None) as tx:
        tx.mark_events(mailbox, ["E"])
    with store.save(None) as tx:
        tx.finish_events(first.mark_ids)
    assert [m.event_id for m in store.events.due(mailbox, 10).marks] == ["E"]


def test_what_a_full_round_did_not_see(store: Store, mailbox: int) -> None:
    insert(
        store,
        a_link("1", mailbox, copies=(a_copy(mailbox, "seen", calendar_id="c"),)),
        a_link("2", mailbox, copies=(a_copy(mailbox, "SEEN", calendar_id="c"),)),
        a_link("3", mailbox, copies=(a_copy(mailbox, "of old", calendar_id=""),)),
        a_link("4", mailbox, copies=(a_copy(mailbox, "other", calendar_id="d"),)),
        a_link("5", mailbox + 1, copies=(a_copy(mailbox + 1, "not mine", calendar_id="c"),)),
    )
    with store.save(None) as tx:
        tx.begin_round(mailbox, "c")
        tx.saw_events(mailbox, "c", ["seen", "seen", "a stranger"])
        tx.saw_events(mailbox, "c", ["seen"])
    with store.save(None) as tx:
        assert sorted(tx.unseen_events(mailbox, "c")) == ["SEEN", "of old"]
    with store.save(None) as tx:
        assert sorted(tx.unseen_events(mailbox, "c")) == ["SEEN", "of old", "seen"]


def test_calendars_are_replaced_as_a_whole(store: Store, mailbox: int) -> None:
    old = CalendarRow(id="a", name="Old")
    own = CalendarRow(id="b", name="Calendar", is_default=True)
    team = CalendarRow(id="c", name="A team", owner_address="bob@example.com", can_edit=False, shared=True)
    store.calendars.replace(mailbox, [old])
    store.calendars.replace(mailbox, [team, own])
    assert store.calendars.for_mailbox(mailbox) == [own, team]
