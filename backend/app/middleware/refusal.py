"""The short answer of a middleware that does not let a request through."""

import json
from collections.abc import Sequence

from starlette.types import Scope, Send

from app.i18n.language import Language
from app.i18n.problem import problem


async def refuse(
    scope: Scope, send: Send, *, status: int, error: str, message_key: str, headers: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    """Sends the whole answer, in the caller's language or Japanese."""
    wished = next((str(value, "latin-1") for name, value in scope["headers"] if name == b"accept-language"), None)
    text = problem(error, message_key, accept_language=wished, default=Language.JAPANESE)
    body = json.dumps(text, ensure_ascii=False).encode()
    fixed = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})
