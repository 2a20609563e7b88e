"""What every request passes on its way in."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.config import Settings
from app.core.correlation import request_id
from app.core.errors import ConfigurationError
from app.core.logging_config import PrivacyFilter, json_formatter
from app.middleware.access_log import AccessLog
from app.middleware.allowed_hosts import AllowedHosts
from app.middleware.body_size import BodySizeLimit
from app.middleware.rate_limit import Rule, parse_rules
from app.middleware.request_id import RequestId
from app.middleware.security_headers import SecurityHeaders
from app.middleware.stack import PROBED_PATHS, build_middleware


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ok(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def call(
    app: ASGIApp, path: str = "/x", *, method: str = "GET", headers: dict[str, str] | None = None,
    chunks: tuple[bytes, ...] = (b"",), client: tuple[str, int] | None = ("203.0.113.9", 1), scheme: str = "http",
) -> Answer:  # fmt: skip
    answer, waiting = Answer(), list(chunks)
    raw = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in ({"host": "bot.example"} | (headers or {})).items()
    ]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b"token=hidden", "client": client,
             "scheme": scheme}  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert answer.status == 0, "an answer begins once"
            answer.status = message["status"]
            answer.headers = {str(name, "latin-1"): str(value, "latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


async def test_an_id_of_the_caller_is_kept_and_bound_for_the_logs() -> None:
    seen = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(request_id.get())
        await ok(scope, receive, send)

    answer = await call(RequestId(note), headers={"X-Request-ID": "from-nginx.1"})
    assert answer.headers["x-request-id"] == "from-nginx.1"
    assert seen == ["from-nginx.1"]
    assert request_id.get() is None


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, "a\nb", "é", '"', "<script>"])
async def test_an_odd_id_is_replaced(bad: str) -> None:
    made = (await call(RequestId(ok), headers={"X-Request-ID": bad})).headers["x-request-id"]
    assert made != bad
    assert len(made) == 16


async def test_browsers_are_told_to_be_careful_and_a_page_may_be_stricter() -> None:
    async def strict(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-security-policy", b"default-src 'none'")]}
        )

    plain = await call(SecurityHeaders(ok))
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert plain.headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in plain.headers
    assert "strict-transport-security" in (await call(SecurityHeaders(ok), scheme="https")).headers
    assert (await call(SecurityHeaders(strict))).headers["content-security-policy"] == "default-src 'none'"


@pytest.mark.parametrize("chunks", [(b"x" * 10,), (b"x" * 5, b"x" * 5)])
async def test_a_body_of_the_allowed_size_passes(chunks: tuple[bytes, ...]) -> None:
    answer = await call(BodySizeLimit(read_all, most_bytes=10), method="POST", headers={"content-length": "10"}, chunks=chunks)
    assert (answer.status, answer.body) == (200, b"10")


async def test_an_announced_or_streamed_large_body_is_refused() -> None:
    async def forgiving(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await read_all(scope, receive, send)
        except Exception:  # noqa: BLE001 - as frameworks do while they read a form
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b"cannot read"})

    for app in (read_all, forgiving):
        limited = BodySizeLimit(app, most_bytes=10)
        announced = await call(limited, headers={"content-length": "11", "accept-language": "en"}, chunks=(b"x" * 11,))
        assert (announced.status, announced.json["message"]) == (413, "The data sent is too large.")
        assert (await call(limited, chunks=(b"x" * 6, b"x" * 6, b"x"))).status == 413
        assert (await call(limited, headers={"content-length": "lies"}, chunks=(b"x" * 11,))).status == 413


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("your-domain.com", True),
        ("Your-Domain.com:8443", True),
        ("localhost:8000", True),
        ("a.team.example", True),
        ("team.example", False),
        ("evil-your-domain.com", False),
        ("your-domain.com.evil.example", False),
        ("127.0.0.1:8000", False),
        ("", False),
    ],
)
async def test_only_our_own_names_are_answered(host: str, *, is_ours: bool) -> None:
    app = AllowedHosts(ok, hosts=("your-domain.com", "localhost", "*.team.example"), open_paths=PROBED_PATHS)
    assert (await call(app, headers={"host": host})).status == (200 if is_ours else 400)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.1.2.3", "[::1]:8000", "anything"])
async def test_health_probes_are_answered_under_any_name(host: str) -> None:
    app = AllowedHosts(ok, hosts=("your-domain.com",), open_paths=PROBED_PATHS)
    assert (await call(app, "/api/v1/health", headers={"host": host})).status == 200
    assert (await call(app, "/health/ready", headers={"host": host})).status == 200
    assert (await call(app, "/health/detailed", headers={"host": host})).status == 400


def access_line(caplog: pytest.LogCaptureFixture) -> str:
    record = next(record for record in caplog.records if record.getMessage() == "http_request")
    PrivacyFilter().filter(record)
    return json_formatter().format(record)


async def test_the_access_line_ends_with_the_response_time(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await call(AccessLog(ok), "/api/v1/slack/events", method="POST")
    line = access_line(caplog)
    fields = json.loads(line)
    assert list(fields)[-1] == "response_time"
    assert (fields["method"], fields["path"], fields["status"]) == ("POST", "/api/v1/slack/events", 200)
    assert "hidden" not in line
    assert line.split()[-2] == '"response_time":'  # what the guide's awk takes for the last column is the number


async def test_a_request_that_fails_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    with caplog.at_level(logging.INFO), pytest.raises(RuntimeError):
        await call(AccessLog(fail))
    assert json.loads(access_line(caplog))["status"] == 500


async def test_probes_do_not_fill_the_log_while_they_succeed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await call(AccessLog(ok, quiet_paths=PROBED_PATHS), "/health/live")
    assert not caplog.records


@pytest.mark.parametrize("text", ["100/minute;1000/hour", "100 per minute, 1000 per hour", "100/minutes; 1000 per hours"])
def test_limits_are_written_as_in_the_guide(text: str) -> None:
    assert parse_rules(text) == (Rule(100, 60), Rule(1000, 3600))


def test_a_limit_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="API_RATE_LIMIT"):
        parse_rules("many")


def whole_stack(app: ASGIApp, settings: Settings, limiter_of: Callable[[Scope], Any]) -> ASGIApp:
    for middleware in reversed(build_middleware(settings, limiter_of)):
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)
    return app


Take = Callable[..., Awaitable[Any]]


class NoMore:
    """A limiter that has nothing left."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def take(self, key: str, *, limit: int, seconds: int, cost: int = 1) -> Any:
        self.asked.append(key)

        class Refused:
            is_allowed = False
            retry_after_seconds = 12.3

        return Refused()


