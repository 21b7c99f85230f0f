"""A line that one side cannot hold whole is the same as the other side's own words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from calsync_plugin.crm.names import read_name, write_name
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.merge import agree
from calsync_plugin.domain.timespan import Timed

SPAN = Timed(datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 11, tzinfo=UTC))
LONG = "Long < words = of > somebody " * 12


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(LONG, read_name(write_name(LONG)), True, id="cut for the CRM"),
        pytest.param(LONG, LONG[:254].rstrip() + "…", True, id="cut"),
        pytest.param(LONG, LONG[:126] + "…", True, id="cut for Outlook, which counts half of an emoji"),
        pytest.param(LONG, LONG[:254], False, id="without the sign of it"),
        pytest.param(LONG, "Other" + LONG[5:254] + "…", False, id="another beginning"),
        pytest.param("Wait for it", "Wait…", False, id="short words of somebody"),
        pytest.param(LONG[:150], LONG[:150].rstrip() + "…", False, id="nothing was left out"),
        pytest.param("", "…", False, id="nothing"),
        pytest.param("Same", "Same", True, id="equal"),
    ],
)
@pytest.mark.parametrize("name", [Field.SUBJECT, Field.LOCATION])
def test_agreement(one: str, other: str, same: bool, name: Field) -> None:
    sides = [
        Meeting(subject=text if name is Field.SUBJECT else "", location=text, span=SPAN)
        for text in (one, other)
    ]

    assert agree(name, sides[0], sides[1]) is same
    assert agree(name, sides[1], sides[0]) is same
