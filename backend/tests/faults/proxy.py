"""A TCP proxy that can be slow, silent, or rude."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Weather(StrEnum):
    FAIR = "fair"
    BLACK_HOLE = "black_hole"  # connections stand, nothing passes; what was sent arrives when the weather turns
    REFUSING = "refusing"  # nobody listens


@dataclass(frozen=True)
class Upstream:
    """A TCP port, or a Unix socket."""

    port: int = 0
    path: str = ""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.path:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection("127.0.0.1", self.port)


class Proxy:
    """Passes connections on to the upstreams in turn; one that refuses is skipped."""

    def __init__(self, upstreams: Sequence[Upstream], *, port: int = 0) -> None:
        self.port = port or free_port()
        self.weather = Weather.FAIR
        self.latency_seconds = 0.0
        self._upstreams = list(upstreams)
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._deafen()
        await self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def turn(self, weather: Weather) -> None:
        """Changes the weather for open and new connections."""
        self.weather = weather
        self._may_pass.clear() if weather is Weather.BLACK_HOLE else self._may_pass.set()
        if weather is Weather.REFUSING:
            await self._deafen()
            await self.reset()
        elif self._server is None:
            await self._listen()

    async def reset(self) -> None:
        """Cuts every open connection without a farewell."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=512)

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            up_reader, up_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        try:
            await asyncio.gather(self._pump(reader, up_writer), self._pump(up_reader, writer))
        finally:
            for each in (writer, up_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self._upstreams:
            upstream = self._upstreams[self._turn % len(self._upstreams)]
            self._turn += 1
            with contextlib.suppress(OSError):
                return await upstream.connect()
        raise ConnectionRefusedError

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.latency_seconds:
                    await asyncio.sleep(self.latency_seconds)
                await self._may_pass.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