async def test_slack_routes_and_probes_are_never_limited_and_the_rest_is() -> None:
    limiter = NoMore()
    app = whole_stack(ok, Settings(_env_file=None), lambda _: limiter)  # type: ignore[call-arg]
    for path in ("/api/v1/slack/events", "/api/v1/slack/commands", "/api/v1/slack/interactive", *PROBED_PATHS, "/playground"):
        assert (await call(app, path)).status == 200
    assert limiter.asked == []
    for path in ("/metrics", "/api/version", "/api/v1/health/detailed", "/health/detailed", "/v1/status"):
        answer = await call(app, path, headers={"X-Forwarded-For": "198.51.100.1"})
        assert (answer.status, answer.headers["retry-after"]) == (429, "13")
    assert {key.rsplit(":", 1)[1] for key in limiter.asked} == {"203.0.113.9"}


async def test_a_refusal_carries_id_and_safety_headers() -> None:
    app = whole_stack(ok, Settings(_env_file=None, allowed_hosts="a.example"), lambda _: None)  # type: ignore[call-arg]
    answer = await call(app, "/api/version", headers={"host": "b.example"})
    assert answer.status == 400
    assert {"x-request-id", "x-content-type-options"} <= set(answer.headers)


async def test_other_origins_are_answered_only_when_they_are_listed() -> None:
    settings = Settings(_env_file=None, cors_origins='["https://your-domain.com"]')  # type: ignore[call-arg]
    app = whole_stack(ok, settings, lambda _: None)
    listed = await call(app, headers={"origin": "https://your-domain.com"})
    assert listed.headers["access-control-allow-origin"] == "https://your-domain.com"
    assert "access-control-allow-origin" not in (await call(app, headers={"origin": "https://evil.example"})).headers
