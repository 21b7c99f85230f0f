"""What was done in all histories of this process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """What was done in all histories of this process."""

    histories: int = 0
    steps: int = 0
    rests: int = 0
    calls: int = 0
    struck: int = 0
    deaths: int = 0

    def rows(self) -> list[tuple[str, int]]:
        """All of it in words."""
        return [
            ("histories", self.histories),
            ("steps of people", self.steps),
            ("comparisons of everything", self.rests),
            ("remote calls", self.calls),
            ("calls that failed", self.struck),
            ("processes that died", self.deaths),
        ]


TALLY = Tally()
