"""Answers only to our own names."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware.refusal import refuse


class AllowedHosts:
    """400 for a ``Host`` that is not ours. ``*.example.com`` means every name under it, ``*`` everything.

    Probes ask by address (a load balancer, or 127.0.0.1), so the paths they ask for are open under any name.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], open_paths: frozenset[str]) -> None:
        self._app = app
        self._names = frozenset(host.lower() for host in hosts)
        self._endings = tuple(host[1:].lower() for host in hosts if host.startswith("*."))
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open_paths or self._is_ours(_host_of(scope)):
            await self._app(scope, receive, send)
            return
        await refuse(scope, send, status=400, error="unknown_host", message_key="operations.unknown_host")

    def _is_ours(self, host: str) -> bool:
        return "*" in self._names or host in self._names or host.endswith(self._endings or ("\0",))


def _host_of(scope: Scope) -> str:
    """The name without its port, in lower case; IPv6 addresses keep their brackets."""
    value = next((str(value, "latin-1") for name, value in scope["headers"] if name == b"host"), "")
    name, colon, port = value.rpartition(":")
    return (name if colon and port.isdigit() else value).lower()
