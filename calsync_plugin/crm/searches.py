"""What is searched for in EspoCRM beyond ids: records in a window, and the one that a lost answer was about.

Decides the conditions, and which rows of their answer count. Does not send anything (`espocrm`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from calsync_plugin.crm.client import Row, Where
from calsync_plugin.crm.gateway import Record
from calsync_plugin.crm.names import read_name
from calsync_plugin.crm.spans import parse_instant, read_span, wire_instant
from calsync_plugin.errors import ItemError

# The times of an all-day record are midnights of the server's zone (EspoCRM 9.2.7, measured), and who reads
# its days may sit in any other.
MARGIN = timedelta(days=1)

LIKENESS = ("id", "name", "createdAt", "dateStart", "dateEnd", "isAllDay", "dateStartDate", "dateEndDate")


def equals(attribute: str, value: object) -> Where:
    """The condition that an attribute has this very value."""
    return {"type": "equals", "attribute": attribute, "value": value}


def not_before(attribute: str, moment: datetime) -> Where:
    """The condition that a date-time is `moment` or later."""
    return {"type": "greaterThanOrEquals", "attribute": attribute, "value": wire_instant(moment)}


def beginning(start: datetime, end: datetime) -> list[Where]:
    """Conditions for records that begin from `start` on and before `end`."""
    before = {"type": "lessThan", "attribute": "dateStart", "value": wire_instant(end)}
    return [not_before("dateStart", start), before]


def overlapping(start: datetime, end: datetime, *, all_day: bool) -> list[Where]:
    """Conditions for records that overlap the window from `start` to `end`, its end excluded.

    A record without end, without length or with an end before its start counts where it starts.
    """
    margin = MARGIN if all_day else timedelta()
    after = {"type": "greaterThan", "attribute": "dateEnd", "value": wire_instant(start - margin)}
    return [
        {"type": "lessThan", "attribute": "dateStart", "value": wire_instant(end + margin)},
        {"type": "or", "value": [after, not_before("dateStart", start - margin)]},
    ]


def overlaps(row: Row, start: datetime, end: datetime) -> bool:
    """Whether a row that was found with the margin of all-day records is one, or lies in the window."""
    if row.get("dateStartDate"):
        return True
    begins, ends = parse_instant(row.get("dateStart")), parse_instant(row.get("dateEnd"))
    if begins is None:
        return False
    return begins < end and (begins >= start or (ends is not None and ends > start))


def alike(row: Row, attributes: Record, *, all_day: bool) -> bool:
    """Whether a row has the name and the time span that `attributes` set."""
    try:
        spans = [read_span(values, all_day=all_day, item="") for values in (row, attributes)]
    except ItemError:
        return False
    return spans[0] == spans[1] and read_name(row.get("name")) == read_name(attributes.get("name"))
