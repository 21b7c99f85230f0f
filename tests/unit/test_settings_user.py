"""A user's choices: from a form or the store to a value, and back."""

from __future__ import annotations

from datetime import date

import pytest

from calsync_plugin.errors import SettingsError
from calsync_plugin.settings import UserEntity, UserSettings, user_mapping, user_settings

SINCE = {"sync_since": "2026-11-20"}
MEETING, CALL = {"entity_type": "Meeting"}, {"entity_type": "Call", "label": "C"}

EVERYTHING = UserSettings(
    sync_since=date(2026, 11, 20),
    mode="outlook_to_crm",
    entities=(UserEntity(entity_type="Meeting"), UserEntity(entity_type="Call", label="C")),
    default_entity="Call",
    months_ahead=3,
    main_calendar="AAMkAD",
    other_calendars=("AAMkAE", "AAMkAF"),
    conflict_calendars=("AAMkAD",),
    out_of_office_blocks=False,
    tentative_blocks=False,
    clash="outlook",
    remove_event_with_record=True,
    remove_record_with_event=True,
    push_contacts=True,
    push_leads=True,
    create_contacts=True,
    private_events="busy",
    hide_imported_details=True,
    recurring="first",
    description_both_ways=True,
    teams_for_new=True,
    default_team="t1",
)


def test_the_least_that_must_be_said_leaves_everything_at_its_default() -> None:
    assert user_settings(SINCE) == UserSettings(sync_since=date(2026, 11, 20))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(UserSettings(sync_since=date(2026, 1, 1)), id="defaults"),
        pytest.param(EVERYTHING, id="everything"),
    ],
)
def test_back_and_forth(settings: UserSettings) -> None:
    assert user_settings(user_mapping(settings)) == settings


def test_no_choice_of_everything_is_a_default() -> None:
    """Else `test_back_and_forth` could pass without carrying it."""
    plain = user_mapping(UserSettings(sync_since=date(2026, 1, 1)))
    assert [key for key, value in user_mapping(EVERYTHING).items() if value == plain[key]] == []


def test_an_entity_is_found_by_its_type() -> None:
    assert EVERYTHING.entity("Call") == UserEntity(entity_type="Call", label="C")
    assert EVERYTHING.entity("CVisit") is None


WRONG = [
    pytest.param({}, "sync_since: is missing (expected a date such as", id="no-date"),
    pytest.param({"sync_since": "20.11.2026"}, 'sync_since: "20.11.2026" is not accepted', id="german-date"),
    pytest.param({"sync_since": "2026-02-30"}, "sync_since: ", id="no-such-day"),
    pytest.param(SINCE | {"mdoe": "both"}, 'mdoe: unknown key; did you mean "mode"?', id="typo"),
    pytest.param(SINCE | {"mode": "crm-to-outlook"}, 'did you mean "crm_to_outlook"?', id="mode"),
    pytest.param(SINCE | {"months_ahead": 0}, "expected a whole number from 1 to 48", id="months"),
    pytest.param(SINCE | {"months_ahead": "12"}, "months_ahead: is text", id="months-as-text"),
    pytest.param(SINCE | {"push_contacts": "on"}, "push_contacts: is text", id="checkbox-as-text"),
    pytest.param(SINCE | {"private_events": "all"}, "expected one of skip, busy, full", id="private"),
    pytest.param(SINCE | {"entities": []}, "entities: ", id="nothing-to-sync"),
    pytest.param(
        SINCE | {"entities": [MEETING, {"entity_type": "Call", "label": "C:"}]},
        "entities[1].label",
        id="colon",
    ),
    pytest.param(
        SINCE | {"entities": [CALL]}, 'default_entity: "Meeting" is not synced', id="default-not-synced"
    ),
    pytest.param(SINCE | {"entities": [MEETING, MEETING | {"label": "M"}]}, "stands twice", id="kind-twice"),
    pytest.param(
        SINCE | {"entities": [MEETING, CALL, {"entity_type": "CVisit", "label": "c"}]},
        "same label",
        id="label-twice",
    ),
    pytest.param(SINCE | {"other_calendars": ["a", "a"]}, "other_calendars: ", id="calendar-twice"),
]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_a_wrong_choice_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        user_settings(values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
