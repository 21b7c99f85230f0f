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
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n
from calsync_plugin.wording import pgettext as _p


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
            return _("your default calendar")
        known = self.calendars.get(calendar_id)
        return known.name if known else _("a calendar that is no longer there")


def sentences(before: UserSettings, after: UserSettings, facts: Facts) -> list[str]:
    """What changes, in the order of the form."""
    found: list[str] = []
    for part in (_direction, _window, _calendars, _entities, _people, _details, _deletions):
        found += part(before, after, facts)
    return found


def _takes(settings: UserSettings, flow: Flow) -> bool:
    return flow in MODE_FLOW[Mode(settings.mode)]


_DIRECTIONS: Mapping[str, str] = {
    "both": _("Changes go both ways from now on."),
    "crm_to_outlook": _(
        "Only the CRM counts from now on: new meetings of Outlook stay in Outlook, and what you change there "
        "does not come into the CRM."
    ),
    "outlook_to_crm": _(
        "Only Outlook counts from now on: new meetings of the CRM stay in the CRM, and what you change there "
        "does not go to Outlook."
    ),
}


def _direction(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    if before.mode == after.mode:
        return
    yield _DIRECTIONS[after.mode]
    if facts.all_followed:
        yield _n(
            "The %(num)s meeting in both places stays there. Where the two differ now, nothing is written "
            "until somebody edits one of them.",
            "The %(num)s meetings in both places stay there. Where the two differ now, nothing is written "
            "until somebody edits one of them.",
            facts.all_followed,
        )


def _window(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    if after.sync_since < before.sync_since and _takes(after, Flow.IN):
        yield _(
            "Outlook is read from %(day)s on: meetings since then come into the CRM.", day=after.sync_since
        )
    elif after.sync_since > before.sync_since:
        yield _(
            "Meetings that were over before %(day)s are no longer followed. Nothing is deleted.",
            day=after.sync_since,
        )
    if after.months_ahead > before.months_ahead:
        yield _n(
            "Your calendar is followed %(num)s month ahead instead of %(before)s.",
            "Your calendar is followed %(num)s months ahead instead of %(before)s.",
            after.months_ahead,
            before=before.months_ahead,
        )
    elif after.months_ahead < before.months_ahead:
        yield _n(
            "New meetings more than %(num)s month ahead are taken later. Those that are in both places "
            "already stay.",
            "New meetings more than %(num)s months ahead are taken later. Those that are in both places "
            "already stay.",
            after.months_ahead,
        )


def _calendars(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    if after.main_calendar != before.main_calendar:
        main = facts.calendars.get(after.main_calendar)
        if after.has_main:
            yield _(
                "New meetings of the CRM go into %(calendar)s. Those that are in Outlook already stay in the "
                "calendar in which they are.",
                calendar=facts.calendar(after.main_calendar),
            )
        else:
            yield _(
                "New meetings of the CRM no longer go to Outlook, and of Outlook only the other calendars "
                "are read. Meetings that are in both places stay there and are followed again when you "
                "choose their calendar again."
            )
        if main is not None and main.shared:
            yield _n(
                "%(calendar)s belongs to %(owner)s, who is the organizer of what is put there: invitations "
                "go out in that name. Microsoft tells no changes of shared calendars, so calsync looks into "
                "it every minute.",
                "%(calendar)s belongs to %(owner)s, who is the organizer of what is put there: invitations "
                "go out in that name. Microsoft tells no changes of shared calendars, so calsync looks into "
                "it every %(num)s minutes.",
                facts.poll_minutes,
                calendar=main.name,
                owner=main.owner_address,
            )
    new = [c for c in after.other_calendars if c not in before.other_calendars]
    gone = [c for c in before.other_calendars if c not in after.other_calendars]
    if new and _takes(after, Flow.IN):
        names = tuple(facts.calendar(c) for c in new)
        yield _("The meetings of %(calendars)s come into the CRM.", calendars=names)
    if gone:
        yield _(
            "The meetings of %(calendars)s are no longer followed. Nothing is deleted, in neither place.",
            calendars=tuple(facts.calendar(c) for c in gone),
        )


def _entities(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    old, new = ({e.entity_type: e.label for e in s.entities} for s in (before, after))
    for name in sorted(new.keys() - old.keys()):
        yield _("Records of the kind %(kind)s are kept in step as well.", kind=_kind(name))
    for name in sorted(old.keys() - new.keys()):
        count = facts.followed.get(name, 0)
        if count:
            yield _n(
                "Records of the kind %(kind)s are no longer kept in step: The %(num)s meeting stays in both "
                "places as they are.",
                "Records of the kind %(kind)s are no longer kept in step: The %(num)s meetings stay in both "
                "places as they are.",
                count,
                kind=_kind(name),
            )
        else:
            yield _("Records of the kind %(kind)s are no longer kept in step.", kind=_kind(name))
    if any(old[name] != new[name] for name in old.keys() & new.keys()):
        yield _("A changed label shows in Outlook once a meeting is written there the next time.")
    if after.default_entity != before.default_entity and _takes(after, Flow.IN):
        yield _(
            "New meetings of Outlook without a label become records of the kind %(kind)s.",
            kind=_kind(after.default_entity),
        )


_CONTACTS = (
    _(
        "From now on the contacts of a meeting are invited as soon as you save it in the CRM: Outlook mails "
        "them in your name. Meetings that nobody touches invite nobody."
    ),
    _("No more contacts are invited. Those who were invited stay invited."),
)
_LEADS = (
    _(
        "From now on the leads of a meeting are invited as soon as you save it in the CRM: Outlook mails "
        "them in your name. Meetings that nobody touches invite nobody."
    ),
    _("No more leads are invited. Those who were invited stay invited."),
)


def _people(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:
    for begins, ends, was, now in (
        (*_CONTACTS, before.push_contacts, after.push_contacts),
        (*_LEADS, before.push_leads, after.push_leads),
    ):
        if now and not was:
            yield begins
        elif was and not now:
            yield ends
    if after.create_contacts and not before.create_contacts:
        yield _("People in your Outlook meetings whom the CRM does not know become contacts.")
    elif before.create_contacts and not after.create_contacts:
        yield _("Unknown people no longer become contacts. Contacts that were made stay.")
    if after.default_team != before.default_team:
        team = facts.teams.get(after.default_team, "")
        if team:
            yield _(
                "Meetings that come from Outlook from now on can be read by the team %(team)s.", team=team
            )
        else:
            yield _("Meetings that come from Outlook from now on can be read by you alone.")


_PRIVATE: Mapping[str, str] = {
    "skip": _(
        "Your private meetings stay out of the CRM; of those that came in only the time remains there."
    ),
    "busy": _("Of your private meetings the CRM shows that you are busy, and nothing else."),
    "full": _(
        "Your private meetings come into the CRM with everything that is in them. Colleagues who may read "
        "your records, and administrators, can read it."
    ),
}
_RECURRING: Mapping[str, str] = {
    "occurrences": _("Each date of your recurring meetings becomes a record in the CRM."),
    "first": _("Of a new recurring meeting only the first date becomes a record in the CRM."),
    "skip": _(
        "New recurring meetings stay in Outlook. Dates that are in the CRM already are still followed."
    ),
}
_CLASH: Mapping[str, str] = {
    "origin": _("If both places were changed, the place where the meeting was created wins."),
    "crm": _("If both places were changed, the CRM wins."),
    "outlook": _("If both places were changed, Outlook wins."),
}


def _details(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    if after.private_events != before.private_events:
        yield _PRIVATE[after.private_events]
    if after.hide_imported_details and not before.hide_imported_details:
        yield _("Meetings from Outlook lose subject, description and people in the CRM; their time remains.")
    elif before.hide_imported_details and not after.hide_imported_details:
        yield _("Subject, description and people of your Outlook meetings can be read in the CRM again.")
    if after.recurring != before.recurring:
        yield _RECURRING[after.recurring]
    if after.description_both_ways != before.description_both_ways:
        yield (
            _("A description that is changed from now on goes to the other place, too.")
            if after.description_both_ways
            else _("Descriptions go only from where the meeting was created.")
        )
    if after.teams_for_new != before.teams_for_new:
        yield (
            _("New meetings of the CRM get a Teams link. Those that exist stay as they are.")
            if after.teams_for_new
            else _("New meetings of the CRM get no Teams link. Those that have one keep it.")
        )
    if after.clash != before.clash:
        yield _CLASH[after.clash]


def _deletions(before: UserSettings, after: UserSettings, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    if after.remove_event_with_record != before.remove_event_with_record:
        yield (
            _(
                "If you delete a record that came from Outlook, its meeting in Outlook is deleted, too, and "
                "Outlook mails a cancellation to its attendees."
            )
            if after.remove_event_with_record
            else _("If you delete a record that came from Outlook, its meeting stays in Outlook.")
        )
    if after.remove_record_with_event != before.remove_record_with_event:
        yield (
            _("If you delete a meeting in Outlook that was created in the CRM, its record is deleted, too.")
            if after.remove_record_with_event
            else _("If you delete a meeting in Outlook that was created in the CRM, its record stays.")
        )


def _kind(entity_type: str) -> Wording:
    return _p("kind of record", entity_type)
