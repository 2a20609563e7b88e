"""The vendors' SDKs over aiohttp.

The SDKs know how to sign in, address and refuse; their own HTTP library spends more on each streamed token than everything
else we do with it. Measured with 40 streams of 100 tokens, CPU per token: SDK objects 165 µs, SDK lines over its own transport
80 µs, SDK over this transport 35 µs, aiohttp without any SDK 28 µs.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

CONNECT_SECONDS = 5.0
CROWD = 64  # answers; a process that reads more at once takes what they bring in larger bites
BITE_SECONDS = 0.1  # Slack is shown new text ten times less often
SOON = 3  # chunks that are read at once in any case: the first words are in them


def http_client() -> httpx2.AsyncClient:
    """For an SDK's ``http_client``."""
    return httpx2.AsyncClient(transport=AiohttpTransport(), follow_redirects=True)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends requests through one aiohttp session, opened at the first of them."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._being_read: set[ChunksAsTheyArrive] = set()
        self._authorities = _authorities()
        self._proxies = getproxies()  # as they are at the start: reading them for each request costs 50 µs

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        try:
            answer = await self._opened().request(
                request.method,
                str(request.url),
                data=body,
                headers=[(name, value) for name, value in request.headers.items() if name not in {"host", "content-length"}],
                timeout=_timeout(request),
                proxy=self._proxy_for(request.url),
                allow_redirects=False,
            )
        except aiohttp.ConnectionTimeoutError as error:
            raise httpx2.ConnectTimeout(str(error), request=request) from error
        except TimeoutError as error:
            raise httpx2.ReadTimeout(str(error), request=request) from error
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        except aiohttp.ClientError as error:
            raise httpx2.RemoteProtocolError(str(error), request=request) from error
        chunks = ChunksAsTheyArrive(answer, request, self._being_read)
        headers = list(answer.headers.items())
        return httpx2.Response(answer.status, headers=headers, stream=chunks, extensions={"chunks": chunks}, request=request)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _proxy_for(self, url: httpx2.URL) -> str | None:
        return None if not self._proxies or proxy_bypass(url.host) else self._proxies.get(url.scheme)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # How many calls run at once is decided by who asks, not by a pool.
            connector = aiohttp.TCPConnector(limit=0, ssl=self._authorities)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


class ChunksAsTheyArrive(httpx2.AsyncByteStream):
    """The bytes of an answer. A plain iterator: closing it early leaves no half-run generators to the event loop.

    In a crowd, waking up for every token of every answer would be most of the work: there each answer is read a few times a
    second, and what has come meanwhile is taken in one go.
    """

    def __init__(self, answer: aiohttp.ClientResponse, request: httpx2.Request, being_read: set["ChunksAsTheyArrive"]) -> None:
        self._answer = answer
        self._request = request
        self._count = 0
        self._being_read = being_read
        being_read.add(self)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        self._count += 1
        if self._count > SOON and len(self._being_read) > CROWD and not self._answer.content.is_eof():
            await asyncio.sleep(BITE_SECONDS)
        try:
            chunk = await self._answer.content.readany()
        except TimeoutError as error:
            raise httpx2.ReadTimeout(str(error), request=self._request) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise httpx2.RemoteProtocolError(str(error), request=self._request) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        self._being_read.discard(self)
        # A connection with an unread rest cannot be used again, and the vendor writes on until it is closed.
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


def chunks_of(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body of a response that came through this transport, past the layers that would decode and re-yield it."""
    chunks: AsyncIterator[bytes] = response.extensions["chunks"]
    return chunks


@cache
def _authorities() -> ssl.SSLContext:
    """Those the SDKs' own client trusts. Reading them takes 80 ms: once, at the start."""
    return httpx2.create_ssl_context()


def _timeout(request: httpx2.Request) -> aiohttp.ClientTimeout:
    given: dict[str, Any] = request.extensions.get("timeout", {})
    return aiohttp.ClientTimeout(total=None, sock_connect=given.get("connect"), sock_read=given.get("read"))


async def read_rest(chunks: AsyncIterator[bytes]) -> None:
    """Reads the few bytes after the last event, so that the connection can be used again; does not wait long for them."""
    try:
        async with asyncio.timeout(0.1):
            async for _ in chunks:
                pass
    except (TimeoutError, httpx2.HTTPError):
        return
