"""What changed in a user's settings, in the words of their schema: for the audit log.

Decides how a value reads. Names of calendars are told, their ids say nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from calsync_plugin import bundle
from calsync_plugin.settings import NO_CALENDAR
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import pgettext as _p

NOTHING = _("none")
DEFAULT_CALENDAR = _("your default calendar")
NAMED: Mapping[str, str] = MappingProxyType(
    {
        "calendars": _("another calendar"),
        "busy_calendars": _("another calendar"),
        "main_calendars": _("another calendar"),
        "teams": _("another team"),
    }
)
"""What stands for an id whose name is not known, by what is chosen from."""
LONGEST = 80
"""Characters of a value: a list of calendars would fill the page."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One setting that changed, with its values in words."""

    title: str
    before: str
    after: str


def changes_in_words(
    before: Mapping[str, object], after: Mapping[str, object], calendars: Mapping[str, str]
) -> str:
    """`Direction: Both ways -> CRM to Outlook; ...`; empty if nothing changed. `calendars`: names by id."""
    return "; ".join(f"{c.title}: {c.before} -> {c.after}" for c in changes(before, after, calendars))


def changes(
    before: Mapping[str, object], after: Mapping[str, object], names: Mapping[str, str]
) -> Iterator[Changed]:
    """The settings that differ, in the schema's order. `names`: of calendars and teams, by id."""
    properties: Mapping[str, Any] = bundle.schema("external_account")["properties"]
    for name, schema in ((name, _resolved(schema)) for name, schema in properties.items()):
        old, new = (_whole(document.get(name, schema.get("default")), schema) for document in (before, after))
        if old != new:
            yield Changed(
                _(schema.get("title", name)), _value(old, schema, names), _value(new, schema, names)
            )


def _whole(value: object, schema: Mapping[str, Any]) -> object:
    """A value with the defaults of what its rows leave out: to say a default is no change."""
    inner: Mapping[str, Any] = schema.get("items", {}).get("properties", {})
    if not inner or not isinstance(value, list | tuple):
        return value
    defaults = {name: one["default"] for name, one in inner.items() if "default" in one}
    return [{**defaults, **row} if isinstance(row, Mapping) else row for row in value]


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with what it refers to: the direction has a file of its own."""
    name = str(schema.get("$ref", "")).removesuffix(".schema.json")
    return {**bundle.schema(name), **schema} if name else schema


def _value(value: object, schema: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if schema.get("x-choices") == "main_calendars" and value in ("", NO_CALENDAR):
        return NOTHING if value else DEFAULT_CALENDAR
    if value in (None, "", [], ()):
        return NOTHING
    if isinstance(value, list | tuple):
        return _short(Wording("%(all)s", {"all": tuple(_value(one, schema, names) for one in value)}))
    if isinstance(value, Mapping):
        label = value.get("label")
        kind = _p("kind of record", str(value.get("entity_type")))
        return Wording("%(kind)s (%(label)s)", {"kind": kind, "label": label}) if label else kind
    if schema.get("x-choices") in NAMED:
        return _short(names.get(str(value), NAMED[schema["x-choices"]]))
    labels: Mapping[str, str] = schema.get("x-labels", {})
    # The catalogue has the words before a colon as a message of their own.
    return _short(_(str(labels[str(value)]).partition(":")[0]) if str(value) in labels else str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
