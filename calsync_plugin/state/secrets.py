"""Encryption of what is secret at rest: token caches, cursors, webhook secrets, journal, clashes.

Decides how a text becomes ciphertext and which key was used. Does not decide what is secret (`encrypted`)
nor where keys come from (the configuration).

AES-GCM with a random nonce of 96 bits; the key of each purpose is derived with HKDF-SHA256, and the row's
identity is associated data, so that a ciphertext copied to another row or column does not decrypt.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from secrets import token_urlsafe

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from calsync_plugin.errors import ConfigurationError, StoreError

_NONCE_BYTES = 12
_LEAST_BYTES = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")


class Keyring:
    """Keys by id. The first one writes, all of them read.

    Raises ConfigurationError for no key at all, an unusable id or too little key material.
    """

    def __init__(self, keys: Mapping[str, str | bytes]) -> None:
        if not keys:
            raise ConfigurationError("no secret key is configured", expected="at least one key with an id")
        self._material = {key_id: _checked(key_id, material) for key_id, material in keys.items()}
        self._ciphers: dict[tuple[str, str], AESGCM] = {}
        self.primary = next(iter(self._material))

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._material

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._material)})"

    @staticmethod
    def generate() -> str:
        """Fresh key material for a configuration, 256 bits as text."""
        return token_urlsafe(32)

    def derived(self, purpose: str) -> str:
        """A secret of its own for signing, that changes with the first key."""
        material = self._material[self.primary]
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"calsync:{purpose}".encode())
        return base64.b64encode(key.derive(material)).decode("ascii")

    def encrypt(self, purpose: str, row: str, text: str) -> str:
        """`text` as `keyid:base64`, readable again only for the same purpose and row."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher(self.primary, purpose).encrypt(
            nonce, text.encode("utf-8", "surrogatepass"), _bound(purpose, row)
        )
        return f"{self.primary}:{base64.b64encode(nonce + sealed).decode('ascii')}"

    def decrypt(self, purpose: str, row: str, ciphertext: str) -> str:
        """The text again. Raises StoreError if the key is missing or the ciphertext is not of this row."""
        key_id = key_id_of(ciphertext)
        if key_id not in self._material:
            raise StoreError(f"the secret key '{key_id}' is not configured; add it as a further key")
        try:
            sealed = base64.b64decode(ciphertext.partition(":")[2], validate=True)
            cipher = self._cipher(key_id, purpose)
            opened = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(purpose, row))
            return opened.decode("utf-8", "surrogatepass")
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise StoreError(
                f"the stored {purpose} of {row} cannot be decrypted: the secret key '{key_id}' is not the "
                "one it was written with, or the row was tampered with"
            ) from error

    def _cipher(self, key_id: str, purpose: str) -> AESGCM:
        found = self._ciphers.get((key_id, purpose))
        if found is None:
            derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"calsync:{purpose}".encode())
            found = self._ciphers[key_id, purpose] = AESGCM(derived.derive(self._material[key_id]))
        return found


def key_id_of(ciphertext: str) -> str:
    """The id of the key that wrote `ciphertext`."""
    return ciphertext.partition(":")[0]


def _bound(purpose: str, row: str) -> bytes:
    return f"{purpose}\0{row}".encode()


def _checked(key_id: str, material: str | bytes) -> bytes:
    if not _KEY_ID.fullmatch(key_id):
        raise ConfigurationError(f"'{key_id}' is no key id", expected="1 to 32 of A-Z a-z 0-9 _ . -")
    raw = material.encode() if isinstance(material, str) else material
    if len(raw) < _LEAST_BYTES:
        raise ConfigurationError(f"the secret key '{key_id}' is too short", expected="at least 16 bytes")
    return raw
