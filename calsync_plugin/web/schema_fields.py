"""WTForms fields of the properties of a JSON Schema: what a setting looks like on a page.

Decides the kind of field by the property's type, `enum`, `x-choices` and `writeOnly`. Checks nothing: the
schema does (`schema_forms`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    DateField,
    Field,
    FieldList,
    Form,
    FormField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]
from wtforms.widgets import CheckboxInput, ListWidget

from calsync_plugin import bundle
from calsync_plugin.documents import Problem, Schema
from calsync_plugin.web.speaking import say, translated
from calsync_plugin.wording import gettext as _

MOST_ROWS = 50
"""Rows of a list that a form may send; the schema has limits of its own."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose. `disabled` says in words why it cannot be chosen; `note` what it means."""

    value: str
    label: str
    disabled: str = ""
    note: str = ""
    fixed: bool = False
    """Shown as chosen, whatever the setting says of it; that stays as it is."""


_ROW = re.compile(r"[0-9]{1,4}")
Choices = Mapping[str, Sequence[Choice]]
"""What can be chosen, by the schema's `x-choices`."""


class Ticks(SelectMultipleField):  # type: ignore[misc]
    """Several of some choices, as check boxes: a list that needs the Ctrl key is nothing for a phone."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class Lines(TextAreaField):  # type: ignore[misc]
    """A list of texts, one on each line."""

    def _value(self) -> str:
        return "\n".join(self.data or [])

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Empty lines count for nothing."""
        text = valuelist[0] if valuelist else ""
        self.data = [line.strip() for line in text.splitlines() if line.strip()]  # pyright: ignore


class Rows(FieldList):  # type: ignore[misc]
    """A list of groups of fields, to which a button adds one and from which a button takes one."""

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        """The numbers of rows in the names of fields; `int` refuses some of what WTForms takes for one."""
        start = f"{prefix}-"
        for name in formdata:
            number = name.removeprefix(start).partition("-")[0] if name.startswith(start) else ""
            if _ROW.fullmatch(number):
                yield int(number)

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Add or take a row if one of the row buttons was what sent the form."""
        super().process(formdata, *args, **kwargs)
        if formdata is None:
            return
        if formdata.get("add_row") == self.name and len(self.entries) < MOST_ROWS:
            self.append_entry()
        taken = formdata.get("take_row", "")
        for entry in [one for one in self.entries if one.name == taken]:
            self.entries.remove(entry)


def properties(schema: Schema) -> list[tuple[str, Schema]]:
    """The properties of a schema in their order, with what they refer to."""
    found = [(name, resolved(inner)) for name, inner in schema["properties"].items()]
    return sorted(found, key=lambda one: one[1].get("x-order", 0))


def resolved(schema: Schema) -> Schema:
    """A schema with what its `$ref` names, its own words before those of the other."""
    if "$ref" not in schema:
        return schema
    file, _, pointer = str(schema["$ref"]).partition("#")
    found: Any = bundle.schema(file.removesuffix(".schema.json"))
    for step in pointer.split("/")[1:]:
        found = found[step]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def field_of(name: str, schema: Schema, choices: Choices) -> Any:
    """The unbound field of one property."""
    words: dict[str, Any] = {
        "label": translated(schema.get("title", name)),
        "description": translated(schema.get("description", "")),
        "render_kw": _attributes(schema),
    }
    kind = schema.get("type")
    offered = choices.get(schema.get("x-choices", ""))
    if kind == "array":
        return _list_field(schema, choices, words, offered)
    if "enum" in schema:
        labels = schema.get("x-labels", {})
        return RadioField(
            choices=[SelectChoice(v, translated(labels.get(v, v))) for v in schema["enum"]],
            **_any_value(words),
        )
    if kind == "string" and offered is not None:
        return SelectField(
            choices=[SelectChoice(one.value, say(one.label)) for one in offered], **_any_value(words)
        )
    if schema.get("writeOnly"):
        return PasswordField(**words)
    if kind == "boolean":
        return BooleanField(**words)
    if kind == "integer":
        return IntegerField(**words)
    if schema.get("format") == "date":
        return DateField(**words)
    return StringField(**words)


def _list_field(schema: Schema, choices: Choices, words: dict[str, Any], offered: Any) -> Any:
    items = schema["items"]
    if items.get("type") == "object":
        inner = {key: field_of(key, one, choices) for key, one in properties(items)}
        row = type("Row", (Form,), inner)
        return Rows(FormField(row), max_entries=MOST_ROWS, **words)
    if offered is not None:
        return Ticks(
            choices=[SelectChoice(one.value, say(one.label)) for one in offered], **_any_value(words)
        )
    return Lines(**words)


def _any_value(words: dict[str, Any]) -> dict[str, Any]:
    """Whether a value may be chosen is told by schema and use case, in words; a stored one may have gone."""
    return {**words, "validate_choice": False}


def _attributes(schema: Schema) -> dict[str, Any]:
    limits = {"minLength": "minlength", "maxLength": "maxlength", "minimum": "min", "maximum": "max"}
    found = {html: schema[key] for key, html in limits.items() if key in schema}
    if schema.get("writeOnly"):
        found["autocomplete"] = "new-password"
    return found


def json_value(field: Field) -> Any:
    """A field's value as JSON has it; None for one that was left empty and has no meaning then."""
    if isinstance(field, Rows):
        return [_row(entry.form) for entry in field.entries]
    value = field.data
    if isinstance(value, date):
        return value.isoformat()
    if value is None and field.raw_data and field.raw_data[0]:
        # Not a number, not a date: the schema says in words what was expected.
        return field.raw_data[0]
    return value


def _row(form: Form) -> dict[str, Any]:
    found = {field.short_name: json_value(field) for field in form}
    return {name: value for name, value in found.items() if value is not None}


def unoffered(name: str, schema: Schema, value: Any, before: Any, choices: Choices) -> Iterator[Problem]:
    """What was chosen in a property and is not offered, or may not be chosen now."""
    offered = choices.get(schema.get("x-choices", ""))
    items = schema.get("items", {})
    if items.get("type") == "object":
        known = before if isinstance(before, list) else []
        for number, row in enumerate(value if isinstance(value, list) else []):
            for key, inner in properties(items):
                stood = [one.get(key) for one in known if isinstance(one, dict)]
                for problem in unoffered(key, inner, row.get(key), stood, choices):
                    yield Problem((name, number, *problem.place), problem.message)
        return
    if offered is None:
        return
    stood = [before, *(before if isinstance(before, list) else [])]
    by_value = {one.value: one for one in offered}
    reasons: dict[str, None] = {}
    for one in value if isinstance(value, list) else [value]:
        choice = by_value.get(one)
        if one not in (None, "") and one not in stood and (choice is None or choice.disabled):
            why = (
                f"{say(choice.label)}: {say(choice.disabled)}"
                if choice
                else say(_("is not among what can be chosen"))
            )
            reasons[why] = None
    yield from (Problem((name,), why) for why in reasons)


def condition(schema: Schema) -> str:
    """The schema's `x-show-if` for the page's script."""
    return json.dumps(schema["x-show-if"]) if "x-show-if" in schema else ""


def adds_or_takes_a_row() -> bool:
    """Whether this request is about the form's shape alone and nothing is to be saved."""
    return "add_row" in request.form or "take_row" in request.form
