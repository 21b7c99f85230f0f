"""What is drawn by lot within a world comes from the name of its test: the same commit draws the same.

A test that fails only for some order of link ids would otherwise fail once in a hundred runs, for a change
that has nothing to do with it. Soak draws anew with each seed; there such orders are looked for.
"""

from __future__ import annotations

import os
import random
from collections import Counter

_worlds: Counter[str] = Counter()


def draws() -> random.Random:
    """The lot of the next world: by the test and how many worlds that made before, at random elsewhere."""
    # Set by pytest: `tests/flows/test_x.py::test_y[sqlite] (call)`.
    test = os.environ.get("PYTEST_CURRENT_TEST", "")
    if not test:
        return random.Random()
    _worlds[test] += 1
    return random.Random(f"{test} {_worlds[test]}")
