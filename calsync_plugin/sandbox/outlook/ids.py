"""Ids of items and calendars as Exchange makes them: opaque, long, case-sensitive, in two formats.

An id carries mailbox, folder, day of the occurrence and item number, so that nothing has to be looked up.
The number stands at the end: two items can have ids that differ in case only, as Exchange's do. A default
id changes with the folder, an immutable id does not (Graph docs, "Obtain immutable identifiers for Outlook
resources").
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from functools import lru_cache

from calsync_plugin.sandbox.outlook.wire import GraphError

_DEFAULT, _IMMUTABLE, _CALENDAR = "AAMkAG", "AAkALg", "AQMkAD"
# The bytes that are equal for all ids of a mailbox make up Exchange's real lengths: 152 and 126 characters.
_FILL = {_DEFAULT: 91, _IMMUTABLE: 70, _CALENDAR: 52}
_TAIL = struct.Struct(">IIIQ")
DELETED_FOLDER = 0


@dataclass(frozen=True, slots=True)
class ItemId:
    """What an id says: folder is None in an immutable id, day is 0 unless it names an occurrence."""

    mailbox: int
    folder: int | None
    day: int
    number: int


@lru_cache(maxsize=4096)
def _fill(prefix: str, mailbox: int) -> bytes:
    size = _FILL[prefix]
    return (hashlib.sha512(f"{prefix}{mailbox}".encode()).digest() * 2)[: size - size % 3 + 1]


def _encode(prefix: str, mailbox: int, folder: int, day: int, number: int) -> str:
    payload = _fill(prefix, mailbox) + _TAIL.pack(mailbox, folder, day, number)
    return prefix + base64.urlsafe_b64encode(payload).decode().rstrip("=")


def default_id(mailbox: int, folder: int, day: int, number: int) -> str:
    """Return the id that an item has while it lies in that folder."""
    return _encode(_DEFAULT, mailbox, folder, day, number)


def immutable_id(mailbox: int, day: int, number: int) -> str:
    """Return the id that an item keeps in whatever folder."""
    return _encode(_IMMUTABLE, mailbox, 0, day, number)


def calendar_id(mailbox: int, number: int) -> str:
    """Return a calendar's id: containers have one id only."""
    return _encode(_CALENDAR, mailbox, 0, 0, number)


def _decode(text: str, prefixes: tuple[str, ...]) -> tuple[str, int, int, int, int]:
    prefix = text[:6]
    try:
        payload = base64.b64decode(text[6:] + "=" * (-len(text[6:]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        payload = b""
    if prefix in prefixes and len(payload) > _TAIL.size:
        mailbox, folder, day, number = _TAIL.unpack(payload[-_TAIL.size :])
        if payload[: -_TAIL.size] == _fill(prefix, mailbox):
            return prefix, mailbox, folder, day, number
    raise GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def parse_item(text: str) -> ItemId:
    """Return what an event id says; GraphError 400 ErrorInvalidIdMalformed if it is none."""
    prefix, mailbox, folder, day, number = _decode(text, (_DEFAULT, _IMMUTABLE))
    return ItemId(mailbox, folder if prefix == _DEFAULT else None, day, number)


def parse_calendar(text: str) -> tuple[int, int]:
    """Return mailbox number and calendar number of a calendar id; GraphError 400 if it is none."""
    _, mailbox, _, _, number = _decode(text, (_CALENDAR,))
    return mailbox, number
