"""Whatever a CRM answers for a record: a meeting, or a reason that a person can act on; never a crash."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from calsync_plugin.crm.attendance import people_of
from calsync_plugin.crm.attributes import record_attributes, restored_attributes
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import SimpleGateway, loaded
from calsync_plugin.crm.records import RecordView, attributes_read, read_record
from calsync_plugin.domain.meeting import Field
from calsync_plugin.errors import InvalidRecord, ItemError
from calsync_plugin.settings import EntitySettings
from tests.unit.crm.recordings import VISIT, recordings

HTML = EntitySettings(entity_type="Meeting", description_format="html", marker="cOutlookEventId")
CALL = EntitySettings(entity_type="Call", all_day=False)
ENTITIES = (VISIT, HTML, CALL)
WHOLE: Mapping[str, Any] = {
    **recordings()["002-meeting-get"].body,
    VISIT.location: "Room 7",
    VISIT.reminder: "15",
    VISIT.sensitivity: "Private",
    VISIT.show_as: "Busy",
    VISIT.online: True,
    "cOutlookEventId": "i:l",
    "cOutlookJoinUrl": "https://x",
    "timeZone": "Europe/Kyiv",
    "versionNumber": 3,
}
NAMES = sorted({*WHOLE, *(name for entity in ENTITIES for name in attributes_read(entity))})

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "2026-12-01 10:00:00", "2026-12-01", "0000-00-00 00:00:00", "9999-12-31 23:59:59", "0001-01-01",
            "2026-12-01T10:00:00.1234567", "2026-12-01 10:00:00.5+00:00", "2026-W49-2", "20261201T100000Z",
            "2026-12-01 10:00:00 ", "\ud800", "a\0b", "x" * 70_000, "٣٠", 10**400, -1,
            b"bytes", date(2026, 12, 1), datetime(2026, 12, 1, 10),  # noqa: DTZ001
        ]
    )
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(sorted(WHOLE["usersIds"])), inner, max_size=3)
    ),
    max_leaves=6,
)


class Nobody(SimpleGateway):
    """A CRM that knows no people."""

    def people(self, *_: object) -> dict[str, Any]:
        """None of them."""
        return {}


def _read(record: Mapping[str, Any], entity: EntitySettings) -> RecordView | ItemError:
    people = Directory(Nobody())
    people.prefetch(people_of(record))
    loaded(record)
    try:
        view = read_record(record, entity, people, installation_zone="Europe/Berlin")
    except InvalidRecord as error:
        return error
    view.meeting.normal_form(Field)
    try:
        record_attributes(view.meeting, Field, entity, current=view)
    except ItemError as error:
        return error
    return view


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4), st.sampled_from(ENTITIES))
def test_a_record_with_odd_attributes(odd: dict[str, Any], entity: EntitySettings) -> None:
    record = {**copy.deepcopy(dict(WHOLE)), **odd}
    before = copy.deepcopy(record)

    answer = _read(record, entity)

    assert isinstance(answer, RecordView) or (answer.reason and len(str(answer)) < 400)
    assert repr(record) == repr(before)


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING), st.sampled_from(ENTITIES))
def test_a_record_of_odd_attributes_alone(record: dict[str, Any], entity: EntitySettings) -> None:
    _read(record, entity)


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4), st.sampled_from(ENTITIES))
def test_an_odd_record_from_the_journal(odd: dict[str, Any], entity: EntitySettings) -> None:
    with suppress(InvalidRecord):
        restored_attributes({**WHOLE, **odd}, entity)
