"""JSON as PHP's `json_encode` writes it: no spaces, `/` as `\\/`, everything outside ASCII as `\\uXXXX`.

A signature covers these bytes, so a receiver that re-encodes what it parsed cannot verify it.
"""

from __future__ import annotations

import json


def encode(value: object) -> bytes:
    """The bytes that EspoCRM would send. A slash occurs in strings only, so replacing it is safe."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode("ascii")
