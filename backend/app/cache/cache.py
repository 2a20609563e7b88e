"""Bytes by key, for a while. Never raises, never takes longer than 100 ms, and may forget anything at any time."""

import contextlib
from typing import Any

from app.cache.connection import RedisAway, RedisConnection
from app.core.metrics import count_cache

MOST_OWED_DELETIONS = 10_000
BLOCKED_SECONDS = 60
BLOCKED = b"\0"

# GETDEL exists from Redis 6.2 on; the operators' guide promises 6.0.
_TAKE = """
local value = redis.call('GET', KEYS[1])
if value then redis.call('DEL', KEYS[1]) end
return value
"""


class Cache:
    """``None`` means "not known here", whatever the reason."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._owed_deletions: dict[str, None] = {}
        self._take_script: Any = None
        self.hit_count = 0
        self.miss_count = 0

    @property
    def is_up(self) -> bool:
        return self._connection.is_up

    @property
    def hit_rate(self) -> float:
        """Share of reads that found something, since the start; 0 before the first read."""
        reads = self.hit_count + self.miss_count
        return self.hit_count / reads if reads else 0.0

    async def get(self, key: str) -> bytes | None:
        return await self._read(key, lambda client: client.get(key))

    async def take(self, key: str) -> bytes | None:
        """The value, which is gone from the cache afterwards.

        For values that are read, changed and written back: whatever happens in between, nobody finds the old one.
        """
        return await self._read(key, lambda client: self._script(client)(keys=[key], client=client))

    async def set(self, key: str, value: bytes, ttl_seconds: int) -> bool:
        """Whether it was stored. When not, an older value is removed as soon as Redis is back."""
        try:
            await self._pay_debts(but_not=key)
            await self._connection.run(lambda client: client.set(key, value, ex=ttl_seconds))
        except RedisAway:
            self._owe(key)
            return False
        self._owed_deletions.pop(key, None)
        return True

    async def add(self, key: str, value: bytes, ttl_seconds: int) -> None:
        """Like :meth:`set`, unless something stands there already, or the key is blocked."""
        with contextlib.suppress(RedisAway):
            await self._pay_debts()
            await self._connection.run(lambda client: client.set(key, value, ex=ttl_seconds, nx=True))

    async def block(self, key: str) -> None:
        """Removes a value for good: whoever has read the old one from its source before cannot :meth:`add` it any more.

        The block lasts for a minute, longer than any such reader takes. Reading a blocked key finds nothing.
        """
        await self.set(key, BLOCKED, BLOCKED_SECONDS)

    async def delete(self, *keys: str) -> None:
        """Removes them now, or as soon as Redis is back."""
        try:
            await self._connection.run(lambda client: client.delete(*keys))
        except RedisAway:
            self._owe(*keys)

    async def _read(self, key: str, work: Any) -> bytes | None:
        try:
            await self._pay_debts()
            value: bytes | None = await self._connection.run(work)
        except RedisAway:
            value = None
        if key in self._owed_deletions or value == BLOCKED:
            value = None
        self.hit_count += value is not None
        self.miss_count += value is None
        count_cache(is_hit=value is not None)
        return value

    async def _pay_debts(self, *, but_not: str = "") -> None:
        """What could not be changed while Redis was away must not be found there afterwards."""
        if owed := [key for key in self._owed_deletions if key != but_not]:
            await self._connection.run(lambda client: client.delete(*owed))
            for key in owed:
                self._owed_deletions.pop(key, None)

    def _owe(self, *keys: str) -> None:
        self._owed_deletions.update(dict.fromkeys(keys))
        while len(self._owed_deletions) > MOST_OWED_DELETIONS:
            del self._owed_deletions[next(iter(self._owed_deletions))]

    def _script(self, client: Any) -> Any:
        if self._take_script is None:
            self._take_script = client.register_script(_TAKE)
        return self._take_script
