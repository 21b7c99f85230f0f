"""Optimistic concurrency: a save that was made of an older version of the record is refused.

Only for entity types where an administrator switched it on and requests that name a version; values that
equal the present ones never clash (EspoCRM 9.2.7, measured).
"""

from __future__ import annotations

from calsync_plugin.sandbox.crm.access import Caller
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.errors import ApiError
from calsync_plugin.sandbox.crm.presenter import Presenter
from calsync_plugin.sandbox.crm.tables import Record


def check_version(
    presenter: Presenter, entity: EntityType, row: Record, values: Record, version: str | None
) -> None:
    """Raise `ApiError` 409 with the present values of what the request wanted to change."""
    present_version = row.get("versionNumber")
    if "versionNumber" not in entity.attributes or version is None or version == str(present_version):
        return
    viewer = Caller("", "", "admin")
    present = {name: presenter.value(viewer, entity, row, name) for name in values}
    if all(present[name] == value for name, value in values.items()):
        return
    clashing = {name: present[name] for name in values}
    for link in ATTENDEES:
        if f"{link}Ids" in values or f"{link}Columns" in values:
            for part in ("Ids", "Columns", "Names"):
                clashing[f"{link}{part}"] = presenter.value(viewer, entity, row, f"{link}{part}")
    raise ApiError(409, "modified", {"values": clashing, "versionNumber": present_version})
