"""How the bytes of a streamed answer are read, from a server that sends one piece every 20 ms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from app.llm.providers import transport
from app.llm.providers.transport import AiohttpTransport, chunks_of

PIECES = [f"data: {number}\n\n".encode() for number in range(40)]


async def _stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in PIECES:
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(0.02)
    writer.write(b"0\r\n\r\n")
    writer.close()


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    async with await asyncio.start_server(_stream, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"


async def _read(client: httpx2.AsyncClient, url: str) -> list[bytes]:
    async with client.stream("GET", url) as response:
        return [chunk async for chunk in chunks_of(response)]


async def _read_several(number: int) -> list[list[bytes]]:
    async with server() as url, httpx2.AsyncClient(transport=AiohttpTransport()) as client:
        return await asyncio.gather(*(_read(client, url) for _ in range(number)))


async def test_an_answer_among_few_is_read_piece_by_piece() -> None:
    (chunks,) = await _read_several(1)
    assert b"".join(chunks) == b"".join(PIECES)
    assert len(chunks) > len(PIECES) / 2


async def test_in_a_crowd_the_beginning_comes_at_once_and_the_rest_in_larger_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CROWD", 2)
    for chunks in await _read_several(3):
        assert b"".join(chunks) == b"".join(PIECES)
        assert chunks[0] == PIECES[0]
        assert len(chunks) < len(PIECES) / 2


async def test_who_has_been_read_does_not_count_as_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CROWD", 1)
    async with server() as url, httpx2.AsyncClient(transport=AiohttpTransport()) as client:
        for _ in range(3):
            assert len(await _read(client, url)) > len(PIECES) / 2
