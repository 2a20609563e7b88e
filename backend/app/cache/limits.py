"""How often somebody may do something, counted over all processes.

An exact sliding window: the moments of the last ``limit`` takes are kept, so no stretch of ``seconds`` ever holds more than
``limit`` of them, which neither fixed windows nor token buckets promise. One script call, on Redis' own clock.
While Redis is away each process counts for itself and allows its share only.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from app.cache.connection import RedisAway, RedisConnection
from app.core.clock import Clock, SystemClock

MOST_LOCAL_KEYS = 10_000

# Returns the milliseconds to wait: 0 means taken.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) <= now - window do
    redis.call('LPOP', KEYS[1])
    oldest = redis.call('LINDEX', KEYS[1], 0)
end
local excess = redis.call('LLEN', KEYS[1]) + cost - limit
if excess > 0 then
    local blocking = redis.call('LINDEX', KEYS[1], excess - 1)
    return math.max(1, (blocking and tonumber(blocking) or now) + window - now)
end
for _ = 1, cost do redis.call('RPUSH', KEYS[1], now) end
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""


@dataclass(frozen=True)
class Taken:
    """The answer of a limit. ``retry_after_seconds`` is 0 when it is allowed."""

    is_allowed: bool
    retry_after_seconds: float = 0.0


class Limits:
    """``processes`` is how many share a limit: without Redis each of them allows one part in that many."""

    def __init__(self, connection: RedisConnection, *, processes: int = 2, clock: Clock | None = None) -> None:
        self._connection = connection
        self._processes = max(1, processes)
        self._clock = clock or SystemClock()
        self._local: dict[str, deque[float]] = {}
        self._script: Any = None
        self.refused_count = 0
        self.local_count = 0

    async def take(self, key: str, *, limit: int, seconds: int, cost: int = 1) -> Taken:
        """Counts ``cost`` against ``key`` (see ``keys.limit_key``) unless that exceeds ``limit`` within ``seconds``."""
        try:
            wait_ms = await self._connection.run(lambda client: self._run(client, key, limit, seconds, cost))
            taken = Taken(wait_ms == 0, wait_ms / 1000)
        except RedisAway:
            taken = self._take_locally(key, limit, seconds, cost)
        self.refused_count += not taken.is_allowed
        return taken

    async def _run(self, client: Any, key: str, limit: int, seconds: int, cost: int) -> int:
        if self._script is None:
            self._script = client.register_script(_TAKE)
        return int(await self._script(keys=[key], args=[limit, seconds * 1000, cost], client=client))

    def _take_locally(self, key: str, limit: int, seconds: int, cost: int) -> Taken:
        self.local_count += 1
        share = max(cost, limit // self._processes) if cost <= limit else 0
        now = self._clock.monotonic()
        moments = self._local.pop(key, deque())
        while moments and moments[0] <= now - seconds:
            moments.popleft()
        excess = len(moments) + cost - share
        if excess <= 0:
            moments.extend([now] * cost)
        self._local[key] = moments  # at the end: the keys stand in the order of their last use
        while len(self._local) > MOST_LOCAL_KEYS:
            del self._local[next(iter(self._local))]
        if excess <= 0:
            return Taken(True)
        blocking = moments[excess - 1] if excess <= len(moments) else now
        return Taken(False, max(0.001, blocking + seconds - now))
