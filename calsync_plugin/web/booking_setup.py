"""What an administrator enters of a booking calendar: name, kind, members and rules, until it is saved.

Decides how it is read from a form, and that it stays in the form while members are looked for. What is
right of it is decided by `booking.calendars` and the schema of the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import request

from calsync_plugin.booking.calendars import LONGEST_NAME, MOST_PRIORITY
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web.booking_words import KINDS
from calsync_plugin.web.known_sentences import begun, in_words, known
from calsync_plugin.web.schema_fields import Choice, Choices
from calsync_plugin.web.schema_forms import SchemaForm
from calsync_plugin.web.showing import kind
from calsync_plugin.web.speaking import say
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

SCHEMA = "booking_calendar"
LONGEST_BEGAN = 40_000
MOST_SENT = 200
"""Members that a form may send; the use case has a limit of its own."""
PLACES = ("name", "kind", "members")
"""Fields that are not rules; what is wrong with them stands beside them."""
_ASCII_NUMBER = re.compile(r"[0-9]{1,9}")

WEEKDAYS = (
    ("mon", _("Monday")),
    ("tue", _("Tuesday")),
    ("wed", _("Wednesday")),
    ("thu", _("Thursday")),
    ("fri", _("Friday")),
    ("sat", _("Saturday")),
    ("sun", _("Sunday")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What stands in the form. `title` is the name that is saved, `id` empty for a new one."""

    id: str = ""
    title: str = ""
    name: str = ""
    kind: str = CalendarKind.ROUND_ROBIN.value
    members: Mapping[str, int | str] = field(default_factory=dict)
    """Priority by user id; what is no number stays as it was entered."""
    version: int = 0
    began: str = ""
    """What was saved when the form was opened, as JSON: what somebody saved since is told against it."""

    def calendar(self, rules: Mapping[str, Any]) -> BookingCalendar:
        """What is to be saved; only if nothing is `wrong` with it."""
        return BookingCalendar(
            id=self.id,
            name=self.name,
            kind=CalendarKind(self.kind),
            rules=rules,
            members={one: int(priority) for one, priority in self.members.items()},
            version=self.version,
        )


def of_calendar(calendar: BookingCalendar) -> Shown:
    """The form as it is shown first."""
    return Shown(
        id=calendar.id,
        title=calendar.name,
        name=calendar.name,
        kind=calendar.kind.value,
        members=calendar.members,
        version=calendar.version,
        began=_written(calendar),
    )


def entered(calendar: BookingCalendar | None) -> Shown:
    """What was sent, with the member added or taken off whose button was pressed."""
    sent = request.form
    members: dict[str, int | str] = {
        one: _priority(sent.get(f"priority-{one}", "")) for one in sent.getlist("member")[:MOST_SENT] if one
    }
    if sent.get("add"):
        members.setdefault(sent["add"], 0)
    members.pop(sent.get("take", ""), None)
    return Shown(
        id=calendar.id if calendar else "",
        title=calendar.name if calendar else "",
        name=" ".join(sent.get("name", "").split())[: 2 * LONGEST_NAME],
        kind=sent.get("kind", ""),
        members=members,
        version=_version(sent.get("version", "")),
        began=sent.get("began", "")[:LONGEST_BEGAN],
    )


def _priority(text: str) -> int | str:
    text = text.strip() or "0"
    return int(text) if _ASCII_NUMBER.fullmatch(text) else text[:20]


def _version(text: str) -> int:
    return int(text) if _ASCII_NUMBER.fullmatch(text) else 0


def only_looks() -> bool:
    """Whether a button was pressed that saves nothing."""
    sent = request.form
    if sent.get("do") == "enter":
        # The Enter key in any field; with a name to be looked for it is meant for that.
        return bool(sent.get("search", "").strip())
    return sent.get("do") == "find" or bool(sent.get("add") or sent.get("take"))


def rule_choices(calsync: Calsync) -> Choices:
    """What can be chosen in the rules, by the schema's `x-choices`."""
    return {
        "weekdays": [Choice(value, title) for value, title in WEEKDAYS],
        "entities": [Choice(name, kind(name)) for name in calsync.entities],
    }


def blame(form: SchemaForm, shown: Shown) -> bool:
    """Put beside kind and members what no use case could even be asked; whether there is any."""
    wrong: dict[str, str] = {}
    if shown.kind not in set(CalendarKind):
        wrong["kind"] = _("Choose what kind it is.")
    if not all(isinstance(one, int) for one in shown.members.values()):
        wrong["members"] = _("A priority is a whole number from 0 to %(num)s.", num=MOST_PRIORITY)
    for name, text in wrong.items():
        form.wrong.setdefault(name, []).append(say(text))
    return bool(wrong)


def refuse(form: SchemaForm, error: SettingsError) -> None:
    """Put why it was not saved beside what it is about: an error begins with the name of that."""
    place, _sep, text = str(error).partition(": ")
    if place not in PLACES and place not in form:
        place, text = "", str(error)
    said = in_words(error)
    if isinstance(said, Wording):
        # In another language the sentence begins with the same name.
        text = known(said).removeprefix(f"{place}: ") if place else known(said)
    form.wrong.setdefault(place, []).append(begun(known(text)))


def differences(
    mine: Shown,
    rules: Mapping[str, Any],
    saved: BookingCalendar,
    names: Mapping[str, str],
    form: SchemaForm,
) -> list[str]:
    """What was saved meanwhile otherwise than the form began with, in words; not what it alone changed."""
    mine, rules = _begun_with(mine, rules)
    found: list[str] = []
    if saved.name != mine.name:
        found.append(_("Name: %(name)s", name=saved.name))
    if saved.kind.value != mine.kind:
        found.append(_("Kind: %(kind)s", kind=KINDS[saved.kind].title))
    if dict(saved.members) != dict(mine.members):
        members = tuple(f"{names.get(one, one)} ({priority})" for one, priority in saved.members.items())
        found.append(_("Members, with their priority: %(names)s", names=members or ("-",)))
    for name, field_of, schema in form.rows():
        value = saved.rules.get(name, schema.get("default"))
        if value != rules.get(name, schema.get("default")):
            found.append(f"{field_of.label.text}: {_told(value)}")
    return [say(text) for text in found or [_("the same as yours")]]


def _written(calendar: BookingCalendar) -> str:
    parts = {"name": calendar.name, "kind": calendar.kind.value, "members": dict(calendar.members)}
    return json.dumps({**parts, "rules": dict(calendar.rules)}, sort_keys=True)


def _begun_with(mine: Shown, rules: Mapping[str, Any]) -> tuple[Shown, Mapping[str, Any]]:
    """The form as it was opened; as it stands, where that is not told."""
    try:
        match json.loads(mine.began):
            case {"name": str(name), "kind": str(kind_), "members": dict(members), "rules": dict(ruled)}:
                return replace(mine, name=name, kind=kind_, members=members), ruled
    except (ValueError, RecursionError):
        pass
    return mine, rules


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def again(shown: Shown, saved: BookingCalendar) -> Shown:
    """What was entered, to be saved over what was saved meanwhile."""
    return replace(shown, version=saved.version, title=saved.name, began=_written(saved))
