"""Forms that are made from the JSON Schemas in `schemas/`: a new setting is a change of a schema alone.

Decides how a form becomes a document and how what is wrong with it finds its field. The schema is the one
judge of a document; WTForms' own validators are not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField

from calsync_plugin import bundle
from calsync_plugin.documents import Problem, Schema
from calsync_plugin.web.known_sentences import begun, known
from calsync_plugin.web.schema_fields import (
    Choice,
    Choices,
    Rows,
    condition,
    field_of,
    json_value,
    properties,
    unoffered,
)
from calsync_plugin.web.speaking import say
from calsync_plugin.wording import gettext as _

REMOVE = "remove_"
"""Before the name of a secret: the box that takes the secret away."""


class SchemaForm(FlaskForm):  # type: ignore[misc]
    """The form of one schema. Made by `form_class`."""

    schema_name = ""
    choices: Choices = MappingProxyType({})
    locked: Mapping[str, str] = MappingProxyType({})
    """Settings that cannot be changed here, and what sets them instead, in words."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.wrong: dict[str, list[str]] = {}
        """What is wrong, by the field's name; what belongs to no field stands under the empty one."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The form as it is shown first: with what a document holds."""
        return cls(
            data={
                name: _for_field(document.get(name, schema.get("default")), schema)
                for name, schema in _properties(cls.schema_name)
                if not schema.get("writeOnly")
            }
        )

    def document(self) -> dict[str, Any]:
        """What was entered. A secret that was left empty, and what is locked, is not part of it."""
        found: dict[str, Any] = {}
        for name, schema in _properties(self.schema_name):
            if name in self.locked:
                continue
            field = self[name]
            value = json_value(field)
            if isinstance(field, PasswordField):
                if f"{REMOVE}{name}" in self and self[f"{REMOVE}{name}"].data:
                    found[name] = ""
                elif value:
                    found[name] = value
            elif value is not None and not (value == "" and schema.get("format") == "date"):
                found[name] = value
        return found

    def problems(self, document: Mapping[str, Any]) -> bool:
        """Check a document by the schema and put what is wrong beside its fields; whether anything is."""
        found = bundle.check(dict(document), self.schema_name)
        self.blame(found)
        return bool(found)

    def blame(self, problems: Iterable[Problem]) -> None:
        """Put problems beside the fields in which they were entered; the rest above the form."""
        for problem in problems:
            text = begun(known(problem.message))
            if problem.expected:
                text = say(_("%(problem)s (expected: %(what)s)", problem=text, what=known(problem.expected)))
            self.wrong.setdefault(self._place(problem), []).append(text)

    def blame_choices(self, document: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
        """Put what cannot be chosen beside its field; whether anything cannot. What stood before may stay."""
        found = [
            problem
            for name, schema in _properties(self.schema_name)
            for problem in unoffered(name, schema, document.get(name), before.get(name), self.choices)
        ]
        self.blame(found)
        return bool(found)

    def _place(self, problem: Problem) -> str:
        """The name of the field, empty for none: `label` of the first entity is `entities-0-label`."""
        steps = [str(step) for step in problem.place]
        if not steps or steps[0] not in self:
            return ""
        whole = "-".join(steps)
        rows = self[steps[0]]
        inner = (
            {one.name for entry in rows.entries for one in entry.form} if isinstance(rows, Rows) else set()
        )
        return whole if whole in inner else steps[0]

    # --- for the template

    def rows(self) -> list[tuple[str, Any, Schema]]:
        """The fields in the schema's order: name, field, schema."""
        return [(name, self[name], schema) for name, schema in _properties(self.schema_name)]

    def opens(self, entry: Any) -> bool:
        """Whether a row is shown open: a new one, and one with something wrong in it."""
        inner = list(entry.form)
        return not inner[0].data or any(field.name in self.wrong for field in inner)

    def show_if(self, schema: Schema) -> str:
        """When the page's script shows a field."""
        return condition(schema)

    def choice(self, schema: Schema, value: str) -> Choice | None:
        """What is known of one choice of a field."""
        offered = self.choices.get(schema.get("x-choices", ""), ())
        return next((one for one in offered if one.value == value), None)


def form_class(
    schema_name: str, choices: Choices | None = None, locked: Mapping[str, str] | None = None
) -> type[SchemaForm]:
    """The form of a schema, with what can be chosen now."""
    offered = choices or {}
    fields: dict[str, Any] = {"schema_name": schema_name, "choices": offered, "locked": locked or {}}
    for name, schema in _properties(schema_name):
        fields[name] = field_of(name, schema, offered)
        if schema.get("writeOnly"):
            fields[f"{REMOVE}{name}"] = BooleanField(say(_("Remove the stored value")))
    return type("SettingsForm", (SchemaForm,), fields)


def _for_field(value: Any, schema: Schema) -> Any:
    """A value of JSON as its field keeps it; a stored one that is none any more is left to be entered."""
    if schema.get("format") == "date" and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value


@lru_cache
def _properties(schema_name: str) -> tuple[tuple[str, Schema], ...]:
    return tuple(properties(bundle.schema(schema_name)))
