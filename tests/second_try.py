"""Which tests get a second try, in CI and on a desk.

Decides it by what a test waits for: another process, a browser, a thread, all of which a busy machine can
hold up for longer than anybody expected. pytest counts these tries in its closing line ("1 rerun").
Whatever runs within one thread has no such excuse: there a failure that does not come again is a bug, and
its test gets no second try.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
WAITING = frozenset(
    {
        "attack/test_feed_rules.py",
        "attack/test_feed_transport.py",
        "attack/test_stopping.py",
        "attack/test_store_away.py",
        "cli/test_commands.py",
        "cli/test_espocrm.py",
        "contract/crm/test_crm_faults.py",
        "contract/outlook/test_batch.py",
        "contract/outlook/test_mailboxes.py",
        "contract/outlook/test_subscriptions.py",
        "faults/test_kill.py",
        "faults/test_kill_of_deliveries.py",
        "faults/test_kill_of_pulls.py",
        "flows/test_hooks.py",
        "state/test_store_backup.py",
        "state/test_store_heart.py",
        "state/test_store_lane.py",
        "state/test_store_lock.py",
        "state/test_store_race.py",
        "state/test_store_waiting.py",
        "test_demo.py",
        "test_example.py",
        "test_packaging.py",
        "unit/booking/test_looking.py",
        "unit/booking/test_many_at_once.py",
        "unit/crm/test_crm_gate.py",
        "unit/crm/test_crm_installation_zone.py",
        "unit/test_hook_files.py",
        "unit/test_http.py",
        "web/test_bookings_at_once.py",
        "web/test_outlook_webhooks.py",
    }
)
"""Files whose tests start processes or threads."""
FOLDERS = frozenset({"browser", "deploy"})


def give_second_tries(items: list[pytest.Item]) -> None:
    """Mark the tests that wait for something else than themselves."""
    for item in items:
        if waits(item):
            item.add_marker(pytest.mark.flaky(reruns=1))


def waits(item: pytest.Item) -> bool:
    """Whether a test waits for another process, a browser or a thread."""
    place = item.path.relative_to(HERE) if item.path.is_relative_to(HERE) else item.path
    drives_a_browser = "browser" in getattr(item, "fixturenames", ())
    return place.as_posix() in WAITING or place.parts[0] in FOLDERS or drives_a_browser
