"""Requests as Slack sends them, for the tests of this edge."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


class StoppedClock:
    """Shows one moment for ever."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()


def signature(body: bytes, *, secret: str = SECRET, at: int | None = None) -> str:
    timestamp = at if at is not None else int(NOW.timestamp())
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def signed_headers(body: bytes, *, secret: str = SECRET, at: int | None = None) -> dict[str, str]:
    timestamp = at if at is not None else int(NOW.timestamp())
    return {"x-slack-request-timestamp": str(timestamp), "x-slack-signature": signature(body, secret=secret, at=timestamp)}


def request(body: bytes, headers: Mapping[str, str] | list[tuple[bytes, bytes]], *, pieces: int = 1) -> Request:
    """An ASGI request whose body comes in so many pieces."""
    raw = headers if isinstance(headers, list) else [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    size = max(1, -(-len(body) // pieces))
    chunks = [body[start : start + size] for start in range(0, len(body), size)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "query_string": b""}, receive)


def mention(text: str = "<@UBOT> 値引きを求められたらどう返す？", **more: Any) -> dict[str, Any]:
    """An ``event_callback`` with an ``app_mention``; ``more`` goes into the event."""
    event = {"type": "app_mention", "channel": "C1", "user": "U1", "text": text, "ts": "1700000000.000100", "team": "T1", **more}
    return callback(event)


def direct_message(text: str = "こんにちは", **more: Any) -> dict[str, Any]:
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "text": text, "ts": "1700000000.000200",
             "team": "T1", **more}  # fmt: skip
    return callback(event)


def channel_message(text: str, **more: Any) -> dict[str, Any]:
    event = {"type": "message", "channel_type": "channel", "channel": "C1", "user": "U1", "text": text, "ts": "1700000000.000300",
             "team": "T1", **more}  # fmt: skip
    return callback(event)


def callback(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1", "event": event,
        "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}], **more,
    }  # fmt: skip


def as_json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def as_form(fields: Mapping[str, str]) -> bytes:
    return urlencode(fields).encode()
