"""Lays what the admin page saved under what file and environment say.

Decides which of its values count. Ready settings of a host, and those of the sandbox, count as defaults: only
what `Settings.sources` names as file or environment goes before the admin page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from calsync_plugin import config
from calsync_plugin.config import Source
from calsync_plugin.settings import EntitySettings, Settings

ABOVE: frozenset[Source] = frozenset({"environment", "file"})
ANYBODY = "common"
"""The tenant of a login address that leaves it open whose accounts may sign in."""


def with_admin(settings: Settings, values: Mapping[str, object]) -> Settings:
    """`settings` with the saved `values` where nothing above speaks; ConfigurationError names a wrong one."""
    sections: dict[str, dict[str, Any]] = {}
    sources = dict(settings.sources)
    for path, value in config.admin_layer(values).items():
        if set_at(settings, path) is None:
            section, _, key = path.partition(".")
            sections.setdefault(section, {})[key] = _typed(path, value)
            sources[path] = "admin"
    changed = {name: replace(getattr(settings, name), **keys) for name, keys in sections.items()}
    return replace(settings, **changed, sources=MappingProxyType(sources))


def set_at(settings: Settings, path: str) -> str | None:
    """The path at which file or environment decide `path`, None if that is left to the admin page.

    A login address from there that names a tenant has decided the tenant, too.
    """
    if settings.source(path) in ABOVE:
        return path
    named = settings.graph.authority.rstrip("/").rpartition("/")[2]
    if path == "graph.tenant" and settings.source("graph.authority") in ABOVE and named != ANYBODY:
        return "graph.authority"
    return None


def _typed(path: str, value: Any) -> object:
    return tuple(EntitySettings(**entity) for entity in value) if path == "crm.entities" else value
