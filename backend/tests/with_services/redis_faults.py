"""Wires to Redis that can be cut, holes that swallow everything, and a clock that moves when told."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


class SteppingClock:
    """Stands still until told to step."""

    def __init__(self) -> None:
        self._now = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
        self._seconds = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def step(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


@dataclass
class Wire:
    """A way to the server. While ``is_cut``, bytes disappear in both directions."""

    url: str
    is_cut: bool = False


@contextlib.asynccontextmanager
async def forward_to(redis_url: str, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    wire = Wire("")
    path = redis_url.removeprefix("unix://")
    writers: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(65536):
                if not wire.is_cut:
                    writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(path)
        writers.extend((writer, to_writer))
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))

    server = await asyncio.start_server(serve, "localhost", 0, ssl=tls, family=2)
    port = server.sockets[0].getsockname()[1]
    wire.url = f"{'rediss' if tls else 'redis'}://localhost:{port}/0"
    yield wire
    server.close()
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    await server.wait_closed()


@contextlib.asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """Accepts connections and never says a word."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    server.close()
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    await server.wait_closed()
