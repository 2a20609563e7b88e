"""Encryption of private text at rest: AES-256-GCM with the key's id in front of the ciphertext.

Layout of an encrypted value: one version byte, one byte for the length of the key id, the key id (ASCII), a 12-byte
nonce (NIST SP 800-38D), then ciphertext and tag. Because every value names its key, a new key can be put first and old
rows rewritten while the system runs; a key may be removed when no row names it any more.

The associated data binds a value to its place (workspace, table and row), so that a row copied to another workspace does not
decrypt.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import ConfigurationError

_VERSION = 1
_NONCE_BYTES = 12


class Cipher:
    """Encrypts with the first key, decrypts with whichever key a value names."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        """``keys``: 32-byte keys by id, the one for new values first."""
        if not keys:
            raise ConfigurationError("ENCRYPTION_KEYS is empty: set SECRET_KEY or ENCRYPTION_KEYS")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.primary_key_id = next(iter(keys))

    def encrypt(self, text: str, *, place: str) -> bytes:
        """The encrypted form of ``text``. ``place`` is ``team|table|row`` and must be the same for decryption."""
        return self.encrypt_bytes(text.encode(), place=place)

    def decrypt(self, value: bytes, *, place: str) -> str:
        """The text again; ``ConfigurationError`` when its key is not among ours or the value belongs elsewhere."""
        return self.decrypt_bytes(value, place=place).decode()

    def encrypt_bytes(self, content: bytes, *, place: str) -> bytes:
        """The same for what is no text."""
        nonce = os.urandom(_NONCE_BYTES)
        key_id = self.primary_key_id.encode("ascii")
        sealed = self._ciphers[self.primary_key_id].encrypt(nonce, content, place.encode())
        return bytes([_VERSION, len(key_id)]) + key_id + nonce + sealed

    def decrypt_bytes(self, value: bytes, *, place: str) -> bytes:
        key_id, body = key_id_of(value), value[2 + value[1] :]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise ConfigurationError(f"ENCRYPTION_KEYS has no key {key_id!r}: add the key this data was written with")
        try:
            return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], place.encode())
        except InvalidTag as error:
            raise ConfigurationError(f"a value encrypted with key {key_id!r} does not belong to this row") from error


def key_id_of(value: bytes) -> str:
    """The id of the key an encrypted value was written with."""
    if len(value) < 2 or value[0] != _VERSION:
        raise ConfigurationError("an encrypted value has an unknown layout")
    return value[2 : 2 + value[1]].decode("ascii")


def parse_keys(text: str) -> dict[str, bytes]:
    """Keys from ``id:base64,id:base64`` (32 bytes each), the one for new values first."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not (key_id.isascii() and key_id and len(key_id) < 100 and len(key) == 32):
            raise ConfigurationError(
                "ENCRYPTION_KEYS must be id:base64 pairs of 32 bytes, separated by commas (make one with: sales-agent keys new)"
            )
        keys[key_id] = key
    return keys


def key_from_secret(secret: str) -> bytes:
    """A 32-byte key derived from ``SECRET_KEY`` for installations that set no ENCRYPTION_KEYS (scrypt, RFC 7914)."""
    return hashlib.scrypt(secret.encode(), salt=b"ai-sales-agent/encryption", n=2**14, r=8, p=1, dklen=32)
