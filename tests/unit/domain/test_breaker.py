"""The mass-change breaker (R11) as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync_plugin.domain.breaker import Counts, allowed


def counts(links: int, before: int = 0, everywhere: int = 0, mailboxes: int = 0, total: int = 0) -> Counts:
    """What went through within the window."""
    return Counts(
        links=links,
        in_mailbox=frozenset(f"before-{n}" for n in range(before)),
        everywhere=everywhere,
        mailboxes=mailboxes,
        all_mailboxes=total,
    )


CASES = [
    pytest.param(5, counts(5), True, id="five of five"),
    pytest.param(6, counts(29), False, id="six, more than a fifth"),
    pytest.param(6, counts(30), True, id="six, exactly a fifth"),
    pytest.param(6, counts(6), False, id="six, all of them"),
    pytest.param(50, counts(250), True, id="fifty, exactly a fifth"),
    pytest.param(50, counts(10_000), True, id="fifty of many"),
    pytest.param(51, counts(10_000), False, id="fifty-one whatever the share"),
    pytest.param(1, counts(20, before=5), False, id="the sixth within the window"),
    pytest.param(1, counts(30, before=5), True, id="the sixth, a fifth"),
    pytest.param(1, counts(10_000, before=50), False, id="the fifty-first within the window"),
    pytest.param(1, counts(100, everywhere=199), True, id="two hundred everywhere"),
    pytest.param(1, counts(100, everywhere=200), False, id="two hundred and one everywhere"),
    pytest.param(1, counts(100, everywhere=9, mailboxes=9), True, id="ten mailboxes"),
    pytest.param(1, counts(100, everywhere=10, mailboxes=10), False, id="eleven mailboxes"),
    pytest.param(1, counts(100, everywhere=10, mailboxes=10, total=55), True, id="eleven, a fifth"),
    pytest.param(
        1, counts(100, everywhere=10, mailboxes=10, total=54), False, id="eleven, more than a fifth"
    ),
    pytest.param(0, counts(0, everywhere=500, mailboxes=50), True, id="nothing to do"),
]


@pytest.mark.parametrize(("many", "so_far", "passes"), CASES)
def test_new_groups_go_or_wait_together(many: int, so_far: Counts, passes: bool) -> None:
    """Both sides of every limit."""
    groups = [f"new-{n}" for n in range(many)]
    assert allowed(groups, so_far) == (frozenset(groups) if passes else frozenset())


UPDATES = [
    pytest.param(1, counts(10, before=5), True, id="a working day's sixth"),
    pytest.param(6, counts(29), False, id="six at once, more than a fifth"),
    pytest.param(1, counts(10_000, before=50), False, id="the fifty-first within the window"),
    pytest.param(1, counts(100, everywhere=500, mailboxes=50), True, id="a busy company"),
]


@pytest.mark.parametrize(("many", "so_far", "passes"), UPDATES)
def test_updates_are_a_mass_change_in_a_burst_only(many: int, so_far: Counts, passes: bool) -> None:
    """A day of ordinary updates is no accident."""
    groups = [f"new-{n}" for n in range(many)]
    assert allowed(groups, replace(so_far, burst_only=True)) == (frozenset(groups) if passes else frozenset())


def test_a_series_counts_once() -> None:
    """Fifty occurrences of one series are one group."""
    assert allowed(["series"] * 50, counts(60)) == {"series"}


def test_the_rest_of_a_group_goes_on_while_new_ones_are_held() -> None:
    """A series of which some occurrences went already is finished."""
    so_far = counts(20, before=5)
    assert allowed(["before-1", "new"], so_far) == {"before-1"}
