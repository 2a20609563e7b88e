"""Signing in to the console: a browser cannot send ``ADMIN_API_KEYS`` with each click, so it gets a cookie that proves one.

The cookie is ``<expiry>.<HMAC of the expiry under the key>``: nothing is stored, every process can check it, and it ends with its
key. Forms are taken from our own pages only, which the browser vouches for (``Sec-Fetch-Site``, else ``Origin``).
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from app.core.clock import Clock
from app.http.admin_gate import AdminGate

COOKIE = "console_session"
SESSION_SECONDS = 8 * 3600


class ConsoleGate:
    """Who may see the console's pages, and whose forms are taken."""

    def __init__(self, gate: AdminGate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock

    def permits(self, request: Request) -> bool:
        return self._gate.permits(request) or self._has_session(request)

    def sign_in(self, response: Response, key: str, *, is_secure: bool) -> bool:
        """False, and no cookie, when it is not one of the keys."""
        expires_at = int(self._clock.now().timestamp()) + SESSION_SECONDS
        proof = self._gate.prove(key, _subject(expires_at))
        if proof is None:
            return False
        response.set_cookie(
            COOKIE, f"{expires_at}.{proof}", max_age=SESSION_SECONDS, path="/console", httponly=True, samesite="strict",
            secure=is_secure,
        )  # fmt: skip
        return True

    def sign_out(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path="/console")

    def _has_session(self, request: Request) -> bool:
        expires, _, proof = request.cookies.get(COOKIE, "").partition(".")
        if not expires.isdigit() or int(expires) <= self._clock.now().timestamp():
            return False
        return self._gate.is_proof(proof, _subject(int(expires)))


def is_from_our_pages(request: Request) -> bool:
    """Whether a form comes from this site. A request without either header is no browser's and needs a key of its own."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get("host")
    return "x-api-key" in request.headers or "authorization" in request.headers


def _subject(expires_at: int) -> str:
    return f"console session until {expires_at}"
