"""Who may see details, metrics and the console."""

import hashlib
import hmac
from collections.abc import Sequence

from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

_LOCAL_ADDRESSES = frozenset({"127.0.0.1", "::1"})
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class AdminGate:
    """Asks for one of ``ADMIN_API_KEYS`` in ``Authorization: Bearer`` or ``X-API-Key``.

    On a developer's machine, and only there, requests from the same machine need no key. A request that a proxy hands on, or that
    names another host (a page in a browser that found its way to 127.0.0.1), does not count as one.
    """

    def __init__(self, keys: Sequence[SecretStr], *, is_open_from_loopback: bool) -> None:
        self._digests = tuple(_digest(key.get_secret_value()) for key in keys if key.get_secret_value())
        self._is_open_from_loopback = is_open_from_loopback

    async def __call__(self, connection: HTTPConnection) -> None:
        """A FastAPI dependency; 401 for whoever may not pass."""
        if not self.permits(connection):
            raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer realm="admin"'})

    def permits(self, connection: HTTPConnection) -> bool:
        return self._has_key(connection) or (self._is_open_from_loopback and _is_local(connection))

    def prove(self, key: str, subject: str) -> str | None:
        """What shows that somebody knew ``key`` when it was made, for this subject only; ``None``: it is no key of ours."""
        given = _digest(key)
        known = [digest for digest in self._digests if hmac.compare_digest(given, digest)]
        return _mac(known[0], subject) if known else None

    def is_proof(self, proof: str, subject: str) -> bool:
        """Whether :meth:`prove` made it, with a key that is still in use."""
        given = proof.encode("utf-8", "surrogateescape")
        return any([hmac.compare_digest(given, _mac(digest, subject).encode()) for digest in self._digests])  # noqa: C419

    def _has_key(self, connection: HTTPConnection) -> bool:
        given = _digest(_given_key(connection))
        # Every key is compared, and digests instead of keys, so that time tells nothing about either.
        return any([hmac.compare_digest(given, digest) for digest in self._digests])  # noqa: C419


def _given_key(connection: HTTPConnection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else connection.headers.get("x-api-key", "")


def _mac(digest: bytes, subject: str) -> str:
    return hmac.new(digest, subject.encode(), hashlib.sha256).hexdigest()


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _is_local(connection: HTTPConnection) -> bool:
    is_handed_on = any(name in connection.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    client = connection.client
    return client is not None and client.host in _LOCAL_ADDRESSES and not is_handed_on and connection.url.hostname in _LOCAL_NAMES
