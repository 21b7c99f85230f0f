"""A link as rows and back.

Decides how a link, its copies and its bases are spelled in the tables; nothing of when they are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from calsync_plugin.domain.links import Base, Copy, CopyPurpose, CopyState, Link, LinkState, Origin, Role
from calsync_plugin.domain.meeting import Field, Response

CRM = "crm"
_OUTLOOK = "outlook"
_LABEL = "label"
_ORGANIZER = "organizer"
"""They stand among the fields of a base; no field has these names."""


def link_row(link: Link) -> dict[str, Any]:
    """The row in `links`, without the version."""
    return {
        "id": link.id,
        "entity_type": link.entity_type,
        "record_id": link.record_id,
        "state": link.state.value,
        "origin": link.origin.value,
        "role": link.role.value,
        "generation": link.generation,
        "series_ical_uid": link.series_ical_uid,
        "original_start": written_start(link.original_start),
        "reason": link.reason,
    }


def copy_rows(links: Iterable[Link]) -> list[dict[str, Any]]:
    """The rows in `copies`, in the link's order."""
    return [
        {
            "link_id": link.id,
            "position": position,
            "mailbox_id": copy.mailbox_id,
            "purpose": copy.purpose.value,
            "state": copy.state.value,
            "transaction_id": copy.transaction_id,
            "event_id": copy.event_id,
            "calendar_id": copy.calendar_id,
            "ical_uid": copy.ical_uid,
            "etag": copy.etag,
            "response": copy.response.value,
            "series_id": copy.series_id,
        }
        for link in links
        for position, copy in enumerate(link.copies)
    ]


def base_rows(links: Iterable[Link]) -> list[dict[str, Any]]:
    """The rows in `bases`."""
    return [
        {
            "link_id": link.id,
            "side": side,
            "normal_form": _written_form(base),
            "version": base.version,
        }
        for link in links
        for side, base in ((CRM, link.crm_base), (_OUTLOOK, link.outlook_base))
        if base is not None
    ]


def written_start(start: datetime | None) -> str:
    """The start of an occurrence as text in UTC; empty for none, since NULLs would never be unique."""
    if start is None:
        return ""
    if start.tzinfo is None:
        raise ValueError("a naive time cannot be stored")
    return start.astimezone(UTC).isoformat()


def link_of(row: Any, copies: Iterable[Any], bases: Iterable[Any]) -> Link:
    """The link of its rows; `copies` in the order of their position."""
    sides = {base.side: _base(base) for base in bases}
    return Link(
        id=row.id,
        entity_type=row.entity_type,
        record_id=row.record_id,
        state=LinkState(row.state),
        origin=Origin(row.origin),
        role=Role(row.role),
        generation=row.generation,
        copies=tuple(_copy(copy) for copy in copies),
        crm_base=sides.get(CRM),
        outlook_base=sides.get(_OUTLOOK),
        series_ical_uid=row.series_ical_uid,
        original_start=datetime.fromisoformat(row.original_start) if row.original_start else None,
        reason=row.reason,
        version=row.version,
    )


def _copy(row: Any) -> Copy:
    return Copy(
        mailbox_id=row.mailbox_id,
        purpose=CopyPurpose(row.purpose),
        state=CopyState(row.state),
        transaction_id=row.transaction_id,
        event_id=row.event_id,
        calendar_id=row.calendar_id,
        ical_uid=row.ical_uid,
        etag=row.etag,
        response=Response(row.response),
        series_id=row.series_id,
    )


def _written_form(base: Base) -> dict[str, Any]:
    values: dict[str, Any] = {str(name): value for name, value in base.values.items()}
    also = {_LABEL: base.label, _ORGANIZER: base.organizer}
    return values | {name: text for name, text in also.items() if text}


def _base(row: Any) -> Base:
    label, organizer = (str(row.normal_form.get(name, "")) for name in (_LABEL, _ORGANIZER))
    return Base(_normal_form(row.normal_form), row.version, label, organizer)


def _normal_form(values: dict[str, Any]) -> dict[Field, Any]:
    known = {name.value for name in Field}
    # A field of a newer version counts as not known to this base: it is re-based from the present.
    return {Field(name): value for name, value in values.items() if name in known}
