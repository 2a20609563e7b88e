"""Keeps bodies that nobody asked for out of memory."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.refusal import refuse


class _TooLarge(Exception):
    """Ends the reading of a body; never leaves this module."""


class BodySizeLimit:
    """Answers 413 as soon as a body is announced, or turns out, to be larger than ``most_bytes``.

    ``larger``: paths that take more.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int, larger: Mapping[str, int] = MappingProxyType({})) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most_bytes = self._larger.get(scope["path"], self._most_bytes)
        if _announced(scope) > most_bytes:
            await self._refuse(scope, send)
            return
        received, is_too_large, has_begun = 0, False, False

        async def receive_counted() -> Message:
            nonlocal received, is_too_large
            message = await receive()
            received += len(message.get("body", b""))
            if received > most_bytes:
                is_too_large = True
                raise _TooLarge
            return message

        async def send_unless_too_large(message: Message) -> None:
            # Frameworks turn an exception while reading into an answer of their own: ours replaces it.
            nonlocal has_begun
            if is_too_large and not has_begun:
                return
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_too_large)
        except _TooLarge:
            if has_begun:
                raise
        if is_too_large and not has_begun:
            await self._refuse(scope, send)

    @staticmethod
    async def _refuse(scope: Scope, send: Send) -> None:
        headers = [(b"connection", b"close")]  # the rest of the body is still on its way
        await refuse(scope, send, status=413, error="too_large", message_key="operations.too_large", headers=headers)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
