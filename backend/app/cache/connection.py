"""The one way to Redis (or Valkey): short, guarded, and free of charge while the server is away.

Nothing in Redis is the only copy of anything, so every failure here ends as :class:`RedisAway` and the caller goes on without.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from app.core.clock import Clock, SystemClock
from app.core.config import Settings
from app.core.metrics import count_error

logger = logging.getLogger(__name__)

T = TypeVar("T")

LONGEST_CALL_SECONDS = 0.1
FAILURES_TO_OPEN = 3
OPEN_SECONDS = 2.0


class RedisAway(Exception):
    """Redis did not do what was asked: unreachable, too slow, or refusing. Stays inside ``cache/``."""


@dataclass(frozen=True)
class RedisOptions:
    """Where the server is and how to prove who we are. The TLS files count for ``rediss://`` only."""

    url: str
    max_connections: int = 50
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


def redis_options(settings: Settings, *, embedded_url: str | None = None) -> RedisOptions:
    """``REDIS_URL`` first, then ``REDIS_HOST`` and its companions, then the embedded server."""
    if settings.redis_url:
        url = settings.redis_url.get_secret_value()
    elif settings.redis_host:
        password = f":{quote(settings.redis_password.get_secret_value(), safe='')}@" if settings.redis_password else ""
        scheme = "rediss" if settings.redis_ssl else "redis"
        host = f"[{settings.redis_host}]" if ":" in settings.redis_host else settings.redis_host
        url = f"{scheme}://{password}{host}:{settings.redis_port}/{settings.redis_db}"
    else:
        url = embedded_url or "redis://localhost:6379/0"
    return RedisOptions(
        url=url,
        max_connections=settings.redis_max_connections,
        ca_file=settings.redis_ssl_ca_path,
        certificate_file=settings.redis_ssl_cert_path,
        key_file=settings.redis_ssl_key_path,
    )


class RedisConnection:
    """A pool behind a deadline and a circuit: after a few failures in a row nobody waits for a dead server any more."""

    def __init__(self, client: Any, *, clock: Clock | None = None) -> None:
        self._client: redis.Redis = client
        self._clock = clock or SystemClock()
        self._failures_in_a_row = 0
        self._open_until = 0.0
        self.error_count = 0
        self.skipped_count = 0

    @classmethod
    def open(cls, options: RedisOptions, *, clock: Clock | None = None) -> Self:
        """Connects lazily: a server that is away at the start is no reason not to start."""
        pool = redis.BlockingConnectionPool.from_url(
            options.url,
            max_connections=options.max_connections,
            timeout=LONGEST_CALL_SECONDS,
            # redis-py 8 waits 5 s and retries ten times unless told otherwise. One retry covers a connection that the
            # server closed while it was idle.
            socket_timeout=LONGEST_CALL_SECONDS,
            socket_connect_timeout=LONGEST_CALL_SECONDS,
            retry=Retry(NoBackoff(), 1),
            protocol=2,
            client_name="sales-agent",
            **_tls(options),
        )
        return cls(redis.Redis.from_pool(pool), clock=clock)

    async def close(self) -> None:
        await self._client.aclose()

    @property
    def is_up(self) -> bool:
        """False while calls are not even tried."""
        return self._failures_in_a_row < FAILURES_TO_OPEN

    async def run(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """What ``work`` returns within 100 ms; :class:`RedisAway` otherwise."""
        if not self._may_try():
            self.skipped_count += 1
            raise RedisAway("Redis was away a moment ago")
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0
        try:
            async with asyncio.timeout(LONGEST_CALL_SECONDS):
                result = await work(self._client)
        except ResponseError as error:  # an answer, if a refusal (memory full, read-only replica): the server is there
            self._failures_in_a_row = 0
            self._count(error)
            raise RedisAway(type(error).__name__) from error
        except (RedisError, OSError, TimeoutError) as error:
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= FAILURES_TO_OPEN:
                self._open_until = self._clock.monotonic() + OPEN_SECONDS
            self._count(error)
            raise RedisAway(type(error).__name__) from error
        self._failures_in_a_row = 0
        if task and task.cancelling() > cancelled_before:
            # redis-py loses a cancellation that meets it while it connects; whoever cancelled waits for it.
            raise asyncio.CancelledError
        return result

    async def ping(self) -> bool:
        """Whether the server answers; for health reports."""
        try:
            return bool(await self.run(lambda client: client.ping()))
        except RedisAway:
            return False

    def _may_try(self) -> bool:
        if self._failures_in_a_row < FAILURES_TO_OPEN:
            return True
        now = self._clock.monotonic()
        if now < self._open_until:
            return False
        self._open_until = now + OPEN_SECONDS  # this call is the probe; the others go on without until it has succeeded
        return True

    def _count(self, error: Exception) -> None:
        self.error_count += 1
        count_error(error)
        if self._failures_in_a_row in {0, 1, FAILURES_TO_OPEN}:
            logger.warning("redis_call_failed", extra={"error": type(error).__name__, "is_up": self.is_up})


def _tls(options: RedisOptions) -> dict[str, Any]:
    if not options.url.startswith("rediss://"):
        return {}
    files = {"ssl_ca_certs": options.ca_file, "ssl_certfile": options.certificate_file, "ssl_keyfile": options.key_file}
    return {name: str(file) for name, file in files.items() if file}
