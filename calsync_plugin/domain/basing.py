"""Which bases a comparison may rest on, and which fields have none yet.

Decides when a link has nothing to compare its event with. How two sides compare is `merge`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from calsync_plugin.domain.links import Base, CopyState, Link
from calsync_plugin.domain.meeting import Field, Meeting
from calsync_plugin.domain.merge import agree


def unbased(link: Link) -> bool:
    """Whether there is nothing to compare this event with: a base is lost, or the create was only begun."""
    return _begun(link) or link.crm_base is None or link.outlook_base is None


def comparable(link: Link, theirs: Meeting | None, flows: Iterable[Field]) -> Link:
    """The link with bases that belong to this event, or with none.

    An event that was found after its create was begun is what we wrote: what the record says else is newer.
    """
    if not unbased(link):
        return link
    if theirs is not None and _begun(link):
        known = replace(theirs, attendees=tuple(a for a in theirs.attendees if a.person))
        written, read = Base(known.normal_form(flows)), Base(theirs.normal_form(flows))
        return replace(link, crm_base=written, outlook_base=read)
    return replace(link, crm_base=None, outlook_base=None)


def entered(link: Link, theirs: Meeting | None, flows: Iterable[Field]) -> frozenset[Field]:
    """Fields that entered the carried set by a change of settings: re-based, not written."""
    bases = [link.crm_base, *([link.outlook_base] if theirs else [])]
    return frozenset(f for f in flows for base in bases if base and f not in base.values)


def differing(ours: Meeting, theirs: Meeting, fields: Iterable[Field]) -> frozenset[Field]:
    """The fields of `fields` that a person would call different on both sides.

    People are not: those whom the CRM does not know, or does not let out, make no difference to settle.
    """
    plain = frozenset(fields) - {Field.ATTENDEES, Field.RESPONSES, Field.ONLINE}
    return frozenset(f for f in plain if not agree(f, ours, theirs))


def _begun(link: Link) -> bool:
    return link.home is not None and link.home.state is CopyState.INTENDED
