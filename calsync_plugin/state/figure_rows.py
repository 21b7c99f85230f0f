"""What the store hands out about figures. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """What adds up to `amount` in the hour that begins at `hour`."""

    hour: datetime
    name: str
    label: str
    amount: float
