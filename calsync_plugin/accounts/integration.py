"""The admin page's settings: what is in force, where it comes from, and saving what an administrator chose.

Decides what is shown of a secret (nothing), what cannot be changed here (what file or environment set), and
what the audit log says. Which settings there are stands in `integration.schema.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from calsync_plugin import bundle, config
from calsync_plugin.accounts.auditing import Actor, note
from calsync_plugin.admin_layer import set_at
from calsync_plugin.config import Option, Source
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import SettingsError
from calsync_plugin.graph.registration import CLOUDS, is_known_login, registration_of
from calsync_plugin.settings import EntitySettings, Settings
from calsync_plugin.state import Store

SUBJECT = "integration"
"""What the entries of the audit log are about."""


class InForce(Protocol):
    """The settings of the running process."""

    given: Settings

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...

    def refresh(self) -> None:
        """Take over what was saved."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One setting as the admin page shows it."""

    name: str
    value: JsonValue
    """In force; a secret is never shown: whether there is one says `is_set`."""
    is_set: bool
    is_secret: bool
    source: Source
    locked: str = ""
    """Why it cannot be changed here, "" if it can."""
    at_restart: bool = False
    """Whether a change comes into force at the next start only."""


class Integration:
    """The use cases of the admin page's settings."""

    def __init__(self, store: Store, in_force: InForce) -> None:
        """Save in `store`, and bring it into force at once in this process."""
        self._store = store
        self._in_force = in_force

    def shown(self) -> list[Shown]:
        """Every setting, in the order of the schema."""
        settings = self._in_force.settings
        saved = self._store.integration.values()
        return [self._shown(name, entry, settings, saved) for name, entry in config.admin_options().items()]

    def form(self) -> dict[str, JsonValue]:
        """What a form of the schema begins with: each value by name, a secret empty."""
        return {one.name: one.value for one in self.shown()}

    def save(self, values: Mapping[str, JsonValue], *, by: Actor) -> tuple[str, ...]:
        """Change what `values` name and bring it into force; returns the names that changed.

        An empty secret keeps the saved one. SettingsError for a value that does not fit its schema or that is
        locked; then nothing is saved.
        """
        wanted = {name: value for name, value in values.items() if value != "" or not _is_secret(name)}
        for problem in bundle.check(wanted, "integration"):
            expected = f" (expected {problem.expected})" if problem.expected else ""
            raise SettingsError(f"{problem.path}: {problem.message}{expected}")
        self._check_login(wanted.get("authority"))
        before = {one.name: one for one in self.shown()}
        for name, value in wanted.items():
            if before[name].locked and value != before[name].value:
                raise SettingsError(f"{_title(name)}: {before[name].locked}")
        free = {name: _whole(name, value) for name, value in wanted.items() if not before[name].locked}
        return self._save({**self._store.integration.values(), **free}, by)

    def remove_secret(self, *, by: Actor) -> tuple[str, ...]:
        """Forget the saved client secret; one of file or environment stays."""
        kept = {name: v for name, v in self._store.integration.values().items() if not _is_secret(name)}
        return self._save(kept, by)

    def _save(self, values: dict[str, JsonValue], by: Actor) -> tuple[str, ...]:
        saved = self._store.integration.values()
        # What is as without the page is not kept: its source is told truly, and a later default counts.
        present = {
            name: _plain(self._in_force.given, entry) for name, entry in config.admin_options().items()
        }
        kept = {name: value for name, value in values.items() if value != present[name] or self._locked(name)}
        changed = sorted(n for n in {*saved, *kept} if saved.get(n, present[n]) != kept.get(n, present[n]))
        if not changed:
            return ()
        self._store.integration.save(kept)
        for name in changed:
            old, new = saved.get(name, present[name]), kept.get(name, present[name])
            note(self._store, by, _told(name, old, new), subject=SUBJECT)
        self._in_force.refresh()
        return tuple(changed)

    def _check_login(self, authority: JsonValue) -> None:
        """An administrator of the CRM need not be one of this machine, and never learns the secret."""
        if isinstance(authority, str) and not is_known_login(authority, self._in_force.given.graph.authority):
            raise SettingsError(
                f"{_title('authority')}: {authority!r} is not a login service of Microsoft, and the secret "
                f"would be sent there (expected https and one of {', '.join(sorted(CLOUDS))}; any other is "
                "set in the configuration file as graph.authority)"
            )

    def _locked(self, name: str) -> str:
        """Why a setting cannot be changed here, "" if it can."""
        given = self._in_force.given
        path = set_at(given, config.admin_options()[name].path)
        if path is None:
            return ""
        if given.source(path) == "environment":
            return f"set by the environment variable {config.option(path).variable}; change it there"
        return f"set in the configuration file as {path}; change it there"

    def _shown(self, name: str, entry: Option, settings: Settings, saved: Mapping[str, JsonValue]) -> Shown:
        value, locked, at_restart = _plain(settings, entry), self._locked(name), entry.section == "crm"
        if at_restart and not locked:
            # In force is what was saved at the last start; the form goes on from what was saved since.
            value = saved.get(name, _plain(self._in_force.given, entry))
        path = set_at(self._in_force.given, entry.path) or entry.path
        if path != entry.path:
            value = registration_of(settings.graph).tenant
        return Shown(
            name=name,
            value="" if entry.is_secret else value,
            is_set=value not in ("", []),
            is_secret=entry.is_secret,
            source=settings.source(path),
            locked=locked,
            at_restart=at_restart,
        )


def redirect_uri(settings: Settings) -> str:
    """Where Microsoft sends users back to: to be copied into the app registration."""
    return f"{settings.serve.public_url}/oauth/callback"


def _plain(settings: Settings, entry: Option) -> JsonValue:
    """A value of the settings as JSON has it."""
    value: Any = getattr(getattr(settings, entry.section), entry.key)
    if entry.path == "crm.entities":
        return [asdict(entity) for entity in value]
    return list(value) if isinstance(value, tuple) else value


def _whole(name: str, value: JsonValue) -> JsonValue:
    """A chosen value with what its form left to defaults."""
    chosen: Any = value
    return [asdict(EntitySettings(**entity)) for entity in chosen] if name == "entities" else value


def _told(name: str, old: JsonValue, new: JsonValue) -> str:
    """One line of the audit log."""
    if _is_secret(name):
        return f"{_title(name)}: {'replaced' if old and new else 'set' if new else 'removed'}"
    return f"{_title(name)}: {json.dumps(old, ensure_ascii=False)} -> {json.dumps(new, ensure_ascii=False)}"


def _is_secret(name: str) -> bool:
    entry = config.admin_options().get(name)
    return entry is not None and entry.is_secret


def _title(name: str) -> str:
    return str(config.admin_options()[name].schema["title"])
