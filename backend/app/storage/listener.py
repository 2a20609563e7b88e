"""One connection that hears what other processes announce with ``NOTIFY``."""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Self

from app.storage.database import UNREACHABLE
from app.storage.dedicated import DedicatedConnection

logger = logging.getLogger(__name__)

Hear = Callable[[str], None]
Prepare = Callable[[Any], Awaitable[None]]

CHECK_EVERY_SECONDS = 5.0
CHECK_TIMEOUT_SECONDS = 3.0
PAUSE_BEFORE_RECONNECT_SECONDS = 0.2


class Listener:
    """Listens for as long as the process lives, over all losses of the connection.

    What is announced while the connection is away is not heard: whoever listens looks into the tables too, and is told of every
    reconnection with an empty text.
    """

    def __init__(self, database_url: str) -> None:
        self._connection = DedicatedConnection(database_url, application_name="sales-agent listener")
        self._ears: dict[str, list[Hear]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._held: set[tuple[int, int]] = set()
        self._connected_at: float | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen(), name="listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._connection.close()

    @property
    def connected_seconds(self) -> float:
        """How long the present connection stands; 0 without one."""
        return time.monotonic() - self._connected_at if self._connected_at is not None else 0.0

    @contextlib.contextmanager
    def hearing(self, channel: str, hear: Hear) -> Iterator[None]:
        """Calls ``hear`` with every announcement on the channel while the block runs."""
        self._ears[channel].append(hear)
        self._wake.set()
        try:
            yield
        finally:
            self._ears[channel].remove(hear)

    def hold(self, lock: tuple[int, int]) -> None:
        """Holds an advisory lock for as long as the connection stands: a sign of life that a crash takes away at once.

        It is shared, so that a new connection need not wait for the server to notice the end of the old one.
        """
        self._held.add(lock)
        self._wake.set()

    def release(self, lock: tuple[int, int]) -> None:
        """Takes no such lock any more; one that is held goes with the connection."""
        self._held.discard(lock)

    async def _listen(self) -> None:
        while True:
            try:
                await self._stay_connected()
            except UNREACHABLE as error:
                logger.warning("listener_disconnected", extra={"error": type(error).__name__})
            finally:
                self._connected_at = None
                self._connection.drop()
            await asyncio.sleep(PAUSE_BEFORE_RECONNECT_SECONDS)

    async def _stay_connected(self) -> None:
        connection = await self._connection.opened()
        prepared: set[object] = set()
        await self._prepare(connection, prepared)
        self._connected_at = time.monotonic()
        for ears in list(self._ears.values()):
            for hear in list(ears):
                hear("")
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_EVERY_SECONDS):
                    await self._wake.wait()
            await self._prepare(connection, prepared)
            # A peer that went away without a word is found out by asking.
            await connection.execute("select 1", timeout=CHECK_TIMEOUT_SECONDS)

    async def _prepare(self, connection: Any, prepared: set[object]) -> None:
        self._wake.clear()
        for channel in [channel for channel in self._ears if channel not in prepared]:
            await connection.add_listener(channel, self._hear)
            prepared.add(channel)
        for lock in self._held - prepared:
            await connection.execute("select pg_advisory_lock_shared($1, $2)", *lock, timeout=CHECK_TIMEOUT_SECONDS)
            prepared.add(lock)

    def _hear(self, _connection: object, _process: int, channel: object, payload: object) -> None:
        for hear in list(self._ears[str(channel)]):
            hear(str(payload))
