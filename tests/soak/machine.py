"""Random histories on both sides against the plain model.

Decides of which rules a history is made and how histories are played.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.account_rules import AccountRules
from tests.soak.answer_rules import AnswerRules
from tests.soak.crm_rules import CrmRules
from tests.soak.outlook_rules import OutlookRules
from tests.soak.own_rules import OwnRules
from tests.soak.series_rules import SeriesRules
from tests.soak.time_rules import TimeRules
from tests.soak.trouble_rules import TroubleRules


class Machine(CrmRules, OutlookRules, OwnRules, AnswerRules, TimeRules, TroubleRules):
    """People work on both sides, things go wrong; now and then all comes to rest."""


class WithAccounts(AccountRules, Machine):
    """Accounts change their mode, pause, go away and come back as well."""


class WithSeries(SeriesRules, Machine):
    """Somebody keeps a series as well."""


MACHINES: dict[str, type[Machine]] = {"": Machine, "accounts": WithAccounts, "series": WithSeries}


def play(seed: int, histories: int, length: int, *, shrink: bool = False, beside: str = "") -> None:
    """Play so many histories, the same ones for the same seed. Raises what the first that fails raises.

    `beside`: what happens beside what happens in all of them (`MACHINES`).
    """
    chosen = settings(
        max_examples=histories,
        stateful_step_count=length,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        print_blob=False,
    )

    rules = MACHINES[beside]

    class Seeded(rules):  # type: ignore[valid-type, misc]
        """The machine with its own seed."""

    seeded(seed)(Seeded)
    run_state_machine_as_test(Seeded, settings=chosen)
