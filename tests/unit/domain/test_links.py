"""Links: keys of creates, markers, copies, bases, and which way fields flow."""

from __future__ import annotations

from uuid import UUID

import pytest

from calsync_plugin.domain.carried import Flow, carried
from calsync_plugin.domain.links import (
    Base,
    Copy,
    CopyPurpose,
    Origin,
    Role,
    link_of_marker,
    marker,
    transaction_id,
)
from calsync_plugin.domain.meeting import (
    Field,
)
from calsync_plugin.domain.policy import Mode
from tests.unit.domain.cases import (
    attendee_copy,
    home,
    leaving,
    linked,
    meeting,
)
from tests.unit.domain.cases import policy as policy_of


def test_a_base_after_a_plan_keeps_what_waits() -> None:
    """Settled fields and side effects follow the present; other changes stay changes."""
    fields = frozenset({Field.SUBJECT, Field.LOCATION, Field.REMINDER, Field.SHOW_AS})
    base = Base(meeting().normal_form(fields - {Field.SHOW_AS}), "1")
    seen = meeting("New", location="Wien")
    now = meeting("New", location="Wien", reminder=15)
    after = base.after(seen, now, fields, frozenset({Field.SUBJECT}), "2")
    assert after.version == "2"
    assert after.values.keys() == fields
    assert after.changed(now, fields) == {Field.LOCATION}


INSTALLATION, LINK = "5f0c1f8a-1111-4c6e-9a5e-000000000001", "0b54c9a6-2222-4d3f-8b0a-000000000002"


def test_a_create_has_one_key_for_each_generation() -> None:
    """The same for a repeat, another for every other create."""
    key = transaction_id(INSTALLATION, LINK, 1)
    assert key == transaction_id(INSTALLATION, LINK, 1)
    assert str(UUID(key)) == key
    others = {transaction_id(INSTALLATION, LINK, 2), transaction_id(LINK, INSTALLATION, 1)}
    assert key not in others
    assert len(others) == 2


MARKERS = [
    pytest.param(marker(INSTALLATION, LINK), LINK, id="ours"),
    pytest.param(marker(INSTALLATION, LINK.upper()), LINK, id="ours in capitals"),
    pytest.param(marker(LINK, LINK), None, id="another installation's"),
    pytest.param(f"{INSTALLATION}:nonsense", None, id="no link id"),
    pytest.param(INSTALLATION, None, id="no link"),
    pytest.param("", None, id="empty"),
]


@pytest.mark.parametrize(("value", "found"), MARKERS)
def test_markers(value: str, found: str | None) -> None:
    """Only markers of this installation are believed."""
    assert link_of_marker(value, INSTALLATION) == found


def test_copies_of_a_link() -> None:
    """The home copy is found first, whatever the order."""
    copies: tuple[Copy, ...] = (leaving(1), attendee_copy(2), home(1))
    link = linked(copies=copies)
    assert link.home == home(1)
    assert link.leaving == (leaving(1),)
    assert link.copy_in(1) == home(1)
    found = link.copy_in(2)
    assert found is not None
    assert found.purpose is CopyPurpose.ATTENDEE
    assert link.copy_in(3) is None


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("origin", Origin)
def test_flows(mode: Mode, role: Role, origin: Origin) -> None:
    """No field flows against the mode, out of an attendee's copy, or that the record cannot hold."""
    flows = carried(origin, role, policy_of(mode=mode, description_both_ways=True))
    assert all(flow for flow in flows.values())
    out = {f for f, flow in flows.items() if Flow.OUT in flow}
    into = {f for f, flow in flows.items() if Flow.IN in flow}
    everything = set(Field)
    sends = mode is not Mode.OUTLOOK_TO_CRM and role is Role.ORGANIZER
    assert out == (everything - {Field.RESPONSES} if sends else set())
    assert into == (everything - {Field.ONLINE} if mode is not Mode.CRM_TO_OUTLOOK else set())
    held = carried(origin, role, policy_of(mode=mode, entity_fields=frozenset({Field.SUBJECT})))
    assert held.keys() <= {Field.SUBJECT}
