"""When a record was saved, as the cheap filter of the CRM's side.

Decides what is newer and what is older than the base, by the CRM's own clock only. What is equal may still
differ: a record can be saved twice within a second.
"""

from __future__ import annotations

from datetime import datetime

from calsync_plugin.domain.links import Link


def version_of(modified_at: datetime | None) -> str:
    """The version of a record that was saved then: sorts like time, empty if that is not known."""
    return modified_at.strftime("%Y-%m-%dT%H:%M:%SZ") if modified_at else ""


def is_seen(link: Link, modified_at: datetime) -> bool:
    """Whether the base was taken from a record at least as new."""
    return link.crm_base is not None and link.crm_base.version >= version_of(modified_at)


def is_older(link: Link, modified_at: datetime | None) -> bool:
    """Whether the record is older than its base: the CRM lost what was saved since, to a restored backup."""
    version = version_of(modified_at)
    return link.crm_base is not None and "" < version < link.crm_base.version
