"""What a change of settings will do, in sentences for the user who changes them.

Decides the words alone: what happens is `choices`'s and the engine's. Pure; the numbers are counted by
`consequences`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.policy import Mode
from calsync_plugin.settings import UserSettings
from calsync_plugin.state import CalendarRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the sentences are about."""

    calendars: Mapping[str, CalendarRow]
    teams: Mapping[str, str]
    """Names by id."""
    followed: Mapping[str, int]
    """Meetings that are in both places, by kind of record."""
    poll_minutes: int

    @property
    def all_followed(self) -> int:
        """Meetings of all kinds that are in both places."""
        return sum(self.followed.values())

    def calendar(self, calendar_id: str) -> str:
        """A calendar's name."""
        if not calendar_id:
            return "your default calendar"
        known = self.calendars.get(calendar_id)
        return known.name if known else "a calendar that is no longer there"


def sentences(before: UserSettings, after: UserSettings, facts: Facts) -> list[str]:
    """What changes, in the order of the form."""
    found: list[str] = []
    for part in (_direction, _window, _calendars, _entities, _people, _details, _deletions):
        found += part(before, after, facts)
    return found


def _takes(settings: UserSettings, flow: Flow) -> bool:
    return flow in MODE_FLOW[Mode(settings.mode)]


_DIRECTIONS: Mapping[str, str] = {
    "both": "Changes go both ways from now on.",
    "crm_to_outlook": (
        "Only the CRM counts from now on: new meetings of Outlook stay in Outlook, and what you change there "
        "does not come into the CRM."
    ),
    "outlook_to_crm": (
        "Only Outlook counts from now on: new meetings of the CRM stay in the CRM, and what you change there "
        "does not go to Outlook."
    ),
}


