"""One connection that stays open for one purpose: group commits, or listening."""

import asyncio
from typing import Any

import asyncpg

from app.core.errors import StorageUnavailable
from app.storage.database import UNREACHABLE, Record, driver_url

_CONNECT_TIMEOUT_SECONDS = 2.0


class DedicatedConnection:
    """Opened at first use and again after every loss. For use by one task at a time."""

    def __init__(self, url: str, *, application_name: str, prepare: str = "") -> None:
        """``prepare``: SQL for every new connection, such as ``set``. (Poolers refuse unknown settings at the greeting.)"""
        self._url = driver_url(url)
        self._application_name = application_name
        self._prepare = prepare
        self._connection: Any = None

    async def fetch(self, sql: str, *args: Any, timeout_seconds: float) -> list[Record]:
        """Runs one statement; ``StorageUnavailable`` when the server is away or silent. The connection is then dropped."""
        try:
            async with asyncio.timeout(timeout_seconds):
                connection = await self.opened()
                rows: list[Record] = await connection.fetch(sql, *args)
                return rows
        except UNREACHABLE as error:
            # A silent peer would keep a polite close waiting as well.
            self.drop()
            raise StorageUnavailable("PostgreSQL did not answer in time") from error
        except asyncio.CancelledError:
            self.drop()
            raise

    async def opened(self) -> Any:
        """The connection itself, for what only it can do, such as listening."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._url,
                timeout=_CONNECT_TIMEOUT_SECONDS,
                server_settings={"application_name": self._application_name, "timezone": "UTC"},
            )
            if self._prepare:
                await self._connection.execute(self._prepare)
        return self._connection

    def drop(self) -> None:
        """Cuts the connection without a word to the server."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=1)
            except UNREACHABLE:
                connection.terminate()
