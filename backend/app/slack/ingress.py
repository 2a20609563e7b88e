"""The gate: nothing of a request is believed before its signature fits.

Size, signature over the raw bytes, time, form. Whatever is odd is refused with a 4xx and an empty body; neither the
database nor Bolt is touched. Bolt's own check answers such requests with 500 in several cases, so it is switched off.
Headers are not signed: none but the two of the signature is read, and none is handed on.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from app.core.clock import Clock
from app.core.errors import ConfigurationError

MAX_BODY_BYTES = 1024 * 1024
MAX_CLOCK_DIFFERENCE_SECONDS = 300
MAX_DEPTH = 64
MAX_FORM_FIELDS = 100

_TIMESTAMP = re.compile(rb"\d{1,12}")


class Refused(Exception):
    """The request is not from Slack, not for us, or cannot be read. ``reason`` is a constant, for the log and the metrics."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Ingress:
    """Knows the signing secrets: the current one and, while it is being rotated, the one before."""

    def __init__(self, *, signing_secrets: Iterable[str], clock: Clock) -> None:
        self._secrets = [secret.encode() for secret in signing_secrets if secret]
        if not self._secrets:
            raise ConfigurationError("SLACK_SIGNING_SECRET is missing: copy it from Basic Information of the Slack app")
        self._clock = clock

    async def signed_body(self, request: Request) -> bytes:
        """The raw body of a request that Slack signed; :class:`Refused` for every other."""
        timestamp, signature = _signature_headers(request)
        body = await _body_within_limit(request)
        self._check_time(timestamp)
        self._check_signature(timestamp, signature, body)
        return body

    def _check_time(self, timestamp: bytes) -> None:
        if not _TIMESTAMP.fullmatch(timestamp):
            raise Refused(401, "timestamp_malformed")
        if abs(self._clock.now().timestamp() - int(timestamp)) > MAX_CLOCK_DIFFERENCE_SECONDS:
            raise Refused(401, "timestamp_too_far")

    def _check_signature(self, timestamp: bytes, signature: bytes, body: bytes) -> None:
        signed = b"v0:" + timestamp + b":" + body
        # Every secret is tried, whatever the first says: the time taken tells nothing.
        fits = [hmac.compare_digest(signature_of(secret, signed), signature) for secret in self._secrets]
        if not any(fits):
            raise Refused(401, "signature_wrong")


def signature_of(secret: bytes, signed: bytes) -> bytes:
    return b"v0=" + hmac.digest(secret, signed, hashlib.sha256).hex().encode()


def json_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object of bounded depth; :class:`Refused` (400) for anything else, arrays included."""
    try:
        value = json.loads(body.decode("utf-8") if isinstance(body, bytes) else body)
    except (ValueError, RecursionError):
        raise Refused(400, "json_malformed") from None
    if not isinstance(value, dict):
        raise Refused(400, "json_no_object")
    # So few brackets cannot nest deeper; nearly every event of Slack is spared the walk.
    if _brackets_in(body) > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise Refused(400, "json_too_deep")
    return value


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a form post; :class:`Refused` (400) for what is no UTF-8 or has absurdly many fields."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError:
        raise Refused(400, "form_malformed") from None
    return dict(pairs)


def check_addressee(payload: Mapping[str, Any], *, app_id: str | None, team_id: str | None) -> None:
    """Refuses (403) what another app or another workspace should have received. ``None``: not known yet, so not checked."""
    claimed_app = payload.get("api_app_id")
    if app_id and claimed_app and claimed_app != app_id:
        raise Refused(403, "other_app")
    if team_id and team_of(payload) != team_id:
        raise Refused(403, "other_team")


def team_of(payload: Mapping[str, Any]) -> str | None:
    """The workspace in which we are installed, which in shared channels is not always the one the event arose in."""
    authorizations = payload.get("authorizations")
    if isinstance(authorizations, list) and authorizations and isinstance(authorizations[0], dict):
        team = authorizations[0].get("team_id")
        if isinstance(team, str):
            return team
    team = payload.get("team_id")
    if isinstance(team, str):
        return team
    team = payload.get("team")
    if isinstance(team, dict):
        team = team.get("id")
    return team if isinstance(team, str) else None


def _signature_headers(request: Request) -> tuple[bytes, bytes]:
    """Raw bytes: what is no ASCII must end as a wrong signature, not as an exception."""
    found: dict[bytes, bytes] = {}
    for name, value in request.scope["headers"]:
        if name in {b"x-slack-request-timestamp", b"x-slack-signature"}:
            if name in found:
                raise Refused(401, "signature_headers_doubled")
            found[name] = value
    if len(found) != 2:
        raise Refused(401, "signature_headers_missing")
    return found[b"x-slack-request-timestamp"], found[b"x-slack-signature"]


async def _body_within_limit(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and len(declared) < 20 and int(declared) > MAX_BODY_BYTES:
        raise Refused(413, "body_too_large")
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise Refused(413, "body_too_large")
            chunks.append(chunk)
    except ClientDisconnect:
        raise Refused(400, "body_incomplete") from None
    return b"".join(chunks)


def _brackets_in(text: bytes | str) -> int:
    return text.count(b"{") + text.count(b"[") if isinstance(text, bytes) else text.count("{") + text.count("[")


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
