"""Gives every request an id, for the logs and for the caller."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.correlation import is_acceptable_request_id, new_request_id, request_id

_HEADER = b"x-request-id"


class RequestId:
    """Keeps an acceptable ``X-Request-ID`` of the caller, else makes one; sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        chosen = _sent_by_caller(scope) or new_request_id()
        header = (_HEADER, chosen.encode("ascii"))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        token = request_id.set(chosen)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            request_id.reset(token)


def _sent_by_caller(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            text = str(value, "latin-1")
            return text if is_acceptable_request_id(text) else None
    return None
