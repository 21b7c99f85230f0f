"""A body that is read only as far as it is wanted, however it is packed.

Decides the limit in bytes, packed and unpacked, and which packings are understood. Not how long it may take.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable

from calsync_plugin.errors import FeedError
from calsync_plugin.wording import gettext as _

_GZIP = 16 + zlib.MAX_WBITS
_WBITS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


def unpacked(chunks: Iterable[bytes], encoding: str, *, most: int, host: str) -> bytes:
    """The body that comes in `chunks`. Raises FeedError beyond `most` bytes, or if it cannot be unpacked."""
    take = _taker(encoding.strip().lower(), host)
    parts: list[bytes] = []
    came = length = 0
    for chunk in chunks:
        came += len(chunk)
        part = take(chunk, most - length + 1)
        length += len(part)
        if max(came, length) > most:
            raise too_large(host, most)
        parts.append(part)
    take(b"", 1)
    return b"".join(parts)


def too_large(host: str, most: int) -> FeedError:
    """The error for a body of more than `most` bytes."""
    words = _(
        "%(host)s sends more than %(most)s MB; that is too much for a calendar", host=host, most=most >> 20
    )
    return FeedError(words, reason="too_large")


def _taker(encoding: str, host: str) -> Callable[[bytes, int], bytes]:
    if encoding in ("", "identity"):
        return lambda chunk, most: chunk[:most]
    if encoding not in _WBITS:
        raise _unreadable(host)
    return _Unzip(_WBITS[encoding], host).take


class _Unzip:
    """Unzips one member after the other, never more than asked for at once."""

    def __init__(self, wbits: int, host: str) -> None:
        self._wbits, self._host = wbits, host
        self._stream = zlib.decompressobj(wbits)
        self._begun = False

    def take(self, chunk: bytes, most: int) -> bytes:
        """What `chunk` holds, cut after `most` bytes; an empty chunk is the end of the body."""
        if not chunk and self._begun and not self._stream.eof:
            raise _unreadable(self._host)
        found = b""
        while chunk and len(found) < most:
            if self._stream.eof:
                self._stream = zlib.decompressobj(self._wbits)
            self._begun = True
            try:
                found += self._stream.decompress(chunk, most - len(found))
            except zlib.error:
                raise _unreadable(self._host) from None
            chunk = self._stream.unused_data
        return found


def _unreadable(host: str) -> FeedError:
    words = _("%(host)s sends something that cannot be unpacked", host=host)
    return FeedError(words, reason="unreachable")
