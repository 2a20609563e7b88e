"""Socket Mode: the application's web sockets, and envelopes that go to one of them."""

import asyncio
import json
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from app.playground.delivery import Answer

Json = dict[str, Any]


class SocketMode:
    """Each payload goes to one open connection in turn; only an acknowledgement within the time counts."""

    def __init__(self) -> None:
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._numbers = count(1)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        await socket.send_json(
            {"type": "hello", "num_connections": len(self._open) + 1, "connection_info": {"app_id": "A0COACH0001"}}
        )
        self._open.append(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            self._open.remove(socket)
        return socket

    async def send(self, kind: str, payload: Json, *, retry: int, reason: str | None, timeout_seconds: float) -> Answer:
        if not self._open:
            return Answer(0, error="connection")
        number = next(self._numbers)
        envelope_id = f"envelope-{number}"
        waiting = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        envelope: Json = {
            "envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api",
        }  # fmt: skip
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason or ""}
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._open[number % len(self._open)].send_str(json.dumps(envelope))
                return Answer(200, await waiting)
        except TimeoutError:
            return Answer(0, error="timeout")
        except ConnectionError:
            return Answer(0, error="connection")
        finally:
            self._waiting.pop(envelope_id, None)

    async def close(self) -> None:
        for socket in list(self._open):
            await socket.close()

    def _acknowledge(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(message.get("envelope_id", ""))
        if waiting is not None and not waiting.done():
            payload = message.get("payload")
            waiting.set_result(payload if isinstance(payload, str) else json.dumps(payload) if payload else "")
