"""Starts what the application needs around it, and the servers themselves."""

import asyncio
import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.core.config import Settings, load_settings
from app.core.errors import ConfigurationError
from app.core.garbage import spare_what_stays
from app.embedded.services import EmbeddedServices

BACKEND = Path(__file__).parents[1]
GRACE_SECONDS = 30


@contextmanager
def servers(settings: Settings, *, may_share: bool = False) -> Iterator[Settings]:
    """The settings with the addresses of embedded servers where the given ones have none.

    They run as long as the block. ``may_share``: those of a demo or server that runs already will do.
    """
    needs_postgres, needs_redis = missing_servers(settings)
    if not (needs_postgres or needs_redis):
        yield settings
        return
    embedded = EmbeddedServices(settings.data_directory / "servers")
    if not (may_share and embedded.is_running_elsewhere):
        embedded.start(postgres=needs_postgres, redis=needs_redis)
    try:
        if needs_postgres:
            os.environ["DATABASE_URL"] = embedded.database_url
        if needs_redis:
            os.environ["REDIS_URL"] = embedded.redis_url
        yield load_settings()
    finally:
        embedded.stop()


def missing_servers(settings: Settings) -> tuple[bool, bool]:
    """Whether PostgreSQL and Redis have no address. Production has always both, or does not start."""
    return settings.database_url is None, settings.redis_url is None and settings.redis_host is None


def host_and_port(address: str) -> tuple[str, int]:
    """What ``--bind`` names for one process; ``unix:`` needs gunicorn."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError(f"--bind {address}: with --single, give host:port, such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def bind(host: str, port: int, *, tries: int = 1) -> socket.socket:
    """A listening socket at the port, or at one of the next ones where several ``tries`` are allowed."""
    for candidate in range(port, port + tries):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
        except OSError as error:
            listening.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigurationError(f"HOST {host}, PORT {candidate}: {error.strerror}") from error
        else:
            return listening
    raise ConfigurationError(f"PORT {port} is in use: stop what uses it, or set PORT to another")


def create_app(settings: Settings, *, own_address: str | None, days_later: int = 0) -> FastAPI:
    """The application, with the playground when its own address is given; its clock may run ahead."""
    # Importing app.main builds the application for servers that look for ``app.main:app``: not before it is wanted.
    from app.main import create_app as create  # noqa: PLC0415

    return create(settings, playground_address=own_address, ahead=timedelta(days=days_later))


async def work_until_signal(settings: Settings, when_ready: Callable[[], None]) -> None:
    """Answers events without serving HTTP, until SIGTERM or Ctrl+C; running answers are finished or handed back."""
    # The whole product takes a second to import; `sales-agent check` and its like do without.
    from app.composition import open_services  # noqa: PLC0415
    from app.jobs.work import working  # noqa: PLC0415

    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with open_services(settings) as services, working(services):
        when_ready()
        await stop.wait()


def run_in_this_process(app: FastAPI, settings: Settings, listening: socket.socket, when_ready: Callable[[], None]) -> bool:
    """Serves until a signal comes. False when the application could not start; its log says why."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_keep_alive=settings.keepalive, timeout_graceful_shutdown=GRACE_SECONDS
    )
    server = _AnnouncingServer(config, when_ready, lambda: _drain(app))
    spare_what_stays()
    with contextlib.suppress(KeyboardInterrupt, SystemExit):  # how uvicorn ends after a signal, or when it could not start
        server.run(sockets=[listening])
    return server.was_ready


def _drain(app: FastAPI) -> None:
    app.state.lifecycle.is_draining = True


class _AnnouncingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None], when_asked_to_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready
        self._when_asked_to_stop = when_asked_to_stop
        self.was_ready = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not only at the end of the lifespan: open event streams of pages end because of it, and probes see it.
        self._when_asked_to_stop()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.was_ready = True
            self._when_ready()


def gunicorn_command(*further: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--config", str(BACKEND / "gunicorn.conf.py"), *further, "app.main:app"]


def become_gunicorn(command: list[str]) -> None:
    """This process turns into gunicorn: nothing stands between it and the service manager."""
    os.chdir(BACKEND)
    os.execv(command[0], command)  # noqa: S606


def supervise_gunicorn(command: list[str]) -> int:
    """Runs gunicorn as a child beside embedded servers, hands signals on, and returns its exit code."""
    child = subprocess.Popen(command, cwd=BACKEND, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509

    def hand_on(sign: int, _: FrameType | None) -> None:
        child.send_signal(signal.SIGTERM if sign == signal.SIGINT else sign)

    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(sign, hand_on)
    return child.wait()


def end_on_sigterm() -> None:
    """SIGTERM leaves through the ``finally`` blocks, like Ctrl+C, also while something is still being prepared."""

    def leave(*_: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
