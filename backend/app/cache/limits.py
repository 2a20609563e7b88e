"""How often somebody may do something, counted over all processes.

An exact sliding window: the moments of the last ``limit`` takes are kept, so no stretch of ``seconds`` ever holds more than
``limit`` of them, which neither fixed windows nor token buckets promise. One script call, on Redis' own clock.
While Redis is away each process counts for itself and allows its share only.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.cache.connection import RedisAway, RedisConnection
from app.core.clock import Clock, SystemClock

MOST_LOCAL_KEYS = 10_000

# Returns the milliseconds to wait for each key: 0 means taken. Keys after the first refused one are not looked at.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, cost, waits = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for number, key in ipairs(KEYS) do
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and tonumber(oldest) <= now - window do
        redis.call('LPOP', key)
        oldest = redis.call('LINDEX', key, 0)
    end
    local excess = redis.call('LLEN', key) + cost - tonumber(ARGV[2 + number])
    if excess > 0 then
        local blocking = redis.call('LINDEX', key, excess - 1)
        waits[number] = math.max(1, (blocking and tonumber(blocking) or now) + window - now)
        return waits
    end
    for _ = 1, cost do redis.call('RPUSH', key, now) end
    redis.call('PEXPIRE', key, window)
    waits[number] = 0
end
return waits
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
        return (await self.take_in_turn({key: limit}, seconds=seconds, cost=cost))[0]

    async def take_in_turn(self, limits: Mapping[str, int], *, seconds: int, cost: int = 1) -> list[Taken]:
        """The same for several keys, one after the other, up to the first that refuses: its answer is the last one."""
        try:
            waits = await self._connection.run(lambda client: self._run(client, limits, seconds, cost))
            taken = [Taken(wait_ms == 0, wait_ms / 1000) for wait_ms in waits]
        except RedisAway:
            taken = []
            for key, limit in limits.items():
                taken.append(self._take_locally(key, limit, seconds, cost))
                if not taken[-1].is_allowed:
                    break
        self.refused_count += not taken[-1].is_allowed
        return taken

    async def _run(self, client: Any, limits: Mapping[str, int], seconds: int, cost: int) -> list[int]:
        if self._script is None:
            self._script = client.register_script(_TAKE)
        waits: list[int] = await self._script(keys=[*limits], args=[seconds * 1000, cost, *limits.values()], client=client)
        return waits

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
