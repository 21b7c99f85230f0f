"""Links: found by every key, saved by the first run only, and never two for one meeting."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from calsync_plugin.domain.links import Base, CopyPurpose, CopyState, Link, LinkState, Origin, Role
from calsync_plugin.domain.meeting import Field
from calsync_plugin.errors import StaleLink
from calsync_plugin.state import Store
from tests.state.samples import NOON, Opener, a_copy, a_link, insert

NEXT = NOON + timedelta(days=1)
A_BASE = Base({Field.SUBJECT: "Supper"}, "18")


def _stored(store: Store, link_id: str) -> Link:
    return store.links.by_ids([link_id])[link_id]


def test_a_link_comes_back_as_it_was(store: Store, mailbox: int) -> None:
    link = Link(
        id="l1",
        entity_type="Meeting",
        record_id="r1",
        state=LinkState.SUSPENDED,
        origin=Origin.OUTLOOK,
        role=Role.ATTENDEE,
        generation=3,
        copies=(
            a_copy(mailbox, "E1", transaction_id="t", calendar_id="c", etag='W/"x"'),
            a_copy(mailbox, "", purpose=CopyPurpose.LEAVING, state=CopyState.INTENDED, ical_uid=""),
        ),
        crm_base=Base({Field.SUBJECT: "\u0000 \ud800 \u2603", Field.REMINDER: None}, "v1"),
        outlook_base=Base({Field.SUBJECT: "Call Dave"}, "v2", "C"),
        series_ical_uid="040000",
        original_start=datetime(2027, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))),
        reason="private",
    )
    assert insert(store, link) == set()
    assert _stored(store, "l1") == replace(link, original_start=NOON, version=1)


def test_a_base_field_of_a_newer_version_is_not_known(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox))
    with store._database.write() as connection:
        connection.exec_driver_sql("""UPDATE bases SET normal_form = '{"subject":"x","colour":"red"}'""")
    assert _stored(store, "l1").crm_base == Base({Field.SUBJECT: "x"}, "17")


def test_links_are_found_by_record(store: Store, mailbox: int) -> None:
    insert(
        store, a_link("l1", mailbox), a_link("l2", mailbox, entity_type="Call"), a_link("l3", record_id="")
    )
    found = store.links.by_records(
        [("Meeting", "record-l1"), ("Call", "record-l2"), ("Call", "record-l1"), ("Meeting", "")]
    )
    assert {key: link.id for key, link in found.items()} == {
        ("Meeting", "record-l1"): "l1",
        ("Call", "record-l2"): "l2",
    }
    assert store.links.by_records([]) == {}


def test_event_ids_are_compared_byte_for_byte(store: Store, mailbox: int) -> None:
    insert(
        store,
        a_link("l1", copies=(a_copy(mailbox, "AAMkAG="),)),
        a_link("l2", copies=(a_copy(mailbox, "AAMkag="),)),
        a_link("l3", copies=(a_copy(mailbox + 1, "AAMkAG="),)),
    )
    found = store.links.by_events(mailbox, ["AAMkAG=", "AAMkag=", "aamkag=", "AAMkAG= ", ""])
    assert {event_id: link.id for event_id, link in found.items()} == {"AAMkAG=": "l1", "AAMkag=": "l2"}


def test_links_are_found_by_ical_uid_of_copies_and_series(store: Store, mailbox: int) -> None:
    insert(
        store,
        a_link("l1", copies=(a_copy(mailbox, "E1", ical_uid="U1"), a_copy(mailbox + 1, "E2", ical_uid="U1"))),
        a_link("l2", series_ical_uid="S", original_start=NOON, copies=()),
        a_link("l3", series_ical_uid="S", original_start=NOON + timedelta(days=1), copies=()),
    )
    found = store.links.by_ical_uids(["U1", "S", "u1", ""])
    assert {uid: [link.id for link in links] for uid, links in found.items()} == {
        "U1": ["l1"],
        "S": ["l2", "l3"],
    }


def test_thousands_of_keys_at_once(store: Store, mailbox: int) -> None:
    links = [a_link(f"l{n:04}", mailbox) for n in range(1200)]
    assert insert(store, *links) == set()
    assert len(store.links.by_records((link.entity_type, link.record_id) for link in links)) == 1200
    assert len(store.links.by_events(mailbox, [f"event-l{n:04}" for n in range(1200)])) == 1200
    assert [link.id for link in store.links.for_mailbox(mailbox)] == [link.id for link in links]
    with store.save(None) as save:
        assert save.save_links([replace(link, version=1) for link in links]) == set()


def test_counts(store: Store, mailbox: int) -> None:
    insert(
        store,
        a_link("l1", mailbox),
        a_link("l2", mailbox, state=LinkState.DETACHED),
        a_link("l3", copies=(a_copy(mailbox, purpose=CopyPurpose.ATTENDEE), a_copy(mailbox + 1))),
    )
    assert store.links.count(mailbox) == 2
    assert store.links.counts() == {LinkState.ACTIVE: 2, LinkState.SUSPENDED: 0, LinkState.DETACHED: 1}
    assert store.links.counts(mailbox + 1)[LinkState.ACTIVE] == 1
    assert {link.id for link in store.links.for_mailbox(mailbox)} == {"l1", "l2", "l3"}


@pytest.mark.parametrize(
    ("first", "second", "lost"),
    [
        pytest.param({"record_id": "r"}, {"record_id": "r"}, True, id="same_record"),
        pytest.param({"record_id": ""}, {"record_id": ""}, False, id="no_record_yet"),
        pytest.param({"record_id": "r"}, {"record_id": "R"}, False, id="record_of_other_case"),
        pytest.param({"record_id": "r"}, {"record_id": "r", "entity_type": "Call"}, False, id="other_type"),
        pytest.param({"series_ical_uid": "S"}, {"series_ical_uid": "S"}, True, id="same_invitation"),
        pytest.param({"series_ical_uid": "S"}, {"series_ical_uid": "s"}, False, id="uid_of_other_case"),
        pytest.param(
            {"series_ical_uid": "S", "original_start": NOON},
            {"series_ical_uid": "S", "original_start": NOON.astimezone(timezone(timedelta(hours=5)))},
            True,
            id="same_occurrence_in_another_zone",
        ),
        pytest.param(
            {"series_ical_uid": "S", "original_start": NOON},
            {"series_ical_uid": "S", "original_start": datetime(2027, 3, 2, 12, tzinfo=UTC)},
            False,
            id="other_occurrence",
        ),
    ],
)
def test_unique_keys(
    store: Store, mailbox: int, first: dict[str, object], second: dict[str, object], lost: bool
) -> None:
    assert insert(store, a_link("l1", mailbox, **first)) == set()
    assert insert(store, a_link("l2", mailbox, **second), a_link("l3", mailbox)) == (
        {"l2"} if lost else set()
    )
    assert ("l2" in store.links.by_ids(["l2"])) is not lost
    assert "l3" in store.links.by_ids(["l3"])


def test_two_of_one_batch_for_one_record(store: Store, mailbox: int) -> None:
    lost = insert(store, a_link("l1", mailbox, record_id="r"), a_link("l2", mailbox, record_id="r"))
    assert len(lost) == 1


def test_a_naive_original_start_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="naive"):
        insert(store, a_link("l1", original_start=datetime(2027, 3, 1)))  # noqa: DTZ001


def test_a_save_replaces_copies_and_bases_and_grows_the_version(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox))
    read = _stored(store, "l1")
    changed = replace(
        read,
        state=LinkState.DETACHED,
        reason="deleted in Outlook",
        copies=(a_copy(mailbox, "E2"), a_copy(mailbox + 1, "E3", purpose=CopyPurpose.ATTENDEE)),
        crm_base=None,
    )
    with store.save(None) as save:
        assert save.save_links([changed]) == set()
    assert _stored(store, "l1") == replace(changed, version=2)
    assert store.links.by_events(mailbox, ["event-l1"]) == {}


@pytest.mark.parametrize("known", [True, False], ids=["known", "not known"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"crm_base": None, "outlook_base": None}, {"crm_base": A_BASE}, id="a first base"),
        pytest.param({}, {"crm_base": A_BASE}, id="another base"),
        pytest.param({}, {"crm_base": None}, id="a base is lost"),
        pytest.param({}, {"outlook_base": None, "crm_base": None}, id="both are lost"),
        pytest.param({}, {"copies": ()}, id="no copy is left"),
        pytest.param({"copies": ()}, {"copies": (a_copy(1, "E2"),)}, id="a first copy"),
        pytest.param({}, {"copies": (a_copy(1, "E2", etag="new"),)}, id="another etag"),
        pytest.param({}, {"reason": "only this"}, id="only the link itself"),
    ],
)
def test_a_save_upon_what_is_known_is_the_same_save(
    store: Store, mailbox: int, known: bool, before: dict[str, object], after: dict[str, object]
) -> None:
    insert(store, a_link("l1", mailbox, **before))
    read = _stored(store, "l1")
    changed = replace(read, **after)  # type: ignore[arg-type]
    with store.save(None) as save:
        assert save.save_links([changed], [read] if known else []) == set()
    assert _stored(store, "l1") == replace(changed, version=2)


def test_what_is_known_of_another_version_is_not_believed(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox, crm_base=None, outlook_base=None))
    first = _stored(store, "l1")
    with store.save(None) as save:
        save.save_links([replace(first, crm_base=A_BASE)])
    second = _stored(store, "l1")
    with store.save(None) as save:
        assert save.save_links([replace(second, crm_base=None)], [first]) == set()
    assert _stored(store, "l1").crm_base is None


def test_the_second_of_two_saves_loses_and_the_others_are_saved(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox), a_link("l2", mailbox))
    one, two = _stored(store, "l1"), _stored(store, "l2")
    with store.save(None) as save:
        assert save.save_links([replace(one, reason="first")]) == set()
    with store.save(None) as save:
        stale = save.save_links(
            [replace(one, reason="second"), replace(two, reason="second"), a_link("gone")]
        )
    assert stale == {"l1", "gone"}
    assert (_stored(store, "l1").reason, _stored(store, "l2").reason) == ("first", "second")
    assert (_stored(store, "l1").version, _stored(store, "l2").version) == (2, 2)


def test_a_record_that_has_a_link_is_not_taken_over(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox, record_id="r"), a_link("l2", mailbox, record_id=""))
    with store.save(None) as save:
        assert save.save_links([replace(_stored(store, "l2"), record_id="r")]) == {"l2"}
    assert _stored(store, "l2").record_id == ""


@pytest.mark.parametrize(
    ("others", "wanted", "lost"),
    [
        pytest.param({"there": NOON}, {"mine": NOON}, {"mine"}, id="of another link"),
        pytest.param({"there": NOON}, {"mine": NOON, "too": NEXT}, {"mine"}, id="the others are saved"),
        pytest.param({}, {"mine": NOON, "too": NOON}, {"mine"}, id="two at once"),
        pytest.param({"there": NOON}, {"mine": NOON, "there": NEXT}, {"mine"}, id="about to become free"),
        pytest.param({"there": NOON}, {"there": NOON}, set(), id="the own one"),
    ],
)
def test_a_date_of_a_series_that_has_a_link_is_not_taken_over(
    store: Store, mailbox: int, others: dict[str, datetime], wanted: dict[str, datetime], lost: set[str]
) -> None:
    insert(
        store,
        *(a_link(name, mailbox, series_ical_uid="S", original_start=start) for name, start in others.items()),
        *(a_link(name, mailbox) for name in wanted if name not in others),
    )
    before = store.links.by_ids(wanted)
    with store.save(None) as save:
        assert (
            save.save_links(
                [
                    replace(before[name], series_ical_uid="S", original_start=start, reason="saved")
                    for name, start in wanted.items()
                ]
            )
            == lost
        )
    after = store.links.by_ids(wanted)
    assert {name for name, link in after.items() if link == before[name]} == lost
    assert {after[name].original_start for name in wanted if name not in lost} == {
        start for name, start in wanted.items() if name not in lost
    }


@pytest.mark.parametrize("taken", ["date", "record"])
def test_what_is_taken_at_the_same_moment_is_lost_and_the_others_are_saved(
    opened: Opener, taken: str
) -> None:
    """The first run holds its transaction open until the second one waits for it, or is about to begin."""
    fields: dict[str, dict[str, object]] = {
        "date": {"series_ical_uid": "S", "original_start": NOON},
        "record": {"record_id": "r"},
    }
    one, two = opened(), opened()
    insert(one, a_link("first", record_id=""), a_link("second", record_id=""), a_link("other"))
    links = one.links.by_ids(["first", "second", "other"])
    stale: list[set[str]] = []
    begun = threading.Event()

    def save_second() -> None:
        begun.set()
        with two.save(None) as save:
            changed = [replace(links["second"], **fields[taken]), replace(links["other"], reason="saved")]  # type: ignore[arg-type]
            stale.append(save.save_links(changed))

    thread = threading.Thread(target=save_second)
    with one.save(None) as save:
        assert save.save_links([replace(links["first"], **fields[taken])]) == set()  # type: ignore[arg-type]
        thread.start()
        begun.wait()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert stale == [{"second"}]
    assert _stored(one, "other").reason == "saved"


def test_a_dropped_link_leaves_nothing(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox))
    read = _stored(store, "l1")
    with store.save(None) as save:
        save.drop_link(read)
    assert store.links.by_ids(["l1"]) == {}
    assert store.links.by_events(mailbox, ["event-l1"]) == {}
    with pytest.raises(StaleLink, match="l1"), store.save(None) as save:
        save.drop_link(read)
    assert insert(store, a_link("l1", mailbox)) == set()


def test_a_link_that_changed_is_not_dropped(store: Store, mailbox: int) -> None:
    insert(store, a_link("l1", mailbox))
    read = _stored(store, "l1")
    with store.save(None) as save:
        save.save_links([read])
    with pytest.raises(StaleLink), store.save(None) as save:
        save.drop_link(read)


def test_two_workers_and_one_invitation_a_thousand_times(opened: Opener) -> None:
    """Only the run that inserted the link creates the record; the other one joins."""
    stores = [opened(), opened()]
    created: list[str] = []
    joined: list[str] = []
    together = threading.Barrier(2)

    def work(number: int) -> None:
        store = stores[number]
        together.wait()
        for start in range(0, 1000, 4):
            uids = [f"U{n}" for n in range(start, start + 4)]
            links = {
                f"{uid}-{number}": a_link(
                    f"{uid}-{number}", number + 3, record_id="", series_ical_uid=uid, copies=()
                )
                for uid in uids[:: 1 if number else -1]
            }
            lost = insert(store, *links.values())
            created.extend(link.series_ical_uid for link in links.values() if link.id not in lost)
            winners = store.links.by_ical_uids([links[link_id].series_ical_uid for link_id in lost])
            assert len(winners) == len(lost)
            joined.extend(winners)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(created) == Counter(f"U{n}" for n in range(1000))
    assert len(joined) == 1000
    assert sum(stores[0].links.counts().values()) == 1000


def test_concurrent_saves_of_one_link_are_each_counted_once(opened: Opener) -> None:
    stores = [opened(), opened()]
    insert(stores[0], a_link("l1"), a_link("l2"))
    won = Counter[str]()
    mutex = threading.Lock()

    def work(store: Store) -> None:
        for _ in range(50):
            links = list(store.links.by_ids(["l1", "l2"]).values())
            with store.save(None) as save:
                stale = save.save_links([replace(link, generation=link.generation + 1) for link in links])
            with mutex:
                won.update(link.id for link in links if link.id not in stale)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for link in stores[0].links.by_ids(["l1", "l2"]).values():
        assert link.generation - 1 == link.version - 1 == won[link.id] > 0
