"""One line and one measurement per request."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import metrics
from app.core.logging_config import ACCESS_LOGGER

logger = logging.getLogger(ACCESS_LOGGER)

_UNKNOWN_ROUTE = "unknown"


class AccessLog:
    """Logs method, path, status, client and, as the last field, ``response_time`` in seconds: ``awk '{s+=$NF}'`` adds it up.

    The path is logged without its query, and the metrics carry the route's template, so neither grows with what callers invent.
    """

    def __init__(self, app: ASGIApp, *, quiet_paths: frozenset[str] = frozenset()) -> None:
        """``quiet_paths``: asked every few seconds by probes; logged at ``DEBUG`` while they succeed."""
        self._app = app
        self._quiet_paths = quiet_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # what the server answers when the application ends without an answer

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method, path, client = scope["method"], scope["path"], scope.get("client")
        metrics.observe_request(method=_known(method), route=_route_of(scope), status=status, seconds=seconds)
        level = logging.DEBUG if path in self._quiet_paths and status < 400 else logging.INFO
        if logger.isEnabledFor(level):
            fields = {"method": method, "path": path, "status": status, "client": client[0] if client else None}
            logger.log(level, "http_request", extra={**fields, "response_time": round(seconds, 6)})


def _known(method: str) -> str:
    return method if method in {"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def _route_of(scope: Scope) -> str:
    """The template of the route that answered: FastAPI's own, or the path of a route without gaps."""
    route = scope.get("route")
    if route is not None:
        return str(getattr(route, "path", _UNKNOWN_ROUTE))
    if "endpoint" in scope and not scope.get("path_params"):
        return str(scope["path"])
    return _UNKNOWN_ROUTE