def _direction(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    if before.mode == after.mode:
        return
    yield _DIRECTIONS[after.mode]
    if facts.all_followed:
        yield (
            f"{_meetings(facts.all_followed)} in both places {_stay(facts.all_followed)} there. Where the "
            "two differ "
            "now, nothing is written until somebody edits one of them."
        )


def _window(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    if after.sync_since < before.sync_since and _takes(after, Flow.IN):
        yield f"Outlook is read from {_day(after)} on: meetings since then come into the CRM."
    elif after.sync_since > before.sync_since:
        yield f"Meetings that were over before {_day(after)} are no longer followed. Nothing is deleted."
    if after.months_ahead > before.months_ahead:
        yield f"Your calendar is followed {after.months_ahead} months ahead instead of {before.months_ahead}."
    elif after.months_ahead < before.months_ahead:
        yield (
            f"New meetings more than {after.months_ahead} months ahead are taken later. Those that are in "
            "both "
            "places already stay."
        )


def _calendars(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    if after.main_calendar != before.main_calendar:
        main = facts.calendars.get(after.main_calendar)
        yield (
            f"New meetings of the CRM go into {facts.calendar(after.main_calendar)}. Those that are in "
            "Outlook "
            "already stay in the calendar in which they are."
        )
        if main is not None and main.shared:
            yield (
                f"{main.name} belongs to {main.owner_address}, who is the organizer of what is put there: "
                "invitations "
                "go out in that name. Microsoft tells no changes of shared calendars, so calsync looks "
                "into it "
                f"every {facts.poll_minutes} minutes."
            )
    new = [c for c in after.other_calendars if c not in before.other_calendars]
    gone = [c for c in before.other_calendars if c not in after.other_calendars]
    if new and _takes(after, Flow.IN):
        yield f"The meetings of {_listed(facts.calendar(c) for c in new)} come into the CRM."
    if gone:
        yield (
            f"The meetings of {_listed(facts.calendar(c) for c in gone)} are no longer followed. Nothing is "
            "deleted, in neither place."
        )


def _entities(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    old, new = ({e.entity_type: e.label for e in s.entities} for s in (before, after))
    for name in new.keys() - old.keys():
        yield f"Records of the kind {name} are kept in step as well."
    for name in old.keys() - new.keys():
        count = facts.followed.get(name, 0)
        yield (
            f"Records of the kind {name} are no longer kept in step"
            + (f": {_meetings(count)} {_stay(count)} in both places as they are." if count else ".")
        )
    if any(old[name] != new[name] for name in old.keys() & new.keys()):
        yield "A changed label shows in Outlook once a meeting is written there the next time."
    if after.default_entity != before.default_entity and _takes(after, Flow.IN):
        yield f"New meetings of Outlook without a label become records of the kind {after.default_entity}."


def _people(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    for who, was, now in (
        ("contacts", before.push_contacts, after.push_contacts),
        ("leads", before.push_leads, after.push_leads),
    ):
        if now and not was:
            yield (
                f"From now on the {who} of a meeting are invited as soon as you save it in the CRM: "
                "Outlook mails "
                "them in your name. Meetings that nobody touches invite nobody."
            )
        elif was and not now:
            yield f"No more {who} are invited. Those who were invited stay invited."
    if after.create_contacts and not before.create_contacts:
        yield "People in your Outlook meetings whom the CRM does not know become contacts."
    elif before.create_contacts and not after.create_contacts:
        yield "Unknown people no longer become contacts. Contacts that were made stay."
    if after.default_team != before.default_team:
        team = facts.teams.get(after.default_team, "")
        reader = f"by the team {team}" if team else "by you alone"
        yield f"Meetings that come from Outlook from now on can be read {reader}."


_PRIVATE: Mapping[str, str] = {
    "skip": "Your private meetings stay out of the CRM; of those that came in only the time remains there.",
    "busy": "Of your private meetings the CRM shows that you are busy, and nothing else.",
    "full": (
        "Your private meetings come into the CRM with everything that is in them. Colleagues who may read "
        "your "
        "records, and administrators, can read it."
    ),
}
_RECURRING: Mapping[str, str] = {
    "occurrences": "Each date of your recurring meetings becomes a record in the CRM.",
    "first": "Of a new recurring meeting only the first date becomes a record in the CRM.",
    "skip": "New recurring meetings stay in Outlook. Dates that are in the CRM already are still followed.",
}
_CLASH: Mapping[str, str] = {
    "origin": "If both places were changed, the place where the meeting was created wins.",
    "crm": "If both places were changed, the CRM wins.",
    "outlook": "If both places were changed, Outlook wins.",
}


def _details(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    if after.private_events != before.private_events:
        yield _PRIVATE[after.private_events]
    if after.hide_imported_details and not before.hide_imported_details:
        yield "Meetings from Outlook lose subject, description and people in the CRM; their time remains."
    elif before.hide_imported_details and not after.hide_imported_details:
        yield "Subject, description and people of your Outlook meetings can be read in the CRM again."
    if after.recurring != before.recurring:
        yield _RECURRING[after.recurring]
    if after.description_both_ways != before.description_both_ways:
        yield (
            "A description that is changed from now on goes to the other place, too."
            if after.description_both_ways
            else "Descriptions go only from where the meeting was created."
        )
    if after.teams_for_new != before.teams_for_new:
        yield (
            "New meetings of the CRM get a Teams link. Those that exist stay as they are."
            if after.teams_for_new
            else "New meetings of the CRM get no Teams link. Those that have one keep it."
        )
    if after.clash != before.clash:
        yield _CLASH[after.clash]


def _deletions(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    if after.remove_event_with_record != before.remove_event_with_record:
        yield (
            "If you delete a record that came from Outlook, its meeting in Outlook is deleted, too, and "
            "Outlook mails "
            "a cancellation to its attendees."
            if after.remove_event_with_record
            else "If you delete a record that came from Outlook, its meeting stays in Outlook."
        )
    if after.remove_record_with_event != before.remove_record_with_event:
        yield (
            "If you delete a meeting in Outlook that was created in the CRM, its record is deleted, too."
            if after.remove_record_with_event
            else "If you delete a meeting in Outlook that was created in the CRM, its record stays."
        )


def _day(settings: UserSettings) -> str:
    return f"{settings.sync_since:%d %B %Y}".lstrip("0")


def _meetings(count: int) -> str:
    return "The 1 meeting" if count == 1 else f"The {count} meetings"


def _stay(count: int) -> str:
    return "stays" if count == 1 else "stay"


def _listed(names: Iterator[str]) -> str:
    return ", ".join(names)
