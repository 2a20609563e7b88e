"""The servers that start from wheels: as root and not, killed, started twice, in odd places."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from app.core.errors import ConfigurationError
from app.embedded.services import MOVED_TO, THROW_AWAY, EmbeddedServices
from app.storage.database import driver_url

BACKEND = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0

SUPERVISOR = """
import pathlib, sys, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
from app.embedded.services import THROW_AWAY, EmbeddedServices
with EmbeddedServices(pathlib.Path(sys.argv[1]), THROW_AWAY) as services:
    print(services.database_url, services.redis_url, flush=True)
    signal.sigwait({signal.SIGTERM})
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sa ä%-") as name:  # a space, a letter beyond ASCII and a percent sign
        path = Path(name)
        path.chmod(0o755)
        yield path


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def start(home: Path, *, python: str = sys.executable, **run_as: Any) -> subprocess.Popen[str]:
    packages = Path(psutil.__file__).parents[1]
    environment = {"PYTHONPATH": f"{BACKEND}{os.pathsep}{packages}", "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [python, "-c", SUPERVISOR, str(home)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd="/", **run_as,
    )  # fmt: skip


def addresses(supervisor: subprocess.Popen[str]) -> list[str]:
    assert supervisor.stdout is not None
    assert supervisor.stderr is not None
    line = supervisor.stdout.readline().split()
    if len(line) != 2:
        supervisor.kill()
        pytest.fail(f"the supervisor said {line} and {supervisor.stderr.read()}")
    return line


async def ask(database_url: str, statement: str) -> Any:
    connection = await asyncpg.connect(driver_url(database_url))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def children_of(supervisor: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(supervisor.pid).children(recursive=True)


def live(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


async def test_data_survives_a_stop_and_a_start(folder: Path) -> None:
    with EmbeddedServices(folder, THROW_AWAY) as services:
        await ask(services.database_url, "create table kept (word text)")
        await ask(services.database_url, "insert into kept values ('商談')")
    with EmbeddedServices(folder, THROW_AWAY) as services:
        assert await ask(services.database_url, "select word from kept") == "商談"


async def test_japanese_trigrams_work(folder: Path) -> None:
    with EmbeddedServices(folder, THROW_AWAY) as services:
        await ask(services.database_url, "create extension pg_trgm")
        assert await ask(services.database_url, "select similarity('商談の進め方','商談の進めかた')") > 0.3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_supervisor_leaves_no_server_behind_and_the_next_start_finds_its_data(folder: Path) -> None:
    supervisor = start(folder)
    database_url, _ = addresses(supervisor)
    await ask(database_url, "create table kept as select 1 as one")
    children = children_of(supervisor)
    assert len(children) >= 2
    supervisor.kill()
    supervisor.communicate()
    with EmbeddedServices(folder, THROW_AWAY) as services:  # at once, while the old servers are still on their way out
        assert await ask(services.database_url, "select one from kept") == 1
    eventually(lambda: not live(children))


async def test_a_server_that_outlived_its_supervisor_is_ended_by_the_next(folder: Path) -> None:
    supervisor = start(folder)
    addresses(supervisor)
    children = children_of(supervisor)
    postmaster = next(child for child in children if child.ppid() == supervisor.pid and "postgres" in child.name())
    postmaster.send_signal(signal.SIGSTOP)  # as good as deaf: it cannot obey the signal that its supervisor's end sends
    supervisor.kill()
    supervisor.communicate()
    postmaster.send_signal(signal.SIGCONT)
    with EmbeddedServices(folder, THROW_AWAY) as services:
        assert await ask(services.database_url, "select 1") == 1
    eventually(lambda: not live(children))


async def test_a_second_opener_is_refused_with_the_mend_and_may_use_the_first(folder: Path) -> None:
    supervisor = start(folder)
    try:
        database_url, redis_url = addresses(supervisor)
        second = EmbeddedServices(folder, THROW_AWAY)
        with pytest.raises(ConfigurationError, match=r"in use by another process.*DATA_DIRECTORY"):
            second.start()
        assert second.is_running_elsewhere
        assert (second.database_url, second.redis_url) == (database_url, redis_url)
        assert await ask(second.database_url, "select 1") == 1
    finally:
        supervisor.terminate()
        supervisor.communicate()
    assert not second.is_running_elsewhere


async def test_a_path_too_long_for_a_socket_works(folder: Path) -> None:
    home = folder / ("d" * 120) / "data"
    with EmbeddedServices(home, THROW_AWAY) as services:
        assert await ask(services.database_url, "select 1") == 1


async def test_one_server_alone_can_be_started(folder: Path) -> None:
    services = EmbeddedServices(folder, THROW_AWAY)
    services.start(postgres=False)
    try:
        assert services.redis_url.startswith("unix://")
        assert not (folder / "postgres").exists()
    finally:
        services.stop()


def test_the_servers_directories_are_closed_to_others(folder: Path) -> None:
    with EmbeddedServices(folder, THROW_AWAY):
        for name in ("sockets", "postgres", "redis"):
            assert (folder / name).stat().st_mode & 0o077 == 0, name
        assert (folder / "postgres.password").stat().st_mode & 0o077 == 0


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try this")


@needs_root
async def test_root_runs_them_below_a_closed_folder_without_opening_it(folder: Path) -> None:
    closed = closed_below(folder)
    services = EmbeddedServices(closed / "data", THROW_AWAY)
    try:
        with services:
            assert await ask(services.database_url, "select 1") == 1
        assert [path.stat().st_mode & 0o777 for path in (closed, folder)] == [0o700, 0o755]
    finally:
        shutil.rmtree(moved_to(closed / "data"))


@needs_root
async def test_an_ordinary_user_can_run_them(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    run_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    python = next((path for path in (sys.executable, "/usr/bin/python3") if can_be_run(path, run_as)), None)
    if python is None:
        pytest.skip("no Python that an ordinary user of this machine can run")
    home = folder / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    supervisor = start(home / "data", python=python, **run_as)
    try:
        database_url, _ = addresses(supervisor)
        assert {child.uids().real for child in children_of(supervisor)} == {nobody.pw_uid}
        data = next((home / "data" / "postgres").glob("data-*"))
        assert data.stat().st_uid == nobody.pw_uid
        assert database_url.startswith("postgresql+asyncpg://")
    finally:
        supervisor.terminate()
        supervisor.communicate()


def closed_below(folder: Path) -> Path:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    return closed


def moved_to(home: Path) -> Path:
    return Path((home / MOVED_TO).read_text().strip())


def can_be_run(python: str, run_as: dict[str, Any]) -> bool:
    question = "import sys; assert sys.version_info >= (3, 11)"
    environment = {"PATH": "/usr/bin:/bin"}
    try:
        return subprocess.run([python, "-c", question], check=False, cwd="/", env=environment, **run_as).returncode == 0
    except OSError:
        return False
