"""Limits how often one address may call the API and the operators' routes.

Slack's routes are exempt: behind a proxy all of Slack comes from a few addresses, and a 429 makes Slack deliver again and in
the end switch deliveries off. People and workspaces are limited inside the application, where it is known who speaks.

``cache.limits`` does the counting: shared by all processes through Redis, and a careful local count while Redis is away.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from app.cache.keys import limit_key
from app.core.errors import ConfigurationError
from app.middleware.refusal import refuse

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RULE = re.compile(r"(\d+)\s*(?:/|per)\s*(second|minute|hour|day)s?")


class Taken(Protocol):
    """The answer of a limiter."""

    @property
    def is_allowed(self) -> bool: ...
    @property
    def retry_after_seconds(self) -> float: ...


class Limiter(Protocol):
    """Counts what is taken of a named allowance."""

    async def take(self, key: str, *, limit: int, seconds: int, cost: int = 1) -> Taken: ...


LimiterOf: TypeAlias = Callable[[Scope], Limiter | None]


@dataclass(frozen=True)
class Rule:
    """At most ``limit`` requests in ``seconds``."""

    limit: int
    seconds: int


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Rules from ``100/minute;1000/hour`` or ``100 per minute, 1000 per hour``."""
    rules = []
    for piece in re.split(r"[;,]", text):
        found = _RULE.fullmatch(piece.strip().lower())
        if found is None:
            raise ConfigurationError(f"API_RATE_LIMIT: {piece.strip()!r} must look like 100/minute")
        rules.append(Rule(int(found[1]), _SECONDS[found[2]]))
    return tuple(rules)


class RateLimit:
    """429 with ``Retry-After`` for an address that has used up a rule."""

    def __init__(
        self, app: ASGIApp, *, limiter_of: LimiterOf, rules: Sequence[Rule],
        limited: tuple[str, ...], exempt: tuple[str, ...], exempt_paths: frozenset[str],
    ) -> None:  # fmt: skip
        """``limited`` and ``exempt`` are prefixes of paths; ``limiter_of`` gives nothing before the services are open."""
        self._app = app
        self._limiter_of = limiter_of
        self._rules = rules
        self._limited = limited
        self._exempt = exempt
        self._exempt_paths = exempt_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._is_limited(scope["path"]):
            await self._app(scope, receive, send)
            return
        wait = await self._seconds_to_wait(scope)
        if wait <= 0:
            await self._app(scope, receive, send)
            return
        headers = [(b"retry-after", str(max(1, math.ceil(wait))).encode())]
        await refuse(
            scope, send, status=429, error="too_many_requests", message_key="operations.too_many_requests", headers=headers
        )

    def _is_limited(self, path: str) -> bool:
        return path.startswith(self._limited) and not path.startswith(self._exempt) and path not in self._exempt_paths

    async def _seconds_to_wait(self, scope: Scope) -> float:
        # The server replaces the address by X-Forwarded-For only when the proxy is trusted: FORWARDED_ALLOW_IPS.
        limiter, client = self._limiter_of(scope), scope.get("client")
        if limiter is None:
            return 0.0
        address = client[0] if client else "unknown"
        for rule in self._rules:
            taken = await limiter.take(limit_key("-", f"http-{rule.seconds}", address), limit=rule.limit, seconds=rule.seconds)
            if not taken.is_allowed:
                return max(taken.retry_after_seconds, 1.0)
        return 0.0
